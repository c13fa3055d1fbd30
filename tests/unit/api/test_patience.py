"""A call's time to wait for servers is one, however many of them it asks."""

import asyncio

import pytest

from api.patience import Patience
from pipeline.errors import Unavailable

SECONDS = 60.0


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_waits_of_one_call_are_taken_together() -> None:
    """What the first wait used up, the second doesn't get again."""
    clock = Clock()
    patience = Patience(SECONDS, clock)
    async with patience:
        clock.now += SECONDS
    async with asyncio.timeout(5):
        with pytest.raises(Unavailable):
            async with patience:
                await asyncio.Event().wait()


async def test_what_is_between_waits_uses_up_nothing() -> None:
    """A client that sends its body slowly loses none of the time that servers may take."""
    clock = Clock()
    patience = Patience(SECONDS, clock)
    for _ in range(3):
        async with patience:
            await asyncio.sleep(0)
        clock.now += SECONDS
