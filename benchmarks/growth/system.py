"""A system that is there to be measured: all of its parts, a way to ask it and a look into its database."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final, NamedTuple

import psycopg

from cli.bench import load
from cli.bench.cost import usage
from cli.bench.figures import Spread, spread
from cli.bench.wire import Server, server_at
from cli.connection import Connection
from cli.own_system import own_system
from pipeline.errors import Unavailable
from pipeline.live.bell import RedisBell
from pipeline.live.client import create_client, queue_url

PARTS: Final = ("api", "workers", "postgres", "valkey")
WARM_UP: Final = 400
CONCURRENCY: Final = 64
GIVE_UP_SECONDS: Final = 180.0
LOOK_SECONDS: Final = 0.02

# The metrics stage adds to it in the transaction that completes a submission, so it counts without a scan.
COMPLETED = "SELECT coalesce(sum(count), 0)::bigint FROM stage_minutes WHERE stage = 'score'"

PASSED = """
    SELECT extract(epoch FROM created_at)::float, extract(epoch FROM completed_at)::float FROM submissions
    WHERE created_at >= %(since)s AND status = 'completed'
"""


class System(NamedTuple):
    """A running system; `database` is one connection in autocommit, of the role that owns the tables."""

    server: Server
    operator: Server
    connection: Connection
    database: psycopg.Connection[tuple[Any, ...]]


@contextmanager
def running_system(workers: int, say: Callable[[str], None]) -> Iterator[System]:
    """A ready and warm system of its own, with the bench's questions in its bank; gone afterwards."""
    with own_system(None, workers, quiet) as connection:
        server = server_at(connection.url, connection.api_key)
        operator = server_at(connection.url, connection.operator_key)
        with psycopg.connect(connection.database_url, autocommit=True) as database:
            system = System(server, operator, connection, database)
            say(f"a system with {workers} worker process{'' if workers == 1 else 'es'} is up; warming it")
            asyncio.run(warm(system))
            yield system


def quiet(progress: str) -> None:
    """What `up` would say is of no interest here."""
    del progress


async def warm(system: System) -> None:
    """Put the bench's questions there and let every process meet every kind of work."""
    await load.put_questions(system.server)
    await load.hand_in(system.server, load.bodies(), concurrency=8, number=WARM_UP)
    await wait_for_completed(system, WARM_UP)


def completed(system: System) -> int:
    """How many submissions were completed since the system began."""
    return int(value(system, COMPLETED))


def value(system: System, sql: str, **values: Any) -> Any:
    """The one value a query answers with."""
    row = system.database.execute(sql.encode(), values).fetchone()
    if row is None:
        raise Unavailable("a query that must answer answered nothing")
    return row[0]


async def wait_for_completed(system: System, number: int) -> None:
    """Return when so many are completed; raises `Unavailable` if that takes minutes."""
    deadline = time.monotonic() + GIVE_UP_SECONDS
    while completed(system) < number:
        if time.monotonic() > deadline:
            raise Unavailable(f"only {completed(system)} of {number} submissions are completed; what do the logs say?")
        await asyncio.sleep(LOOK_SECONDS)


@asynccontextmanager
async def bell_of(system: System) -> AsyncIterator[RedisBell]:
    """The bell that the system's own parts ring."""
    client = create_client(queue_url(system.connection.redis_url, None))
    try:
        yield RedisBell(client)
    finally:
        await client.aclose()


def cpu_by_part(system: System) -> Mapping[str, float]:
    """CPU seconds used until now; worker processes count together."""
    seconds = dict.fromkeys(PARTS, 0.0)
    for name, used in usage(system.connection).cpu_seconds.items():
        seconds["workers" if name.startswith("worker-") else name] += used
    return seconds


class Passage(NamedTuple):
    """Hand-ins that went all the way.

    Per second from the first acceptance to the last completion, each one's time from accepted to completed
    (both by Postgres' clock), and how long each POST took.
    """

    per_second: float
    latency: Spread
    post: Spread


async def pass_through(system: System, bodies: load.Bodies, number: int) -> Passage:
    """Hand in so many over 64 connections, as fast as they are taken, and wait until all are completed."""
    before, since = completed(system), value(system, "SELECT clock_timestamp()")
    posted = await load.hand_in(system.server, bodies, concurrency=CONCURRENCY, number=number)
    await wait_for_completed(system, before + number)
    rows = system.database.execute(PASSED.encode(), {"since": since}).fetchall()
    seconds = max(row[1] for row in rows) - min(row[0] for row in rows)
    return Passage(
        len(rows) / seconds,
        spread([completed_at - created_at for created_at, completed_at in rows]),
        spread(posted.seconds),
    )
