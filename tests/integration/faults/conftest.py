"""Servers that may be killed: faults get a Postgres and a Valkey of their own."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from pipeline.embedded import EmbeddedPostgres, EmbeddedValkey
from pipeline.settings import Settings
from tests.conftest import migrated_database, new_database
from tests.integration.faults.system import System, open_system


@pytest.fixture(scope="session")
def mortal_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(tmp_path_factory.mktemp("mortal"), fsync=False) as server:
        yield server


@pytest.fixture(scope="session")
def mortal_valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedValkey]:
    with EmbeddedValkey(tmp_path_factory.mktemp("mortal")) as server:
        yield server


@pytest.fixture(scope="session")
def mortal_template(mortal_postgres: EmbeddedPostgres) -> str:
    return migrated_database(mortal_postgres, "mortal_template")


@pytest.fixture
def fault_settings(
    mortal_postgres: EmbeddedPostgres, mortal_valkey: EmbeddedValkey, mortal_template: str, tmp_path: Path
) -> Iterator[Settings]:
    """A fresh system with short times, so that everything lost is found within seconds."""
    databases = new_database(mortal_postgres, mortal_template)
    yield Settings(
        database_url=next(databases),
        redis_url=mortal_valkey.url,
        home=tmp_path,
        rate_limits="off",
        heartbeat_seconds=0.25,
        worker_dead_seconds=1.5,
        lease_seconds=4.0,
        sweep_seconds=0.2,
        sweep_grace_seconds=0.5,
        retry_base_seconds=0.05,
        max_attempts=2,
        worker_batch=20,
        worker_concurrency=4,
        shutdown_seconds=6.0,
    )
    next(databases, None)


@pytest.fixture
async def system(
    fault_settings: Settings, mortal_postgres: EmbeddedPostgres, mortal_valkey: EmbeddedValkey
) -> AsyncIterator[System]:
    async with open_system(fault_settings, mortal_postgres, mortal_valkey) as opened:
        try:
            yield opened
        finally:
            revive(mortal_postgres)
            revive(mortal_valkey)


def revive(server: EmbeddedPostgres | EmbeddedValkey) -> None:
    """Start a server that a test killed, if it failed before it started it again."""
    try:
        _ = server.child
    except RuntimeError:
        server.start()
