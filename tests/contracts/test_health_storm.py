"""The providers' health on a real Valkey by its own clock: under a storm, and when Valkey forgets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

import redis

from pipeline.exchange import Route, Trouble
from pipeline.generation.waiting import FairGate, Place
from pipeline.live.client import create_client
from pipeline.live.health import RedisHealth
from pipeline.live.local_health import HealthPolicy
from pipeline.ports.generation import Admitted, Held

ROUTE = Route("first", "openai", "m", account="one", concurrency=5)
OTHER = Route("second", "openai", "m", account="two", concurrency=4)
POLICY = HealthPolicy(concurrency=7, lease_seconds=600)
NEVER = 600.0
"""However slow the machine is: Redis decides all of it, and each lease lasts until its request is over."""


@asynccontextmanager
async def processes(url: str, count: int, policy: HealthPolicy = POLICY) -> AsyncIterator[list[RedisHealth]]:
    """What so many processes know of the providers."""
    clients = [create_client(url, reply_seconds=NEVER) for _ in range(count)]
    try:
        yield [RedisHealth(client, policy, answer_seconds=NEVER) for client in clients]
    finally:
        for client in clients:
            await client.aclose()


class Storm:
    """Requests of several processes to two accounts, and how many were under way at once."""

    def __init__(self, healths: list[RedisHealth]) -> None:
        self.gates = [
            FairGate(health, least_pause_seconds=0.001, longest_pause_seconds=0.004, renewed_every_seconds=0.05)
            for health in healths
        ]
        self.under_way = {ROUTE.account: 0, OTHER.account: 0}
        self.most = {ROUTE.account: 0, OTHER.account: 0}
        self.most_of_all = 0
        self.sent = [0] * len(healths)
        self.all_taken = asyncio.Event()
        self.half_way = asyncio.Event()

    async def request(self, number: int, of: int) -> None:
        process, route = number % len(self.gates), OTHER if number % 3 else ROUTE
        place = await self.gates[process].enter(route, NEVER)
        assert isinstance(place, Place)
        async with place:
            self._count(route, 1)
            await self.all_taken.wait()  # so that the limit is reached, if only once
            for _ in range(number % 7):
                await asyncio.sleep(0)
            place.report(None)
            self._count(route, -1)
        self.sent[process] += 1
        if sum(self.sent) >= of / 2:
            self.half_way.set()

    async def rage(self, count: int) -> None:
        await asyncio.gather(*[self.request(number, count) for number in range(count)])
        for gate in self.gates:
            await gate.close()

    def _count(self, route: Route, change: int) -> None:
        self.under_way[route.account] += change
        self.most[route.account] = max(self.most[route.account], self.under_way[route.account])
        self.most_of_all = max(self.most_of_all, sum(self.under_way.values()))
        if self.most_of_all >= POLICY.concurrency:
            self.all_taken.set()


async def test_no_storm_exceeds_a_limit(redis_url: str) -> None:
    """500 requests of four processes: at most 5 and 4 to each account and 7 to both, and nobody is left out."""
    async with processes(redis_url, 4) as healths:
        storm = Storm(healths)
        await storm.rage(500)
        looked = await healths[0].look([ROUTE, OTHER])
    assert storm.sent == [125] * 4
    assert storm.most_of_all == POLICY.concurrency
    assert storm.most[ROUTE.account] <= ROUTE.concurrency
    assert storm.most[OTHER.account] <= OTHER.concurrency
    assert [one.under_way for one in looked] == [0, 0]


async def test_a_redis_that_forgets_everything_in_a_storm_stops_nothing(redis_url: str) -> None:
    """Those under way at that moment may have as many beside them, once; then the limit holds again."""
    async with processes(redis_url, 4) as healths:
        storm = Storm(healths)
        raging = asyncio.create_task(storm.rage(300))
        await storm.half_way.wait()
        with redis.Redis.from_url(redis_url) as client:
            client.flushall()
        await raging
        looked = await healths[0].look([ROUTE, OTHER])
    assert sum(storm.sent) == 300
    assert storm.most_of_all <= 2 * POLICY.concurrency
    assert [one.under_way for one in looked] == [0, 0]


async def test_requests_take_their_places_again_where_redis_forgot_them(redis_url: str) -> None:
    async with processes(redis_url, 2) as (mine, others):
        held = [(ROUTE, answer) for _ in range(5) if isinstance(answer := await mine.admit(ROUTE), Admitted)]
        with redis.Redis.from_url(redis_url) as client:
            client.flushall()
        await mine.renew_all(held)
        assert isinstance(await others.admit(ROUTE), Held)
        await mine.release(ROUTE, held[0][1], Trouble.TIMED_OUT)
        [looked] = await others.look([ROUTE])
    assert (looked.under_way, looked.failures) == (4, 1)


async def test_exactly_one_probe_by_redis_own_clock(redis_url: str) -> None:
    """All ask again and again, through the end of the pause; the lease of a dead probe ends by itself too.

    On a slow machine it may end between two who ask at once, so it is Redis that says when each began.
    """
    policy = HealthPolicy(least_calls=1, open_seconds=0.05, lease_seconds=0.2)
    async with processes(redis_url, 4, policy) as healths:
        [place] = [answer for answer in [await healths[0].admit(ROUTE)] if isinstance(answer, Admitted)]
        await healths[0].release(ROUTE, place, Trouble.UNREACHABLE)
        probes = [*await first_admitted(healths), *await first_admitted(healths)]
    assert all(probe.probe for probe in probes)
    began = sorted(int(probe.lease.partition("-")[0]) for probe in probes)
    assert all(later - earlier >= 1000 * policy.lease_seconds for earlier, later in pairwise(began))


async def first_admitted(healths: list[RedisHealth]) -> list[Admitted]:
    async with asyncio.timeout(NEVER):
        while True:
            answers = await asyncio.gather(*[healths[n % len(healths)].admit(ROUTE) for n in range(20)])
            if admitted := [answer for answer in answers if isinstance(answer, Admitted)]:
                return admitted


async def test_nothing_is_kept_for_ever(redis_url: str) -> None:
    """Neither who has a place, nor who waits for one, nor what is known of an account."""
    async with processes(redis_url, 1) as [health]:
        answers = [await health.admit(OTHER) for _ in range(OTHER.concurrency + 1)]
        [*places, _] = answers
        assert isinstance(places[0], Admitted)
        await health.release(OTHER, places[0], Trouble.RATE_LIMITED)
    with redis.Redis.from_url(redis_url) as client:
        lives = [client.pttl(key) for key in client.scan_iter("*")]
    assert len(lives) == 4
    assert all(0 < life <= 2_000_000 for life in lives)
