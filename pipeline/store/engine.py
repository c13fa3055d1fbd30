"""Connections to Postgres: one pool per process, transactions whose failures speak our language."""

import select
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from types import MappingProxyType
from typing import Any, Final

import msgspec
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, InterfaceError, InvalidatePoolError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from pipeline.errors import Unavailable

CONNECT_SECONDS: Final = 2
POOL_WAIT_SECONDS: Final = 1.5  # below the two seconds in which the API owes a 503
IDLE_SECONDS: Final = 30.0
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


def create_engine(
    url: str,
    *,
    pool_size: int,
    pool_wait_seconds: float = POOL_WAIT_SECONDS,
    idle_seconds: float = IDLE_SECONDS,
) -> AsyncEngine:
    """A pool of at most `pool_size` connections; opening it lazily, it never fails here.

    Postgres ends a transaction of ours that asks nothing for `idle_seconds`: a frozen process must not keep
    its locks from everybody else.
    """
    engine = create_async_engine(
        driver_url(url),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=pool_wait_seconds,
        pool_use_lifo=True,
        hide_parameters=True,  # answers must not reach logs by way of an error's text
        json_deserializer=msgspec.json.decode,
        json_serializer=lambda value: msgspec.json.encode(value).decode(),
        connect_args={"connect_timeout": CONNECT_SECONDS, "application_name": "gradeline", **NETWORK},
    )
    event.listen(engine.sync_engine, "connect", partial(bound_idleness, seconds=idle_seconds))
    event.listen(engine.sync_engine, "checkout", refuse_stale)
    return engine


def bound_idleness(connection: Any, _: object, *, seconds: float) -> None:
    """Tell Postgres how long a transaction on this new connection may lie idle."""
    cursor = connection.cursor()
    cursor.execute(f"SET idle_in_transaction_session_timeout = {int(seconds * 1000)}")
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
async def transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """One transaction; raises `Unavailable` where Postgres is away, full, shutting down or deadlocked.

    Such a transaction did not happen or, if the connection broke during its commit, may have: whoever
    repeats it must be fenced or idempotent.
    """
    async with _translated(), engine.begin() as connection:
        yield connection


@asynccontextmanager
async def _translated() -> AsyncIterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeout, ConnectionError) as error:
        raise Unavailable(f"Postgres is not available: {first_line(error)}") from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise Unavailable(f"Postgres is not available: {first_line(error)}") from error
        raise without_row(error) from None


@asynccontextmanager
async def statement(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """For one statement that is a transaction by itself: no BEGIN and COMMIT to wait for; fails as `transaction`."""
    async with _translated(), engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        yield connection


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
