"""Connections to Postgres: one pool per process, transactions whose failures speak our language."""

import asyncio
import select
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from types import MappingProxyType
from typing import Any, Final

import msgspec
import psycopg
from psycopg.waiting import wait_async
from sqlalchemy import PoolProxiedConnection, event
from sqlalchemy.exc import DBAPIError, InterfaceError, InvalidatePoolError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.util import greenlet_spawn

from pipeline.errors import Unavailable

CONNECT_SECONDS: Final = 2
POOL_WAIT_SECONDS: Final = 1.5  # below the two seconds in which the API owes a 503
IDLE_SECONDS: Final = 30.0
INTERRUPTED_EVERY_SECONDS: Final = 0.1
ANSWER_SECONDS: Final = "answer_seconds"
"""The engine's option that says how long one transaction may take, waiting for a connection included."""
BESIDE: Final = "beside"
"""The engine's option that holds the pool for statements that are transactions by themselves."""
AUTOCOMMIT: Final = "AUTOCOMMIT"
# How soon Postgres notices that nobody waits for the statement it is at. Servers on some systems can't, and say so.
NOTICE_HANG_UP: Final = """
DO $$ BEGIN
    SET client_connection_check_interval = '1s';
EXCEPTION WHEN invalid_parameter_value THEN NULL;
END $$
"""
NEVER_TAKEN: Final = (psycopg.errors.ProgramLimitExceeded, psycopg.errors.StatementTooComplex)
"""What no repetition helps: psycopg puts it beside outages, but what was sent is at fault."""
USE_INDEXES: Final = "SET enable_seqscan = off"
"""What we ask for has an index. In a burst tables outgrow what was last analysed, and plans made for small ones would
read them whole."""
IN_UTC: Final = "SET timezone = 'UTC'"
"""A day is a UTC day for everybody: for a date made of a moment and for a moment as text, a session's zone decides."""
LOOK_UP_SECONDS: Final = 10.0
"""How long a look-up may take that goes through much, such as a list by a filter."""
# A server that vanished without a word is noticed within seconds, not after the kernel's quarter of an hour.
NETWORK: Final[Mapping[str, int]] = MappingProxyType(
    {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 15_000}
)


def driver_url(url: str) -> str:
    """The URL for SQLAlchemy: the same server, spoken to through psycopg 3."""
    for scheme in ("postgresql+psycopg://", "postgresql://", "postgres://"):
        if url.startswith(scheme):
            return "postgresql+psycopg://" + url.removeprefix(scheme)
    return url


class Connection(psycopg.AsyncConnection[Any]):
    """A connection that is closed when whoever waits for its answer gives up.

    psycopg would first ask the server to cancel the statement and wait for it to say so, which a frozen one
    does not. A server that is well notices the closed connection and ends the statement by itself
    (`client_connection_check_interval`).
    """

    async def wait(self, gen: Any, interval: float = INTERRUPTED_EVERY_SECONDS, timeout: float | None = None) -> Any:  # noqa: ASYNC109 - psycopg's signature
        """Run one exchange with the server, as psycopg does, but for what happens when it is cancelled."""
        try:
            return await wait_async(gen, self.pgconn.socket, interval=interval, timeout=timeout)
        except (asyncio.CancelledError, KeyboardInterrupt, SystemExit):
            self.pgconn.finish()
            raise


def create_engine(
    url: str,
    *,
    pool_size: int,
    alone: int = 0,
    pool_wait_seconds: float = POOL_WAIT_SECONDS,
    idle_seconds: float = IDLE_SECONDS,
    answer_seconds: float | None = None,
) -> AsyncEngine:
    """A pool of at most `pool_size` connections; opening it lazily, it never fails here.

    Postgres ends a transaction of ours that asks nothing for `idle_seconds`: a frozen process must not keep
    its locks from everybody else. We end one that takes longer than `answer_seconds` (None: we wait): a frozen
    Postgres neither answers nor refuses.

    So many of the connections as `alone` says are kept for statements that are transactions by themselves: to turn any
    other one into such and back takes longer than most of those statements.
    """
    build = partial(
        build_pool, url, wait_seconds=pool_wait_seconds, idle_seconds=idle_seconds, answer_seconds=answer_seconds
    )
    engine = build(pool_size - alone)
    if alone:
        beside = build(alone, isolation_level=AUTOCOMMIT, pool_reset_on_return=None, skip_autocommit_rollback=True)
        engine.sync_engine.update_execution_options(**{BESIDE: beside})
        event.listen(engine.sync_engine, "engine_disposed", lambda _: beside.sync_engine.dispose())
    return engine


def build_pool(
    url: str, size: int, *, wait_seconds: float, idle_seconds: float, answer_seconds: float | None, **options: Any
) -> AsyncEngine:
    """One pool."""
    engine = create_async_engine(
        driver_url(url),
        pool_size=size,
        max_overflow=0,
        pool_timeout=wait_seconds,
        pool_use_lifo=True,
        hide_parameters=True,  # answers must not reach logs by way of an error's text
        execution_options={ANSWER_SECONDS: answer_seconds},
        json_deserializer=msgspec.json.decode,
        json_serializer=lambda value: msgspec.json.encode(value).decode(),
        connect_args={
            "async_creator_fn": Connection.connect,
            "connect_timeout": CONNECT_SECONDS,
            "application_name": "gradeline",
            **NETWORK,
        },
        **options,
    )
    event.listen(engine.sync_engine, "connect", partial(introduce, idle_seconds=idle_seconds))
    event.listen(engine.sync_engine, "checkout", refuse_stale)
    return engine


def introduce(connection: Any, _: object, *, idle_seconds: float) -> None:
    """Tell Postgres how long a transaction may lie idle, to notice when we hang up, how to plan, to count in UTC."""
    idleness = f"SET idle_in_transaction_session_timeout = {int(idle_seconds * 1000)}"
    cursor = connection.cursor()
    cursor.execute(f"{idleness}; {NOTICE_HANG_UP}; {USE_INDEXES}; {IN_UTC}")
    cursor.close()
    connection.commit()


def refuse_stale(connection: Any, _: object, __: object) -> None:
    """Let the pool replace connections that a restarted Postgres has left behind.

    On a connection at rest there is nothing to read; if there is, it is the server's farewell.
    """
    poll = select.poll()
    poll.register(connection.driver_connection.pgconn.socket, select.POLLIN)
    if poll.poll(0):
        raise InvalidatePoolError


@asynccontextmanager
async def transaction(engine: AsyncEngine, *, seconds: float | None = None) -> AsyncIterator[AsyncConnection]:
    """One transaction; raises `Unavailable` where Postgres is away, full, shutting down, deadlocked or silent.

    Silent is who has not done everything in `seconds` (None: as the engine was told). A transaction that
    failed so did not happen or, if it was broken off during its commit, may have: whoever repeats it must be
    fenced or idempotent.
    """
    async with _translated(), asyncio.timeout(seconds or answer_seconds(engine)), engine.begin() as connection:
        yield connection


@asynccontextmanager
async def statement(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """For one statement that is a transaction by itself: no BEGIN and COMMIT to wait for; fails as `transaction`."""
    async with _translated(), asyncio.timeout(answer_seconds(engine)), alone(engine).connect() as connection:
        yield connection


@asynccontextmanager
async def driver(engine: AsyncEngine) -> AsyncIterator[Connection]:
    """As `statement`, but the driver's own connection, whose errors are `DBAPIError.orig` of what is raised."""
    async with _translated(), asyncio.timeout(answer_seconds(engine)), _lent(engine) as connection:
        try:
            yield connection
        except psycopg.Error as error:
            raise DBAPIError.instance("", None, error, psycopg.Error, hide_parameters=True) from error


@asynccontextmanager
async def _lent(engine: AsyncEngine) -> AsyncIterator[Connection]:
    """A connection whose statements are transactions by themselves, and what SQLAlchemy does around each left out."""
    beside: AsyncEngine | None = engine.get_execution_options().get(BESIDE)
    if beside is None:
        async with alone(engine).connect() as ours:
            yield driver_of(await ours.get_raw_connection())
        return
    lent = await beside.raw_connection()
    try:
        yield driver_of(lent)
    finally:
        if driver_of(lent).closed:
            await greenlet_spawn(lent.invalidate)
        lent.close()


def driver_of(lent: PoolProxiedConnection) -> Connection:
    """The driver's own connection behind one of the pool's."""
    connection = lent.driver_connection
    if not isinstance(connection, Connection):
        raise TypeError("The pool has connections that are none of ours.")
    return connection


def alone(engine: AsyncEngine) -> AsyncEngine:
    """Connections whose statements are transactions by themselves: those kept for it, or any of the pool's."""
    beside: AsyncEngine | None = engine.get_execution_options().get(BESIDE)
    return beside or engine.execution_options(isolation_level=AUTOCOMMIT)


def answer_seconds(engine: AsyncEngine) -> float | None:
    """How long one transaction may take; None where it is waited for."""
    seconds: float | None = engine.get_execution_options()[ANSWER_SECONDS]
    return seconds


@asynccontextmanager
async def _translated() -> AsyncIterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeout, ConnectionError) as error:
        if isinstance(error, OperationalError) and isinstance(error.orig, NEVER_TAKEN):
            raise without_row(error) from None
        raise Unavailable(f"Postgres is not available: {first_line(error)}") from error
    except TimeoutError as error:
        raise Unavailable("Postgres does not answer in time.") from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise Unavailable(f"Postgres is not available: {first_line(error)}") from error
        raise without_row(error) from None


def first_line(error: BaseException) -> str:
    """The gist of a database error: one line, no parameters."""
    cause = getattr(error, "orig", None) or error
    lines = str(cause).strip().splitlines()
    return lines[0] if lines else type(cause).__name__


def without_row(error: DBAPIError) -> DBAPIError:
    """The same error by its gist alone: Postgres' DETAIL quotes the row, with whatever secrets and answers it has."""
    kind = type(error.orig) if error.orig is not None else Exception
    return type(error)(None, None, kind(first_line(error)), hide_parameters=True)


def as_json(values: object) -> str:
    """A JSON parameter for `jsonb_to_recordset`, the fastest way to bind many rows to one statement."""
    return msgspec.json.encode(values).decode()
