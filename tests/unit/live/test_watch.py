"""The watch, on a scripted stream."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from pipeline.lifecycle import Status
from pipeline.live.watch import RedisWatch
from pipeline.model import Standing

Event = tuple[bytes, dict[bytes, bytes]]

GARBLED: Event = (b"1-0", {b"nothing": b"of ours"})
COMPLETED: Event = (b"2-0", {b"id": b"s", b"tenant": b"1", b"version": b"5", b"status": b"completed"})
HEARD = Standing("s", 1, 5, Status.COMPLETED)


class Stream:
    """Answers each read with the next event, and waits when there is none."""

    def __init__(self, *events: Event) -> None:
        self._events = list(events)

    async def xrevrange(self, _: str, count: int) -> list[Any]:
        assert count == 1
        return []

    async def xread(self, streams: dict[str, bytes], count: int, block: int) -> list[Any]:
        assert (count, block) > (0, 0)
        if not self._events:
            await asyncio.Event().wait()
        return [[next(iter(streams)), [self._events.pop(0)]]]

    async def aclose(self) -> None:
        pass


@asynccontextmanager
async def running(watch: RedisWatch) -> AsyncIterator[RedisWatch]:
    watch.start()
    try:
        yield watch
    finally:
        await watch.close()


async def no_standings(_: Iterable[tuple[int, str]]) -> list[Standing]:
    return []


async def test_an_event_that_is_not_ours_ends_no_watching() -> None:
    """What follows it in the stream is heard."""
    stream: Any = Stream(GARBLED, COMPLETED)
    async with running(RedisWatch(stream, no_standings)) as watch, watch.watching(1, "s") as watcher:
        assert await watcher.next(10) == HEARD


async def test_a_surprise_in_the_store_ends_no_looking() -> None:
    """The next look tells what the first could not."""
    looks = 0

    async def standings(_: Iterable[tuple[int, str]]) -> list[Standing]:
        nonlocal looks
        looks += 1
        if looks == 1:
            raise ZeroDivisionError
        return [HEARD]

    stream: Any = Stream()
    watch = RedisWatch(stream, standings, away_seconds=0.001, near_seconds=0.001)
    async with running(watch), watch.watching(1, "s") as watcher:
        assert await watcher.next(10) == HEARD
    assert looks == 2
