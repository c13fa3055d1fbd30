"""Whether a Redis or Valkey is one that Gradeline can use."""

from collections.abc import Mapping
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

from pipeline.errors import EnvironmentFault

OLDEST_REDIS: Final = (6, 2)
OLDEST_VALKEY: Final = (7, 2)
TIMEOUT_SECONDS: Final = 5.0


async def check_redis(
    url: str, *, setting: str = "GRADELINE_REDIS_URL", timeout_seconds: float = TIMEOUT_SECONDS
) -> str:
    """What the server at `url` is; raises `EnvironmentFault`, one line without the password, if it will not do.

    It must be reachable and let us in, have the database number, be Redis 6.2 or Valkey 7.2 or newer,
    take writes, and not throw queues away when memory is short.
    """
    facts = await _ask(url, setting, timeout_seconds)
    if fault := fault_of(facts):
        raise EnvironmentFault(f"Redis at {place(url)} {fault}")
    name, version = server_of(facts)
    return f"{name} {version}, {facts.get('maxmemory_policy', 'noeviction')}, at {place(url)}"


def server_of(facts: Mapping[str, Any]) -> tuple[str, str]:
    """The server's name and version."""
    return (
        ("Valkey", str(facts["valkey_version"]))
        if "valkey_version" in facts
        else ("Redis", str(facts["redis_version"]))
    )


def fault_of(facts: Mapping[str, Any]) -> str | None:
    """What is wrong with a server whose INFO says `facts`, as the rest of a sentence; None if nothing is."""
    name, version = server_of(facts)
    oldest = OLDEST_VALKEY if name == "Valkey" else OLDEST_REDIS
    if _numbers(version) < oldest:
        return f"is {name} {version}; Gradeline needs {name} {oldest[0]}.{oldest[1]} or newer"
    if facts.get("role") in ("slave", "replica"):
        return "is a replica; name the primary"
    if facts.get("redis_mode") == "cluster":
        return "is a cluster, which has no numbered databases; name a single server"
    policy = str(facts.get("maxmemory_policy", "noeviction"))
    if policy.startswith("allkeys"):
        return f"evicts queues when memory is short (maxmemory-policy {policy}); set noeviction"
    return None


def place(url: str) -> str:
    """Host, port and database of an address, without user and password."""
    return url.partition("://")[2].rpartition("@")[2].partition("?")[0]


async def _ask(url: str, setting: str, timeout_seconds: float) -> Mapping[str, Any]:
    try:
        client = Redis.from_url(url, socket_timeout=timeout_seconds, socket_connect_timeout=timeout_seconds)
    except ValueError:  # its text may quote the address with the password
        raise EnvironmentFault(f"{setting} is not an address of a Redis server") from None
    async with client:
        try:
            facts: Mapping[str, Any] = await client.info()
        except RedisError as error:
            raise EnvironmentFault(f"cannot use Redis at {place(url)}: {error}; check {setting}") from None
    return facts


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())
