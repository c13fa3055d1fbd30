"""Building the parts: the only module that knows them all."""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

import msgspec
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils import uuid7

from pipeline.batching import Spacing
from pipeline.bootstrap.chores import build_chores
from pipeline.bootstrap.writers import TOGETHER_SECONDS, Writers
from pipeline.delivery.reply import DeliveryPolicy
from pipeline.errors import EnvironmentFault, SettingsError
from pipeline.execution import DELIVER, GENERATE, ApartRunner, Runner, Shop, StageRunner, each_alone, ring
from pipeline.follow_through import Perform
from pipeline.generation.composing import compose_nothing
from pipeline.generation.quota import CallerQuota, Frequency
from pipeline.lifecycle import Stage
from pipeline.live.bell import RedisBell
from pipeline.live.board import RedisBoard
from pipeline.live.check import check_redis
from pipeline.live.client import create_client, queue_url
from pipeline.live.deltas import RedisDeltas
from pipeline.live.health import RedisHealth
from pipeline.live.limit import RedisCounter
from pipeline.live.local_health import HealthPolicy
from pipeline.live.watch import RedisWatch
from pipeline.llm.configuration import AiConfigurationError, read_configuration
from pipeline.llm.template import TemplateProvider
from pipeline.model import Work
from pipeline.ports import WorkUnit
from pipeline.service.access import Access
from pipeline.service.bank import Bank
from pipeline.service.control import Control
from pipeline.service.delivering import Deliverer
from pipeline.service.erasure import Erasure
from pipeline.service.following import Following
from pipeline.service.generating import Generator
from pipeline.service.generations import Generations
from pipeline.service.health import Examination
from pipeline.service.improving import Improver
from pipeline.service.insight import Configured, Insight
from pipeline.service.intake import IntakeLimits
from pipeline.service.learner import Learners
from pipeline.service.limits import Limits
from pipeline.service.operations import Operations
from pipeline.service.policy import Policing, default_policy
from pipeline.service.rating import Ratings
from pipeline.service.reading_along import ReadingAlong
from pipeline.service.showing import Showing
from pipeline.service.submitting import Intake
from pipeline.service.upkeep import Heartbeat, Sweeper
from pipeline.service.webhooks import Webhooks
from pipeline.settings import Settings
from pipeline.stages import feedback, metrics, recommend, score
from pipeline.stages.outcome import Deferred, Outcome
from pipeline.stages.verdict import RetryPolicy
from pipeline.store.access import AccessStore
from pipeline.store.bank import BankStore
from pipeline.store.check import check_postgres
from pipeline.store.clock import offset_seconds
from pipeline.store.control import ControlStore
from pipeline.store.dead import DeadStore
from pipeline.store.delivery import DeliveryStore
from pipeline.store.engine import create_engine
from pipeline.store.erasure import ErasureStore
from pipeline.store.health import HealthStore
from pipeline.store.improvement import ImprovementStore
from pipeline.store.insight import InsightStore
from pipeline.store.job import JobStore
from pipeline.store.learner import LearnerStore
from pipeline.store.migrate import current_revision, newest_revision
from pipeline.store.migrate import migrate as migrate_engine
from pipeline.store.operations import OperationsStore
from pipeline.store.policy import PolicyStore
from pipeline.store.question import QuestionVersions
from pipeline.store.rating import RatingStore
from pipeline.store.reading import ReadingStore
from pipeline.store.submission import IntakeStore
from pipeline.store.upkeep import UpkeepStore
from pipeline.store.webhook import WebhookStore
from pipeline.store.work import WorkStore
from pipeline.webhook import WebhookSender

BESIDES: Final = (DELIVER, GENERATE)
"""The queues that are no stages."""
WORKER_POOL_WAIT_SECONDS: Final = 30.0
WATCH_REPLY_SECONDS: Final = 8.0
UPKEEP_CONNECTIONS: Final = 2
COMPUTING: Final = 2
"""Batches of a computing stage at once in one process: one computes while the other waits for Postgres."""


class Servers(msgspec.Struct, frozen=True):
    """Connections to the two servers everything stands on; `queues` is where the Dramatiq queues live.

    `upkeep` are connections of their own for heartbeats and sweeping: those must not wait behind work.
    """

    engine: AsyncEngine
    upkeep: AsyncEngine
    redis: Redis
    queues: Redis


def required(url: str | None, name: str) -> str:
    if url is None:
        raise SettingsError(f"{name} is not set; set it, or name the home of a running `gradeline up` with --home")
    return url


@asynccontextmanager
async def open_servers(
    settings: Settings, *, pool_size: int, pool_wait_seconds: float, answer_seconds: float | None = None
) -> AsyncIterator[Servers]:
    """Open pools to Postgres and Redis, and close them at the end; neither is contacted yet.

    A transaction that Postgres does not get done in `answer_seconds`, by default a lease's length, is broken off.
    """
    redis_url = required(settings.redis_url, "GRADELINE_REDIS_URL")
    database_url = required(settings.database_url, "GRADELINE_DATABASE_URL")
    engine = create_engine(
        database_url,
        pool_size=pool_size,
        pool_wait_seconds=pool_wait_seconds,
        idle_seconds=settings.lease_seconds,
        answer_seconds=answer_seconds or settings.lease_seconds,
    )
    upkeep = create_engine(
        database_url,
        pool_size=UPKEEP_CONNECTIONS,
        idle_seconds=settings.lease_seconds,
        answer_seconds=settings.worker_dead_seconds,
    )
    redis, queues = create_client(redis_url), create_client(queue_url(redis_url, settings.queue_redis_url))
    try:
        yield Servers(engine, upkeep, redis, queues)
    finally:
        await redis.aclose()
        await queues.aclose()
        await upkeep.dispose()
        await engine.dispose()


async def migrate(settings: Settings) -> None:
    """Bring the database to the newest schema."""
    engine = create_engine(required(settings.database_url, "GRADELINE_DATABASE_URL"), pool_size=1)
    try:
        await migrate_engine(engine)
    finally:
        await engine.dispose()


async def check_servers(settings: Settings) -> None:
    """Raise `EnvironmentFault`, in one line, where Postgres or Redis cannot be reached or will not do."""
    await check_database(settings)
    await check_statuses(settings)
    await check_queues(settings)


async def check_database(settings: Settings) -> str:
    """What Postgres is; raises `EnvironmentFault`, in one line, where it cannot be reached or will not do."""
    return await check_postgres(required(settings.database_url, "GRADELINE_DATABASE_URL"))


async def check_statuses(settings: Settings) -> str:
    """What the Redis for statuses is; raises `EnvironmentFault` where it cannot be reached or will not do."""
    return await check_redis(required(settings.redis_url, "GRADELINE_REDIS_URL"))


async def check_queues(settings: Settings) -> str:
    """What the Redis for queues is; raises `EnvironmentFault` where it cannot be reached or will not do."""
    url = queue_url(required(settings.redis_url, "GRADELINE_REDIS_URL"), settings.queue_redis_url)
    return await check_redis(url, setting="GRADELINE_QUEUE_REDIS_URL")


async def clock_offset_seconds(settings: Settings) -> float:
    """How far Postgres' clock, by which all work is timed, is ahead of this machine's."""
    engine = create_engine(required(settings.database_url, "GRADELINE_DATABASE_URL"), pool_size=1)
    try:
        return await offset_seconds(engine)
    finally:
        await engine.dispose()


async def schema_revisions(settings: Settings) -> tuple[str | None, str]:
    """The schema revision that the database has (None: it is empty), and the one this code needs."""
    engine = create_engine(required(settings.database_url, "GRADELINE_DATABASE_URL"), pool_size=1)
    try:
        return await current_revision(engine), newest_revision()
    finally:
        await engine.dispose()


async def check_schema(settings: Settings) -> None:
    """Raise `EnvironmentFault` unless the database can be used as it is."""
    await check_database(settings)
    found, needed = await schema_revisions(settings)
    if found != needed:
        raise EnvironmentFault(
            f"the database has schema {found or 'none'}, this version needs {needed}; run `gradeline migrate`"
        )


@asynccontextmanager
async def open_access(settings: Settings) -> AsyncIterator[Access]:
    """The keys of an installation, for whoever has its database."""
    engine = create_engine(required(settings.database_url, "GRADELINE_DATABASE_URL"), pool_size=1)
    try:
        yield Access(AccessStore(engine), cache_seconds=settings.key_cache_seconds)
    finally:
        await engine.dispose()


def build_board(settings: Settings, servers: Servers) -> RedisBoard:
    return RedisBoard(
        servers.redis,
        status_ttl_seconds=settings.status_ttl_seconds,
        result_ttl_seconds=settings.result_ttl_seconds,
    )


def build_watch(settings: Settings, reading: ReadingStore) -> RedisWatch:
    """A watch with a connection of its own, on which it waits for seconds."""
    redis_url = required(settings.redis_url, "GRADELINE_REDIS_URL")
    return RedisWatch(create_client(redis_url, connections=2, reply_seconds=WATCH_REPLY_SECONDS), reading.standings)


def build_limits(settings: Settings, servers: Servers) -> Limits | None:
    if not settings.limits_enabled:
        return None
    return Limits(learner=settings.submission_limit, tenant=settings.tenant_limit, counter=RedisCounter(servers.redis))


def build_caller_quota(settings: Settings, servers: Servers) -> CallerQuota | None:
    if not settings.limits_enabled:
        return None
    return CallerQuota(Frequency(settings.generation_limit, RedisCounter(servers.redis)))


class ApiParts(msgspec.Struct, frozen=True):
    """What the HTTP door asks."""

    settings: Settings
    servers: Servers
    intake: Intake
    intake_limits: IntakeLimits
    bank: BankStore
    questions: Bank
    learners: Learners
    erasure: Erasure
    reading: ReadingStore
    showing: Showing
    following: Following
    watch: RedisWatch
    control: Control
    board: RedisBoard
    access: Access
    operations: Operations
    policies: PolicyStore
    policing: Policing
    ratings: Ratings
    insight: Insight
    examination: Examination
    webhooks: Webhooks
    generations: Generations


def build_operations(settings: Settings, servers: Servers, board: RedisBoard) -> Operations:
    return Operations(
        store=OperationsStore(servers.engine),
        dead=DeadStore(servers.engine),
        control=ControlStore(servers.engine),
        upkeep=UpkeepStore(servers.engine),
        bell=RedisBell(servers.queues),
        board=board,
        flow=board.flow,
        dead_seconds=settings.worker_dead_seconds,
    )


def build_policies(settings: Settings, servers: Servers) -> PolicyStore:
    return PolicyStore(servers.engine, default=default_policy(settings))


def build_insight(settings: Settings, servers: Servers, policies: PolicyStore) -> Insight:
    return Insight(
        store=InsightStore(servers.engine),
        health=RedisHealth(servers.redis, HealthPolicy(concurrency=settings.ai_concurrency)),
        policies=policies,
        configured=configured_models(settings),
    )


def configured_models(settings: Settings) -> Configured:
    """The models that this process was told of. It only shows them, so what is wrong with them does not stop it."""
    try:
        found = read_configuration(settings)
    except AiConfigurationError as error:
        return Configured(settings.ai_config or "the environment", problems=error.problems)
    return Configured(found.source, found.routes, found.experiments)


def build_api(settings: Settings, servers: Servers) -> ApiParts:
    bank = BankStore(servers.engine)
    board = build_board(settings, servers)
    bell = RedisBell(servers.queues)
    reading = ReadingStore(servers.engine, QuestionVersions())
    watch = build_watch(settings, reading)
    showing = Showing(store=reading, showcase=board, watch=watch)
    intake = Intake(
        store=IntakeStore(servers.engine),
        bank=bank,
        bell=bell,
        board=board,
        limits=build_limits(settings, servers),
    )
    learners = LearnerStore(servers.engine)
    policies = build_policies(settings, servers)
    questions = Bank(bank, max_question_bytes=settings.max_body_bytes)
    return ApiParts(
        settings=settings,
        servers=servers,
        intake=intake,
        intake_limits=IntakeLimits(settings.max_answers, settings.max_metadata_bytes, settings.webhook_allow_private),
        bank=bank,
        questions=questions,
        learners=Learners(learners, reading),
        erasure=Erasure(ErasureStore(servers.engine), learners, board),
        reading=reading,
        showing=showing,
        following=Following(watch=watch, showing=showing, reading_along=ReadingAlong(RedisDeltas(servers.redis))),
        watch=watch,
        control=Control(store=ControlStore(servers.engine), reading=reading, bell=bell, board=board),
        board=board,
        access=Access(AccessStore(servers.engine), cache_seconds=settings.key_cache_seconds),
        operations=build_operations(settings, servers, board),
        policies=policies,
        policing=Policing(policies),
        ratings=Ratings(RatingStore(servers.engine), reading),
        insight=build_insight(settings, servers, policies),
        examination=Examination(HealthStore(servers.engine), board.ping),
        webhooks=Webhooks(
            WebhookStore(servers.engine),
            RedisBell(servers.queues),
            allow_private=settings.webhook_allow_private,
        ),
        generations=Generations(
            JobStore(servers.engine),
            bell,
            questions,
            routes=read_configuration(settings).routes,
            policies=policies,
            quota=build_caller_quota(settings, servers),
        ),
    )


class WorkerParts(msgspec.Struct, frozen=True):
    """What one worker process runs."""

    settings: Settings
    servers: Servers
    shop: Shop
    queues: tuple[str, ...]
    runners: dict[Stage, Runner]
    upkeep: UpkeepStore
    heartbeat: Heartbeat
    sweeper: Sweeper
    improver: Improver
    deliverer: Deliverer | None
    generator: Generator | None = None
    writers: Writers | None = None


def build_worker(
    settings: Settings,
    servers: Servers,
    stages: tuple[Stage, ...] = tuple(Stage),
    *,
    besides: Collection[str] = BESIDES,
) -> WorkerParts:
    """What one worker process runs: these stages, and webhook deliveries and texts for teachers if named `besides`."""
    shop = Shop(
        worker_id=str(uuid7()),
        store=WorkStore(servers.engine, QuestionVersions()),
        bell=RedisBell(servers.queues),
        board=build_board(settings, servers),
        policy=RetryPolicy(settings.max_attempts, settings.retry_base_seconds, settings.retry_cap_seconds),
        lease_seconds=settings.lease_seconds,
        batch=settings.worker_batch,
    )
    writers = build_writers(settings, servers) if Stage.FEEDBACK in stages or GENERATE in besides else None
    upkeep = UpkeepStore(servers.upkeep)
    queues = (*stages, *besides)
    return WorkerParts(
        settings=settings,
        servers=servers,
        shop=shop,
        queues=tuple(str(queue) for queue in queues),
        runners={stage: build_runner(stage, shop, stages, writers) for stage in stages},
        upkeep=upkeep,
        heartbeat=Heartbeat(shop, upkeep, queues),
        sweeper=Sweeper(
            shop,
            upkeep,
            dead_seconds=settings.worker_dead_seconds,
            grace_seconds=settings.sweep_grace_seconds,
            keep_deliveries_seconds=settings.webhook_keep_seconds,
            chores=build_chores(settings, servers.upkeep, shop.bell),
        ),
        improver=build_improver(servers, shop, writers),
        deliverer=build_deliverer(settings, servers, shop.worker_id) if DELIVER in besides else None,
        generator=build_generator(servers, shop, writers) if GENERATE in besides else None,
        writers=writers,
    )


def build_writers(settings: Settings, servers: Servers) -> Writers | None:
    """What writes with models; None where none is configured, and then nothing of it is imported."""
    configuration = read_configuration(settings)
    if not configuration.routes:
        return None
    from pipeline.bootstrap.generation import assemble_writers  # noqa: PLC0415 - brings much with it

    wake = partial(ring, Stage.FEEDBACK, bell=RedisBell(servers.queues))
    return assemble_writers(settings, configuration, servers.engine, servers.redis, TemplateProvider(), wake)


def build_improver(servers: Servers, shop: Shop, writers: Writers | None) -> Improver:
    """What tries lesser feedback again; without models it only gives up what has waited too long."""
    return Improver(
        store=ImprovementStore(servers.engine),
        works=shop.store,
        board=shop.board,
        write=partial(write_feedback_by_models, writers) if writers is not None else None,
        ready=writers.ready if writers is not None else None,
    )


def build_generator(servers: Servers, shop: Shop, writers: Writers | None) -> Generator:
    """What works on jobs; where no model is configured any more, those that are left fail and say so."""
    compose = compose_nothing if writers is None else writers.compose
    return Generator(JobStore(servers.engine), shop.bell, compose, worker_id=shop.worker_id)


def build_deliverer(settings: Settings, servers: Servers, worker_id: str) -> Deliverer:
    return Deliverer(
        DeliveryStore(servers.engine),
        WebhookSender(timeout_seconds=settings.webhook_timeout_seconds, allow_private=settings.webhook_allow_private),
        worker_id=worker_id,
        policy=DeliveryPolicy(settings.webhook_give_up_seconds),
        timeout_seconds=settings.webhook_timeout_seconds,
    )


def build_runner(stage: Stage, shop: Shop, stages: Sequence[Stage], writers: Writers | None = None) -> Runner:
    """A runner of one stage of those that this worker serves; what becomes ready by it goes on at once.

    Where models write feedback, it takes its time: it follows nothing at once, and is awaited apart.
    """
    performs = build_performs()
    quick = [after for after in performs if after in stages and not (after is Stage.FEEDBACK and writers)]
    follow = {after: performs[after] for after in quick if after is not stage}
    if stage is Stage.FEEDBACK and writers is not None:
        return ApartRunner(
            stage,
            shop,
            partial(write_feedback_by_models, writers),
            room=writers.room,
            follow=follow,
            spacing=Spacing(TOGETHER_SECONDS),
        )
    return StageRunner(stage, shop, performs[stage], follow=follow, concurrency=COMPUTING)


def build_performs() -> dict[Stage, Perform]:
    """How each stage runs. All of them compute and nothing else, so each can run inside a transaction."""
    return {
        Stage.SCORE: each_alone(score.decide),
        Stage.FEEDBACK: each_alone(partial(write_feedback, TemplateProvider())),
        Stage.RECOMMEND: perform_recommend,
        Stage.METRICS: perform_metrics,
    }


async def perform_recommend(unit: WorkUnit, works: Sequence[Work]) -> list[Outcome]:
    state = await unit.lock_learning(works)
    outcomes, learned = recommend.decide(works, state)
    await unit.save_learning(learned)
    return outcomes


async def perform_metrics(unit: WorkUnit, works: Sequence[Work]) -> list[Outcome]:
    outcomes, increments = metrics.decide(works)
    await unit.add_metrics(increments)
    return outcomes


async def write_feedback_by_models(writers: Writers, work: Work) -> Outcome:
    request = feedback.request_of(work)
    if seconds := await writers.waits(request):
        return Deferred(seconds, "waits for half the price")
    return feedback.outcome_of(await writers.author.write(request))


def write_feedback(templates: TemplateProvider, work: Work) -> Outcome:
    return feedback.outcome_of(templates.compose(feedback.request_of(work)))
