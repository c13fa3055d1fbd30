"""Waiting for servers: through an outage of Postgres, and how long for one answer."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, TypeVar

from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from pipeline.errors import Unavailable

FIRST_REST_SECONDS: Final = 0.05
LOOKS: Final = 10

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


@asynccontextmanager
async def answered_within(seconds: float) -> AsyncIterator[None]:
    """Let the block take so long, then raise `TimeoutError`; time in which this process stood still does not count.

    A process that got no CPU for a while, or was frozen, finds the answer and the end of its time side by side. It was
    not the server that was silent, so it takes the answer: the time is a row of looks, each of which follows the last.
    """
    loop = asyncio.get_running_loop()
    next_look: asyncio.TimerHandle

    def look(left: int) -> None:
        nonlocal next_look
        if left:
            next_look = loop.call_later(seconds / LOOKS, look, left - 1)
        else:
            limit.reschedule(loop.time())

    async with asyncio.timeout(None) as limit:
        next_look = loop.call_later(seconds / LOOKS, look, LOOKS - 1)
        try:
            yield
        finally:
            next_look.cancel()
