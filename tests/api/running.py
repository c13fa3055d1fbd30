"""An application's start and stop, in this process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache

from litestar import Litestar

from api.app import create_app
from api.documentation import Documentation
from pipeline.settings import Settings


@cache
def documentation() -> Documentation:
    """What every application of this code says of itself, written once for all tests."""
    written: Documentation = create_app(Settings()).state.documentation
    return written


@asynccontextmanager
async def running(app: Litestar) -> AsyncIterator[None]:
    """The application between start and stop, both in one task: a fixture's two halves run in different ones."""
    started, stop = asyncio.Event(), asyncio.Event()

    async def live() -> None:
        async with app.lifespan():
            started.set()
            await stop.wait()

    life = asyncio.create_task(live())
    waiting = asyncio.create_task(started.wait())
    await asyncio.wait({life, waiting}, return_when=asyncio.FIRST_COMPLETED)
    if not started.is_set():
        waiting.cancel()
        await life
    try:
        yield
    finally:
        stop.set()
        await life
