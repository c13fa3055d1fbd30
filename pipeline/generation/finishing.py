"""Doing several things at the same time, and to their end."""

import asyncio
from collections.abc import Awaitable, Coroutine
from typing import Any, Final

import structlog

from pipeline import telemetry

log = structlog.get_logger()

STOPPING_SECONDS: Final = 5.0
"""How long a worker that is being stopped keeps and settles the reply at hand."""


async def to_the_end(part: Coroutine[Any, Any, None]) -> None:
    """Do this to its end, also where the caller is being stopped meanwhile: the reply at hand was paid for."""
    task = asyncio.create_task(part)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        try:
            await asyncio.wait_for(task, STOPPING_SECONDS)
        except Exception as error:  # noqa: BLE001 - whoever stops us learns that we stopped; what was left is told
            log.warning(telemetry.GENERATION_LEFT, error=type(error).__name__)
        raise


async def all_of(*parts: Awaitable[None]) -> None:
    """Do these at the same time, each to its end whatever becomes of the others; raises the first error."""
    for outcome in await asyncio.gather(*parts, return_exceptions=True):
        if outcome is not None:
            raise outcome
