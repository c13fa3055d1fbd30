"""Processes of ours that are killed, frozen or told to stop."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from tests.chaos.checks import ended_in_order
from tests.chaos.fault import Fault, Moment
from tests.chaos.keeper import Part
from tests.chaos.system import System
from tests.process import HOOKED_WORKER, Process

KILLS: Final = 8
BETWEEN_KILLS_SECONDS: Final = 2.0
FROZEN: Final = "worker-1"
FROZEN_WITH: Final = 10

HELD: Final = """
SELECT count(*) FROM stages t JOIN workers w ON w.id = t.worker_id WHERE t.state = 'running' AND w.pid = :pid
"""
BEATS: Final = """
SELECT count(*) FROM workers WHERE pid = :pid AND heartbeat_at > to_timestamp(:moment)
"""
KEYS: Final = "SELECT idempotency_key FROM submissions WHERE tenant_id = :tenant_id"


async def frozen_with_work(system: System) -> Process:
    """Freeze a worker at a moment at which it holds work: whoever kills it now kills it in the middle."""
    caught: list[Process] = []

    async def catch() -> bool:
        worker = system.chances.choice(system.workers)
        worker.send(signal.SIGSTOP)
        try:
            if await system.count(HELD, pid=worker.pid):
                caught.append(worker)
        finally:
            if not caught:
                worker.send(signal.SIGCONT)
        return bool(caught)

    await system.until(catch, "a worker is in the middle of work")
    return caught[0]


async def kill_worker(system: System) -> Moment:
    """SIGKILL a worker that holds work."""
    worker = await frozen_with_work(system)
    worker.kill()
    return time.time()


async def kill_all_workers(system: System) -> Moment:
    """SIGKILL all workers at once while at least one holds work."""
    await frozen_with_work(system)
    for worker in system.workers:
        worker.kill()
    return time.time()


async def kill_api(system: System) -> Moment:
    """SIGKILL an API process between its commit and its answer."""
    (await frozen_unanswered(system)).kill()
    return time.time()


async def frozen_unanswered(system: System) -> Process:
    """Freeze an API process that has stored a hand-in and not yet answered it."""
    caught: list[Process] = []

    async def catch() -> bool:
        api = system.chances.choice(system.apis)
        api.send(signal.SIGSTOP)
        try:
            unanswered = await stored_unanswered(system)
            await asyncio.sleep(0.05)  # what the other process has answered meanwhile is read
            if unanswered & await stored_unanswered(system):
                caught.append(api)
        finally:
            if not caught:
                api.send(signal.SIGCONT)
        return bool(caught)

    await system.until(catch, "an API process has stored what it has not answered")
    return caught[0]


async def stored_unanswered(system: System) -> set[str]:
    """Keys of hand-ins that are committed while their clients still wait."""
    load = system.current_load
    rows = await system.rows(KEYS, tenant_id=load.school.tenant_id)
    return {row.idempotency_key for row in rows} - load.accepted.keys()


async def kill_again_and_again(system: System) -> Moment:
    """SIGKILL any process every two seconds, eight times."""
    for _ in range(KILLS):
        system.chances.choice(system.processes).kill()
        await asyncio.sleep(BETWEEN_KILLS_SECONDS)
    return time.time()


async def freeze_worker(system: System) -> Moment:
    """SIGSTOP a worker that holds work, until its lease is over, then SIGCONT."""
    worker = await frozen_with_work(system)
    await asyncio.sleep(system.settings.lease_seconds + 1)
    worker.send(signal.SIGCONT)
    return time.time()


@asynccontextmanager
async def one_that_waits(system: System) -> AsyncIterator[None]:
    """One worker has feedback that waits for leave while a file is there, as a slow provider would."""
    await system.replace(FROZEN, signal.SIGTERM, Part((str(HOOKED_WORKER),), {"FAULT_HOLD": str(hold_file(system))}))
    try:
        yield
    finally:
        hold_file(system).unlink(missing_ok=True)
        await system.replace(FROZEN, signal.SIGTERM, system.shipped(FROZEN))


def hold_file(system: System) -> Path:
    return system.settings.home / "hold"


async def zombie(system: System) -> Moment:
    """Freeze a worker in the middle of feedback until others have done its work; then it goes on where it was."""
    worker = system.keeper[FROZEN]
    hold_file(system).touch()

    async def holds(at_least: int) -> bool:
        return await system.count(HELD, pid=worker.pid) >= at_least

    async def robbed() -> bool:
        return await system.count(HELD, pid=worker.pid) == 0

    async def beats() -> bool:
        return await system.count(BEATS, pid=worker.pid, moment=thawed) > 0

    await system.until(lambda: holds(FROZEN_WITH), "the worker is in the middle of feedback")
    worker.send(signal.SIGSTOP)
    hold_file(system).unlink()
    await asyncio.sleep(system.settings.lease_seconds + 1)
    await system.until(robbed, "its work is taken away from it")
    thawed = time.time()
    worker.send(signal.SIGCONT)
    await system.until(beats, "the zombie is heard of again")
    return thawed


async def stop_everything(system: System) -> Moment:
    """SIGTERM all processes at once, and let others take their places."""
    told = system.processes
    for process in told:
        process.send(signal.SIGTERM)

    async def ended() -> bool:
        return not any(process.lives for process in told)

    await system.until(ended, "all that were told to stop have ended")
    await system.until(system.ready, "everything is ready again")
    return time.time()


async def roll(system: System) -> Moment:
    """SIGTERM one process after the other, each when the one before it is ready again."""
    for name in system.keeper.names:
        await system.replace(name, signal.SIGTERM, system.shipped(name))
    return time.time()


PROCESS_FAULTS: Final = (
    Fault(
        name="worker-kill",
        title="kill -9 of a worker that holds work",
        promise="its work is done elsewhere within 15 s",
        rests_on="claims are leases in Postgres; whoever falls silent for 8 s loses them to the sweeper",
        inject=kill_worker,
        drains_within=15.0,
        short=True,
        touches="worker",
    ),
    Fault(
        name="all-workers-kill",
        title="kill -9 of all workers at once",
        promise="done within 15 s of new workers coming up",
        rests_on="nothing is kept in a worker that Postgres doesn't know; any worker may sweep",
        inject=kill_all_workers,
        drains_within=15.0,
        short=True,
        touches="worker",
    ),
    Fault(
        name="api-kill",
        title="kill -9 of the API between commit and answer",
        promise="what was stored is worked on, and repeating it under its key finds it",
        rests_on="one transaction per hand-in; the idempotency key is a unique index",
        inject=kill_api,
        drains_within=15.0,
        short=True,
        touches="api",
    ),
    Fault(
        name="kills",
        title="kill -9 of any process every 2 s, eight times",
        promise="done within 15 s of the last one",
        rests_on="the same; a lease lost together with neighbours counts as nobody's attempt",
        inject=kill_again_and_again,
        drains_within=15.0,
    ),
    Fault(
        name="freeze",
        title="SIGSTOP of a worker that holds work, beyond its lease, then SIGCONT",
        promise="others do its work",
        rests_on="leases by Postgres' clock; a frozen session's locks end with its lease",
        inject=freeze_worker,
        drains_within=15.0,
        touches="worker",
    ),
    Fault(
        name="zombie",
        title="a frozen worker that brings its results after others have done its work",
        promise="what it brings late is refused, and it works on",
        rests_on="results are fenced by epoch and worker",
        inject=zombie,
        drains_within=15.0,
        short=True,
        scene=one_that_waits,
    ),
    Fault(
        name="stop",
        title="SIGTERM of everything under load",
        promise="everybody finishes or gives back what runs, and ends in order",
        rests_on="a stopping worker takes nothing more and gives back uncounted what it can't finish",
        inject=stop_everything,
        drains_within=15.0,
        checks=(ended_in_order,),
    ),
    Fault(
        name="roll",
        title="rolling restart",
        promise="no more than a repeated request",
        rests_on="the same, one by one",
        inject=roll,
        drains_within=15.0,
    ),
)
