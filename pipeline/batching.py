"""Group commit: what arrives while a flush is under way forms the next batch.

There is no timer, except where a batcher is told to keep its flushes apart: what arrives meanwhile goes together.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final, Generic, TypeVar, cast

Item = TypeVar("Item")
Reply = TypeVar("Reply")


class Spacing:
    """Keeps beginnings apart: the first is at once, and each other one `seconds` after the one before at the earliest.

    It costs nothing where little happens; where much does, it makes few large batches of many small ones. With `ahead`,
    so many more may begin at once after a rest: on average they are `seconds` apart all the same, so whatever comes
    less often than that hardly ever waits, however unevenly it comes.
    """

    def __init__(
        self,
        seconds: float,
        *,
        ahead: int = 0,
        clock: Callable[[], float] = time.monotonic,
        rest: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._seconds = seconds
        self._ahead_seconds = ahead * seconds
        self._clock = clock
        self._rest = rest
        self._not_before = 0.0

    async def wait(self) -> None:
        """Wait until something may begin again."""
        if self._seconds:
            while (left := self._not_before - self._clock()) > 0:
                await self._rest(left)

    def begun(self) -> None:
        """Something begins now."""
        if self._seconds:
            rested = self._clock() - self._ahead_seconds
            self._not_before = max(self._not_before, rested) + self._seconds


NO_SPACING: Final = Spacing(0.0)


class Batcher(Generic[Item, Reply]):
    """Collects items from concurrent callers and flushes them together.

    At idle a batch is one item and waits for nothing; under load batches grow up to `most`, which may be changed.
    `flush` gets a list of items and answers one reply per item, in order; an exception among them is raised to that
    item's caller. If it raises, every caller of that batch gets the exception. At most `concurrency` flushes run at
    once, and where a `spacing` is given, their beginnings are kept apart unless a whole batch waits.
    Whoever gives up before the flush of an item begins takes it back: that item is never flushed.
    """

    def __init__(
        self,
        flush: Callable[[list[Item]], Awaitable[Sequence[Reply | Exception]]],
        *,
        most: int,
        concurrency: int = 1,
        spacing: Spacing = NO_SPACING,
    ) -> None:
        self._flush = flush
        self._spacing = spacing
        self.most = most
        self._concurrency = concurrency
        self._waiting: deque[tuple[Item, asyncio.Future[Reply]]] = deque()
        self._flushers: set[asyncio.Task[None]] = set()

    @property
    def backlog(self) -> int:
        """How many items wait for their flush to begin."""
        return len(self._waiting)

    async def add(self, item: Item) -> Reply:
        """Hand over one item and wait for its reply."""
        return await self._enlist(item)

    async def add_all(self, items: Iterable[Item]) -> list[Reply]:
        """Hand over several items at once and wait for all their replies; raises the first error."""
        return await asyncio.gather(*[self._enlist(item) for item in items])

    def hand_over(self, items: Iterable[Item]) -> None:
        """Hand over items whose replies nobody waits for; `flush` must see to its own failures."""
        for item in items:
            self._enlist(item)

    async def drain(self) -> None:
        """Wait until everything handed over so far is flushed."""
        while self._flushers:
            await asyncio.gather(*self._flushers, return_exceptions=True)

    def _enlist(self, item: Item) -> asyncio.Future[Reply]:
        reply: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, reply))
        if len(self._flushers) < self._concurrency:
            self._flushers.add(asyncio.create_task(self._flush_until_empty()))
        return reply

    async def _flush_until_empty(self) -> None:
        try:
            while batch := await self._next_batch():
                await self._flush_batch(batch)
        except BaseException:
            # This flusher is being stopped, and nobody else may come: those who wait must not wait for ever.
            while self._waiting:
                self._waiting.popleft()[1].cancel()
            raise
        finally:
            # At once, not by a callback: whoever adds right after its reply must not count on this flusher.
            self._flushers.discard(cast("asyncio.Task[None]", asyncio.current_task()))

    async def _next_batch(self) -> list[tuple[Item, asyncio.Future[Reply]]]:
        """The next items, when it is time, without those whose callers have given up by now."""
        if 0 < len(self._waiting) < self.most:
            await self._spacing.wait()
        batch: list[tuple[Item, asyncio.Future[Reply]]] = []
        while self._waiting and len(batch) < self.most:
            item, reply = self._waiting.popleft()
            if not reply.done():
                batch.append((item, reply))
        if batch:
            self._spacing.begun()
        return batch

    async def _flush_batch(self, batch: list[tuple[Item, asyncio.Future[Reply]]]) -> None:
        try:
            replies = await self._flush([item for item, _ in batch])
            pairs = list(zip(batch, replies, strict=True))
        except Exception as error:  # noqa: BLE001 - it is the callers' to handle, and each of them gets it
            for _, reply in batch:
                if not reply.done():
                    reply.set_exception(error)
            return
        except BaseException:
            for _, reply in batch:
                reply.cancel()
            raise
        for (_, reply), value in pairs:
            if reply.done():
                continue
            if isinstance(value, Exception):
                reply.set_exception(value)
            else:
                reply.set_result(value)
