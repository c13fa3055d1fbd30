"""Surprises: whose failed attempt they are, kept without their text."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Final

from pipeline.follow_through import Perform
from pipeline.model import Work
from pipeline.ports import WorkUnit
from pipeline.stages.outcome import Outcome, RetryLater
from pipeline.telemetry import place_of

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
