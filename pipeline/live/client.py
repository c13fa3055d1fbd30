"""Connections to Redis or Valkey, and its failures in our words."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import redis.exceptions
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from pipeline.errors import Unavailable

CONNECT_SECONDS: Final = 1.0
REPLY_SECONDS: Final = 3.0


def create_client(url: str, *, connections: int = 20, reply_seconds: float = REPLY_SECONDS) -> Redis:
    """A client that opens at most `connections`, never waits longer than seconds, and never repeats a command.

    A repeated command may run twice (the reply was lost, not the command); whoever can bear that repeats
    it knowingly.
    """
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=connections,
        timeout=CONNECT_SECONDS,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=reply_seconds,
        retry=Retry(NoBackoff(), 0),
        health_check_interval=30,
    )
    return Redis.from_pool(pool)  # closes the pool with the client, unlike Redis(connection_pool=…)


def queue_url(url: str, queue_url: str | None) -> str:
    """Where the Dramatiq queues live: as told, or in the next database of the same server.

    They are kept apart from statuses because Dramatiq's maintenance walks all keys of its database.
    """
    if queue_url is not None:
        return queue_url
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return url + ("&" if parts.query else "?") + "db=1"
    database = parts.path.strip("/")
    following = int(database) + 1 if database.isdecimal() else 1
    return urlunsplit(parts._replace(path=f"/{following}"))


@contextmanager
def reaching() -> Iterator[None]:
    """Turn every way in which Redis can be away, full or broken into `Unavailable`."""
    try:
        yield
    except (redis.exceptions.RedisError, OSError, TimeoutError) as error:
        raise Unavailable(f"Redis is not available: {type(error).__name__}") from error
