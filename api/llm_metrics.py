"""Figures of language models for Prometheus, looked up in the ledger when asked for.

Names and buckets are those of OpenTelemetry's semantic conventions for generative AI where there are any. Histograms
and counters count since midnight UTC: as after a restart, Prometheus sees them begin anew.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

from pipeline.metering.alert import AlertName
from pipeline.metering.money import NANODOLLARS
from pipeline.ports.insight import Bounds, Tally
from pipeline.service.overview import Overview, ProviderFigures

BOUNDS: Final = Bounds(
    durations_ms=tuple(10 * 2**step for step in range(14)),
    tokens=tuple(4**step for step in range(14)),
)
"""0.01 to 81.92 seconds, 1 to 67,108,864 tokens."""
PROVIDER: Final = "gen_ai_provider_name"
CALL: Final = ["gen_ai_operation_name", PROVIDER, "gen_ai_request_model", "gradeline_purpose"]
OPERATION: Final = "chat"
BREAKER_STATES: Final = ("closed", "open", "half_open")
OF_ALL: Final = frozenset({AlertName.BUDGET, AlertName.CACHE_HIT_RATE})
"""Alerts that concern no provider in particular."""


class Distribution:
    """How many values fell into each bucket, and their sum."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, bucket: int, count: int, total: float) -> None:
        """Count values that lie in one bucket."""
        self._counts[bucket] += count
        self.total += total

    @property
    def buckets(self) -> list[tuple[str, float]]:
        """Upper bounds and how many values were at most so large, as Prometheus wants them."""
        below, buckets = 0, []
        for bound, count in zip((*self._bounds, "+Inf"), self._counts, strict=True):
            below += count
            buckets.append((str(bound), float(below)))
        return buckets


def llm_families(overview: Overview, tallies: Iterable[Tally]) -> Iterator[Any]:
    """Everything there is to scrape of language models."""
    found = list(tallies)
    yield duration_family(found)
    yield token_family(found)
    yield counted("gradeline_llm_cost_usd", "What calls cost, in US dollars, estimated where not known.", found, usd)
    yield counted(
        "gradeline_llm_cached_input_tokens",
        "Input tokens that providers had in their caches.",
        found,
        lambda tally: tally.cached_input_tokens,
    )
    yield counted(
        "gradeline_llm_reasoning_tokens",
        "Output tokens that nobody got to read.",
        found,
        lambda tally: tally.reasoning_tokens,
    )
    yield from standing_families(overview)


def usd(tally: Tally) -> float:
    return tally.cost / NANODOLLARS


def labels_of(tally: Tally) -> tuple[str, ...]:
    return (OPERATION, tally.provider, tally.model, tally.purpose)


def duration_family(tallies: Iterable[Tally]) -> Any:
    """How long calls took; a failed one names its error, as the conventions want it."""
    found: dict[tuple[str, ...], Distribution] = {}
    for tally in tallies:
        if tally.seconds_bucket is None:
            continue
        labels = (*labels_of(tally), tally.trouble)
        distribution = found.setdefault(labels, Distribution([bound / 1000 for bound in BOUNDS.durations_ms]))
        distribution.add(tally.seconds_bucket, tally.count, tally.seconds)
    meaning = "How long calls of models took, today (UTC)."
    return histogram("gen_ai_client_operation_duration_seconds", meaning, [*CALL, "error_type"], found)


def token_family(tallies: Iterable[Tally]) -> Any:
    """How many tokens calls used, those in and those out apart."""
    found: dict[tuple[str, ...], Distribution] = {}
    for tally in tallies:
        used = (("input", tally.input_bucket, tally.input_tokens), ("output", tally.output_bucket, tally.output_tokens))
        for kind, bucket, total in used:
            if bucket is not None:
                distribution = found.setdefault((*labels_of(tally), kind), Distribution(BOUNDS.tokens))
                distribution.add(bucket, tally.count, total)
    meaning = "How many tokens calls of models used, today (UTC)."
    return histogram("gen_ai_client_token_usage", meaning, [*CALL, "gen_ai_token_type"], found)


def histogram(name: str, meaning: str, labels: list[str], found: dict[tuple[str, ...], Distribution]) -> Any:
    family = HistogramMetricFamily(name, meaning, labels=labels)
    for values, distribution in found.items():
        family.add_metric(values, distribution.buckets, distribution.total)
    return family


def counted(name: str, meaning: str, tallies: Iterable[Tally], amount_of: Any) -> Any:
    """A sum over the calls of today."""
    sums: dict[tuple[str, ...], float] = {}
    for tally in tallies:
        sums[labels_of(tally)] = sums.get(labels_of(tally), 0.0) + amount_of(tally)
    family = CounterMetricFamily(name, f"{meaning} Today (UTC).", labels=CALL)
    for labels, amount in sums.items():
        family.add_metric(labels, amount)
    return family


def standing_families(overview: Overview) -> Iterator[Any]:
    """Money, breakers, the cache and alerts as they are now."""
    budget = overview.budget
    yield GaugeMetricFamily("gradeline_llm_budget_spent_usd", "Spent or reserved today (UTC).", value=budget.spent_usd)
    limit = GaugeMetricFamily("gradeline_llm_budget_limit_usd", "What may be spent a day; absent without a limit.")
    if budget.limit_usd is not None:
        limit.add_metric([], budget.limit_usd)
    yield limit
    configured = [one for one in overview.providers if one.configured]
    yield from breaker_families(configured)
    yield from cache_families(overview.providers)
    yield alert_family(overview, [one.provider for one in configured])


def breaker_families(providers: Sequence[ProviderFigures]) -> Iterator[Any]:
    """How the installation's accounts do; nothing is said of one that isn't known."""
    breaker = GaugeMetricFamily(
        "gradeline_llm_breaker", "1 for the state that the breaker is in.", labels=[PROVIDER, "state"]
    )
    under_way = GaugeMetricFamily(
        "gradeline_llm_under_way", "Requests under way to the provider's account, of all tenants.", labels=[PROVIDER]
    )
    for one in providers:
        if one.health is None:
            continue
        for state in BREAKER_STATES:
            breaker.add_metric([one.provider, state], float(one.health.breaker == state))
        under_way.add_metric([one.provider], one.health.under_way)
    yield breaker
    yield under_way


def cache_families(providers: Iterable[ProviderFigures]) -> Iterator[Any]:
    """Replies by where they came from."""
    replies = CounterMetricFamily(
        "gradeline_llm_replies",
        "Usable replies, asked for (paid) or from the journal (hit). Today (UTC).",
        labels=[PROVIDER, "source"],
    )
    for provider, cache in {one.provider: one.cache for one in providers}.items():
        replies.add_metric([provider, "paid"], cache.paid_today)
        replies.add_metric([provider, "hit"], cache.hits_today)
    yield replies


def alert_family(overview: Overview, providers: Iterable[str]) -> Any:
    """Each alert there could be: 1 where it is raised."""
    raised = {(alert.name, alert.provider or "") for alert in overview.alerts}
    family = GaugeMetricFamily(
        "gradeline_llm_alert",
        "1 where the alert is raised; GET /v1/ops/llm says what to do.",
        labels=["alert", PROVIDER],
    )
    names = list(dict.fromkeys(providers))
    for name in AlertName:
        for provider in [""] if name in OF_ALL else names:
            family.add_metric([name, provider], float((name, provider) in raised))
    return family
