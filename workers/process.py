"""One worker process: Dramatiq takes the rings, the event loop does the work, signals end it gracefully."""

import asyncio
import gc
import signal
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import CancelledError
from functools import partial
from typing import Any, Final

import dramatiq
import redis
import structlog
from dramatiq import Worker
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from pipeline import telemetry
from pipeline.bootstrap import BESIDES, WORKER_POOL_WAIT_SECONDS, WorkerParts, build_worker, open_servers, required
from pipeline.errors import Unavailable
from pipeline.execution import DELIVER, GENERATE, Runner, announce, patiently, place_of
from pipeline.lifecycle import Stage
from pipeline.live.client import queue_url
from pipeline.service.delivering import Deliverer
from pipeline.service.generating import Generator
from pipeline.service.upkeep import every
from pipeline.settings import Settings
from workers.broker import RingBroker, Wakes

log = structlog.get_logger()

IDLE_POLL_MS: Final = 1_000
BROKER_REPLY_SECONDS: Final = 10
BROKER_CONNECTIONS: Final = 200
START_SECONDS: Final = 60.0
"""How long a starting worker waits for Postgres."""
IMPROVING_EVERY_SECONDS: Final = 10.0
BATCHING_EVERY_SECONDS: Final = 30.0
PERIODIC_SWEEPS: Final = 5
"""How many times less often than the sweeper a worker looks for a periodic job that is due."""
TIDY_SECONDS: Final = 2.0
"""What is kept of the time to stop for giving back and leaving, at most."""

Taker = Runner | Deliverer | Generator


def broker_client(url: str) -> redis.Redis:
    """A client for Dramatiq's threads: repeats commands, which rings can bear, and never queues for one."""
    pool = redis.ConnectionPool.from_url(
        url,
        max_connections=BROKER_CONNECTIONS,
        socket_timeout=BROKER_REPLY_SECONDS,
        socket_connect_timeout=2,
        retry=Retry(ExponentialBackoff(cap=1, base=0.05), 3),
    )
    return redis.Redis(connection_pool=pool)


def declare_actors(broker: RingBroker, parts: WorkerParts, loop: asyncio.AbstractEventLoop) -> None:
    """One actor per queue, named as it: it hands the ring to the loop and waits until that has taken it.

    A stage has taken a ring when its batch is recorded; webhook deliveries, texts for teachers and stages that take
    their time are taken when they are lined up, so that slow receivers and models hold no thread.
    """

    def actor_for(queue: str, taker: Taker) -> Callable[..., None]:
        def ring(ids: Sequence[str], solo: bool = False) -> None:
            work = asyncio.run_coroutine_threadsafe(taker.ring(ids, solo=solo), loop)
            try:
                work.result()
            except CancelledError:
                return  # this worker stops, and what it could not finish is given back
            except Exception as surprise:  # noqa: BLE001 - Dramatiq would log its text, which might quote an answer
                log.error(  # noqa: TRY400 - for the same reason
                    telemetry.RING_FAILED, stage=queue, error=type(surprise).__name__, place=place_of(surprise)
                )

        return ring

    takers: dict[str, Taker] = {stage.value: runner for stage, runner in parts.runners.items()}
    if parts.deliverer is not None:
        takers[DELIVER] = parts.deliverer
    if parts.generator is not None:
        takers[GENERATE] = parts.generator
    for queue, taker in takers.items():
        declare = dramatiq.actor(actor_name=queue, queue_name=queue, broker=broker)
        declare(actor_for(queue, taker))


async def run_worker(
    settings: Settings,
    stages: tuple[Stage, ...],
    concurrency: int | None = None,
    *,
    besides: Collection[str] = BESIDES,
) -> None:
    """Work on these stages, and on the queues `besides`, until SIGTERM or SIGINT; then finish or give back."""
    size = settings.worker_pool_size
    async with open_servers(
        settings, pool_size=size, alone=size // 3, pool_wait_seconds=WORKER_POOL_WAIT_SECONDS
    ) as servers:
        parts = build_worker(settings, servers, stages, besides=besides)
        # What writes with models brought SDKs: looking through them for garbage stopped all work for half a second.
        gc.collect()
        gc.freeze()
        await run(parts, concurrency)


async def run(parts: WorkerParts, concurrency: int | None = None) -> None:
    """Run these parts until SIGTERM or SIGINT; then finish or give back, and return."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    log.info(telemetry.WORKER_STARTING, worker_id=parts.shop.worker_id)
    if await introduced(parts, stop):
        log.info(telemetry.WORKER_STARTED, worker_id=parts.shop.worker_id, queues=parts.queues)
        await serve(parts, stop, concurrency or parts.settings.worker_concurrency)
    log.info(telemetry.WORKER_STOPPED, worker_id=parts.shop.worker_id)


async def introduced(parts: WorkerParts, stop: asyncio.Event) -> bool:
    """Wait for Postgres to know this worker; False if it is to stop before that."""
    introduction = asyncio.create_task(patiently(parts.heartbeat.introduce, START_SECONDS))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({introduction, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not introduction.done():
        await end(introduction, seconds=0)
        return False
    introduction.result()
    return True


async def serve(parts: WorkerParts, stop: asyncio.Event, concurrency: int) -> None:
    settings = parts.settings
    queues = queue_url(required(settings.redis_url, "GRADELINE_REDIS_URL"), settings.queue_redis_url)
    client = broker_client(queues)
    wakes = Wakes(broker_client(queues))
    broker = RingBroker(client, wakes)
    declare_actors(broker, parts, asyncio.get_running_loop())
    worker = Worker(broker, worker_timeout=IDLE_POLL_MS, worker_threads=concurrency)
    ended = asyncio.Event()
    upkeep = [
        asyncio.create_task(every(settings.heartbeat_seconds, parts.heartbeat.tick, ended)),
        asyncio.create_task(every(settings.sweep_seconds, parts.sweeper.tick, stop)),
        asyncio.create_task(every(IMPROVING_EVERY_SECONDS, parts.improver.tick, stop)),
        asyncio.create_task(every(PERIODIC_SWEEPS * settings.sweep_seconds, partial(parts.periodic.work, stop), stop)),
    ]
    if parts.writers is not None and parts.writers.batching is not None:
        upkeep.append(asyncio.create_task(every(BATCHING_EVERY_SECONDS, parts.writers.batching.tick, stop)))
    wakes.start()
    worker.start()
    await stop.wait()
    log.info(telemetry.WORKER_STOPPING, worker_id=parts.shop.worker_id)
    await finish(parts, worker, wakes)
    ended.set()
    await end(*upkeep, seconds=TIDY_SECONDS)
    if parts.writers is not None:
        await end(asyncio.ensure_future(parts.writers.close()), seconds=TIDY_SECONDS)
    await leave(parts)
    client.close()


async def finish(parts: WorkerParts, worker: Any, wakes: Wakes) -> None:
    """Take no more, let what runs finish in the time allowed, give back the rest."""
    tidy_seconds = min(TIDY_SECONDS, parts.settings.shutdown_seconds / 3)
    parts.shop.close()
    stop_fetching(worker, wakes)
    draining = asyncio.create_task(drain(parts))
    seconds = parts.settings.shutdown_seconds - tidy_seconds
    besides = [asyncio.create_task(one.stop(seconds)) for one in (parts.deliverer, parts.generator) if one is not None]
    await asyncio.wait({draining, *besides}, timeout=seconds)
    await give_back(parts, tidy_seconds / 2)
    await end(draining, seconds=0)
    if besides:
        await end(*besides, seconds=tidy_seconds / 2)
    await asyncio.to_thread(worker.stop, int(tidy_seconds / 2 * 1000))


def stop_fetching(worker: Any, wakes: Wakes) -> None:
    """Let Dramatiq's threads end after the ring in hand; what they fetched ahead goes back when they have."""
    for thread in [*worker.consumers.values(), *worker.workers]:
        thread.stop()
    wakes.stop()


async def drain(parts: WorkerParts) -> None:
    await asyncio.gather(*[runner.drain() for runner in parts.runners.values()])


async def end(*tasks: "asyncio.Task[None]", seconds: float) -> None:
    """Give tasks so long to end by themselves, then cancel them."""
    _, late = await asyncio.wait(tasks, timeout=seconds)
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)


async def give_back(parts: WorkerParts, seconds: float) -> None:
    held = parts.shop.in_flight.held()
    if not held:
        return
    log.warning(telemetry.WORK_GIVEN_BACK, claims=len(held))
    try:
        async with asyncio.timeout(seconds):
            await announce(await parts.upkeep.give_back(parts.shop.worker_id, held), parts.shop)
    except (Unavailable, TimeoutError) as error:
        log.warning(telemetry.WORK_ABANDONED, claims=len(held), error=str(error))


async def leave(parts: WorkerParts) -> None:
    try:
        async with asyncio.timeout(TIDY_SECONDS / 2):
            await parts.upkeep.leave(parts.shop.worker_id)
    except (Unavailable, TimeoutError) as error:
        log.warning(telemetry.HEARTBEAT_FAILED, error=str(error))
