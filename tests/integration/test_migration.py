"""Migrations: up, down, up again, and in agreement with the models."""

import asyncio
from datetime import date, datetime

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from uuid_utils import uuid7

from pipeline.model import LearnerContext, NewAnswer, NewSubmission, Question
from pipeline.ports import Accepted
from pipeline.store.access import AccessStore
from pipeline.store.bank import BankStore
from pipeline.store.engine import create_engine, transaction
from pipeline.store.migrate import configuration, current_revision, downgrade, migrate, newest_revision
from pipeline.store.schema import metadata
from pipeline.store.submission import IntakeStore

QUESTION = Question(id="q", version=0, type="true_false", prompt="Is 1 = 1?", answer={"value": True})

INSERT_AS_BEFORE = text(
    "INSERT INTO submissions (tenant_id, id, learner_id, status, version)"
    " VALUES (1, CAST(:id AS uuid), 'u-1', 'pending', 1)"
)

INSERT_RUN = text("INSERT INTO periodic_runs (job, slot, state, finished_at) VALUES ('at-risk', :slot, :state, now())")


def revisions() -> list[str]:
    """All revisions, the oldest first."""
    found = ScriptDirectory.from_config(configuration()).walk_revisions()
    return [script.revision for script in found][::-1]


async def hand_in(engine: AsyncEngine) -> None:
    """Put a tenant, a question, a learner and a submission into the database."""
    tenant_id = await AccessStore(engine).ensure_tenant("school", token_secret="t", callback_secret="c")
    bank = BankStore(engine)
    await bank.save(tenant_id, [QUESTION])
    stored = (await bank.current(tenant_id, ["q"]))["q"]
    answer = NewAnswer("q", 1, stored.version_key, response=True, response_time_ms=900, confidence=None)
    submission = NewSubmission(
        id=str(uuid7()),
        tenant_id=tenant_id,
        learner_id="u-1",
        assignment_id="hw-1",
        context=LearnerContext(),
        priority="normal",
        callback_url=None,
        metadata={},
        submitted_at=None,
        answers=(answer,),
    )
    assert isinstance((await IntakeStore(engine).accept([submission]))[0], Accepted)


@pytest.mark.parametrize("revision", revisions())
async def test_every_migration_goes_up_down_and_up_again_with_data(empty_database_url: str, revision: str) -> None:
    """A database in use survives one step back and forward; a step back to nothing leaves nothing."""
    engine = create_engine(empty_database_url, pool_size=1)
    assert await current_revision(engine) is None
    await migrate(engine)
    await hand_in(engine)
    place = revisions().index(revision)
    before = revisions()[place - 1] if place else "base"
    await downgrade(engine, before)
    assert await current_revision(engine) == (None if before == "base" else before)
    await migrate(engine)
    assert await current_revision(engine) == newest_revision()
    await engine.dispose()


async def test_models_and_migrations_agree(database_url: str) -> None:
    """Nothing is left to generate once all migrations ran."""
    engine = create_engine(database_url, pool_size=1)
    async with engine.connect() as connection:
        differences = await connection.run_sync(
            lambda sync: compare_metadata(MigrationContext.configure(sync, opts={"compare_type": True}), metadata)
        )
    await engine.dispose()
    assert differences == []


async def test_nights_of_before_count_as_complete_unless_they_broke_off(empty_database_url: str) -> None:
    """Or a large tenant would have nothing to show until the night after the upgrade."""
    engine = create_engine(empty_database_url, pool_size=1)
    await migrate(engine, "0003")
    async with transaction(engine) as connection:
        for day, state in (("2026-11-18", "done"), ("2026-11-19", None), ("2026-11-20", "failed")):
            values = {
                "day": date.fromisoformat(day),
                "slot": datetime.fromisoformat(f"{day}T03:00:00Z"),
                "state": state,
            }
            await connection.execute(text("INSERT INTO risk_assessments VALUES (7, 'ada', :day, 0.5, '{}')"), values)
            if state is not None:
                await connection.execute(INSERT_RUN, values)
    await migrate(engine)
    async with transaction(engine) as connection:
        nights = (await connection.execute(text("SELECT tenant_id, day::text FROM risk_nights ORDER BY day"))).all()
    assert [tuple(night) for night in nights] == [(7, "2026-11-18"), (7, "2026-11-19")]
    await engine.dispose()


async def test_batches_of_before_count_as_handed_over(empty_database_url: str) -> None:
    """And those that a worker of before makes after the upgrade: it does not tell, and nothing is to be sent twice."""
    insert = text(
        "INSERT INTO llm_batches (id, provider, account, state) VALUES (gen_random_uuid(), 'p/m', '', 'sending')"
    )
    engine = create_engine(empty_database_url, pool_size=1)
    await migrate(engine, "0004")
    async with transaction(engine) as connection:
        await connection.execute(insert)
    await migrate(engine)
    async with transaction(engine) as connection:
        await connection.execute(insert)
        tried = await connection.execute(text("SELECT tried_at IS NOT NULL FROM llm_batches"))
        assert tried.scalars().all() == [True, True]
    await engine.dispose()


async def test_ten_processes_may_migrate_at_once(empty_database_url: str) -> None:
    """Whoever comes second waits for the first and finds nothing to do."""
    engines = [create_engine(empty_database_url, pool_size=1, pool_wait_seconds=30) for _ in range(10)]
    await asyncio.gather(*[migrate(engine) for engine in engines])
    assert await current_revision(engines[0]) == newest_revision()
    for engine in engines:
        await engine.dispose()


async def test_a_new_column_waits_its_turn_and_lets_others_by(empty_database_url: str) -> None:
    """While a long transaction keeps the table, the migration waits, and hand-ins don't wait with it."""
    engine = create_engine(empty_database_url, pool_size=4, answer_seconds=10)
    await migrate(engine, "0001")
    async with engine.connect() as long, engine.connect() as watching:
        await long.execute(text("SELECT count(*) FROM submissions"))
        migrating = asyncio.create_task(migrate(engine, "0002"))
        for _ in range(3):
            await begins_to_wait(watching)
            await hand_in_as_before(engine)
        assert not migrating.done()
        await long.rollback()
        await migrating
    assert await current_revision(engine) == "0002"
    await engine.dispose()


async def hand_in_as_before(engine: AsyncEngine) -> None:
    """As the version before does it, which knows nothing of the new column."""
    async with transaction(engine) as connection:
        await connection.execute(INSERT_AS_BEFORE, {"id": str(uuid7())})


async def begins_to_wait(connection: AsyncConnection) -> None:
    """Until somebody waits for a lock on the submissions."""
    waiting = text("SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'submissions'::regclass AND NOT granted)")
    async with asyncio.timeout(20):
        while not (await connection.execute(waiting)).scalar_one():  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0)
