"""How long a call may be kept waiting by a server that neither answers nor refuses."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

from pipeline.errors import Unavailable

ANSWER_SECONDS: Final = 1.8
"""Below the two seconds in which a client is owed its 503."""
TRANSACTION_SECONDS: Final = 1.5
"""How long one transaction may take, unless its store allows it more: time is left to put things in order."""


class Patience:
    """How long one call may be kept waiting by servers, all its waits taken together."""

    def __init__(self, seconds: float = ANSWER_SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._left = seconds
        self._clock = clock

    @asynccontextmanager
    async def lasting(self) -> AsyncIterator[None]:
        """Raise `Unavailable` where servers keep us waiting for longer than what is left."""
        begun = self._clock()
        try:
            async with asyncio.timeout(max(0.0, self._left)):
                yield
        except TimeoutError:
            raise Unavailable("A server does not answer in time.") from None
        finally:
            self._left -= self._clock() - begun


def within(seconds: float) -> AbstractAsyncContextManager[None]:
    """Raise `Unavailable` where a server keeps us waiting for longer than `seconds`."""
    return Patience(seconds).lasting()
