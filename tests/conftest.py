"""Real servers for tests: one Postgres and one Valkey per run, a database of its own for every test."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import hypothesis
import psycopg
import pytest
import redis
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.bootstrap import migrate
from pipeline.embedded import EmbeddedPostgres, EmbeddedValkey
from pipeline.settings import Settings
from pipeline.store.engine import create_engine
from tests.process import PROVIDER_KEYS

# Not `DROP … WITH (FORCE)`: that may not end a vacuum, which a plain drop ends by itself.
END_CONNECTIONS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND backend_type = 'client backend'"
)
REPOSITORY = Path(__file__).resolve().parents[1]


def pytest_configure() -> None:
    """No test reaches a provider because a key happens to be set, or fails because the machine is busy."""
    hypothesis.settings.register_profile("patient", deadline=None)
    hypothesis.settings.load_profile("patient")
    for name in PROVIDER_KEYS:
        os.environ.pop(name, None)


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Real learners' answers; tests that use them skip where they are absent."""
    folder = Path(os.environ.get("GRADELINE_TEST_DATA", REPOSITORY / ".." / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("the folder of real data is not here")
    return folder.resolve()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A Postgres of this test process."""
    with EmbeddedPostgres(tmp_path_factory.mktemp("postgres"), fsync=False) as server:
        yield server


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedValkey]:
    """A Valkey of this test process."""
    with EmbeddedValkey(tmp_path_factory.mktemp("valkey")) as server:
        yield server


def in_database(url: str, name: str) -> str:
    """The same server's URL, another database."""
    return url.rpartition("/")[0] + "/" + name


def migrated_database(postgres: EmbeddedPostgres, name: str) -> str:
    """Make a database with all tables; answers its name."""
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    asyncio.run(migrate(Settings(database_url=in_database(postgres.url, name))))
    return name


@pytest.fixture(scope="session")
def template(postgres: EmbeddedPostgres) -> str:
    """The name of a migrated database that tests' databases are copied from."""
    return migrated_database(postgres, "template_gradeline")


@pytest.fixture
def empty_database_url(postgres: EmbeddedPostgres) -> Iterator[str]:
    """A database without any table."""
    yield from new_database(postgres, "template1")


@pytest.fixture
def database_url(postgres: EmbeddedPostgres, template: str) -> Iterator[str]:
    """A migrated, empty database of this test."""
    yield from new_database(postgres, template)


def new_database(postgres: EmbeddedPostgres, source: str) -> Iterator[str]:
    """A copy of a database, gone afterwards; by its files, which takes a fifth of the time of going through the log."""
    name = f"test_{uuid4().hex}"
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {source} STRATEGY file_copy")
    yield in_database(postgres.url, name)
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(END_CONNECTIONS, [name])
        connection.execute(f"DROP DATABASE {name}")


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """Connections to this test's database, enough for many at once."""
    engine = create_engine(database_url, pool_size=20, pool_wait_seconds=30)
    yield engine
    await engine.dispose()


@pytest.fixture
def redis_url(valkey: EmbeddedValkey) -> str:
    """An empty Valkey of this test; its queues live in the next database."""
    with redis.Redis.from_url(valkey.url) as client:
        client.flushall()
    return valkey.url


@pytest.fixture
def settings(database_url: str, redis_url: str, tmp_path: Path) -> Settings:
    """Settings of a system of this test's own, with short times."""
    return Settings(
        database_url=database_url,
        redis_url=redis_url,
        home=tmp_path,
        port=0,
        rate_limits="off",
        heartbeat_seconds=0.5,
        worker_dead_seconds=2.0,
        sweep_seconds=0.2,
        sweep_grace_seconds=0.5,
        retry_base_seconds=0.05,
        shutdown_seconds=5.0,
    )
