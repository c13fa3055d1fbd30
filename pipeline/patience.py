"""Waiting out an outage of Postgres."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from pipeline.errors import Unavailable

FIRST_REST_SECONDS: Final = 0.05

Value = TypeVar("Value")


async def patiently(
    once: Callable[[], Awaitable[Value]], seconds: float, rest: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> Value:
    """Call `once` until Postgres takes it, at most `seconds`; it must be safe to repeat."""
    try:
        return await once()  # as nearly always, without a loop around it, which costs more than what it guards
    except Unavailable:
        await rest(FIRST_REST_SECONDS)
    async for attempt in AsyncRetrying(
        retry=retry_if_exception_type(Unavailable),
        wait=wait_random_exponential(multiplier=FIRST_REST_SECONDS, max=2),
        stop=stop_after_delay(seconds),
        sleep=rest,
        reraise=True,
    ):
        with attempt:
            return await once()
    raise AssertionError("unreachable: the loop returns or raises")
