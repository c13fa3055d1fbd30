"""Connections to the servers, whether they will do, and what needs nothing but them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import msgspec
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.errors import EnvironmentFault, SettingsError
from pipeline.live.board import RedisBoard
from pipeline.live.check import check_redis
from pipeline.live.client import create_client, queue_url
from pipeline.service.access import Access
from pipeline.service.rebuilding import Rebuilder
from pipeline.settings import Settings
from pipeline.store.access import AccessStore
from pipeline.store.check import check_postgres
from pipeline.store.clock import offset_seconds
from pipeline.store.engine import create_engine
from pipeline.store.migrate import current_revision, newest_revision
from pipeline.store.migrate import migrate as migrate_engine
from pipeline.store.rebuilding import RebuildStore

UPKEEP_CONNECTIONS: Final = 2
REBUILD_CONNECTIONS: Final = 3
"""One holds other rebuilds off, one looks, one writes."""


class Servers(msgspec.Struct, frozen=True):
    """Connections to the two servers everything stands on; `queues` is where the Dramatiq queues live.

    `upkeep` are connections of their own for heartbeats and sweeping: those must not wait behind work.
    """

    engine: AsyncEngine
    upkeep: AsyncEngine
    redis: Redis
    queues: Redis


def required(url: str | None, name: str) -> str:
    if url is None:
        raise SettingsError(f"{name} is not set; set it, or name the home of a running `gradeline up` with --home")
    return url


@asynccontextmanager
async def open_servers(
    settings: Settings,
    *,
    pool_size: int,
    pool_wait_seconds: float,
    answer_seconds: float | None = None,
    alone: int = 0,
) -> AsyncIterator[Servers]:
    """Open pools to Postgres and Redis, and close them at the end; neither is contacted yet.

    So many of the connections to Postgres as `alone` says are kept for single statements.

    A transaction that Postgres does not get done in `answer_seconds`, by default a lease's length, is broken off.
    """
    redis_url = required(settings.redis_url, "GRADELINE_REDIS_URL")
    database_url = required(settings.database_url, "GRADELINE_DATABASE_URL")
    engine = create_engine(
        database_url,
        pool_size=pool_size,
        alone=alone,
        pool_wait_seconds=pool_wait_seconds,
        idle_seconds=settings.lease_seconds,
        answer_seconds=answer_seconds or settings.lease_seconds,
    )
    upkeep = create_engine(
        database_url,
        pool_size=UPKEEP_CONNECTIONS,
        idle_seconds=settings.lease_seconds,
        answer_seconds=settings.worker_dead_seconds,
    )
    redis, queues = create_client(redis_url), create_client(queue_url(redis_url, settings.queue_redis_url))
    try:
        yield Servers(engine, upkeep, redis, queues)
    finally:
        await redis.aclose()
        await queues.aclose()
        await upkeep.dispose()
        await engine.dispose()


async def migrate(settings: Settings) -> None:
    """Bring the database to the newest schema."""
    engine = create_engine(required(settings.database_url, "GRADELINE_DATABASE_URL"), pool_size=1)
    try:
        await migrate_engine(engine)
    finally:
        await engine.dispose()


async def check_servers(settings: Settings) -> None:
    """Raise `EnvironmentFault`, in one line, where Postgres or Redis cannot be reached or will not do."""
    await check_database(settings)
    await check_statuses(settings)
    await check_queues(settings)


async def check_database(settings: Settings) -> str:
    """What Postgres is; raises `EnvironmentFault`, in one line, where it cannot be reached or will not do."""
    return await check_postgres(required(settings.database_url, "GRADELINE_DATABASE_URL"))


async def check_statuses(settings: Settings) -> str:
    """What the Redis for statuses is; raises `EnvironmentFault` where it cannot be reached or will not do."""
    return await check_redis(required(settings.redis_url, "GRADELINE_REDIS_URL"))


async def check_queues(settings: Settings) -> str:
    """What the Redis for queues is; raises `EnvironmentFault` where it cannot be reached or will not do."""
    url = queue_url(required(settings.redis_url, "GRADELINE_REDIS_URL"), settings.queue_redis_url)
    return await check_redis(url, setting="GRADELINE_QUEUE_REDIS_URL")


async def clock_offset_seconds(settings: Settings) -> float:
    """How far Postgres' clock, by which all work is timed, is ahead of this machine's."""
    engine = create_engine(required(settings.database_url, "GRADELINE_DATABASE_URL"), pool_size=1)
    try:
        return await offset_seconds(engine)
    finally:
        await engine.dispose()


async def schema_revisions(settings: Settings) -> tuple[str | None, str]:
    """The schema revision that the database has (None: it is empty), and the one this code needs."""
    engine = create_engine(required(settings.database_url, "GRADELINE_DATABASE_URL"), pool_size=1)
    try:
        return await current_revision(engine), newest_revision()
    finally:
        await engine.dispose()


async def check_schema(settings: Settings) -> None:
    """Raise `EnvironmentFault` unless the database can be used as it is."""
    await check_database(settings)
    found, needed = await schema_revisions(settings)
    if found != needed:
        raise EnvironmentFault(
            f"the database has schema {found or 'none'}, this version needs {needed}; run `gradeline migrate`"
        )


@asynccontextmanager
async def open_access(settings: Settings) -> AsyncIterator[Access]:
    """The keys of an installation, for whoever has its database."""
    engine = create_engine(required(settings.database_url, "GRADELINE_DATABASE_URL"), pool_size=1)
    try:
        yield Access(AccessStore(engine), cache_seconds=settings.key_cache_seconds)
    finally:
        await engine.dispose()


@asynccontextmanager
async def open_rebuilder(settings: Settings) -> AsyncIterator[Rebuilder]:
    """What works out again what was learnt, for whoever has the database."""
    url = required(settings.database_url, "GRADELINE_DATABASE_URL")
    engine = create_engine(url, pool_size=REBUILD_CONNECTIONS, idle_seconds=settings.lease_seconds)
    try:
        yield Rebuilder(RebuildStore(engine))
    finally:
        await engine.dispose()


def build_board(settings: Settings, servers: Servers) -> RedisBoard:
    return RedisBoard(
        servers.redis,
        status_ttl_seconds=settings.status_ttl_seconds,
        result_ttl_seconds=settings.result_ttl_seconds,
    )
