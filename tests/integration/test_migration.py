"""Migrations: up, down, up again, and in agreement with the models."""

import asyncio

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from pipeline.store.engine import create_engine
from pipeline.store.migrate import current_revision, downgrade, migrate, newest_revision
from pipeline.store.schema import metadata


async def test_migrations_go_up_down_and_up_again(empty_database_url: str) -> None:
    """From nothing to the newest schema, back to nothing, and up again."""
    engine = create_engine(empty_database_url, pool_size=1)
    assert await current_revision(engine) is None
    await migrate(engine)
    assert await current_revision(engine) == newest_revision()
    await downgrade(engine, "base")
    assert await current_revision(engine) is None
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


async def test_ten_processes_may_migrate_at_once(empty_database_url: str) -> None:
    """Whoever comes second waits for the first and finds nothing to do."""
    engines = [create_engine(empty_database_url, pool_size=1, pool_wait_seconds=30) for _ in range(10)]
    await asyncio.gather(*[migrate(engine) for engine in engines])
    assert await current_revision(engines[0]) == newest_revision()
    for engine in engines:
        await engine.dispose()
