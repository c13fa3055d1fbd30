"""Replies lost on the way, after the server has done what was asked."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, Literal

from tests.chaos.fault import Moment
from tests.chaos.keeper import Part
from tests.chaos.proxy import Loss
from tests.chaos.system import System

Server = Literal["valkey", "postgres"]
VARIABLES: Final = {"valkey": "GRADELINE_REDIS_URL", "postgres": "GRADELINE_DATABASE_URL"}
LOSSY_SECONDS: Final = 6.0


@asynccontextmanager
async def through(system: System, server: Server) -> AsyncIterator[None]:
    """All processes reach one of the servers through its proxy."""
    url = {"valkey": system.valkey.url, "postgres": system.postgres.url}[server]
    told = {VARIABLES[server]: system.proxies[server].before(url)}
    shipped = {name: system.shipped(name) for name in system.keeper.names}
    await system.replace_all({name: Part(part.command, {**part.environment, **told}) for name, part in shipped.items()})
    try:
        yield
    finally:
        await system.replace_all(shipped)


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
