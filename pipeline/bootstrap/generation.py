"""Building what writes with language models. Nothing of it is imported where none is configured."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final, Protocol

import msgspec
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.bootstrap.writers import Writers, together
from pipeline.exchange import Route
from pipeline.generation.asking import Asker
from pipeline.generation.author import Author, Taste
from pipeline.generation.batching import Batching, HalfPrice, Wake
from pipeline.generation.composing import Composer
from pipeline.generation.flight import Flights
from pipeline.generation.quota import Frequency, LearnerQuota
from pipeline.generation.sending import Sending
from pipeline.generation.waiting import FairGate
from pipeline.live.deltas import RedisDeltas
from pipeline.live.health import RedisHealth
from pipeline.live.limit import RedisCounter
from pipeline.live.local_health import HealthPolicy
from pipeline.llm.build import AnyBatches, build_batches, build_provider
from pipeline.llm.configuration import AiConfiguration
from pipeline.llm.template import TemplateProvider
from pipeline.metering.price import PriceList
from pipeline.ports.batch import Terms
from pipeline.ports.generation import Provider
from pipeline.service.improving import somebody_writes
from pipeline.service.policy import default_policy
from pipeline.settings import Settings
from pipeline.store.assignment import AssignmentStore
from pipeline.store.background import BackgroundStore
from pipeline.store.batch import BatchStore
from pipeline.store.journal import JournalStore
from pipeline.store.ledger import LedgerStore
from pipeline.store.policy import PolicyStore

TOLD_TOGETHER_SECONDS: Final = 0.03
"""Too short to be seen; the last section of a text is mostly told with its end, which follows within milliseconds."""


def assemble_writers(
    settings: Settings,
    configuration: AiConfiguration,
    engine: AsyncEngine,
    redis: Redis,
    templates: TemplateProvider,
    wake: Wake,
) -> Writers:
    """Whoever writes feedback and texts for teachers, with all that they ask."""
    ground = build_ground(settings, configuration, engine, redis)
    remotes = {route.name: remote_of(configuration, route) for route in configuration.routes if has_batches(route)}
    flights = build_flights(ground, settings.ai_deadline_seconds)
    long_flights = build_flights(ground, settings.ai_generation_seconds)
    author = build_author(ground, templates, flights, redis, [*remotes])
    composer = Composer(
        flights=long_flights,
        routes=configuration.routes,
        policies=ground.policies,
        seconds=settings.ai_generation_seconds,
    )
    return Writers(
        author,
        settings.ai_slots,
        partial(close_all, [flights, long_flights, ground.gate, *ground.providers, *remotes.values()]),
        somebody_writes(ground.health, configuration.routes),
        composer.compose,
        author.waits,
        build_batching(ground, remotes, wake) if remotes else None,
    )


class Closing(Protocol):
    """What holds connections or tasks of its own."""

    async def close(self) -> None: ...


async def close_all(parts: Sequence[Closing]) -> None:
    """Close them one after another, in this order."""
    for part in parts:
        await part.close()


class Ground(msgspec.Struct, frozen=True):
    """What everything that asks models stands on: one of each in a process."""

    settings: Settings
    configuration: AiConfiguration
    engine: AsyncEngine
    providers: tuple[Provider, ...]
    health: RedisHealth
    gate: FairGate
    prices: PriceList
    ledger: LedgerStore
    policies: PolicyStore


def build_ground(settings: Settings, configuration: AiConfiguration, engine: AsyncEngine, redis: Redis) -> Ground:
    health = RedisHealth(redis, HealthPolicy(concurrency=settings.ai_concurrency))
    prices = PriceList()
    prices.prepare()
    return Ground(
        settings=settings,
        configuration=configuration,
        engine=engine,
        providers=tuple(build_of(configuration, index) for index in range(len(configuration.routes))),
        health=health,
        gate=FairGate(health),
        prices=prices,
        ledger=LedgerStore(engine, settling=together()),
        policies=PolicyStore(engine, default=default_policy(settings)),
    )


def build_flights(ground: Ground, deadline_seconds: float) -> Flights:
    """Texts that may take so long each."""
    settings = ground.settings
    asker = Asker(
        providers={provider.route.name: provider for provider in ground.providers},
        gate=ground.gate,
        ledger=ground.ledger,
        meter=ground.prices,
        deadline_seconds=deadline_seconds,
        queue_seconds=settings.ai_queue_seconds,
    )
    return Flights(
        journal=JournalStore(ground.engine),
        asker=asker,
        fresh_seconds=settings.ai_cache_seconds,
        patience_seconds=deadline_seconds + settings.ai_queue_seconds,
    )


def build_author(
    ground: Ground, templates: TemplateProvider, flights: Flights, redis: Redis, batched: Sequence[str]
) -> Author:
    """The author of feedback; the routes `batched` may write it at half the price."""
    settings, configuration = ground.settings, ground.configuration
    return Author(
        templates=templates,
        flights=flights,
        policies=ground.policies,
        backgrounds=BackgroundStore(ground.engine),
        ledger=ground.ledger,
        deltas=RedisDeltas(redis),
        assignments=AssignmentStore(ground.engine),
        routes=configuration.routes,
        experiments=configuration.experiments,
        quota=build_quota(settings, redis),
        halfprice=build_halfprice(ground, batched) if batched else None,
        taste=Taste(settings.ai_feedback_on, settings.ai_answers, TOLD_TOGETHER_SECONDS),
    )


def build_halfprice(ground: Ground, batched: Sequence[str]) -> HalfPrice:
    return HalfPrice(
        store=BatchStore(ground.engine),
        journal=JournalStore(ground.engine),
        routes=batched,
        terms=terms_of(ground.settings),
    )


def terms_of(settings: Settings) -> Terms:
    """On which terms a text may wait for half the price."""
    return Terms(wait_seconds=settings.ai_batch_hours * 3_600.0, fresh_seconds=settings.ai_cache_seconds)


def build_batching(ground: Ground, remotes: Mapping[str, AnyBatches], wake: Wake) -> Batching:
    store, terms = BatchStore(ground.engine), terms_of(ground.settings)
    return Batching(
        store=store,
        remotes=remotes,
        sending=Sending(
            store=store,
            ledger=ground.ledger,
            meter=ground.prices,
            policies=ground.policies,
            least_seconds=terms.least_seconds,
        ),
        ledger=ground.ledger,
        meter=ground.prices,
        wake=wake,
        terms=terms,
    )


def has_batches(route: Route) -> bool:
    """Whether an operator wants this route's batches used, and it is one whose batches we speak."""
    return route.batch and route.api == "chat"


def remote_of(configuration: AiConfiguration, route: Route) -> AnyBatches:
    """The batches of one route, with its key and address."""
    credential = configuration.credentials[route.provider]
    key = credential.api_key.reveal() if credential.api_key else None
    return build_batches(route, key, credential.base_url)


def build_quota(settings: Settings, redis: Redis) -> LearnerQuota | None:
    if not settings.limits_enabled:
        return None
    return LearnerQuota(Frequency(settings.feedback_limit, RedisCounter(redis)))


def build_of(configuration: AiConfiguration, index: int) -> Provider:
    """The provider of one route, with its key and address."""
    route = configuration.routes[index]
    credential = configuration.credentials[route.provider]
    key = credential.api_key.reveal() if credential.api_key else None
    return build_provider(route, key, credential.base_url)
