"""Replies lost on the way, after the server has done what was asked."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, Literal

import msgspec

from tests.chaos.fault import Moment
from tests.chaos.proxy import Loss
from tests.chaos.system import System

Server = Literal["valkey", "postgres"]
VARIABLES: Final = {"valkey": "GRADELINE_REDIS_URL", "postgres": "GRADELINE_DATABASE_URL"}
LOSSY_SECONDS: Final = 6.0


@asynccontextmanager
async def through(system: System, server: Server) -> AsyncIterator[None]:
    """All processes reach one of the servers through its proxy."""
    url = {"valkey": system.valkey.url, "postgres": system.postgres.url}[server]
    await replace_all(system, {VARIABLES[server]: system.proxies[server].before(url)})
    try:
        yield
    finally:
        await replace_all(system, {})


async def replace_all(system: System, environment: dict[str, str]) -> None:
    """Stop all processes and start them as shipped, but for this environment."""

    async def replace(name: str) -> None:
        part = system.shipped(name)
        told = msgspec.structs.replace(part, environment={**part.environment, **environment})
        await system.replace(name, signal.SIGTERM, told)

    await asyncio.gather(*[replace(name) for name in system.keeper.names])


async def lose_replies(system: System, *, server: Server, share: float, loss: Loss, at_least: int) -> Moment:
    """Lose a share of a server's replies for some seconds, and `at_least` so many."""
    proxy = system.proxies[server]
    enough = proxy.lost + at_least

    async def lost_enough() -> bool:
        return proxy.lost >= enough

    async with proxy.lossy(share, loss, system.chances):
        await asyncio.sleep(LOSSY_SECONDS)
        await system.until(lost_enough, f"{at_least} replies of {server} are lost")
    return time.time()
