"""One worker process: Dramatiq takes the rings, the event loop does the work, signals end it gracefully."""

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Sequence
from typing import Any, Final

import dramatiq
import redis
import structlog
from dramatiq import Worker
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from pipeline import telemetry
from pipeline.bootstrap import WORKER_POOL_WAIT_SECONDS, WorkerParts, build_worker, open_servers, required
from pipeline.errors import Unavailable
from pipeline.execution import DELIVER, announce
from pipeline.lifecycle import Stage
from pipeline.live.client import queue_url
from pipeline.service.upkeep import every
from pipeline.settings import Settings
from workers.broker import RingBroker, Wakes

log = structlog.get_logger()

IDLE_POLL_MS: Final = 1_000
BROKER_REPLY_SECONDS: Final = 10
BROKER_CONNECTIONS: Final = 200


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
    """One actor per queue, named as it: it hands the ring to the loop and waits for the batch.

    Webhook deliveries are only lined up while it waits, so that slow receivers hold no thread.
    """

    def actor_for(stage: Stage) -> Callable[..., None]:
        def ring(ids: Sequence[str], solo: bool = False) -> None:
            asyncio.run_coroutine_threadsafe(parts.runners[stage].ring(ids, solo=solo), loop).result()

        return ring

    def deliver(ids: Sequence[str], solo: bool = False) -> None:  # noqa: ARG001 - rings of all queues look alike
        if parts.deliverer is not None:
            asyncio.run_coroutine_threadsafe(parts.deliverer.ring(ids), loop).result()

    actors = {stage.value: actor_for(stage) for stage in parts.runners}
    if parts.deliverer is not None:
        actors[DELIVER] = deliver
    for queue, actor in actors.items():
        dramatiq.actor(actor_name=queue, queue_name=queue, broker=broker)(actor)


async def run_worker(
    settings: Settings, stages: tuple[Stage, ...], concurrency: int | None = None, *, deliver: bool = True
) -> None:
    """Work on these stages, and on webhooks if `deliver`, until SIGTERM or SIGINT; then finish or give back."""
    async with open_servers(
        settings, pool_size=settings.worker_pool_size, pool_wait_seconds=WORKER_POOL_WAIT_SECONDS
    ) as servers:
        parts = build_worker(settings, servers, stages, deliver=deliver)
        await patiently_register(parts)
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await serve(parts, stop, concurrency or settings.worker_concurrency)


async def patiently_register(parts: WorkerParts) -> None:
    worker_id, stages = parts.shop.worker_id, [str(stage) for stage in parts.runners]
    if parts.deliverer is not None:
        stages.append(DELIVER)
    await parts.upkeep.register(worker_id, socket.gethostname(), os.getpid(), stages)
    log.info(telemetry.WORKER_STARTED, worker_id=worker_id, stages=stages)


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
    ]
    wakes.start()
    worker.start()
    await stop.wait()
    log.info(telemetry.WORKER_STOPPING, worker_id=parts.shop.worker_id)
    await finish(parts, worker, wakes)
    ended.set()
    await asyncio.gather(*upkeep)
    await leave(parts)
    client.close()


async def finish(parts: WorkerParts, worker: Any, wakes: Wakes) -> None:
    """Take no more, let what runs finish in the time allowed, give back the rest."""
    parts.heartbeat.stopping = True
    for consumer in worker.consumers.values():
        consumer.stop()
    wakes.stop()
    milliseconds = int(parts.settings.shutdown_seconds * 1000)
    delivering = asyncio.create_task(stop_delivering(parts))
    draining = asyncio.gather(*[runner.drain() for runner in parts.runners.values()])
    try:
        await asyncio.wait_for(draining, parts.settings.shutdown_seconds)
    except TimeoutError:
        log.warning(telemetry.WORKER_STOPPING, unfinished=len(parts.shop.in_flight.held()))
    await give_back(parts)
    await delivering
    await asyncio.to_thread(worker.stop, min(milliseconds, 2_000))


async def stop_delivering(parts: WorkerParts) -> None:
    if parts.deliverer is not None:
        await parts.deliverer.stop(parts.settings.shutdown_seconds)


async def give_back(parts: WorkerParts) -> None:
    held = parts.shop.in_flight.held()
    if not held:
        return
    try:
        await announce(await parts.upkeep.give_back(parts.shop.worker_id, held), parts.shop)
    except Unavailable as error:
        log.warning(telemetry.WORK_ABANDONED, claims=len(held), error=str(error))


async def leave(parts: WorkerParts) -> None:
    try:
        await parts.upkeep.leave(parts.shop.worker_id)
    except Unavailable as error:
        log.warning(telemetry.HEARTBEAT_FAILED, error=str(error))
    log.info(telemetry.WORKER_STOPPED, worker_id=parts.shop.worker_id)
