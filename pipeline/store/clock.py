"""Postgres' clock, by which leases, retries and deadlines are timed."""

from datetime import UTC, datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.store.engine import transaction

NOW = text("SELECT clock_timestamp()")


async def offset_seconds(engine: AsyncEngine) -> float:
    """How far Postgres' clock is ahead of this machine's, taken in the middle of the question's way."""
    async with transaction(engine) as connection:
        await connection.execute(NOW)  # opens the connection, which takes long
        before = datetime.now(UTC)
        theirs: datetime = (await connection.execute(NOW)).scalar_one()
        after = datetime.now(UTC)
    return (theirs - (before + (after - before) / 2)).total_seconds()
