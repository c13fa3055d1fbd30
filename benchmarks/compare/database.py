"""What the database knows of a run, asked in the same words of every system: all have these columns."""

import asyncio
import time
from datetime import datetime
from typing import Any, Final, NamedTuple

import psycopg
from psycopg.rows import dict_row

from benchmarks.compare.same_work import COUNTED
from pipeline.errors import Unavailable

OPEN: Final = "SELECT count(*) FROM submissions WHERE status <> 'completed'"
NOW: Final = "SELECT clock_timestamp()"
RUN: Final = "SELECT count(*), max(completed_at) FROM submissions WHERE created_at >= %s"
SIZE: Final = """
    SELECT pg_database_size(current_database()), pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0'),
        (SELECT count(*) FROM submissions)
"""
POLL_SECONDS: Final = 0.25
STILL_SECONDS: Final = 120.0
"""A queue that is first in, first out completes nothing until all before it have been through every other stage."""


class Size(NamedTuple):
    """Bytes of the database, bytes ever logged, and how many submissions it holds."""

    database_bytes: int
    wal_bytes: int
    submissions: int


class Database:
    """The database of a running system."""

    def __init__(self, connection: psycopg.AsyncConnection) -> None:
        self._connection = connection

    async def now(self) -> datetime:
        """Its clock."""
        moment: datetime
        (moment,) = await self._row(NOW)
        return moment

    async def open_submissions(self) -> int:
        """How many are not completed."""
        (count,) = await self._row(OPEN)
        return int(count)

    async def all_completed(self) -> None:
        """Wait until none is open; raises `Unavailable` where none is completed for two minutes."""
        left, moved_at = await self.open_submissions(), time.monotonic()
        while left:
            await asyncio.sleep(POLL_SECONDS)
            now_left = await self.open_submissions()
            if now_left != left:
                left, moved_at = now_left, time.monotonic()
            elif time.monotonic() - moved_at > STILL_SECONDS:
                raise Unavailable(f"{left} submissions are not completed and nothing moves")

    async def since(self, moment: datetime) -> tuple[int, datetime]:
        """How many were handed in since then, and when the last of them was completed."""
        count, completed_at = await self._row(RUN, moment)
        return count, completed_at

    async def size(self) -> Size:
        """How much it holds."""
        return Size(*map(int, await self._row(SIZE)))

    async def counted(self) -> dict[str, int]:
        """What the whole run left behind, by name."""
        async with self._connection.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(COUNTED)
            row = await cursor.fetchone()
        return {name: int(value or 0) for name, value in (row or {}).items()}

    async def _row(self, query: str, *values: object) -> tuple[Any, ...]:
        cursor = await self._connection.execute(query, values)
        row = await cursor.fetchone()
        assert row is not None  # noqa: S101 - an aggregate gives one row
        return row
