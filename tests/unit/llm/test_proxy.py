"""Proxies that the environment names: what can be used, and what is said of the rest before anybody is asked."""

import pytest

from cli.finding import Level
from cli.models import read_models
from pipeline.llm.configuration import AiConfigurationError, read_configuration
from pipeline.llm.proxy import proxy_for, proxy_problem
from pipeline.settings import Settings

CLOUD = "https://llm.example/v1"
VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(variable.lower(), raising=False)


@pytest.mark.parametrize(
    ("environment", "variable"),
    [
        ({"HTTPS_PROXY": "socks5://ada:secret@proxy.example:1080"}, "HTTPS_PROXY"),
        ({"https_proxy": "socks5h://proxy.example", "HTTPS_PROXY": "http://proxy.example"}, "https_proxy"),
        ({"ALL_PROXY": "socks4://proxy.example"}, "ALL_PROXY"),
        ({"all_proxy": "SOCKS5://proxy.example", "HTTPS_PROXY": ""}, "all_proxy"),
        ({"HTTPS_PROXY": "http://"}, "HTTPS_PROXY"),
        ({"HTTPS_PROXY": "http://proxy.example:port"}, "HTTPS_PROXY"),
        ({"HTTPS_PROXY": "ftp://proxy.example", "NO_PROXY": "other.example"}, "HTTPS_PROXY"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_told_by_its_variable(environment: dict[str, str], variable: str) -> None:
    problem = proxy_problem(CLOUD, environment)
    assert problem is not None
    assert problem.startswith(f"{variable}: ")
    assert "proxy.example" not in problem
    assert "secret" not in problem


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"HTTPS_PROXY": "http://ada:secret@proxy.example:3128"},
        {"HTTPS_PROXY": "https://proxy.example"},
        {"HTTPS_PROXY": "proxy.example:3128"},
        {"HTTPS_PROXY": "socks5://proxy.example", "NO_PROXY": "example"},
        {"HTTPS_PROXY": "socks5://proxy.example", "no_proxy": "*"},
        {"HTTP_PROXY": "socks5://proxy.example"},
        {"https_proxy": "", "HTTPS_PROXY": "socks5://proxy.example"},
        {"HTTPS_PROXY": "http://proxy.example", "ALL_PROXY": "socks5://proxy.example"},
    ],
)
def test_a_proxy_that_can_be_used_or_is_not_meant_is_no_problem(environment: dict[str, str]) -> None:
    assert proxy_problem(CLOUD, environment) is None


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "ALL_PROXY"])
def test_no_worker_begins_with_a_proxy_that_it_cannot_use(variable: str) -> None:
    environment = {"OPENAI_API_KEY": "a", "ANTHROPIC_API_KEY": "b", variable: "socks5://proxy.example:1080"}
    with pytest.raises(AiConfigurationError, match=f"^{variable}: names a proxy of a kind") as caught:
        read_configuration(Settings(), environment)
    assert len(caught.value.problems) == 1


def test_a_proxy_does_not_matter_where_no_model_is_asked() -> None:
    assert read_configuration(Settings(), {"HTTPS_PROXY": "socks5://proxy.example"}).routes == ()


def test_the_doctor_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "a")
    monkeypatch.setenv("HTTPS_PROXY", "socks5://proxy.example:1080")
    configuration, [finding] = read_models(Settings())
    assert (configuration, finding.level) == (None, Level.FAIL)
    assert finding.found.startswith("HTTPS_PROXY: ")


@pytest.mark.parametrize(
    ("named", "proxy"),
    [
        ({"HTTPS_PROXY": "proxy.example:3128"}, "http://proxy.example:3128"),
        ({"ALL_PROXY": "http://proxy.example"}, "http://proxy.example"),
        ({"HTTPS_PROXY": "http://proxy.example", "NO_PROXY": "llm.example"}, None),
        ({}, None),
    ],
)
def test_requests_take_the_proxy_that_is_named(
    named: dict[str, str], proxy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in named.items():
        monkeypatch.setenv(variable, value)
    assert proxy_for("https", "llm.example") == proxy
