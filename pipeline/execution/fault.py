"""Surprises and outages: told apart, kept without their text, waited out."""

import asyncio
import time
import traceback
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from pipeline.errors import Unavailable
from pipeline.follow_through import Perform
from pipeline.model import Work
from pipeline.ports import WorkUnit
from pipeline.stages.outcome import Outcome, RetryLater

Value = TypeVar("Value")

COMPUTE_SECONDS: Final = 0.02
"""How long a batch may compute before heartbeats and other batches get their turn."""


def each_alone(decide: Callable[[Work], Outcome]) -> Perform:
    """A batch decided one by one: a surprise in one is that one's failed attempt."""

    async def perform(_: WorkUnit, works: Sequence[Work]) -> list[Outcome]:
        outcomes = []
        turn_ends = time.monotonic() + COMPUTE_SECONDS
        for work in works:
            outcomes.append(guarded(decide, work))
            if time.monotonic() > turn_ends:
                await asyncio.sleep(0)
                turn_ends = time.monotonic() + COMPUTE_SECONDS
        return outcomes

    return perform


def guarded(decide: Callable[[Work], Outcome], work: Work) -> Outcome:
    try:
        return decide(work)
    except Exception as surprise:  # noqa: BLE001 - it is this submission's failed attempt, kept in its history
        return failure(surprise)


def failure(surprise: BaseException) -> RetryLater:
    """A surprise as an outcome. Only its type and place are kept: its text might quote an answer."""
    return RetryLater(error=type(surprise).__name__, traceback=place_of(surprise))


def place_of(surprise: BaseException) -> str:
    """Where a surprise came from, as a traceback without its text."""
    return "".join(traceback.format_list(traceback.extract_tb(surprise.__traceback__)))


async def patiently(once: Callable[[], Awaitable[Value]], seconds: float) -> Value:
    """Call `once` until Postgres takes it, at most `seconds`; it must be safe to repeat."""
    async for attempt in AsyncRetrying(
        retry=retry_if_exception_type(Unavailable),
        wait=wait_random_exponential(multiplier=0.05, max=2),
        stop=stop_after_delay(seconds),
        reraise=True,
    ):
        with attempt:
            return await once()
    raise AssertionError("unreachable: the loop returns or raises")
