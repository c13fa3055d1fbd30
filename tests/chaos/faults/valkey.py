"""Valkey gone, emptied, full, frozen, not heard of: hand-ins are accepted all the same, and work goes on after it."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from redis.asyncio import Redis

from pipeline.lifecycle import Stage
from pipeline.live.bell import RedisBell
from tests.chaos.checks import never_refused, spared, told_in_time
from tests.chaos.fault import Fault, Moment
from tests.chaos.faults.replies import lose_replies, through
from tests.chaos.proxy import Loss
from tests.chaos.system import System

AWAY_SECONDS: Final = 6.0
FULL_SECONDS: Final = 6.0
STALL_MS: Final = 9_000
READ: Final = 5
WAITING_AT_LEAST: Final = 10
LOST_SHARE: Final = 0.1
LOST_AT_LEAST: Final = 100


async def kill(system: System) -> Moment:
    """SIGKILL Valkey, and start it again after some seconds, empty."""
    await asyncio.to_thread(system.valkey.kill)
    await asyncio.sleep(AWAY_SECONDS)
    await read_statuses(system)
    await asyncio.to_thread(system.valkey.start)
    return time.time()


async def restart(system: System) -> Moment:
    """Stop Valkey while rings wait in it, and start it again at once; it keeps nothing."""
    async with rings_waiting(system):
        await asyncio.to_thread(system.valkey.restart)
    return time.time()


async def flush(system: System) -> Moment:
    """Delete everything in Valkey while rings wait in it: rings, statuses, events, limits."""
    async with rings_waiting(system), connected(system) as client:
        await client.flushall()
    return time.time()


@asynccontextmanager
async def rings_waiting(system: System) -> AsyncIterator[None]:
    """Workers stand still, so that some rings wait for them."""

    bell = RedisBell(system.parts.servers.queues)  # its connection may be one that an earlier fault cut

    async def wait() -> bool:
        return await bell.waiting(Stage.SCORE) >= WAITING_AT_LEAST

    workers = system.workers
    for worker in workers:
        worker.send(signal.SIGSTOP)
    try:
        await system.until(wait, "rings wait in Valkey")
        yield
    finally:
        for worker in workers:
            worker.send(signal.SIGCONT)


async def fill(system: System) -> Moment:
    """Let Valkey have less memory than it uses, for some seconds; it refuses to write, and evicts nothing."""
    async with connected(system) as client:
        await client.config_set("maxmemory", "1")
        try:
            await asyncio.sleep(FULL_SECONDS)
            await read_statuses(system)
        finally:
            await client.config_set("maxmemory", "0")
    return time.time()


async def stall(system: System) -> Moment:
    """Let Valkey take commands and carry none out for nine seconds; then it does all that it was sent."""
    async with connected(system) as client:
        await client.client_pause(STALL_MS, all=True)
        await read_statuses(system)
        await client.ping()
    return time.time()


async def read_statuses(system: System) -> None:
    """Let clients read what was accepted last, from every API process."""
    load = system.current_load
    latest = list(load.accepted.values())[-READ:]
    await asyncio.gather(*[load.read(address, id_) for address in system.addresses.values() for id_ in latest])


@asynccontextmanager
async def connected(system: System) -> AsyncIterator[Redis]:
    async with Redis.from_url(system.valkey.url, socket_timeout=None) as client:
        yield client


VALKEY_FAULTS: Final = (
    Fault(
        name="valkey-kill",
        title="kill -9 of Valkey, back after 6 s and empty",
        promise="hand-ins are accepted and statuses told meanwhile; all is done within 10 s of its return",
        rests_on="accepting needs Postgres alone; what was rung in vain is ready in Postgres and rung again",
        inject=kill,
        drains_within=10.0,
        checks=(spared, never_refused, told_in_time),
        touches="valkey",
    ),
    Fault(
        name="valkey-restart",
        title="restart of Valkey while rings wait in it; it keeps nothing",
        promise="no hand-in is refused; all is done within 10 s",
        rests_on="the sweeper finds what is ready and untaken, and rings again",
        inject=restart,
        drains_within=10.0,
        short=True,
        checks=(spared, never_refused, told_in_time),
        touches="valkey",
    ),
    Fault(
        name="flushall",
        title="FLUSHALL while rings wait",
        promise="no hand-in is refused; all is done within 10 s",
        rests_on="the same; statuses are refilled from Postgres when they are asked for",
        inject=flush,
        drains_within=10.0,
        short=True,
        checks=(spared, never_refused, told_in_time),
        touches="valkey",
    ),
    Fault(
        name="valkey-full",
        title="Valkey out of memory (`noeviction`) for 6 s",
        promise="hand-ins are accepted and statuses told meanwhile; all is done within 10 s of there being room",
        rests_on="a refused ring is a lost ring; consumers come back by themselves",
        inject=fill,
        drains_within=10.0,
        checks=(spared, never_refused, told_in_time),
        touches="valkey",
    ),
    Fault(
        name="valkey-stall",
        title="Valkey stalls for 9 s (`CLIENT PAUSE`)",
        promise="hand-ins are accepted and statuses told meanwhile; all is done within 10 s of its end",
        rests_on="nobody waits for Valkey longer than seconds; commands carried out late are rings too many",
        inject=stall,
        drains_within=10.0,
        checks=(spared, never_refused, told_in_time),
        touches="valkey",
    ),
    Fault(
        name="valkey-replies-cut",
        title="every tenth reply of Valkey lost with its connection, after it had done what was asked",
        promise="no hand-in is refused; a ring that was heard twice has one effect; all is done within 10 s",
        rests_on="a ring is no work: whoever takes it claims in Postgres what is ready; lost ones are rung again",
        inject=partial(lose_replies, server="valkey", share=LOST_SHARE, loss=Loss.CUT, at_least=LOST_AT_LEAST),
        drains_within=10.0,
        short=True,
        scene=partial(through, server="valkey"),
        checks=(spared, never_refused, told_in_time),
    ),
    Fault(
        name="valkey-replies-silent",
        title="every tenth reply of Valkey is the last that comes on its connection, which stays open",
        promise="the same: all is done within 10 s",
        rests_on="the same; each wait for Valkey has its limit",
        inject=partial(lose_replies, server="valkey", share=LOST_SHARE, loss=Loss.SILENCE, at_least=LOST_AT_LEAST),
        drains_within=10.0,
        scene=partial(through, server="valkey"),
        checks=(spared, never_refused, told_in_time),
    ),
)
