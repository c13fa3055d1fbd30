"""Doing several things at the same time, and to their end."""

import asyncio
from collections.abc import Awaitable, Coroutine
from contextlib import suppress
from typing import Any, Final

STOPPING_SECONDS: Final = 5.0
"""How long a worker that is being stopped keeps and settles the reply at hand."""


async def to_the_end(part: Coroutine[Any, Any, None]) -> None:
    """Do this to its end, also where the caller is being stopped meanwhile: the reply at hand was paid for."""
    task = asyncio.create_task(part)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        with suppress(Exception):  # whoever stops us learns that we stopped; nobody uses the reply here any more
            await asyncio.wait_for(task, STOPPING_SECONDS)
        raise


async def all_of(*parts: Awaitable[None]) -> None:
    """Do these at the same time, each to its end whatever becomes of the others; raises the first error."""
    for outcome in await asyncio.gather(*parts, return_exceptions=True):
        if outcome is not None:
            raise outcome
