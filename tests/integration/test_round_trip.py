"""Several queries in one trip, on a real Postgres."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from psycopg.errors import LockNotAvailable
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.errors import Unavailable
from pipeline.store.engine import create_engine, transaction
from pipeline.store.round_trip import in_one_trip
from tests.sums import query

TWICE = text("SELECT n, 2 * n AS twice FROM unnest(CAST(:numbers AS int[])) AS n")
PAUSE = text("INSERT INTO stage_pauses (stage, reason) VALUES (:stage, 'a test') RETURNING stage")
PAUSED = text("SELECT stage FROM stage_pauses ORDER BY stage")
LOCK_PAUSE = text("SELECT stage FROM stage_pauses WHERE stage = 'score' FOR UPDATE")
DIVIDE = text("SELECT 1 / (n - n) FROM generate_series(1, 2) AS n")
SLEEP = text("SELECT pg_sleep(60)")
END = text("SELECT pg_terminate_backend(pg_backend_pid())")
WAITERS = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """A pool of one connection: what is not given back, or not as it was, is missed at once."""
    engine = create_engine(database_url, pool_size=1)
    yield engine
    await engine.dispose()


@pytest.fixture
async def other(database_url: str) -> AsyncIterator[AsyncEngine]:
    """Somebody else."""
    engine = create_engine(database_url, pool_size=2)
    yield engine
    await engine.dispose()


async def test_each_query_gets_its_parameters_and_its_rows(engine: AsyncEngine) -> None:
    async with transaction(engine) as connection:
        twice, paused = await in_one_trip(connection, (TWICE, {"numbers": [3, 4]}), (PAUSE, {"stage": "score"}))
    assert [(row.n, row.twice) for row in twice] == [(3, 6), (4, 8)]
    assert paused == [("score",)]
    assert await query(engine, "SELECT stage FROM stage_pauses") == [("score",)]


async def test_what_follows_a_lock_sees_what_its_holder_wrote(engine: AsyncEngine, other: AsyncEngine) -> None:
    async with transaction(other) as holder:
        await holder.execute(PAUSE, {"stage": "score"})
    async with transaction(engine) as connection:
        async with transaction(other) as holder:
            await holder.execute(LOCK_PAUSE)
            waiting = asyncio.create_task(in_one_trip(connection, (LOCK_PAUSE, {}), (PAUSED, {})))
            while not (await query(other, WAITERS))[0][0]:  # noqa: ASYNC110 - another process's doing
                await asyncio.sleep(0)
            await holder.execute(PAUSE, {"stage": "feedback"})
        locked, seen = await waiting
    assert locked == [("score",)]
    assert seen == [("feedback",), ("score",)]


async def test_after_a_query_that_fails_none_is_run(engine: AsyncEngine) -> None:
    with pytest.raises(DBAPIError, match="division by zero"):
        async with transaction(engine) as connection:
            await in_one_trip(connection, (PAUSE, {"stage": "score"}), (DIVIDE, {}), (PAUSE, {"stage": "feedback"}))
    assert await query(engine, "SELECT stage FROM stage_pauses") == []


async def lock_hurriedly(engine: AsyncEngine) -> None:
    async with transaction(engine) as connection:
        await connection.execute(text("SET LOCAL lock_timeout = '10ms'"))
        await in_one_trip(connection, (LOCK_PAUSE, {}), (PAUSED, {}))


async def test_a_lock_that_is_not_to_be_had_is_told_as_elsewhere(engine: AsyncEngine, other: AsyncEngine) -> None:
    async with transaction(other) as holder:
        await holder.execute(PAUSE, {"stage": "score"})
    async with transaction(other) as holder:
        await holder.execute(LOCK_PAUSE)
        with pytest.raises(Unavailable) as refusal:
            await lock_hurriedly(engine)
        assert isinstance(getattr(refusal.value.__cause__, "orig", None), LockNotAvailable)
        assert await query(engine, "SELECT stage FROM stage_pauses") == [("score",)]


async def test_one_that_takes_too_long_is_broken_off(engine: AsyncEngine) -> None:
    with pytest.raises(Unavailable, match="in time"):
        async with transaction(engine, seconds=0.5) as connection:
            await in_one_trip(connection, (PAUSE, {"stage": "score"}), (SLEEP, {}))
    assert await query(engine, "SELECT stage FROM stage_pauses") == []


async def test_a_server_that_hangs_up_is_told_as_away(engine: AsyncEngine) -> None:
    with pytest.raises(Unavailable, match="Postgres is not available"):
        async with transaction(engine) as connection:
            await in_one_trip(connection, (PAUSE, {"stage": "score"}), (END, {}), (PAUSED, {}))
    assert await query(engine, "SELECT stage FROM stage_pauses") == []
