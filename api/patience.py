"""How long a call may be kept waiting by a server that neither answers nor refuses."""

import asyncio
import time
from collections.abc import Callable
from types import TracebackType
from typing import Final

from pipeline.errors import Unavailable

ANSWER_SECONDS: Final = 1.8
"""Below the two seconds in which a client is owed its 503."""
TRANSACTION_SECONDS: Final = 1.5
"""How long one transaction may take, unless its store allows it more: time is left to put things in order."""


class Patience:
    """How long one call may be kept waiting by servers, all its waits taken together.

    Each wait is an `async with` block; one that takes longer than what is left raises `Unavailable`.
    """

    def __init__(self, seconds: float = ANSWER_SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._left = seconds
        self._clock = clock

    async def __aenter__(self) -> None:
        self._begun = self._clock()
        self._timeout = asyncio.timeout(max(0.0, self._left))
        await self._timeout.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._left -= self._clock() - self._begun
        try:
            await self._timeout.__aexit__(kind, error, trace)
        except TimeoutError as late:
            error = late
        if isinstance(error, TimeoutError):
            raise Unavailable("A server does not answer in time.") from None
