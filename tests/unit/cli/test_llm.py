"""What `gradeline llm` shows of language models, and what it sets."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec
import pytest
from click.testing import CliRunner, Result

import cli.client
from api.llm import EXAMPLE
from cli.client import Client
from cli.llm_tables import alert_lines, arm_row, breaker, budget_line, head_line, provider_row
from cli.main import main
from cli.target import Target
from tests.unit.cli.fakes import client_of, json_of

OVERVIEW: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(EXAMPLE))
POLICY = {"mode": "cloud", "tenant_daily_usd": 20.0, "learner_daily_usd": None, "batch": False}
SERVER = ("--url", "http://server", "--api-key", "gl_key")


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[httpx.Request]:
    """Every request that a command sends; the server shows the example and takes any policy."""
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        if request.method == "PUT":
            return httpx.Response(200, json={**POLICY, **json_of(request)})
        return httpx.Response(200, json=POLICY if request.url.path.endswith("policy") else OVERVIEW)

    @asynccontextmanager
    async def connected(_: Target) -> AsyncIterator[Client]:
        async with client_of(answer) as client:
            yield client

    monkeypatch.setattr(cli.client, "connected", connected)
    return sent


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["llm", *arguments])


def test_it_shows_alerts_money_providers_and_arms(requests: list[httpx.Request]) -> None:
    shown = run("--minutes", "15", *SERVER)
    assert shown.exit_code == 0, shown.output
    assert requests[0].url.params["minutes"] == "15"
    for part in ("WARNING: budget", "17.0000 of 20 US dollars", "gpt-6-luna", "small-or-large/small", "4.2 (38)"):
        assert part in shown.output


@pytest.mark.usefixtures("requests")
def test_as_json_it_is_what_the_server_says() -> None:
    assert msgspec.json.decode(run("--json", *SERVER).stdout) == OVERVIEW


def test_a_policy_is_only_shown_where_nothing_is_named(requests: list[httpx.Request]) -> None:
    shown = run("policy", *SERVER)
    assert [request.method for request in requests] == ["GET"]
    assert "20 US dollars a day" in shown.output
    assert "learner  no limit" in shown.output


def test_what_is_not_named_of_a_policy_stays(requests: list[httpx.Request]) -> None:
    assert run("policy", "--mode", "local", "--reason", "no consent", *SERVER).exit_code == 0
    assert json_of(requests[1]) == {**POLICY, "mode": "local", "reason": "no consent"}


def test_default_takes_back_a_limit_of_ones_own(requests: list[httpx.Request]) -> None:
    assert (
        run("policy", "--tenant-daily-usd", "default", "--learner-daily-usd", "0.5", "--batch", *SERVER).exit_code == 0
    )
    sent = json_of(requests[1])
    assert (sent["tenant_daily_usd"], sent["learner_daily_usd"], sent["batch"]) == (None, 0.5, True)


@pytest.mark.parametrize("usd", ["-1", "much", "nan", "1e9"])
def test_what_is_no_amount_is_wrong_usage(requests: list[httpx.Request], usd: str) -> None:
    assert run("policy", "--tenant-daily-usd", usd, *SERVER).exit_code == 2
    assert requests == []


def test_options_before_the_subcommand_are_refused_instead_of_lost(requests: list[httpx.Request]) -> None:
    refused = run(*SERVER, "policy", "--mode", "off")
    assert (refused.exit_code, "behind `policy`" in refused.output) == (2, True)
    assert requests == []


def test_without_models_it_says_who_writes() -> None:
    bare = {**OVERVIEW, "configured": False, "problems": ["ai.toml: is no TOML"]}
    assert [*head_line(bare)] == [
        "problem: ai.toml: is no TOML",
        "no model is configured: feedback is written from built-in templates (see docs/ai.toml)",
    ]


def test_without_alerts_and_without_a_limit_it_says_so() -> None:
    quiet = {**OVERVIEW, "alerts": [], "budget": {"spent_usd": 1.5, "limit_usd": None, "share": None}}
    assert [*alert_lines(quiet)] == ["no alerts"]
    assert budget_line(quiet) == "spent today: 1.5000 US dollars, without a limit"


def test_an_alert_says_since_when_and_what_to_do() -> None:
    alert = {
        "name": "latency",
        "severity": "warning",
        "provider": "openai",
        "value": 6.04,
        "threshold": 5.0,
        "since": "2026-11-21T13:04:58.822390Z",
        "advice": "Do something.",
    }
    [line] = alert_lines({"alerts": [alert]})
    assert line == "WARNING: latency (openai): 6.0 s, threshold 5.0 s, since 13:04:58 UTC. Do something."


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "closed"),
        ({"breaker": "half_open"}, "half open"),
        ({"breaker": "open", "opens_again_in_seconds": 41.7}, "open, 42 s more"),
        ({"cooling_seconds": 3.0}, "closed, resting 3 s"),
    ],
)
def test_a_breaker_says_how_long_it_stays_so(changes: dict[str, Any], words: str) -> None:
    provider = OVERVIEW["providers"][0]
    assert breaker({**provider, "health": {**provider["health"], **changes}}) == words


def test_what_is_not_known_is_no_zero() -> None:
    [provider] = OVERVIEW["providers"]
    empty = {name: None for name, value in provider["calls"].items() if name.endswith(("_seconds", "_share"))}
    row = provider_row({**provider, "health": None, "calls": {**provider["calls"], **empty}})
    assert row[2:4] == ["?", "?"]
    assert row[5:6] + row[7:10] == ["", "", "", ""]


def test_an_arm_that_is_compared_no_more_says_so() -> None:
    [arm] = OVERVIEW["arms"]
    ended = {**arm, "configured": False, "ratings": {"count": 0, "mean": None}}
    assert (arm_row(ended)[0], arm_row(ended)[-1]) == ("small-or-large/small (ended)", "")
