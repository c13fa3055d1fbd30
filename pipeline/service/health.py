"""Whether this installation can serve: Postgres is needed, Redis is reported."""

import asyncio
from collections.abc import Awaitable, Callable
from enum import StrEnum
from importlib.metadata import version
from typing import Final

import msgspec

from pipeline.errors import Unavailable
from pipeline.ports import HealthStore

# A server that hangs is as good as away, and whoever probes waits for a second or two at most.
POSTGRES_SECONDS: Final = 1.5
REDIS_SECONDS: Final = 0.5


class Health(StrEnum):
    """How well a part, or the whole, is. `degraded`: it serves, but slower or later than it should."""

    OK = "ok"
    DEGRADED = "degraded"
    UNAVAILABLE = "unavailable"


class Readiness(msgspec.Struct, frozen=True):
    """Whether requests should be sent here: yes while Postgres answers, whatever Redis does."""

    status: Health
    postgres: Health
    redis: Health


class PostgresDetails(msgspec.Struct, frozen=True):
    """Postgres: its version, the schema revision it has and the one this version of Gradeline needs."""

    status: Health
    version: str | None
    schema_revision: str | None
    schema_needed: str | None


class RedisDetails(msgspec.Struct, frozen=True):
    """Redis: how long it takes to answer a ping, in milliseconds."""

    status: Health
    latency_ms: float | None


class Details(msgspec.Struct, frozen=True):
    """The state of an installation, for people; nothing in it is secret."""

    status: Health
    version: str
    postgres: PostgresDetails
    redis: RedisDetails


class Examination:
    """Looks at the servers; `ping` is Redis' answer time in seconds and may raise `Unavailable`."""

    def __init__(self, store: HealthStore, ping: Callable[[], Awaitable[float]]) -> None:
        self._store = store
        self._ping = ping

    async def readiness(self) -> Readiness:
        """Whether requests should be sent here."""
        postgres, redis = await asyncio.gather(self._postgres(), self._redis())
        return Readiness(overall(postgres.status, redis.status), postgres.status, redis.status)

    async def details(self) -> Details:
        """Everything there is to see."""
        postgres, redis = await asyncio.gather(self._postgres(), self._redis())
        return Details(overall(postgres.status, redis.status), version("gradeline"), postgres, redis)

    async def _postgres(self) -> PostgresDetails:
        try:
            async with asyncio.timeout(POSTGRES_SECONDS):
                server, (found, needed) = await self._store.probe(), await self._store.revisions()
        except (Unavailable, TimeoutError):
            return PostgresDetails(Health.UNAVAILABLE, None, None, None)
        return PostgresDetails(Health.OK if found == needed else Health.DEGRADED, server, found, needed)

    async def _redis(self) -> RedisDetails:
        try:
            async with asyncio.timeout(REDIS_SECONDS):
                return RedisDetails(Health.OK, round(await self._ping() * 1000, 3))
        except (Unavailable, TimeoutError):
            return RedisDetails(Health.UNAVAILABLE, None)


def overall(postgres: Health, redis: Health) -> Health:
    """Without Postgres nothing works; without Redis, or with another schema than ours, less does."""
    if postgres is Health.UNAVAILABLE:
        return Health.UNAVAILABLE
    return Health.OK if postgres is redis is Health.OK else Health.DEGRADED
