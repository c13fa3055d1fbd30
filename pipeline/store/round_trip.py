"""Several queries in one trip to Postgres: what each costs beside its work is mostly the way there and back."""

import asyncio
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import psycopg
from psycopg.rows import namedtuple_row
from sqlalchemy import TextClause, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

DIALECT: Final = make_url("postgresql+psycopg://").get_dialect()()
Query = tuple[TextClause, Mapping[str, object]]
"""What is asked, and its parameters."""


async def in_one_trip(connection: AsyncConnection, *queries: Query) -> list[list[Any]]:
    """The rows of each query, in the transaction that `connection` is in or begins.

    They run one after the other, and each sees what others committed before it began, as if it had been sent alone; so
    none can build on another's rows. If one fails, those after it don't run; fails as `connection.execute` does.
    """
    driver: psycopg.AsyncConnection[Any] | None = (await connection.get_raw_connection()).driver_connection
    if driver is None:
        raise RuntimeError("This connection has been given back.")
    try:
        async with driver.pipeline():
            cursors = [
                await driver.cursor(row_factory=namedtuple_row).execute(driver_text(query), values)
                for query, values in queries
            ]
        return [await cursor.fetchall() for cursor in cursors]  # all are here: asked within, each would be another trip
    except asyncio.CancelledError:
        await connection.invalidate()  # it was closed half-way, and there is nothing to roll back
        raise
    except psycopg.Error as error:
        raise DBAPIError.instance("", None, error, psycopg.Error, hide_parameters=True) from error


@cache
def driver_text(query: TextClause) -> bytes:
    """The query as psycopg wants it, with its own kind of placeholders."""
    return str(query.compile(dialect=DIALECT)).encode()
