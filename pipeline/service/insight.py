"""How generation does, for operators: the providers of the installation, the figures of their tenant, and alerts."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

import msgspec
import structlog

from pipeline import telemetry
from pipeline.errors import Unavailable
from pipeline.exchange import Arm, Experiment, Route
from pipeline.metering.alert import Condition, RouteCondition, alerts
from pipeline.metering.money import dollars
from pipeline.ports.generation import Policies, ProviderHealth
from pipeline.ports.insight import Bounds, Figures, InsightStore, Opinion, Replies, Serving, Sums, Tally
from pipeline.service.access import Principal
from pipeline.service.overview import (
    AccountHealth,
    ArmFigures,
    Budget,
    Cache,
    Calls,
    Cost,
    Overview,
    ProviderFigures,
    Rated,
    Tokens,
)

log = structlog.get_logger()

HEALTH_SECONDS: Final = 0.5
"""A Redis that hangs may cost an operator this much; then the breakers are not known."""
SCRAPED_MINUTES: Final = 60
"""The window that alerts are judged by where nobody names one."""


class Looking(Protocol):
    """Whoever knows how the accounts do."""

    async def look(self, routes: Sequence[Route]) -> list[ProviderHealth]:
        """How these accounts do; raises `Unavailable`."""
        ...


class Configured(msgspec.Struct, frozen=True):
    """Which models this process was told of, where that stands, and why it cannot be read if it can't."""

    source: str
    routes: tuple[Route, ...] = ()
    experiments: tuple[Experiment, ...] = ()
    problems: tuple[str, ...] = ()


class Known(msgspec.Struct, frozen=True):
    """All that an overview is made of."""

    configured: Configured
    figures: Figures
    health: Mapping[str, ProviderHealth]
    limit: int | None


class Insight:
    """Shows how generation does."""

    def __init__(self, *, store: InsightStore, health: Looking, policies: Policies, configured: Configured) -> None:
        self._store = store
        self._health = health
        self._policies = policies
        self._configured = configured

    async def show(self, principal: Principal, minutes: int) -> Overview:
        """Everything there is to know, over so many minutes; raises `Unavailable` where Postgres is away."""
        return overview_of(await self._known(principal, minutes), minutes)

    async def tallies(self, principal: Principal, bounds: Bounds) -> list[Tally]:
        """The tenant's calls of today, counted into buckets; raises `Unavailable`."""
        return await self._store.tallies(principal.tenant_id, bounds)

    async def _known(self, principal: Principal, minutes: int) -> Known:
        policy = await self._policies.of(principal.tenant_id)
        figures = await self._store.figures(principal.tenant_id, minutes=minutes)
        return Known(self._configured, figures, await self._looked(), policy.budgets.tenant)

    async def _looked(self) -> dict[str, ProviderHealth]:
        """How the accounts do, by account; nothing is known while Redis is away."""
        if not self._configured.routes:
            return {}
        try:
            async with asyncio.timeout(HEALTH_SECONDS):
                return {one.account: one for one in await self._health.look(self._configured.routes)}
        except (Unavailable, TimeoutError) as error:
            log.warning(telemetry.CACHE_UNAVAILABLE, error=str(error))
            return {}


def overview_of(known: Known, minutes: int) -> Overview:
    """What is known, as it is shown."""
    configured, figures, limit = known.configured, known.figures, known.limit
    return Overview(
        configured=bool(configured.routes),
        source=configured.source,
        problems=configured.problems,
        minutes=minutes,
        alerts=tuple(alerts(condition_of(known))),
        budget=Budget(
            spent_usd=dollars(figures.spent),
            limit_usd=None if limit is None else dollars(limit),
            share=figures.spent / limit if limit else None,
        ),
        providers=tuple(providers_of(known)),
        arms=tuple(arms_of(configured.experiments, figures)),
    )


def condition_of(known: Known) -> Condition:
    """What the alerts are judged by."""
    replies = known.figures.replies.values()
    return Condition(
        routes=tuple(route_condition(known, route) for route in known.configured.routes),
        spent=known.figures.spent,
        limit=known.limit,
        paid=sum(one.paid for one in replies),
        hits=sum(one.hits for one in replies),
    )


def route_condition(known: Known, route: Route) -> RouteCondition:
    sums = known.figures.routes.get((route.provider, route.model), Sums())
    health = known.health.get(route.account)
    return RouteCondition(
        provider=route.provider,
        calls=sums.calls,
        failures=sums.calls - sums.usable,
        mean_seconds=sums.mean_seconds,
        failing_since=sums.failing_since,
        breaker=None if health is None else health.breaker,
    )


def providers_of(known: Known) -> list[ProviderFigures]:
    """Those configured in their order, then those that were asked and are gone from the configuration."""
    routes = {(route.provider, route.model): route for route in known.configured.routes}
    names = [*routes, *sorted(name for name in known.figures.routes if name not in routes)]
    return [provider_figures(known, name, routes.get(name)) for name in names]


def provider_figures(known: Known, name: tuple[str, str], route: Route | None) -> ProviderFigures:
    provider, model = name
    return ProviderFigures(
        provider=provider,
        model=model,
        configured=route is not None,
        account=route.account if route else None,
        place=route.place if route else None,
        concurrency=route.concurrency if route else None,
        health=account_health(known.health.get(route.account)) if route else None,
        calls=calls_of(known.figures.routes.get(name, Sums())),
        cache=cache_of(known.figures.replies.get(provider, Replies())),
    )


def account_health(health: ProviderHealth | None) -> AccountHealth | None:
    if health is None:
        return None
    fields = {name: getattr(health, name) for name in AccountHealth.__struct_fields__}
    return AccountHealth(**fields)


def arms_of(experiments: Sequence[Experiment], figures: Figures) -> list[ArmFigures]:
    """The arms that are being compared, then those of the window that are configured no more."""
    current = {f"{experiment.id}/{arm.name}": arm for experiment in experiments for arm in experiment.arms}
    seen = {*figures.arms, *figures.servings, *figures.opinions}
    labels = [*current, *sorted(seen - current.keys())]
    return [arm_figures(label, current.get(label), figures) for label in labels]


def arm_figures(label: str, arm: Arm | None, figures: Figures) -> ArmFigures:
    experiment, _, name = label.partition("/")
    serving = figures.servings.get(label, Serving({}))
    opinion = figures.opinions.get(label)
    return ArmFigures(
        experiment=experiment,
        arm=name,
        configured=arm is not None,
        provider=arm.provider if arm else None,
        prompt=arm.prompt if arm else None,
        assigned=serving.assigned,
        served=serving.assigned - serving.by_provider.get("", 0),
        served_by={provider or "template": count for provider, count in serving.by_provider.items()},
        calls=calls_of(figures.arms.get(label, Sums())),
        cache=cache_of(figures.arm_replies.get(label, Replies())),
        ratings=rated(opinion),
    )


def rated(opinion: Opinion | None) -> Rated:
    return Rated(0, None) if opinion is None else Rated(opinion.count, opinion.mean)


def calls_of(sums: Sums) -> Calls:
    """Sums as shares of the calls that ended."""
    return Calls(
        calls=sums.calls,
        under_way=sums.under_way,
        success_share=sums.usable / sums.calls if sums.calls else None,
        errors={trouble: count / sums.calls for trouble, count in sorted(sums.troubles.items())},
        mean_seconds=sums.mean_seconds,
        p50_seconds=sums.p50_seconds,
        p95_seconds=sums.p95_seconds,
        first_text_p50_seconds=sums.first_text_p50_seconds,
        first_text_p95_seconds=sums.first_text_p95_seconds,
        tokens=Tokens(
            input=sums.input_tokens,
            cached_input=sums.cached_input_tokens,
            cache_write=sums.cache_write_tokens,
            output=sums.output_tokens,
            reasoning=sums.reasoning_tokens,
        ),
        cost=Cost(dollars(sums.known_cost), dollars(sums.estimated_cost)),
        cut_quotations=sums.cut_quotations,
    )


def cache_of(replies: Replies) -> Cache:
    whole = replies.paid + replies.hits
    return Cache(replies.paid, replies.hits, replies.hits / whole if whole else None)
