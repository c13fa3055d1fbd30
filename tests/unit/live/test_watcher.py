"""One who waits for news: each version once, in order, until the end."""

import asyncio

from pipeline.lifecycle import Status
from pipeline.live.watch import events_in
from pipeline.live.watcher import Watcher
from pipeline.model import Standing


def standing(version: int) -> Standing:
    return Standing("s", 1, version, Status.SCORING)


async def told(watcher: Watcher) -> list[int]:
    versions = []
    while (news := await watcher.next(0)) is not None:
        versions.append(news.version)
    return versions


async def test_news_that_is_not_newer_is_left_out() -> None:
    """Whether it comes late, twice, or from Postgres after the event."""
    watcher = Watcher(1)
    for version in (2, 3, 3, 1, 5, 4):
        watcher.tell(standing(version))
    assert await told(watcher) == [2, 3, 5]


async def test_what_was_known_before_is_not_told() -> None:
    """News that came while the present standing was being read counts only if it is newer."""
    watcher = Watcher(1)
    watcher.tell(standing(2))
    watcher.tell(standing(4))
    watcher.start_at(3)
    watcher.tell(standing(3))
    watcher.tell(standing(5))
    assert await told(watcher) == [4, 5]


async def test_news_wakes_whoever_waits() -> None:
    watcher = Watcher(1)
    waiting = asyncio.create_task(watcher.next(60))
    await asyncio.sleep(0)
    watcher.tell(standing(2))
    async with asyncio.timeout(10):
        news = await waiting
    assert news is not None
    assert news.version == 2


async def test_the_end_lets_everybody_go_after_the_last_news() -> None:
    watcher = Watcher(1)
    waiting = asyncio.create_task(watcher.next(60))
    await asyncio.sleep(0)
    watcher.end()
    async with asyncio.timeout(10):
        assert await waiting is None
        watcher.tell(standing(2))
        assert await told(watcher) == [2]
        assert await watcher.next(60) is None


def test_events_are_found_in_either_protocol() -> None:
    """RESP2 answers a list of streams, RESP3 a map."""
    event = (b"1-0", {b"id": b"s"})
    assert events_in([[b"gradeline:events", [event]]]) == [event]
    assert events_in({b"gradeline:events": [[event]]}) == [event]
    assert events_in(None) == events_in([]) == events_in({}) == []
