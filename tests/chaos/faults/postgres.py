"""Postgres gone, cut off, taken by strangers: nothing is accepted that is not kept, and work goes on after it."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any, Final

import psutil
import psycopg
from psycopg import AsyncConnection

from tests.chaos.checks import never_refused, refused_in_time, spared
from tests.chaos.fault import Fault, Moment
from tests.chaos.faults.replies import lose_replies, through
from tests.chaos.proxy import Loss
from tests.chaos.system import System

AWAY_SECONDS: Final = 5.0
STALL_SECONDS: Final = 9.0
TAKEN_SECONDS: Final = 6.0
HELD_BEYOND_LEASE_SECONDS: Final = 3.0
LOST_SHARE: Final = 0.02
LOST_AT_LEAST: Final = 20
GRABBERS: Final = 8

STRANGER: Final = "stranger"
OURS: Final = (
    "FROM pg_stat_activity WHERE backend_type = 'client backend' AND datname = current_database()"
    f" AND application_name <> '{STRANGER}'"
)


async def restart(system: System) -> Moment:
    """A fast restart: every session is cut, nothing is waited for."""
    await asyncio.to_thread(system.postgres.restart)
    return time.time()


async def kill(system: System) -> Moment:
    """SIGKILL the postmaster and all its children; after some seconds it starts and recovers from its log."""
    await asyncio.to_thread(system.postgres.kill)
    await asyncio.sleep(AWAY_SECONDS)
    await asyncio.to_thread(system.postgres.start)
    return time.time()


async def stall(system: System) -> Moment:
    """Stop every process of Postgres, as a hanging disk would: connections stay, and nothing is answered."""
    postmaster = psutil.Process(system.postgres.pid)
    postmaster.suspend()  # first, so that no child is added
    stalled = [postmaster, *postmaster.children(recursive=True)]
    for process in stalled:
        process.suspend()
    try:
        await asyncio.sleep(STALL_SECONDS)
    finally:
        for process in reversed(stalled):
            process.resume()
    return time.time()


async def terminate(system: System) -> Moment:
    """End all sessions of all processes at once."""
    async with stranger(system) as session:
        await end_ours(session)
    return time.time()


async def exhaust(system: System) -> Moment:
    """Strangers take every connection that Postgres has, until none is left to us, and keep them for some seconds."""
    async with stranger(system) as first, AsyncExitStack() as taken:
        await asyncio.gather(*[grab(system, first, taken) for _ in range(GRABBERS)])
        await asyncio.sleep(TAKEN_SECONDS)
    return time.time()


async def grab(system: System, first: AsyncConnection[Any], taken: AsyncExitStack) -> None:
    """Take connections; where there is none, end ours and be faster than they are."""
    while True:
        try:
            await taken.enter_async_context(stranger(system))
        except psycopg.OperationalError:
            if await end_ours(first) == 0:
                return


async def hold_rows(system: System) -> Moment:
    """A stranger locks rows of submissions and learners, and forgets about it for longer than a lease."""
    async with stranger(system) as session, session.transaction():
        await session.execute("SELECT FROM submissions WHERE status <> 'completed' ORDER BY id FOR UPDATE SKIP LOCKED")
        await session.execute("SELECT FROM learners ORDER BY tenant_id, id FOR UPDATE")
        await asyncio.sleep(system.settings.lease_seconds + HELD_BEYOND_LEASE_SECONDS)
    return time.time()


async def hold_table(system: System) -> Moment:
    """A stranger forbids every change of stages, and forgets about it for longer than a lease."""
    async with stranger(system) as session, session.transaction():
        await session.execute("LOCK TABLE stages IN SHARE MODE")
        await asyncio.sleep(system.settings.lease_seconds + HELD_BEYOND_LEASE_SECONDS)
    return time.time()


async def end_ours(session: AsyncConnection[Any]) -> int:
    """End all sessions but strangers'; how many there were."""
    ended = await session.execute(f"SELECT pg_terminate_backend(pid) {OURS}")
    return len(await ended.fetchall())


@asynccontextmanager
async def stranger(system: System) -> AsyncIterator[AsyncConnection[Any]]:
    """A session of somebody else's."""
    session = await AsyncConnection.connect(system.postgres.url, autocommit=True, application_name=STRANGER)
    async with session:
        yield session


POSTGRES_FAULTS: Final = (
    Fault(
        name="postgres-restart",
        title="fast restart of Postgres",
        promise="work goes on within 10 s, and no process has to be restarted",
        rests_on="units of work are transactions that may be repeated; pools replace what a restart cut",
        inject=restart,
        resumes_within=10.0,
        drains_within=15.0,
        checks=(spared, refused_in_time),
        touches="postgres",
    ),
    Fault(
        name="postgres-kill",
        title="kill -9 of Postgres, back after 5 s by crash recovery",
        promise="503 with Retry-After within 2 s meanwhile; work goes on within 10 s, no process restarted",
        rests_on="a 202 is a commit on disk; a claim that the crash forgot is fenced by epoch and worker",
        inject=kill,
        resumes_within=10.0,
        drains_within=15.0,
        short=True,
        checks=(spared, refused_in_time),
        touches="postgres",
    ),
    Fault(
        name="postgres-terminate",
        title="`pg_terminate_backend` of all sessions",
        promise="work goes on within 10 s, no process restarted",
        rests_on="the same",
        inject=terminate,
        resumes_within=10.0,
        drains_within=15.0,
        short=True,
        checks=(spared, refused_in_time),
        touches="postgres",
    ),
    Fault(
        name="postgres-stall",
        title="Postgres answers nothing for 9 s (SIGSTOP)",
        promise="503 with Retry-After within 2 s meanwhile; work goes on within 10 s, no process restarted",
        rests_on="no answer waits for Postgres longer than 1.8 s; after a silence the sweeper takes nobody for dead",
        inject=stall,
        resumes_within=10.0,
        drains_within=15.0,
        checks=(spared, refused_in_time),
        touches="postgres",
    ),
    Fault(
        name="postgres-exhausted",
        title="strangers take all connections of Postgres for 6 s",
        promise="503 with Retry-After within 2 s meanwhile; work goes on within 10 s, no process restarted",
        rests_on="no connection is Postgres being away: waited for as long as the lease lasts",
        inject=exhaust,
        resumes_within=10.0,
        drains_within=15.0,
        checks=(spared, refused_in_time),
        touches="postgres",
    ),
    Fault(
        name="postgres-rows-held",
        title="a forgotten transaction locks learners and open submissions for longer than a lease",
        promise="hand-ins are accepted meanwhile; work goes on within 10 s of its end",
        rests_on="accepting locks no row of others; heartbeats and leases have connections of their own",
        inject=hold_rows,
        resumes_within=10.0,
        drains_within=15.0,
        checks=(spared, never_refused),
        touches="postgres",
    ),
    Fault(
        name="postgres-table-held",
        title="a forgotten transaction locks the table of stages (`SHARE`) for longer than a lease",
        promise="503 with Retry-After within 2 s meanwhile; work goes on within 10 s of its end",
        rests_on="no answer waits for Postgres longer than 1.8 s; what commits later has its idempotency key",
        inject=hold_table,
        resumes_within=10.0,
        drains_within=15.0,
        checks=(spared, refused_in_time),
        touches="postgres",
    ),
    Fault(
        name="postgres-replies-cut",
        title="every fiftieth reply of Postgres lost with its connection, commits included",
        promise="a repeated hand-in finds itself, a repeated unit of work its result; work goes on within 10 s",
        rests_on="idempotency keys, and the fence: what is recorded is no longer held",
        inject=partial(lose_replies, server="postgres", share=LOST_SHARE, loss=Loss.CUT, at_least=LOST_AT_LEAST),
        resumes_within=10.0,
        drains_within=15.0,
        scene=partial(through, server="postgres"),
        checks=(spared, refused_in_time),
    ),
)
