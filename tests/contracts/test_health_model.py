"""Whatever happens to providers in whatever order, Redis decides as the model in memory does."""

import asyncio
from collections.abc import Callable
from typing import Any

import redis
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.embedded import EmbeddedValkey
from pipeline.exchange import Route, Trouble
from pipeline.live.client import create_client
from pipeline.live.health import RedisHealth
from pipeline.live.local_health import Asking, HealthPolicy, LocalHealth, Verdict, verdict_of
from pipeline.ports.generation import Admitted
from tests.contracts.fakes.health import HAND_CLOCK, HandClock

ROUTES = [
    Route("first", "openai", "m", account="one", concurrency=4),
    Route("second", "openai", "m", account="two", concurrency=3),
]
POLICY = HealthPolicy(
    concurrency=5,
    window_seconds=3,
    least_calls=3,
    open_seconds=1,
    open_cap_seconds=6,
    rest_seconds=0.5,
    lease_seconds=4,
)
TROUBLES = [None, None, Trouble.SERVER_ERROR, Trouble.REFUSED, Trouble.RATE_LIMITED, Trouble.QUOTA_SPENT]
NUMBERS = st.integers(0, 6)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("admit"), st.integers(0, 1), st.integers(0, 1)),
        st.tuples(st.just("end"), NUMBERS, st.sampled_from(TROUBLES), st.sampled_from([None, 0.3, 5000.0])),
        st.tuples(st.just("withdraw"), NUMBERS),
        st.tuples(st.just("renew"), NUMBERS),
        st.tuples(st.just("wait"), st.sampled_from([0.05, 0.7, 1.0, 2.0, 9.0])),
    ),
    min_size=10,
    max_size=60,
)
DRAWS = st.floats(0, 1, exclude_max=True)


class Pair:
    """Two processes on Redis, and the model, which are told the same; after each step they say the same."""

    def __init__(self, redis_client: redis.Redis, healths: list[RedisHealth]) -> None:
        self.client = redis_client
        self.healths = healths
        self.model = LocalHealth(POLICY)
        self.clock = HandClock()
        self.places: list[tuple[Route, Admitted, Admitted]] = []

    async def take(self, step: tuple[Any, ...], draw: float) -> None:
        self.pass_by(0.001)
        name, *arguments = step
        steps: dict[str, Callable[..., Any]] = {"admit": self.admit, "end": self.end, "withdraw": self.withdraw}
        if name == "wait":
            self.pass_by(*arguments)
        elif name == "renew":
            await self.renew(*arguments)
        else:
            await steps[name](*arguments, draw)
        looked = await self.healths[0].look(ROUTES)
        assert looked == [self.model.look(route.account, self.clock.ms) for route in ROUTES]
        assert sum(one.under_way for one in looked) <= POLICY.concurrency + len(self.places)

    def pass_by(self, seconds: float) -> None:
        self.clock.pass_by(seconds)
        self.client.set("test:now", self.clock.ms)

    async def admit(self, which: int, process: int, _: float) -> None:
        route = ROUTES[which]
        asking = Asking(route.account, route.concurrency, f"n{len(self.places)}", asker=f"p{process}")
        found, expected = await self.healths[process].admit(route), self.model.admit(asking, self.clock.ms)
        if isinstance(found, Admitted) and isinstance(expected, Admitted):
            assert found.probe == expected.probe
            self.places.append((route, found, expected))
        else:
            assert found == expected

    async def end(self, number: int, trouble: Trouble | None, rest_seconds: float | None, draw: float) -> None:
        for route, found, expected in self.recent(number):
            await self.healths[0].release(route, found, trouble, rest_seconds=rest_seconds)
            self.model.release(route.account, expected.lease, verdict_of(trouble), self.clock.ms, draw, rest_seconds)

    async def withdraw(self, number: int, draw: float) -> None:
        for route, found, expected in self.recent(number):
            await self.healths[0].withdraw(route, found)
            self.model.release(route.account, expected.lease, Verdict.SILENT, self.clock.ms, draw)

    async def renew(self, number: int) -> None:
        for route, found, expected in self.recent(number):
            await self.healths[0].renew(route, found)
            self.model.renew(route.account, expected.lease, self.clock.ms)

    def recent(self, number: int) -> list[tuple[Route, Admitted, Admitted]]:
        """The `number`-th of the last places, given back or not."""
        return self.places[-number - 1 :][:1]


async def run(url: str, steps: list[tuple[Any, ...]], draw: float) -> None:
    clients = [create_client(url) for _ in range(2)]
    with redis.Redis.from_url(url) as client:
        client.flushall()
        pair = Pair(client, [RedisHealth(c, POLICY, draw=lambda: draw, clock=HAND_CLOCK) for c in clients])
        for step in steps:
            await pair.take(step, draw)
    for one in clients:
        await one.aclose()


@settings(max_examples=80, deadline=None)
@given(steps=STEPS, draw=DRAWS)
def test_redis_decides_as_the_model_does(valkey: EmbeddedValkey, steps: list[tuple[Any, ...]], draw: float) -> None:
    asyncio.run(run(valkey.url, steps, draw))
