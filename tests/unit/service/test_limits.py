"""Limits on handing in: what is told of them, and what happens while Redis is away."""

import asyncio
from collections.abc import Sequence

import pytest

from pipeline.errors import RateLimited, Unavailable
from pipeline.service.limits import ANSWER_SECONDS, Allowance, Limits
from pipeline.settings import RateLimit
from pipeline.window import Charge, LocalCounter, Room


class SwitchedCounter:
    """A counter in memory that can be away."""

    def __init__(self) -> None:
        self.away = False
        self.asked = 0
        self._counter = LocalCounter()

    async def take(self, requests: Sequence[tuple[Charge, ...]]) -> list[tuple[bool, list[Room]]]:
        self._ask()
        return [self._counter.take(request, 0) for request in requests]

    async def give_back(self, requests: Sequence[tuple[Charge, ...]]) -> None:
        self._ask()
        for request in requests:
            self._counter.give_back(request, 0)

    def _ask(self) -> None:
        self.asked += 1
        if self.away:
            raise Unavailable("Redis is not available.")


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def limits(counter: SwitchedCounter, clock: Clock, learner: int = 2, tenant: int = 3) -> Limits:
    return Limits(learner=RateLimit(learner, 300), tenant=RateLimit(tenant, 60), counter=counter, clock=clock)


async def test_a_refusal_names_the_limit_that_is_used_up() -> None:
    """First the learner's own, then the tenant's."""
    kept = limits(SwitchedCounter(), Clock())
    await kept.take(1, "u-1")
    allowance = await kept.take(1, "u-1")
    assert allowance.policy == '"learner";q=2;w=300, "tenant";q=3;w=60'
    assert allowance.remaining.startswith('"learner";r=0;t=')
    with pytest.raises(RateLimited) as own:
        await kept.take(1, "u-1")
    assert (own.value.policy, own.value.limit, own.value.window_seconds) == ("learner", 2, 300)
    await kept.take(1, "u-2")
    with pytest.raises(RateLimited) as shared:
        await kept.take(1, "u-3")
    assert (shared.value.policy, shared.value.limit) == ("tenant", 3)


async def test_while_redis_is_away_the_process_counts_for_itself() -> None:
    """The limit still holds, and Redis is asked again only after a rest."""
    counter, clock = SwitchedCounter(), Clock()
    kept = limits(counter, clock)
    counter.away = True
    await kept.take(1, "u-1")
    await kept.take(1, "u-1")
    with pytest.raises(RateLimited):
        await kept.take(1, "u-1")
    assert counter.asked == 1
    counter.away = False
    clock.now += 2
    await kept.take(1, "u-1")
    assert counter.asked == 2


async def test_what_is_given_back_can_be_taken_again() -> None:
    """With Redis and without; an outage at that very moment raises nothing."""
    counter, clock = SwitchedCounter(), Clock()
    kept = limits(counter, clock, learner=1)
    allowance = await kept.take(1, "u-1")
    await kept.give_back(allowance)
    allowance = await kept.take(1, "u-1")
    counter.away = True
    await kept.give_back(allowance)
    allowance = await kept.take(1, "u-1")
    await kept.give_back(allowance)
    await kept.take(1, "u-1")


async def test_what_was_taken_here_is_not_returned_to_redis() -> None:
    """Redis is back by then, and the unit it counts is another one's."""
    counter, clock = SwitchedCounter(), Clock()
    kept = limits(counter, clock, learner=1)
    await kept.take(1, "u-1")
    counter.away = True
    taken_here = await kept.take(1, "u-1")
    counter.away = False
    clock.now += 2
    await kept.give_back(taken_here)
    with pytest.raises(RateLimited):
        await kept.take(1, "u-1")


async def test_what_was_taken_from_redis_is_not_returned_here() -> None:
    """Redis is away by then, and the unit counted here is another one's."""
    counter, clock = SwitchedCounter(), Clock()
    kept = limits(counter, clock, learner=1)
    taken_there = await kept.take(1, "u-1")
    counter.away = True
    await kept.take(1, "u-1")
    await kept.give_back(taken_there)
    with pytest.raises(RateLimited):
        await kept.take(1, "u-1")


class SilentCounter:
    """A Redis that takes every request and answers none."""

    async def take(self, requests: Sequence[tuple[Charge, ...]]) -> list[tuple[bool, list[Room]]]:
        await asyncio.Event().wait()
        raise AssertionError(requests)

    async def give_back(self, requests: Sequence[tuple[Charge, ...]]) -> None:
        await self.take(requests)


async def test_a_limiter_that_hangs_costs_a_hand_in_half_a_second_once() -> None:
    """Then it is counted here, and Redis is left alone for a while."""
    kept = Limits(learner=RateLimit(2, 300), tenant=RateLimit(3, 60), counter=SilentCounter(), clock=Clock())
    async with asyncio.timeout(ANSWER_SECONDS + 1):
        assert (await kept.take(1, "u-1")).local
    async with asyncio.timeout(ANSWER_SECONDS / 2):
        assert (await kept.take(1, "u-1")).local
        await kept.give_back(Allowance((), "", ""))
