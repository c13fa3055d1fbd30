"""The watch, on a scripted stream."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterable
from collections.abc import Set as AbstractSet
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from pipeline.errors import Unavailable
from pipeline.lifecycle import Status
from pipeline.live.watch import ReadKeys, ReadStandings, RedisWatch
from pipeline.model import Grant, Standing

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


async def no_news(asked: Iterable[tuple[int, str]]) -> list[Standing]:
    return [Standing(id_, tenant_id, 0, Status.PENDING) for tenant_id, id_ in asked]


async def all_of(key_ids: Collection[str]) -> AbstractSet[str]:
    return {*key_ids}


def looking_often(
    keys_in_force: ReadKeys = all_of, standings: ReadStandings = no_news, now: Callable[[], float] = time.time
) -> RedisWatch:
    """A watch that hears nothing and looks into the store all the time."""
    stream: Any = Stream()
    return RedisWatch(stream, standings, keys_in_force, away_seconds=0.001, near_seconds=0.001, wall_clock=now)


async def test_an_event_that_is_not_ours_ends_no_watching() -> None:
    """What follows it in the stream is heard."""
    stream: Any = Stream(GARBLED, COMPLETED)
    async with running(RedisWatch(stream, no_news, all_of)) as watch, watch.watching(1, "s") as watcher:
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

    async with running(looking_often(standings=standings)) as watch, watch.watching(1, "s") as watcher:
        assert await watcher.next(10) == HEARD
    assert looks == 2


async def test_whoever_watches_by_a_revoked_key_is_let_go() -> None:
    """By the key itself or by a token; whoever has another key, or none, goes on."""
    in_force, asked = {"good", "revoked"}, []

    async def keys_in_force(key_ids: Collection[str]) -> AbstractSet[str]:
        asked.append(sorted(key_ids))
        return in_force & {*key_ids}

    async with running(looking_often(keys_in_force)) as watch, AsyncExitStack() as stack:
        grants = [Grant("revoked"), Grant("revoked", time.time() + 600), Grant("good"), Grant("good"), None]
        watchers = [await stack.enter_async_context(watch.watching(1, "s", grant=grant)) for grant in grants]
        in_force.discard("revoked")
        assert [await watcher.next(10) for watcher in watchers[:2]] == [None, None]
        assert [watcher.ended for watcher in watchers] == [True, True, False, False, False]
    assert max(asked) == ["good", "revoked"]  # each key once in a look, however many hold it


async def test_whoever_watches_by_a_token_is_let_go_when_its_time_is_up() -> None:
    now, looked = 1_000.0, asyncio.Event()

    async def keys_in_force(key_ids: Collection[str]) -> AbstractSet[str]:
        looked.set()
        return {*key_ids}

    async with running(looking_often(keys_in_force, now=lambda: now)) as watch, AsyncExitStack() as stack:
        short, long = [
            await stack.enter_async_context(watch.watching(1, "s", grant=Grant("key", ends_at)))
            for ends_at in (1_060.0, 1_061.0)
        ]
        for _ in range(2):  # the second look begins when the first is over
            looked.clear()
            await looked.wait()
        assert not short.ended
        now = 1_060.0
        assert await short.next(10) is None
        assert (short.ended, long.ended) == (True, False)


async def test_whoever_watches_what_is_gone_is_let_go() -> None:
    """Of an erased learner, or another tenant's of this id."""

    async def standings(_: Iterable[tuple[int, str]]) -> list[Standing]:
        return [Standing("s", 1, 0, Status.PENDING)]

    async with running(looking_often(standings=standings)) as watch, AsyncExitStack() as stack:
        ours = await stack.enter_async_context(watch.watching(1, "s"))
        theirs = await stack.enter_async_context(watch.watching(2, "s"))
        gone = await stack.enter_async_context(watch.watching(1, "t"))
        assert [await watcher.next(10) for watcher in (theirs, gone)] == [None, None]
        assert (theirs.ended, gone.ended, ours.ended) == (True, True, False)


async def test_a_store_that_is_away_lets_nobody_go() -> None:
    """Nobody can be revoked there meanwhile, and all would come again at once. The first look that succeeds tells."""
    away = asyncio.Event()

    async def keys_in_force(_: Collection[str]) -> AbstractSet[str]:
        if not away.is_set():
            away.set()
            raise Unavailable("Postgres is away")
        return set()

    async with running(looking_often(keys_in_force)) as watch, watch.watching(1, "s", grant=Grant("key")) as watcher:
        await away.wait()
        assert not watcher.ended
        assert await watcher.next(10) is None
        assert watcher.ended
