"""Several queries in one trip to Postgres: what each costs beside its work is mostly the way there and back."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

import psycopg
from psycopg.rows import namedtuple_row
from sqlalchemy import TextClause, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from pipeline.store.engine import driver, driver_of

DIALECT: Final = make_url("postgresql+psycopg://").get_dialect()()
Query = tuple[TextClause, Mapping[str, object]]
"""What is asked, and its parameters."""


async def in_one_trip(connection: AsyncConnection, *queries: Query) -> list[list[Any]]:
    """The rows of each query, in the transaction that `connection` is in or begins.

    They run one after the other, and each sees what others committed before it began, as if it had been sent alone; so
    none can build on another's rows. If one fails, those after it don't run; fails as `connection.execute` does.
    """
    try:
        return await exchanged(driver_of(await connection.get_raw_connection()), queries)
    except asyncio.CancelledError:
        await connection.invalidate()  # it was closed half-way, and there is nothing to roll back
        raise
    except psycopg.Error as error:
        raise DBAPIError.instance("", None, error, psycopg.Error, hide_parameters=True) from error


async def ask(engine: AsyncEngine, *queries: Query) -> list[list[Any]]:
    """The rows of each query, all in one trip that is a transaction by itself; otherwise as `in_one_trip`.

    By the driver alone: what SQLAlchemy does around a statement took as long as all else. Fails as `transaction` does.
    """
    async with driver(engine) as connection:
        return await exchanged(connection, queries)


async def exchanged(connection: psycopg.AsyncConnection[Any], queries: Sequence[Query]) -> list[list[Any]]:
    """The rows of each query, by their names; several go together."""
    if len(queries) == 1:
        return [await rows_of(await executed(connection, queries[0]))]
    async with connection.pipeline():
        cursors = [await executed(connection, query) for query in queries]
    return [await rows_of(cursor) for cursor in cursors]  # all are here: asked within, each would be another trip


async def executed(connection: psycopg.AsyncConnection[Any], query: Query) -> psycopg.AsyncCursor[Any]:
    text, values = query
    return await connection.cursor(row_factory=namedtuple_row).execute(driver_text(text), values)


async def rows_of(cursor: psycopg.AsyncCursor[Any]) -> list[Any]:
    """None where the query answers none."""
    return await cursor.fetchall() if cursor.description is not None else []


@cache
def driver_text(query: TextClause) -> bytes:
    """The query as psycopg wants it, with its own kind of placeholders."""
    return str(query.compile(dialect=DIALECT)).encode()
