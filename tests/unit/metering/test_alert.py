"""When an operator is told to look, and when not."""

from datetime import UTC, datetime
from typing import Any, Literal

import msgspec
import pytest

from pipeline.metering.alert import Alert, AlertName, Condition, RouteCondition, alerts

THEN = datetime(2026, 11, 21, 9, tzinfo=UTC)
WELL = RouteCondition("openai", calls=100, failures=10, mean_seconds=5.0, failing_since=THEN, breaker="closed")


def named(*routes: RouteCondition, **others: Any) -> list[Alert]:
    return alerts(Condition(routes=routes, **others))


def names(*routes: RouteCondition, **others: Any) -> list[str]:
    return [alert.name for alert in named(*routes, **others)]


def worse(**changes: Any) -> RouteCondition:
    return msgspec.structs.replace(WELL, **changes)


def test_an_installation_without_models_has_nothing_to_say() -> None:
    assert alerts(Condition()) == []


def test_at_its_thresholds_nothing_is_wrong_yet() -> None:
    assert names(WELL, spent=80, limit=100, paid=180, hits=20) == []


@pytest.mark.parametrize(
    ("routes", "others", "name", "value"),
    [
        ([worse(failures=11)], {}, AlertName.ERROR_RATE, 0.11),
        ([worse(mean_seconds=5.1)], {}, AlertName.LATENCY, 5.1),
        ([worse(breaker="open"), WELL], {}, AlertName.BREAKER_OPEN, 1.0),
        ([WELL], {"spent": 81, "limit": 100}, AlertName.BUDGET, 0.81),
        ([WELL], {"paid": 181, "hits": 19}, AlertName.CACHE_HIT_RATE, 0.095),
    ],
)
def test_beyond_a_threshold_there_is_one_alert_that_says_what_to_do(
    routes: list[RouteCondition], others: dict[str, int], name: AlertName, value: float
) -> None:
    [alert] = alerts(Condition(tuple(routes), **others))
    assert alert.name is name
    assert alert.value == pytest.approx(value)
    assert alert.advice.endswith(".")


def test_few_calls_prove_nothing() -> None:
    assert names(worse(calls=19, failures=19, mean_seconds=60.0)) == []
    assert names(worse(calls=20, failures=20, mean_seconds=60.0)) == ["error_rate", "latency"]


def test_few_replies_prove_nothing() -> None:
    assert names(paid=199, hits=0) == []
    assert names(paid=200, hits=0) == ["cache_hit_rate"]


def test_an_error_rate_says_since_when_calls_fail() -> None:
    [alert] = named(worse(failures=50))
    assert (alert.provider, alert.since) == ("openai", THEN)


def test_without_a_budget_none_is_nearly_spent() -> None:
    assert names(spent=10**12, limit=None) == []
    assert names(spent=0, limit=0) == []


def test_a_spent_budget_is_graver_than_one_that_will_be() -> None:
    assert [one.severity for one in named(spent=99, limit=100)] == ["warning"]
    assert [one.severity for one in named(spent=100, limit=100)] == ["critical"]


@pytest.mark.parametrize(("other", "severity"), [("open", "critical"), ("half_open", "warning"), ("closed", "warning")])
def test_an_open_breaker_is_grave_where_nobody_else_can_be_asked(
    other: Literal["open", "half_open", "closed"], severity: str
) -> None:
    found = named(worse(breaker="open"), worse(provider="anthropic", breaker=other))
    assert {one.severity for one in found} == {severity}


def test_a_breaker_that_is_not_known_is_not_open() -> None:
    assert names(worse(breaker=None)) == []


def test_the_gravest_comes_first() -> None:
    found = named(worse(failures=50), spent=100, limit=100, paid=200)
    assert [one.severity for one in found] == ["critical", "warning", "info"]
