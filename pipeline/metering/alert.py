"""What an operator should look at, and what to do about it: rules on figures, each an alert or nothing."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from typing import Final, Literal

import msgspec

LEAST_CALLS: Final = 20
"""Of fewer calls neither an error rate nor a mean says anything."""
LEAST_REPLIES: Final = 200
"""Of fewer replies a hit rate says nothing."""
MOST_ERRORS: Final = 0.10
MOST_SECONDS: Final = 5.0
MOST_OF_BUDGET: Final = 0.80
LEAST_HITS: Final = 0.10
ALL_OF_BUDGET: Final = 1.0

Severity = Literal["info", "warning", "critical"]


class AlertName(StrEnum):
    """What there are alerts for."""

    ERROR_RATE = "error_rate"
    LATENCY = "latency"
    BUDGET = "budget"
    BREAKER_OPEN = "breaker_open"
    CACHE_HIT_RATE = "cache_hit_rate"


class Alert(msgspec.Struct, frozen=True):
    """Something is out of bounds: `value` has passed `threshold`.

    Shares are from 0 to 1, latencies in seconds; an open breaker's value is 1. `provider` is None for what concerns
    all of them, `since` is when it began, as far as is known.
    """

    name: AlertName
    severity: Severity
    provider: str | None
    value: float
    threshold: float
    since: datetime | None
    advice: str


class RouteCondition(msgspec.Struct, frozen=True):
    """How one route does: calls that ended within the window and how they went, its account's breaker if known."""

    provider: str
    calls: int = 0
    failures: int = 0
    mean_seconds: float | None = None
    failing_since: datetime | None = None
    breaker: Literal["closed", "open", "half_open"] | None = None


class Condition(msgspec.Struct, frozen=True):
    """How a tenant's generation does; a `limit` of None is none, replies are today's."""

    routes: tuple[RouteCondition, ...] = ()
    spent: int = 0
    limit: int | None = None
    paid: int = 0
    hits: int = 0


def alerts(condition: Condition) -> list[Alert]:
    """All alerts there are, the gravest first."""
    order: tuple[Severity, ...] = ("critical", "warning", "info")
    return sorted(raised(condition), key=lambda alert: order.index(alert.severity))


def raised(condition: Condition) -> Iterator[Alert]:
    """Every rule's word."""
    others_closed = {route.provider for route in condition.routes if route.breaker != "open"}
    for route in condition.routes:
        yield from breaker_open(route, alone=not others_closed)
        yield from error_rate(route)
        yield from latency(route)
    yield from budget(condition)
    yield from cache_hit_rate(condition)


def breaker_open(route: RouteCondition, *, alone: bool) -> Iterable[Alert]:
    """An account is left alone for a while, by all workers; it is grave where nobody else is there to write."""
    if route.breaker != "open":
        return
    advice = (
        "Look at the error shares: for unauthorized or quota_spent mend the key or the account; otherwise it is tried "
        "again by itself, so see the provider's status."
    )
    yield Alert(AlertName.BREAKER_OPEN, "critical" if alone else "warning", route.provider, 1.0, 0.0, None, advice)


def error_rate(route: RouteCondition) -> Iterable[Alert]:
    """Too many calls fail, of whatever trouble."""
    if route.calls < LEAST_CALLS or (share := route.failures / route.calls) <= MOST_ERRORS:
        return
    advice = (
        "Look at the error shares: rate_limited wants less concurrency or a higher limit with the provider, timed_out "
        "a longer timeout or a faster model, invalid_reply another model; else give another provider more weight."
    )
    since = route.failing_since
    yield Alert(AlertName.ERROR_RATE, "warning", route.provider, share, MOST_ERRORS, since, advice)


def latency(route: RouteCondition) -> Iterable[Alert]:
    """Calls take long on average."""
    mean = route.mean_seconds
    if route.calls < LEAST_CALLS or mean is None or mean <= MOST_SECONDS:
        return
    advice = "Give a faster model or provider more weight, or see the provider's status; learners wait for feedback."
    yield Alert(AlertName.LATENCY, "warning", route.provider, mean, MOST_SECONDS, None, advice)


def budget(condition: Condition) -> Iterable[Alert]:
    """Today's money runs out, or has. A limit of nothing is a wish, not an alarm."""
    if not condition.limit or (share := condition.spent / condition.limit) <= MOST_OF_BUDGET:
        return
    advice = (
        "When it is spent the built-in texts serve until midnight UTC: raise it with `gradeline llm policy "
        "--tenant-daily-usd`, or let only mistakes be written on (GRADELINE_AI_FEEDBACK_ON)."
    )
    severity: Severity = "critical" if share >= ALL_OF_BUDGET else "warning"
    yield Alert(AlertName.BUDGET, severity, None, share, MOST_OF_BUDGET, None, advice)


def cache_hit_rate(condition: Condition) -> Iterable[Alert]:
    """Few replies are shared; with free text it is to be expected, with choices it costs money."""
    replies = condition.paid + condition.hits
    if replies < LEAST_REPLIES or (share := condition.hits / replies) >= LEAST_HITS:
        return
    advice = (
        "Nothing is broken: learners' answers differ. With questions of choice, let replies be good for longer "
        "(GRADELINE_AI_CACHE_SECONDS) and compare fewer arms at once."
    )
    yield Alert(AlertName.CACHE_HIT_RATE, "info", None, share, LEAST_HITS, None, advice)
