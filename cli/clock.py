"""Time as commands use it, handed in so that tests need not wait."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Knows the time and can let it pass."""

    def now(self) -> float:
        """Seconds since some moment; never goes back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return so many seconds later."""
        ...


class RealClock:
    """The machine's."""

    def now(self) -> float:
        """Seconds since some moment; never goes back."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Return so many seconds later."""
        await asyncio.sleep(seconds)
