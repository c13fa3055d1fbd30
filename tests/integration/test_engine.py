"""Transactions that take too long, on a real Postgres."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.errors import Unavailable
from pipeline.store.engine import create_engine, statement, transaction
from pipeline.store.fence import LOCK
from tests.sums import query

SLEEP = text("SELECT pg_sleep(60)")
SECONDS = 10.0


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """A pool of one connection: what is not given back is missed at once."""
    engine = create_engine(database_url, pool_size=1)
    yield engine
    await engine.dispose()


@pytest.fixture
async def other(database_url: str) -> AsyncIterator[AsyncEngine]:
    """Somebody who looks."""
    engine = create_engine(database_url, pool_size=1)
    yield engine
    await engine.dispose()


async def sleeping(other: AsyncEngine) -> int:
    sql = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()"
    return int((await query(other, f"{sql} AND state = 'active'"))[0][0])


async def pause_and_sleep(engine: AsyncEngine, seconds: float) -> None:
    async with transaction(engine, seconds=seconds) as connection:
        await connection.execute(text("INSERT INTO stage_pauses (stage, reason) VALUES ('score', 'a test')"))
        await connection.execute(SLEEP)


async def test_a_transaction_that_takes_too_long_did_not_happen(engine: AsyncEngine, other: AsyncEngine) -> None:
    """It is told as a Postgres that is away, and the next one has a connection."""
    with pytest.raises(Unavailable, match="in time"):
        await pause_and_sleep(engine, 0.5)
    assert await query(engine, "SELECT 1") == [(1,)]
    assert await query(other, "SELECT stage FROM stage_pauses") == []


async def test_a_connection_for_single_statements_serves_again_after_one_was_broken_off(database_url: str) -> None:
    engine = create_engine(database_url, pool_size=2, alone=1, answer_seconds=0.5)
    try:
        for _ in range(2):
            with pytest.raises(Unavailable, match="in time"):
                async with statement(engine) as connection:
                    await connection.execute(SLEEP)
            async with statement(engine) as connection:
                assert (await connection.execute(text("SELECT 1"))).scalar_one() == 1
    finally:
        await engine.dispose()


async def test_days_are_utc_days_in_a_database_that_keeps_another_time(engine: AsyncEngine) -> None:
    """What is too old, and how a moment is written, may not depend on how somebody set up the database."""
    seoul = "EXECUTE format('ALTER DATABASE %I SET timezone = %L', current_database(), 'Asia/Seoul')"
    async with transaction(engine) as connection:
        await connection.execute(text(f"DO $$ BEGIN {seoul}; END $$"))
    await engine.dispose()
    moment = "timestamptz '2026-02-28 20:00Z'"
    [(day, written, read)] = await query(engine, f"SELECT CAST({moment} AS date)::text, to_jsonb({moment}), {moment}")
    assert (day, written, read.utcoffset()) == ("2026-02-28", "2026-02-28T20:00:00+00:00", timedelta(0))


async def test_what_postgres_will_never_take_is_not_taken_for_an_outage(engine: AsyncEngine) -> None:
    """It would be repeated for ever, and hold up whatever is in one batch with it."""
    with pytest.raises(OperationalError, match="ProgramLimitExceeded"):
        await query(engine, "INSERT INTO learners (tenant_id, id) SELECT 1, string_agg(gen_random_uuid()::text, '')"
                            " FROM generate_series(1, 300)")  # fmt: skip


async def test_postgres_ends_a_statement_that_nobody_waits_for(engine: AsyncEngine, other: AsyncEngine) -> None:
    """Or sessions that wait for a lock would add up with every try."""
    with pytest.raises(Unavailable):
        await pause_and_sleep(engine, 0.5)
    async with asyncio.timeout(SECONDS):
        while await sleeping(other):  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.05)


async def test_whoever_gives_up_is_let_go_at_once(engine: AsyncEngine, other: AsyncEngine) -> None:
    """A cancelled caller does not wait for the server's word on it."""

    waiting = asyncio.create_task(pause_and_sleep(engine, 60))
    async with asyncio.timeout(SECONDS):
        while not await sleeping(other):  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert await query(engine, "SELECT 1") == [(1,)]


async def test_tables_that_grew_since_they_were_analysed_are_not_read_whole(engine: AsyncEngine) -> None:
    """Postgres thinks that they are empty, and a plan for empty tables would read them from end to end."""
    async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        await connection.execute(text("ANALYZE submissions, stages"))
    explain = text("EXPLAIN (COSTS OFF) " + LOCK.text)
    async with transaction(engine) as connection:
        plan = "\n".join(row[0] for row in await connection.execute(explain, {"claims": "[]"}))
    assert "Seq Scan on submissions" not in plan
    assert "submissions_pkey" in plan
