"""How `gradeline llm` words what the API says of language models."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

PROVIDER_COLUMNS: Final = (
    "provider",
    "model",
    "breaker",
    "under way",
    "calls",
    "ok",
    "errors",
    "p50",
    "p95",
    "first text p50/p95",
    "tokens in (cached)",
    "out (reasoning)",
    "cost USD",
    "cache hits",
    "cut quotes",
)
ARM_COLUMNS: Final = (
    "experiment/arm",
    "assigned",
    "served",
    "calls",
    "ok",
    "p50",
    "p95",
    "tokens in",
    "out",
    "cost USD",
    "cache hits",
    "cut quotes",
    "rating",
)
UNKNOWN: Final = "?"


def head_line(overview: Mapping[str, Any]) -> Iterator[str]:
    """Which models there are, and what is wrong with what they are read from."""
    yield from (f"problem: {problem}" for problem in overview["problems"])
    if overview["configured"]:
        yield f"the last {overview['minutes']} minutes; models from {overview['source']}"
    else:
        yield "no model is configured: feedback is written from built-in templates (see docs/ai.toml)"


def alert_lines(overview: Mapping[str, Any]) -> Iterator[str]:
    """Each alert with what to do; or that there is none."""
    for alert in overview["alerts"]:
        whose = f" ({alert['provider']})" if alert["provider"] else ""
        since = f", since {moment(alert['since'])}" if alert["since"] else ""
        figures = f"{measured(alert, 'value')}, threshold {measured(alert, 'threshold')}{since}"
        name = alert["name"].replace("_", " ")
        yield f"{alert['severity'].upper()}: {name}{whose}: {figures}. {alert['advice']}"
    if not overview["alerts"]:
        yield "no alerts"


def measured(alert: Mapping[str, Any], field: str) -> str:
    """An alert's number in its unit."""
    if alert["name"] == "breaker_open":
        return "open" if alert[field] else "closed"
    return duration(alert[field]) if alert["name"] == "latency" else percent(alert[field])


def moment(since: str) -> str:
    """A moment of the API's, which speaks of UTC, to the second."""
    return f"{since[11:19]} UTC"


def budget_line(overview: Mapping[str, Any]) -> str:
    """What is spent, and of how much."""
    budget = overview["budget"]
    if budget["limit_usd"] is None:
        return f"spent today: {budget['spent_usd']:.4f} US dollars, without a limit"
    return f"spent today: {budget['spent_usd']:.4f} of {budget['limit_usd']:g} US dollars ({percent(budget['share'])})"


def provider_row(provider: Mapping[str, Any]) -> list[str]:
    """One provider."""
    calls, tokens = provider["calls"], provider["calls"]["tokens"]
    return [
        provider["provider"],
        provider["model"],
        breaker(provider),
        under_way(provider),
        str(calls["calls"]),
        percent(calls["success_share"]),
        ", ".join(f"{trouble} {percent(share)}" for trouble, share in calls["errors"].items()),
        duration(calls["p50_seconds"]),
        duration(calls["p95_seconds"]),
        f"{duration(calls['first_text_p50_seconds'])}/{duration(calls['first_text_p95_seconds'])}".strip("/"),
        f"{tokens['input']} ({tokens['cached_input']})",
        f"{tokens['output']} ({tokens['reasoning']})",
        cost(calls),
        hits(provider["cache"]),
        str(calls["cut_quotations"]),
    ]


def breaker(provider: Mapping[str, Any]) -> str:
    """The state of the breaker, and how long it or a rest after a rate limit goes on."""
    if not provider["configured"]:
        return "not configured"
    health = provider["health"]
    if health is None:
        return UNKNOWN
    if health["opens_again_in_seconds"] is not None:
        return f"open, {health['opens_again_in_seconds']:.0f} s more"
    resting = health["cooling_seconds"]
    state = str(health["breaker"]).replace("_", " ")
    return f"{state}, resting {resting:.0f} s" if resting else state


def under_way(provider: Mapping[str, Any]) -> str:
    """Requests of all tenants that are under way, of how many."""
    health = provider["health"]
    return UNKNOWN if health is None else f"{health['under_way']}/{provider['concurrency']}"


def arm_row(arm: Mapping[str, Any]) -> list[str]:
    """One arm."""
    calls, ratings = arm["calls"], arm["ratings"]
    return [
        f"{arm['experiment']}/{arm['arm']}" + ("" if arm["configured"] else " (ended)"),
        str(arm["assigned"]),
        ", ".join(f"{name} {count}" for name, count in sorted(arm["served_by"].items())),
        str(calls["calls"]),
        percent(calls["success_share"]),
        duration(calls["p50_seconds"]),
        duration(calls["p95_seconds"]),
        str(calls["tokens"]["input"]),
        str(calls["tokens"]["output"]),
        cost(calls),
        hits(arm["cache"]),
        str(calls["cut_quotations"]),
        "" if ratings["mean"] is None else f"{ratings['mean']:.1f} ({ratings['count']})",
    ]


def cost(calls: Mapping[str, Any]) -> str:
    """Dollars; those that were estimated are named apart."""
    known, estimated = calls["cost"]["known_usd"], calls["cost"]["estimated_usd"]
    return f"{known:.4f}" + (f" + at most {estimated:.4f}" if estimated else "")


def hits(cache: Mapping[str, Any]) -> str:
    """Replies that the journal had, and their share of all."""
    rate = cache["hit_rate_today"]
    return str(cache["hits_today"]) + ("" if rate is None else f" ({percent(rate)})")


def percent(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"


def duration(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.1f} s"
