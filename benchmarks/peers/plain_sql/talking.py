"""Running a piece of database work on a psycopg connection, sync or async; the caller has the transaction."""

from collections.abc import Generator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from psycopg import AsyncConnection, Connection
from psycopg.rows import namedtuple_row


class Ask(NamedTuple):
    """A statement with its values, or with a list of them where it is to be executed for each."""

    sql: str
    values: Sequence[Any] | Mapping[str, Any]


Value = TypeVar("Value")
Rows = list[Any]
Work = Generator[Ask, Rows, Value]


def talk(connection: Connection, work: Work[Value]) -> Value:
    """Run it here."""
    rows: Rows | None = None
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        while True:
            try:
                sql, values = next(work) if rows is None else work.send(rows)
            except StopIteration as end:
                return end.value
            if isinstance(values, list):
                cursor.executemany(sql, values)
            else:
                cursor.execute(sql, values)
            rows = cursor.fetchall() if cursor.description else []


async def talk_async(connection: AsyncConnection, work: Work[Value]) -> Value:
    """Run it on an event loop."""
    rows: Rows | None = None
    async with connection.cursor(row_factory=namedtuple_row) as cursor:
        while True:
            try:
                sql, values = next(work) if rows is None else work.send(rows)
            except StopIteration as end:
                return end.value
            if isinstance(values, list):
                await cursor.executemany(sql, values)
            else:
                await cursor.execute(sql, values)
            rows = await cursor.fetchall() if cursor.description else []
