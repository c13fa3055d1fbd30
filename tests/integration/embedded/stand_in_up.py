"""The command `up` as people run it, with stand-ins for the API, the workers and the schema."""

import asyncio
import os
import sys
from pathlib import Path

import psycopg

from cli.connection import Keys
from cli.supervisor import Programs
from cli.up import up_command
from pipeline.live.check import check_redis
from pipeline.settings import Settings
from pipeline.store.check import check_postgres

HERE = Path(__file__).parent
PROGRAMS = Programs((sys.executable, str(HERE / "stand_in_api.py")), (sys.executable, str(HERE / "stand_in_worker.py")))


def check(settings: Settings) -> None:
    assert settings.database_url
    assert settings.redis_url
    asyncio.run(check_postgres(settings.database_url))
    asyncio.run(check_redis(settings.redis_url))


def migrate(settings: Settings) -> None:
    assert settings.database_url
    with psycopg.connect(settings.database_url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS start (at timestamptz DEFAULT now())")
        connection.execute("INSERT INTO start DEFAULT VALUES")


def ensure_keys(_settings: Settings, kept: Keys | None) -> Keys:
    return kept or Keys(f"key-{os.getpid()}", f"operator-key-{os.getpid()}")


if __name__ == "__main__":
    up_command(check=check, migrate=migrate, ensure_keys=ensure_keys, programs=PROGRAMS)()
