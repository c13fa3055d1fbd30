"""Several queries in one trip, on a real Postgres."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from psycopg.errors import LockNotAvailable
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.errors import Unavailable
from pipeline.store.engine import ANSWER_SECONDS, create_engine, transaction
from pipeline.store.round_trip import ask, in_one_trip
from tests.sums import query

TWICE = text("SELECT n, 2 * n AS twice FROM unnest(CAST(:numbers AS int[])) AS n")
PAUSE = text("INSERT INTO stage_pauses (stage, reason) VALUES (:stage, 'a test') RETURNING stage")
PAUSED = text("SELECT stage FROM stage_pauses ORDER BY stage")
LOCK_PAUSE = text("SELECT stage FROM stage_pauses WHERE stage = 'score' FOR UPDATE")
DIVIDE = text("SELECT 1 / (n - n) FROM generate_series(1, 2) AS n")
SLEEP = text("SELECT pg_sleep(60)")
RESUME = text("DELETE FROM stage_pauses WHERE stage = :stage")
END = text("SELECT pg_terminate_backend(pg_backend_pid())")
WAITERS = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
SLEEPERS = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"


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


@pytest.fixture(params=[0, 1], ids=["from the pool", "from those kept for it"])
async def asking(request: pytest.FixtureRequest, database_url: str) -> AsyncIterator[AsyncEngine]:
    """One connection for single statements: any of the pool's, or one kept for them."""
    engine = create_engine(database_url, pool_size=1 + request.param, alone=request.param)
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


async def test_what_is_asked_is_a_transaction_by_itself(asking: AsyncEngine, other: AsyncEngine) -> None:
    [twice] = await ask(asking, (TWICE, {"numbers": [3, 4]}))
    paused, seen = await ask(asking, (PAUSE, {"stage": "score"}), (PAUSED, {}))
    assert [(row.n, row.twice) for row in twice] == [(3, 6), (4, 8)]
    assert (paused, seen) == ([("score",)], [("score",)])
    assert await query(other, "SELECT stage FROM stage_pauses") == [("score",)]
    assert await ask(asking, (RESUME, {"stage": "score"})) == [[]]
    assert await query(other, "SELECT stage FROM stage_pauses") == []


async def test_of_what_is_asked_in_one_trip_all_is_kept_or_nothing(asking: AsyncEngine, other: AsyncEngine) -> None:
    with pytest.raises(DBAPIError, match="division by zero"):
        await ask(asking, (PAUSE, {"stage": "score"}), (DIVIDE, {}))
    assert await query(other, "SELECT stage FROM stage_pauses") == []
    assert await ask(asking, (PAUSED, {})) == [[]]


async def test_an_error_of_what_is_asked_quotes_no_row(asking: AsyncEngine) -> None:
    await ask(asking, (PAUSE, {"stage": "score"}))
    with pytest.raises(DBAPIError) as refusal:
        await ask(asking, (PAUSE, {"stage": "score"}))
    assert "duplicate key" in str(refusal.value)
    assert "score" not in str(refusal.value)


@pytest.mark.parametrize("end", [SLEEP, END], ids=["too slow", "hung up"])
async def test_who_asks_of_a_server_that_is_away_is_told_so_and_may_ask_again(asking: AsyncEngine, end: Any) -> None:
    """The connection is broken, and no other is there but a new one in its place."""
    hasty = asking.execution_options(**{ANSWER_SECONDS: 0.5})
    with pytest.raises(Unavailable):
        await ask(hasty, (end, {}))
    assert await ask(asking, (TWICE, {"numbers": [1]})) == [[(1, 2)]]


async def test_who_gives_up_asking_leaves_no_connection_behind(asking: AsyncEngine, other: AsyncEngine) -> None:
    asked = asyncio.create_task(ask(asking, (SLEEP, {})))
    while not (await query(other, SLEEPERS))[0][0]:  # noqa: ASYNC110 - another process's doing
        await asyncio.sleep(0)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert await ask(asking, (TWICE, {"numbers": [1]})) == [[(1, 2)]]
