"""What the checks say of real servers."""

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import redis

from pipeline.embedded import EmbeddedPostgres, EmbeddedValkey
from pipeline.errors import EnvironmentFault
from pipeline.live.check import check_redis
from pipeline.store.check import check_postgres


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with EmbeddedPostgres(tmp_path_factory.mktemp("check"), fsync=False) as server:
        yield server.url


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[str]:
    with EmbeddedValkey(tmp_path) as server:
        yield server.url


@pytest.fixture
def silent() -> Iterator[str]:
    """Host and port of a server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def database_with(postgres: str, name: str, creation: str = "", setting: str = "") -> str:
    """The address of a new database, made and set as given."""
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} {creation}".encode())
        if setting:
            connection.execute(f"ALTER DATABASE {name} SET {setting}".encode())
    return postgres.removesuffix("gradeline") + name


async def refusal_of_postgres(url: str) -> str:
    with pytest.raises(EnvironmentFault) as caught:
        await check_postgres(url, timeout_seconds=2)
    return in_one_line(caught.value, url)


async def refusal_of_redis(url: str) -> str:
    with pytest.raises(EnvironmentFault) as caught:
        await check_redis(url, timeout_seconds=0.5)
    return in_one_line(caught.value, url)


def in_one_line(fault: EnvironmentFault, url: str) -> str:
    assert "\n" not in str(fault)
    secret = re.search(r":([^:@]+)@", url)
    assert secret is not None
    assert secret[1] not in str(fault)
    return str(fault)


async def test_our_own_servers_will_do(postgres: str, valkey: str) -> None:
    await check_postgres(postgres)
    await check_postgres(postgres.replace("postgresql://", "postgresql+psycopg://"))
    await check_redis(valkey)


async def test_a_postgres_that_does_not_let_us_in_is_told_from_one_that_is_not_there(postgres: str) -> None:
    assert "password authentication failed" in await refusal_of_postgres(re.sub(":[^:@]+@", ":wrong-one@", postgres))
    assert "refused" in await refusal_of_postgres("postgresql://me:some-secret@127.0.0.1:1/mine")
    assert 'database "missing" does not exist' in await refusal_of_postgres(
        postgres.removesuffix("gradeline") + "missing"
    )


async def test_a_postgres_database_that_cannot_keep_our_promises_is_refused(postgres: str) -> None:
    latin = database_with(postgres, "latin", "TEMPLATE template0 ENCODING LATIN1 LOCALE_PROVIDER libc LOCALE 'C'")
    assert "holds LATIN1" in await refusal_of_postgres(latin)
    hasty = database_with(postgres, "hasty", setting="synchronous_commit = off")
    assert "synchronous_commit off" in await refusal_of_postgres(hasty)
    frozen = database_with(postgres, "frozen", setting="default_transaction_read_only = on")
    assert "is read-only" in await refusal_of_postgres(frozen)


async def test_what_is_no_postgres_is_refused_in_one_line(silent: str, valkey: str) -> None:
    assert silent in await refusal_of_postgres(f"postgresql://me:some-secret@{silent}/mine")
    port = urlsplit(valkey).port
    assert "cannot use Postgres" in await refusal_of_postgres(f"postgresql://me:some-secret@127.0.0.1:{port}/mine")
    assert "GRADELINE_DATABASE_URL" in await refusal_of_postgres("postgresql://me:some-secret@[half/mine?port=x")


async def test_a_redis_that_does_not_let_us_in_is_told_from_one_that_is_not_there(valkey: str) -> None:
    assert "invalid username-password" in await refusal_of_redis(re.sub(":[^:@]+@", ":wrong-one@", valkey))
    assert "Error" in await refusal_of_redis("redis://:some-secret@127.0.0.1:1/0")
    assert "GRADELINE_REDIS_URL" in await refusal_of_redis("redis://:some-secret@host:port/0")


async def test_a_redis_without_our_database_number_is_refused(valkey: str) -> None:
    assert "out of range" in await refusal_of_redis(valkey.removesuffix("0") + "16")


async def test_a_redis_that_throws_queues_away_or_takes_no_writes_is_refused(valkey: str) -> None:
    with redis.Redis.from_url(valkey) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        assert "allkeys-lru" in await refusal_of_redis(valkey)
        client.config_set("maxmemory-policy", "noeviction")
        client.replicaof("127.0.0.1", "1")
        assert "is a replica" in await refusal_of_redis(valkey)


async def test_what_is_no_redis_is_refused_in_one_line(silent: str, postgres: str) -> None:
    assert silent in await refusal_of_redis(f"redis://:some-secret@{silent}/0")
    assert "cannot use Redis" in await refusal_of_redis(f"redis://:some-secret@127.0.0.1:{urlsplit(postgres).port}/0")
