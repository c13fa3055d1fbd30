"""The providers' health while Valkey dies and comes back."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import redis

from pipeline.embedded import EmbeddedValkey
from pipeline.exchange import Route
from pipeline.live.client import create_client
from pipeline.live.health import REST_SECONDS, RedisHealth
from pipeline.live.local_health import HealthPolicy
from pipeline.ports.generation import Admitted, Held
from tests.integration.faults.conftest import revive

ROUTE = Route("first", "openai", "m", account="one", concurrency=2)


@pytest.fixture
def empty_valkey(mortal_valkey: EmbeddedValkey) -> EmbeddedValkey:
    """A Valkey that may be killed or frozen, and knows of no request."""
    with redis.Redis.from_url(mortal_valkey.url) as client:
        client.flushall()
    return mortal_valkey


async def admitted(health: RedisHealth) -> Admitted:
    answer = await health.admit(ROUTE)
    assert isinstance(answer, Admitted)
    return answer


async def test_workers_go_on_by_themselves_and_find_together_again(empty_valkey: EmbeddedValkey) -> None:
    """While it is dead each has the limit for itself; back again, those under way are counted together."""
    client, other_client = create_client(empty_valkey.url), create_client(empty_valkey.url)
    mine, others = RedisHealth(client, HealthPolicy()), RedisHealth(other_client, HealthPolicy())
    try:
        first = await admitted(mine)
        empty_valkey.kill()
        second, foreign = await admitted(mine), await admitted(others)
        assert isinstance(await mine.admit(ROUTE), Held)
        await mine.release(ROUTE, first, None)
        empty_valkey.start()
        async with asyncio.timeout(20):
            while not (await looked(others, mine, [second], [foreign])):  # noqa: ASYNC110 - each is left alone a second
                await asyncio.sleep(0.02)
        assert isinstance(await mine.admit(ROUTE), Held)
    finally:
        revive(empty_valkey)
        await client.aclose()
        await other_client.aclose()


@asynccontextmanager
async def frozen(valkey: EmbeddedValkey) -> AsyncIterator[None]:
    """A Valkey that takes what it is sent, and does it once it goes on."""
    os.kill(valkey.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(valkey.pid, signal.SIGCONT)


async def under_way(health: RedisHealth, count: int) -> None:
    """Until Redis knows of so many requests."""
    async with asyncio.timeout(60):
        while (await health.look([ROUTE]))[0].under_way != count:  # noqa: ASYNC110 - another process's doing
            await asyncio.sleep(0.01)


async def test_a_place_whose_answer_came_too_late_is_the_one_that_was_taken_meanwhile(
    empty_valkey: EmbeddedValkey,
) -> None:
    """A frozen Valkey gives it out when it goes on, when the request has long begun: it must not count twice."""
    client, moment = create_client(empty_valkey.url), [0.0]
    policy = HealthPolicy(lease_seconds=600)
    health = RedisHealth(client, policy, monotonic=lambda: moment[0], answer_seconds=1.0)
    try:
        await health.release(ROUTE, await admitted(health), None)  # connected, and its scripts known
        async with frozen(empty_valkey):
            place = await admitted(health)
        await under_way(health, 1)
        moment[0] += REST_SECONDS
        await health.renew_all([(ROUTE, place)])
        await under_way(health, 1)
        await health.release(ROUTE, place, None)
        await under_way(health, 0)
    finally:
        await client.aclose()


async def test_places_that_nobody_heard_of_and_ends_that_redis_did_not_hear_of_are_given_back(
    empty_valkey: EmbeddedValkey,
) -> None:
    """Redis forgets, freezes, and gives a place to one who has long been told that there is none."""
    client, moment = create_client(empty_valkey.url), [0.0]
    policy = HealthPolicy(lease_seconds=600)
    health = RedisHealth(client, policy, monotonic=lambda: moment[0], answer_seconds=1.0)
    try:
        places = [await admitted(health) for _ in range(ROUTE.concurrency)]
        await client.flushall()
        await health.renew(ROUTE, places[0])
        async with frozen(empty_valkey):
            assert isinstance(await health.admit(ROUTE), Held)
            await health.release(ROUTE, places[0], None)
        await under_way(health, 2)
        moment[0] += REST_SECONDS
        third = await admitted(health)
        await under_way(health, 1)
        await health.release(ROUTE, third, None)
        await under_way(health, 0)
    finally:
        await client.aclose()


async def looked(others: RedisHealth, mine: RedisHealth, here: list[Admitted], there: list[Admitted]) -> bool:
    """Whether both requests are known to all, after their workers renewed them."""
    await mine.renew_all([(ROUTE, place) for place in here])
    await others.renew_all([(ROUTE, place) for place in there])
    [seen] = await others.look([ROUTE])
    return seen.under_way == len(here) + len(there)
