"""Waiting for a place: fair, and cheap however many wait."""

import asyncio
from collections.abc import Callable

import pytest

from pipeline.exchange import Route, Trouble
from pipeline.generation.waiting import FairGate, Place
from pipeline.live.local_health import HealthPolicy
from pipeline.ports.generation import Held
from tests.contracts.fakes.health import FakeHealth

ROUTE = Route("first", "openai", "m", account="one", concurrency=2)
OTHER = Route("second", "openai", "m", account="two", concurrency=2)
LONG = 60.0


@pytest.fixture
def health() -> FakeHealth:
    return FakeHealth(HealthPolicy(concurrency=3))


@pytest.fixture
def gate(health: FakeHealth) -> FairGate:
    """A gate that hardly ever asks by itself: what happens in these tests happens because of something."""
    return FairGate(health, least_pause_seconds=LONG, longest_pause_seconds=LONG)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 - what is waited for has no event of its own
            await asyncio.sleep(0)


async def entered(gate: FairGate, route: Route = ROUTE) -> Place:
    place = await gate.enter(route, LONG)
    assert isinstance(place, Place)
    return place


async def test_whoever_came_first_goes_first(gate: FairGate) -> None:
    places = [await entered(gate) for _ in range(ROUTE.concurrency)]
    seated: list[int] = []

    async def wait(number: int) -> None:
        async with await entered(gate) as place:
            seated.append(number)
            place.report(None)

    waiting = [asyncio.create_task(wait(number)) for number in range(20)]
    await until(lambda: gate.waiting >= len(waiting) - 1)
    for place in places:
        await gate.leave(place)
    await asyncio.gather(*waiting)
    assert seated == list(range(20))


async def test_a_thousand_who_wait_ask_as_often_as_one(gate: FairGate, health: FakeHealth) -> None:
    """And each place that comes back is asked for once or twice, not a thousand times."""
    places = [await entered(gate) for _ in range(ROUTE.concurrency)]
    before = health.admissions
    waiting = [asyncio.create_task(gate.enter(ROUTE, LONG)) for _ in range(1000)]
    await until(lambda: health.admissions > before and gate.waiting == 1000)
    assert health.admissions - before <= 64
    before = health.admissions
    for place in places:
        await gate.leave(place)
    done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    await until(lambda: gate.waiting == 998)
    assert health.admissions - before <= 4
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    for task in done:
        assert isinstance(task.result(), Place)


async def test_who_waits_long_enough_is_told_that_all_is_full(gate: FairGate) -> None:
    places = [await entered(gate) for _ in range(ROUTE.concurrency)]
    held = await gate.enter(ROUTE, 0.0)
    assert isinstance(held, Held)
    assert held.reason == "full"
    assert len(places) == ROUTE.concurrency


async def test_nobody_waits_for_a_sick_or_resting_account(gate: FairGate) -> None:
    """Those who waited already are told at once as well."""
    places = [await entered(gate) for _ in range(ROUTE.concurrency)]
    waiting = [asyncio.create_task(gate.enter(ROUTE, LONG)) for _ in range(5)]
    await until(lambda: gate.waiting == 5)
    async with places[0] as place:
        place.report(Trouble.RATE_LIMITED, 3)
    assert await asyncio.gather(*waiting) == [Held("cooling", 3)] * 5
    async with places[1] as place:
        place.report(Trouble.UNAUTHORIZED)
    answer = await gate.enter(ROUTE, LONG)
    assert isinstance(answer, Held)
    assert answer.reason == "open"


async def test_one_account_that_is_full_holds_up_no_other(gate: FairGate) -> None:
    places = [await entered(gate) for _ in range(ROUTE.concurrency)]
    waiting = asyncio.create_task(gate.enter(ROUTE, LONG))
    await until(lambda: gate.waiting == 1)
    async with await entered(gate, OTHER):
        assert not waiting.done()
    await gate.leave(places[0])
    assert isinstance(await waiting, Place)


async def test_a_place_that_is_left_without_a_word_tells_nothing(gate: FairGate, health: FakeHealth) -> None:
    """It was not sent, or broken off by us: neither a success nor a failure."""
    with pytest.raises(ZeroDivisionError):
        async with await entered(gate):
            raise ZeroDivisionError
    [looked] = await health.look([ROUTE])
    assert (looked.calls, looked.failures, looked.under_way) == (0, 0, 0)


async def test_a_place_is_free_as_soon_as_its_request_is_over(gate: FairGate) -> None:
    """What is done with the reply takes nobody's turn."""
    first, second = [await entered(gate) for _ in range(ROUTE.concurrency)]
    async with first, second, asyncio.timeout(10):
        second.report(None)
        async with await entered(gate):
            pass


@pytest.mark.parametrize("turns_of_the_loop", range(8))
async def test_whoever_is_stopped_while_waiting_leaks_no_place(
    gate: FairGate, health: FakeHealth, turns_of_the_loop: int
) -> None:
    """Whether it was still in the line, being asked for, or seated at that moment."""
    waiting = asyncio.create_task(gate.enter(ROUTE, LONG))
    for _ in range(turns_of_the_loop):
        await asyncio.sleep(0)
    waiting.cancel()
    [outcome] = await asyncio.gather(waiting, return_exceptions=True)
    if isinstance(outcome, Place):
        await gate.leave(outcome)
    await until(lambda: gate.waiting == 0)
    await gate.close()
    assert (await health.look([ROUTE]))[0].under_way == 0


async def test_places_of_long_requests_are_kept(health: FakeHealth) -> None:
    """All of them by one task, for as long as they are held and no longer."""
    gate = FairGate(health, renewed_every_seconds=0.0)
    first, second = await entered(gate), await entered(gate)
    await gate.leave(second)
    for _ in range(5):
        health.clock.pass_by(health.ward.policy.lease_seconds / 2)
        renewed = health.renewals
        await until(lambda renewed=renewed: health.renewals >= renewed + 2)  # type: ignore[misc] # a default binds the loop's value
    assert (await health.look([ROUTE]))[0].under_way == 1
    async with first:
        first.report(None)
    assert (await health.look([ROUTE]))[0].under_way == 0


async def test_a_surprise_reaches_all_who_wait_and_the_gate_goes_on(gate: FairGate, health: FakeHealth) -> None:
    places = [await entered(gate) for _ in range(ROUTE.concurrency)]
    waiting = [asyncio.create_task(gate.enter(ROUTE, LONG)) for _ in range(3)]
    await until(lambda: gate.waiting == 3)
    health.surprise = ZeroDivisionError()
    await gate.leave(places[0])
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [ZeroDivisionError] * 3
    health.surprise = None
    assert isinstance(await entered(gate), Place)


async def test_a_gate_that_closes_lets_go_of_those_who_wait(gate: FairGate) -> None:
    for _ in range(ROUTE.concurrency):
        await entered(gate)
    waiting = asyncio.create_task(gate.enter(ROUTE, LONG))
    await until(lambda: gate.waiting == 1)
    await gate.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
