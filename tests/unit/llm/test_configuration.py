"""Which models there are: what a file or the environment may say, and everything that is wrong at once."""

import pickle
from pathlib import Path

import msgspec
import pytest

from pipeline.exchange import Arm, Experiment, Place, Price
from pipeline.llm.configuration import AiConfiguration, AiConfigurationError, read_configuration
from pipeline.llm.credential import Credential, Secret
from pipeline.llm.declaration import PriceIn, ProviderIn
from pipeline.settings import Settings

KEYS = {"TOGETHER_KEY": "tk-very-secret"}
TOGETHER = """
[[providers]]
name = "together"
kind = "openai"
model = "llama"
base_url = "https://api.together.example/v1"
api_key_env = "TOGETHER_KEY"
"""
HOUSE = """
[[providers]]
name = "house"
kind = "openai"
model = "qwen"
base_url = "http://ollama:11434/v1"
place = "local"
"""


def read(tmp_path: Path, text: str, environment: dict[str, str] | None = None) -> AiConfiguration:
    file = tmp_path / "ai.toml"
    file.write_text(text, encoding="utf-8")
    return read_configuration(Settings(ai_config=str(file)), KEYS if environment is None else environment)


def problems(tmp_path: Path, text: str, environment: dict[str, str] | None = None) -> tuple[str, ...]:
    with pytest.raises(AiConfigurationError) as caught:
        read(tmp_path, text, environment)
    assert str(caught.value) == "\n".join(caught.value.problems)
    return tuple(problem.removeprefix(f"{tmp_path / 'ai.toml'}") for problem in caught.value.problems)


def test_without_file_and_keys_there_are_no_models() -> None:
    assert read_configuration(Settings(), {}) == AiConfiguration("the environment")


def test_the_usual_keys_are_enough() -> None:
    settings = Settings(openai_model="big", ai_concurrency=9)
    found = read_configuration(settings, {"OPENAI_API_KEY": "a", "ANTHROPIC_API_KEY": "b"})
    assert [(route.name, route.kind, route.place, route.concurrency) for route in found.routes] == [
        ("openai/big", "openai", Place.CLOUD, 9),
        ("anthropic/claude-haiku-5-5", "anthropic", Place.CLOUD, 9),
    ]
    assert found.credentials["openai"] == Credential("https://api.openai.com/v1", Secret("a"))
    assert found.credentials["anthropic"] == Credential("https://api.anthropic.com", Secret("b"))


def test_an_empty_key_is_no_key() -> None:
    assert read_configuration(Settings(), {"OPENAI_API_KEY": "", "ANTHROPIC_API_KEY": "\n"}).routes == ()


def test_the_end_of_a_line_is_no_part_of_a_key() -> None:
    assert read_configuration(Settings(), {"OPENAI_API_KEY": "k\n"}).credentials["openai"].api_key == Secret("k")


def test_the_address_of_the_usual_provider_may_be_another_one() -> None:
    environment = {"OPENAI_API_KEY": "a", "OPENAI_BASE_URL": "http://127.0.0.1:4000/v1"}
    found = read_configuration(Settings(), environment)
    assert found.credentials["openai"].base_url == "http://127.0.0.1:4000/v1"
    assert found.routes[0].place is Place.CLOUD, "what stands behind a proxy is not known"


def test_an_unencrypted_address_outside_this_machine_is_refused() -> None:
    with pytest.raises(AiConfigurationError, match="OPENAI_BASE_URL: must begin with https"):
        read_configuration(Settings(), {"OPENAI_API_KEY": "a", "OPENAI_BASE_URL": "http://gateway.example/v1"})


def test_a_file_says_everything_there_is_to_a_route(tmp_path: Path) -> None:
    text = f"""{TOGETHER}
weight = 3
concurrency = 20
timeout_seconds = 12.5
first_text_seconds = 4
structured = "object"
api = "responses"
batch = true
price = {{ input_per_million = 0.2, output_per_million = 0.6 }}
{HOUSE}
[[experiments]]
id = "house-or-cloud"
arms = [
    {{ name = "cloud", share = 1, provider = "together" }},
    {{ name = "house", share = 3, provider = "house", prompt = "feedback/personalized/en@1" }},
]
"""
    found = read(tmp_path, text)
    cloud, house = found.routes
    assert (cloud.weight, cloud.concurrency, cloud.timeout_seconds, cloud.first_text_seconds) == (3, 20, 12.5, 4.0)
    assert (cloud.structured, cloud.batch, cloud.price) == ("object", True, Price(0.2, 0.6))
    assert (cloud.api, house.api) == ("responses", "chat")
    assert (house.place, house.concurrency, house.structured, house.price) == (Place.LOCAL, 5, "schema", None)
    assert found.credentials["house"].api_key is None
    assert found.experiments == (
        Experiment(
            "house-or-cloud", (Arm("cloud", 1.0, "together"), Arm("house", 3.0, "house", "feedback/personalized/en@1"))
        ),
    )


def test_a_file_without_models_switches_them_off_whatever_keys_there_are(tmp_path: Path) -> None:
    assert read(tmp_path, "providers = []", {"OPENAI_API_KEY": "a"}).routes == ()


def test_all_problems_are_told_at_once_with_their_places(tmp_path: Path) -> None:
    text = """
[[providers]]
name = "first"
kind = "gemini"
base_url = "http://api.example/v1"
weight = 0
colour = "red"
price = { input_per_million = "much" }

[[providers]]
name = "first"
kind = "openai"
model = "m"
api_key_env = "NOT_THERE"

[[experiments]]
id = "one"
arms = [{ name = "a", share = 0 }, { name = "a", share = 1, provider = "nobody" }]

[extra]
"""
    found = problems(tmp_path, text)
    for place, words in [
        ("[[providers]] 1 (first), model", "is missing"),
        ("[[providers]] 1 (first), kind", "openai, anthropic"),
        ("[[providers]] 1 (first), base_url", "https://"),
        ("[[providers]] 1 (first), weight", ">= 1"),
        ("[[providers]] 1 (first), colour", "no such field"),
        ("[[providers]] 1 (first), api_key_env", "is missing"),
        ("[[providers]] 1 (first), price, input_per_million", "Expected `float`"),
        ("[[providers]] 1 (first), price, output_per_million", "is missing"),
        ("[[providers]] 2 (first), name", "another one above"),
        ("[[providers]] 2 (first), api_key_env", "NOT_THERE is not set"),
        ("[[experiments]] 1 (one), [[arms]] 1 (a), share", "> 0"),
        ("[[experiments]] 1 (one), [[arms]] 2 (a), name", "another one above"),
        ("[[experiments]] 1 (one), [[arms]] 2 (a), provider", "none of the [[providers]]"),
        ("there is no table [extra]", "providers, experiments"),
    ]:
        assert any(place in problem and words in problem for problem in found), (place, found)
    assert len(found) == 14


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ('api_key = "sk-hunter2"', "api_key"),
        ('api_key_env = "sk-hunter2"', "api_key_env"),
        ('token = "sk-hunter2"', "token"),
    ],
)
def test_a_key_in_the_file_is_refused_and_not_repeated(tmp_path: Path, line: str, field: str) -> None:
    text = TOGETHER.replace('api_key_env = "TOGETHER_KEY"', line)
    found = problems(tmp_path, text)
    assert any(f", {field}: " in problem for problem in found)
    assert "hunter2" not in "\n".join(found)


@pytest.mark.parametrize(
    "url",
    [
        "https://me:sk-hunter2@llm.example/v1",
        "https://llm.example/v1?key=hunter2",
        "llm.example hunter2",
        "ftp://hunter2.example",
        "https://[hunter2",
        "https://llm.example:hunter2/v1",
    ],
)
def test_an_address_that_is_none_or_holds_a_key_is_refused_and_not_repeated(tmp_path: Path, url: str) -> None:
    found = problems(tmp_path, TOGETHER.replace("https://api.together.example/v1", url))
    assert [", base_url: " in problem for problem in found] == [True]
    assert "hunter2" not in found[0]


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("http://ollama:11434/v1", True),
        ("http://10.1.2.3:8000/v1", True),
        ("http://[fd00::1]:8000/v1", True),
        ("http://llm.internal/v1", True),
        ("https://llm.school.example/v1", True),
        ("http://llm.school.example/v1", False),
        ("http://203.0.114.9/v1", False),
        ("https://api.openai.com/v1", False),
        ("https://my.openai.azure.com/v1", False),
    ],
)
def test_what_is_called_local_is_not_a_known_cloud_and_travels_unencrypted_in_the_house_only(
    tmp_path: Path, url: str, good: bool
) -> None:
    text = HOUSE.replace("http://ollama:11434/v1", url)
    if good:
        assert read(tmp_path, text).routes[0].place is Place.LOCAL
    else:
        assert any(", base_url: " in problem for problem in problems(tmp_path, text))


def test_a_local_model_must_say_where_it_is(tmp_path: Path) -> None:
    found = problems(tmp_path, HOUSE.replace('base_url = "http://ollama:11434/v1"', ""))
    assert [", base_url: is missing" in problem for problem in found] == [True]


@pytest.mark.parametrize("text", ["[[providers]", "", "providers = 3", "[providers]\nname = 'x'", "providers = [1]"])
def test_a_file_that_is_none_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(AiConfigurationError, match=r"ai\.toml: "):
        read(tmp_path, text)


def test_a_file_that_is_not_there_is_named_with_its_setting() -> None:
    with pytest.raises(AiConfigurationError, match=r"GRADELINE_AI_CONFIG: cannot read nowhere/ai\.toml: No such file"):
        read_configuration(Settings(ai_config="nowhere/ai.toml"), {})


def test_a_key_shows_in_no_text_and_in_no_encoding(tmp_path: Path) -> None:
    found = read(tmp_path, TOGETHER)
    secret = found.credentials["together"].api_key
    assert secret is not None
    assert secret.reveal() == "tk-very-secret"
    assert "very-secret" not in f"{found} {found!r} {secret} {secret!r} {secret:>20}"
    with pytest.raises(TypeError):
        msgspec.json.encode(found.credentials["together"])
    with pytest.raises(TypeError):
        pickle.dumps(secret)


def test_an_account_is_the_same_wherever_address_and_key_are_and_tells_neither() -> None:
    account = Credential("https://a.example/v1", Secret("k1")).account
    assert account == Credential("https://a.example/v1/", Secret("k1")).account
    assert account != Credential("https://a.example/v1", Secret("k2")).account
    assert account != Credential("https://b.example/v1", Secret("k1")).account
    assert len(account) == 16
    assert "k1" not in account


def test_the_example_in_the_docs_is_right_and_says_all_there_is_to_a_provider() -> None:
    file = Path(__file__).resolve().parents[3] / "docs" / "ai.toml"
    keys = {"OPENAI_API_KEY": "a", "ANTHROPIC_API_KEY": "b", "TOGETHER_API_KEY": "c"}
    found = read_configuration(Settings(ai_config=str(file)), keys)
    assert [route.provider for route in found.routes] == ["openai", "anthropic", "together", "house"]
    assert [arm.provider for arm in found.experiments[0].arms] == ["openai", "anthropic"]
    text = file.read_text(encoding="utf-8")
    fields = {field.name for kind in (ProviderIn, PriceIn) for field in msgspec.structs.fields(kind)}
    assert {name for name in fields if f"{name} = " not in text} == set()
