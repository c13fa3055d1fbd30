"""Building what writes with language models. Nothing of it is imported where none is configured."""

from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.batching import Spacing
from pipeline.bootstrap.writers import TOGETHER_SECONDS, Writers
from pipeline.exchange import Route
from pipeline.generation.asking import Asker
from pipeline.generation.author import Author, Taste
from pipeline.generation.batching import Batching, HalfPrice, Wake
from pipeline.generation.composing import Composer
from pipeline.generation.flight import Flights
from pipeline.generation.quota import Frequency, LearnerQuota
from pipeline.generation.waiting import FairGate
from pipeline.live.deltas import RedisDeltas
from pipeline.live.health import RedisHealth
from pipeline.live.limit import RedisCounter
from pipeline.live.local_health import HealthPolicy
from pipeline.llm.build import AnyBatches, build_batches, build_provider
from pipeline.llm.configuration import AiConfiguration
from pipeline.llm.template import TemplateProvider
from pipeline.metering.price import PriceList
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


def assemble_writers(
    settings: Settings,
    configuration: AiConfiguration,
    engine: AsyncEngine,
    redis: Redis,
    templates: TemplateProvider,
    wake: Wake,
) -> Writers:
    """Whoever writes feedback and texts for teachers, with all that they ask."""
    providers = tuple(build_of(configuration, index) for index in range(len(configuration.routes)))
    health = RedisHealth(redis, HealthPolicy(concurrency=settings.ai_concurrency))
    gate = FairGate(health)
    prices, ledger = PriceList(), LedgerStore(engine, settling=Spacing(TOGETHER_SECONDS))
    prices.prepare()
    policies = PolicyStore(engine, default=default_policy(settings))

    def flying(deadline_seconds: float) -> Flights:
        """Texts that may take so long each."""
        asker = Asker(
            providers={provider.route.name: provider for provider in providers},
            gate=gate,
            ledger=ledger,
            meter=prices,
            deadline_seconds=deadline_seconds,
            queue_seconds=settings.ai_queue_seconds,
        )
        return Flights(
            journal=JournalStore(engine),
            asker=asker,
            fresh_seconds=settings.ai_cache_seconds,
            patience_seconds=deadline_seconds + settings.ai_queue_seconds,
        )

    flights, long_flights = flying(settings.ai_deadline_seconds), flying(settings.ai_generation_seconds)
    remotes = {route.name: remote_of(configuration, route) for route in configuration.routes if has_batches(route)}
    batches = BatchStore(engine)
    halfprice = HalfPrice(
        store=batches,
        journal=JournalStore(engine),
        routes=[*remotes],
        wait_seconds=settings.ai_batch_hours * 3_600.0,
    )
    author = Author(
        templates=templates,
        flights=flights,
        policies=policies,
        backgrounds=BackgroundStore(engine),
        ledger=ledger,
        deltas=RedisDeltas(redis),
        assignments=AssignmentStore(engine),
        routes=configuration.routes,
        experiments=configuration.experiments,
        quota=build_quota(settings, redis),
        halfprice=halfprice if remotes else None,
        taste=Taste(settings.ai_feedback_on, settings.ai_answers),
    )

    composer = Composer(
        flights=long_flights, routes=configuration.routes, policies=policies, seconds=settings.ai_generation_seconds
    )

    batching = None
    if remotes:
        batching = Batching(store=batches, remotes=remotes, ledger=ledger, meter=prices, policies=policies, wake=wake)

    async def close() -> None:
        await flights.close()
        await long_flights.close()
        await gate.close()
        for provider in providers:
            await provider.close()
        for remote in remotes.values():
            await remote.close()

    ready = somebody_writes(health, configuration.routes)
    return Writers(author, settings.ai_slots, close, ready, composer.compose, author.waits, batching)


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
