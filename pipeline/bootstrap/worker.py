"""What one worker process runs."""

from collections.abc import Collection, Sequence
from functools import partial
from typing import Final

import msgspec
from uuid_utils import uuid7

from pipeline.bootstrap.chores import build_chores
from pipeline.bootstrap.periodic import build_periodic_jobs
from pipeline.bootstrap.planning import build_plan
from pipeline.bootstrap.servers import Servers, build_board
from pipeline.bootstrap.writers import Writers, together
from pipeline.delivery.reply import DeliveryPolicy
from pipeline.execution import DELIVER, GENERATE, ApartRunner, Runner, Shop, StageRunner, each_alone, ring
from pipeline.follow_through import Perform
from pipeline.generation.composing import compose_nothing
from pipeline.learning.mix import Plan
from pipeline.lifecycle import Stage
from pipeline.live.bell import RedisBell
from pipeline.llm.configuration import read_configuration
from pipeline.llm.template import TemplateProvider
from pipeline.model import Work
from pipeline.ports import WorkUnit
from pipeline.service.delivering import Deliverer
from pipeline.service.generating import Generator
from pipeline.service.improving import Improver
from pipeline.service.periodic import PeriodicWorker
from pipeline.service.upkeep import Heartbeat, Sweeper
from pipeline.settings import Settings
from pipeline.stages import feedback, metrics, recommend, score
from pipeline.stages.outcome import Deferred, Outcome
from pipeline.stages.recommend import USUAL_PLAN
from pipeline.stages.verdict import RetryPolicy
from pipeline.store.delivery import DeliveryStore
from pipeline.store.improvement import ImprovementStore
from pipeline.store.job import JobStore
from pipeline.store.periodic import PeriodicStore
from pipeline.store.question import QuestionVersions
from pipeline.store.upkeep import UpkeepStore
from pipeline.store.work import WorkStore
from pipeline.webhook import WebhookSender

BESIDES: Final = (DELIVER, GENERATE)
"""The queues that are no stages."""
WORKER_POOL_WAIT_SECONDS: Final = 30.0
COMPUTING: Final = 2
"""Batches of a computing stage at once in one process: one computes while the other waits for Postgres."""


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
    periodic: PeriodicWorker
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
    shop = build_shop(settings, servers)
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
        sweeper=build_sweeper(settings, servers, shop, upkeep),
        improver=build_improver(servers, shop, writers),
        periodic=build_periodic_worker(settings, servers, shop.worker_id),
        deliverer=build_deliverer(settings, servers, shop.worker_id) if DELIVER in besides else None,
        generator=build_generator(servers, shop, writers) if GENERATE in besides else None,
        writers=writers,
    )


def build_shop(settings: Settings, servers: Servers) -> Shop:
    """What the runners of one worker share; each call makes a worker of its own name."""
    return Shop(
        worker_id=str(uuid7()),
        store=WorkStore(servers.engine, QuestionVersions()),
        bell=RedisBell(servers.queues),
        board=build_board(settings, servers),
        policy=RetryPolicy(settings.max_attempts, settings.retry_base_seconds, settings.retry_cap_seconds),
        lease_seconds=settings.lease_seconds,
        batch=settings.worker_batch,
        plan=build_plan(settings),
    )


def build_sweeper(settings: Settings, servers: Servers, shop: Shop, upkeep: UpkeepStore) -> Sweeper:
    return Sweeper(
        shop,
        upkeep,
        dead_seconds=settings.worker_dead_seconds,
        grace_seconds=settings.sweep_grace_seconds,
        keep_deliveries_seconds=settings.webhook_keep_seconds,
        chores=build_chores(settings, servers.upkeep, shop.bell),
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


def build_periodic_worker(settings: Settings, servers: Servers, worker_id: str) -> PeriodicWorker:
    jobs = build_periodic_jobs(settings, servers.engine)
    return PeriodicWorker(PeriodicStore(servers.engine), jobs, worker_id=worker_id)


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
    performs = build_performs(shop.plan)
    quick = [after for after in performs if after in stages and not (after is Stage.FEEDBACK and writers)]
    follow = {after: performs[after] for after in quick if after is not stage}
    if stage is Stage.FEEDBACK and writers is not None:
        return ApartRunner(
            stage,
            shop,
            partial(write_feedback_by_models, writers),
            room=writers.room,
            follow=follow,
            spacing=together(),
        )
    return StageRunner(stage, shop, performs[stage], follow=follow, concurrency=COMPUTING)


def build_performs(plan: Plan = USUAL_PLAN) -> dict[Stage, Perform]:
    """How each stage runs. All of them compute and nothing else, so each can run inside a transaction."""
    return {
        Stage.SCORE: each_alone(score.decide),
        Stage.FEEDBACK: each_alone(partial(write_feedback, TemplateProvider())),
        Stage.RECOMMEND: partial(perform_recommend, plan=plan),
        Stage.METRICS: perform_metrics,
    }


async def perform_recommend(unit: WorkUnit, works: Sequence[Work], *, plan: Plan = USUAL_PLAN) -> list[Outcome]:
    state = await unit.lock_learning(works)
    outcomes, learned = recommend.decide(works, state, plan)
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
