"""Counting in Redis: what holds in one process holds across all of them."""

import asyncio
import time
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest

from pipeline.errors import Unavailable
from pipeline.live.client import create_client
from pipeline.live.limit import RedisCounter
from pipeline.window import Charge, LocalCounter

LEARNER, TENANT = Charge("learner:1:u-1", 3, 300), Charge("tenant:1", 5, 300)


@pytest.fixture
async def counters(redis_url: str) -> AsyncIterator[list[RedisCounter]]:
    """Two processes' counters."""
    clients = [create_client(redis_url) for _ in range(2)]
    yield [RedisCounter(client) for client in clients]
    for client in clients:
        await client.aclose()


async def test_concurrent_processes_get_exactly_the_limit_between_them(counters: list[RedisCounter]) -> None:
    answers = await asyncio.gather(*[counters[n % 2].take([(LEARNER, TENANT)]) for n in range(20)])
    assert sum(taken for answer in answers for taken, _ in answer) == 3


async def test_it_decides_as_the_local_one_does(counters: list[RedisCounter]) -> None:
    """The same requests in the same order are taken and refused alike, with the same room left."""
    learners = [Charge(f"learner:1:u-{n % 3}", 2, 300) for n in range(10)]
    requests = [(learner, TENANT) for learner in learners]
    local = LocalCounter()
    expected = [local.take(request, 0) for request in requests]
    found = await counters[0].take(requests)
    assert [taken for taken, _ in found] == [taken for taken, _ in expected]
    assert [[r.left for r in rooms] for _, rooms in found] == [[r.left for r in rooms] for _, rooms in expected]


async def test_what_is_given_back_can_be_taken_again(counters: list[RedisCounter]) -> None:
    """Once, and only what was taken."""
    await counters[0].give_back([(LEARNER,)])
    taken = await counters[0].take([(LEARNER,)] * 4)
    assert [one for one, _ in taken] == [True, True, True, False]
    await counters[1].give_back([(LEARNER,)])
    again = await counters[0].take([(LEARNER,)] * 2)
    assert [one for one, _ in again] == [True, False]


async def test_room_comes_back(counters: list[RedisCounter]) -> None:
    """When the window has passed, by Redis' clock, and not a moment before."""
    brief = Charge("brief", 1, 1)
    began = time.monotonic()
    [(_, before)] = await counters[0].take([(brief,)])
    async with asyncio.timeout(10):
        while not (await counters[0].take([(brief,)]))[0][0]:  # noqa: ASYNC110 - time passes in Redis
            await asyncio.sleep(0.001)
    assert time.monotonic() - began >= brief.window_seconds
    assert before[0].left == 0
    assert 1 <= before[0].seconds <= 2


async def test_nothing_is_kept_for_ever(counters: list[RedisCounter], redis_url: str) -> None:
    await counters[0].take([(LEARNER, TENANT)])
    client = create_client(redis_url)
    lives = [await client.ttl(key) async for key in client.scan_iter("gradeline:limit:*")]
    await client.aclose()
    assert len(lives) == 2
    assert all(300 <= seconds <= 310 for seconds in lives)


async def test_what_is_left_only_shrinks_while_it_is_taken(counters: list[RedisCounter]) -> None:
    left = [rooms[0].left for _, rooms in await counters[0].take([(TENANT,)] * 8)]
    assert all(later <= earlier for earlier, later in pairwise(left))
    assert left == [4, 3, 2, 1, 0, 0, 0, 0]


async def test_it_says_so_when_redis_is_away() -> None:
    client = create_client("redis://127.0.0.1:1/0")
    with pytest.raises(Unavailable):
        await RedisCounter(client).take([(LEARNER,)])
    await client.aclose()
