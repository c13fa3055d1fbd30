"""What `gradeline doctor` says of language models, and what asking them tells."""

import sys
from pathlib import Path

import pytest

from cli.checkup import checkup
from cli.finding import Finding, Level
from cli.models import differing
from tests.standin.script import Fault, Rule, Script
from tests.standin.server import StandIn, standing_in

KEY = "sk-very-secret"


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    servers = ("GRADELINE_DATABASE_URL", "GRADELINE_REDIS_URL", "GRADELINE_HOME")
    for name in (*servers, "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GRADELINE_AI_CONFIG"):
        monkeypatch.delenv(name, raising=False)


async def on_models(home: Path, *, ping_ai: bool = False) -> list[Finding]:
    findings = await checkup(home, ping_ai=ping_ai)
    assert KEY not in str(findings)
    return [finding for finding in findings if finding.subject.startswith(("model", "feedback"))]


def configured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, stand_in: StandIn) -> None:
    """Two models of the stand-in, one on each wire; the first one's price is known."""
    file = tmp_path / "ai.toml"
    file.write_text(
        f"""
        [[providers]]
        name = "one"
        kind = "openai"
        model = "m"
        base_url = "{stand_in.url}/v1"
        api_key_env = "ONE_KEY"
        price = {{ input_per_million = 1000, output_per_million = 1000 }}

        [[providers]]
        name = "two"
        kind = "anthropic"
        model = "n"
        base_url = "{stand_in.url}"
        place = "local"
        """,
        encoding="utf-8",
    )
    monkeypatch.setenv("GRADELINE_AI_CONFIG", str(file))
    monkeypatch.setenv("ONE_KEY", KEY)


async def test_without_models_templates_are_said_to_serve(tmp_path: Path) -> None:
    [finding] = await on_models(tmp_path, ping_ai=True)
    assert finding.level is Level.OK
    assert "templates" in finding.found
    assert "OPENAI_API_KEY" in finding.advice


async def test_each_model_is_told_with_its_place_and_asked_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with standing_in() as stand_in:
        configured(monkeypatch, tmp_path, stand_in)
        feedback, one, two = await on_models(tmp_path)
        assert stand_in.calls == []
    assert str(tmp_path / "ai.toml") in feedback.found
    assert (one.subject, one.level) == ("model one/m", Level.OK)
    assert one.found == f"cloud, {stand_in.url}/v1, with a key, not asked"
    assert two.found == f"local, {stand_in.url}, without a key, not asked"


async def test_a_model_in_a_cloud_whose_price_nobody_knows_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("GRADELINE_OPENAI_MODEL", "never-heard-of")
    _, model = await on_models(tmp_path)
    assert model.level is Level.WARN
    assert "price" in model.advice


async def test_every_problem_of_the_configuration_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "ai.toml"
    file.write_text(f'[[providers]]\nname = "one"\nkind = "openai"\napi_key = "{KEY}"\n', encoding="utf-8")
    monkeypatch.setenv("GRADELINE_AI_CONFIG", str(file))
    findings = await on_models(tmp_path, ping_ai=True)
    assert {finding.level for finding in findings} == {Level.FAIL}
    assert len(findings) == 3, "a key in the file, no api_key_env, no model"


async def test_models_that_are_asked_say_how_long_it_took_and_what_it_cost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with standing_in() as stand_in:
        configured(monkeypatch, tmp_path, stand_in)
        *_, spent, one, two = await on_models(tmp_path, ping_ai=True)
        booked = next(call.booked for call in stand_in.calls if call.model == "m")
        assert len(stand_in.calls) == 2
    assert "US dollars at the very most" in spent.found
    assert booked is not None
    assert one.found.endswith(f"{(booked.input + booked.output) / 1000:.6f} US dollars")
    assert two.level is Level.OK


@pytest.mark.parametrize(
    ("fault", "words", "advice"),
    [
        (Fault.UNAUTHORIZED, "unauthorized (401", "check the key"),
        (Fault.QUOTA, "quota spent (429", "top up"),
        (Fault.UNKNOWN_MODEL, "unknown model (404", "name of the model"),
    ],
)
async def test_a_model_that_does_not_answer_is_told_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Fault, words: str, advice: str
) -> None:
    async with standing_in(Script(rules=[Rule(fault=fault, model="m")])) as stand_in:
        configured(monkeypatch, tmp_path, stand_in)
        *_, one, two = await on_models(tmp_path, ping_ai=True)
        assert len(stand_in.calls) == 2, "one request each, without any retry"
    assert (one.level, two.level) == (Level.FAIL, Level.OK)
    assert words in one.found
    assert advice in one.advice


async def test_that_so_few_tokens_are_not_enough_says_nothing_against_a_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with standing_in(Script(rules=[Rule(fault=Fault.TRUNCATED)])) as stand_in:
        configured(monkeypatch, tmp_path, stand_in)
        assert {finding.level for finding in await on_models(tmp_path, ping_ai=True)} == {Level.OK}


def test_reading_the_configuration_loads_no_sdk() -> None:
    """The API's process and `gradeline doctor` read it; only those who ask models pay for the SDKs."""
    import subprocess  # noqa: PLC0415 - for this test alone

    program = "import sys, cli.models; print(*sorted({'openai', 'anthropic', 'httpx2'} & sys.modules.keys()))"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == ""


def test_a_system_with_the_models_of_this_shell_is_not_spoken_of() -> None:
    told = {"providers": [{"provider": "one", "model": "m", "configured": True}]}
    assert differing({("one", "m")}, told) == []


def test_a_model_that_is_configured_no_more_is_not_one_of_the_system() -> None:
    told = {"providers": [{"provider": "one", "model": "m", "configured": False}]}
    (finding,) = differing({("one", "m")}, told)
    assert finding.level is Level.WARN
    assert "templates alone" in finding.found
