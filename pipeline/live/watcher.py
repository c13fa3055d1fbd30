"""One who waits for news of one submission, in this process."""

import asyncio
from collections import deque
from contextlib import suppress
from typing import Final

from pipeline.model import Grant, Standing


class Watcher:
    """The port `pipeline.ports.Watcher`: news of one submission, each version once and in order."""

    def __init__(self, tenant_id: int, *, reads_along: bool = False, grant: Grant | None = None) -> None:
        self.tenant_id: Final = tenant_id
        self.grant: Final = grant
        self.ended = False
        self._reads_along = reads_along
        self._text_waits = False
        self._version = 0
        self._news: deque[Standing] = deque()
        self._woken = asyncio.Event()

    def start_at(self, version: int) -> None:
        """Leave out what is not newer than this version."""
        self._version = max(self._version, version)
        self._news = deque(news for news in self._news if news.version > version)

    def tell(self, standing: Standing) -> None:
        """Hand over news; what is not newer than the last is left out."""
        if standing.version > self._version:
            self._version = standing.version
            self._news.append(standing)
            self._woken.set()

    def nudge(self) -> None:
        """Say that there is feedback to read. However often, it is one reason to read; the text lies elsewhere."""
        if self._reads_along:
            self._text_waits = True
            self._woken.set()

    def take_nudge(self) -> bool:
        """Whether there was something to read since this was asked last."""
        waits, self._text_waits = self._text_waits, False
        return waits

    def end(self) -> None:
        """Let the watcher go: there will be no more news."""
        self.ended = True
        self._woken.set()

    async def next(self, seconds: float) -> Standing | None:
        """The next news, or None if there is none within `seconds`, at the end, or if there is feedback to read."""
        if not self._news and not self.ended and not self._text_waits:
            self._woken.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._woken.wait()
        return self._news.popleft() if self._news else None
