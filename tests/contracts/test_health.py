"""How providers do: what holds in one process holds across all of them, on a real Valkey and in the fake."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
import redis

from pipeline.exchange import Route, Trouble
from pipeline.live.client import create_client
from pipeline.live.health import RedisHealth
from pipeline.live.local_health import HealthPolicy, LocalHealth
from pipeline.ports.generation import Admitted, Health, Held
from tests.contracts.fakes.health import BEGINNING_MS, HAND_CLOCK, FakeHealth, HandClock

POLICY = HealthPolicy(concurrency=8, window_seconds=30, least_calls=4, failure_rate=0.5, open_seconds=8)
ROUTE = Route("first", "openai", "m", account="one", concurrency=5)
OTHER = Route("second", "anthropic", "m", account="two", concurrency=5)
PROCESSES = 4


class Ward:
    """Several processes that share what they know, and the clock they share it by."""

    def __init__(self, processes: list[Health], pass_by: Callable[[float], None]) -> None:
        self.processes = processes
        self.pass_by = pass_by

    async def admitted(self, route: Route = ROUTE, process: int = 0) -> Admitted:
        answer = await self.processes[process].admit(route)
        assert isinstance(answer, Admitted)
        return answer

    async def held(self, route: Route = ROUTE, process: int = 0) -> Held:
        answer = await self.processes[process].admit(route)
        assert isinstance(answer, Held)
        return answer

    async def end(
        self, admitted: Admitted, trouble: Trouble | None = None, *, rest_seconds: float | None = None, process: int = 0
    ) -> None:
        await self.processes[process].release(ROUTE, admitted, trouble, rest_seconds=rest_seconds)

    async def meet(self, *troubles: Trouble | None) -> None:
        """One request after the other that ends so."""
        for trouble in troubles:
            await self.end(await self.admitted(), trouble)

    async def fall_sick(self) -> None:
        await self.meet(*[Trouble.SERVER_ERROR] * POLICY.least_calls)


class RedisClock:
    """The clock of `HAND_CLOCK`."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._ms = BEGINNING_MS
        self.pass_by(0)

    def pass_by(self, seconds: float) -> None:
        self._ms += round(seconds * 1000)
        with redis.Redis.from_url(self._url) as client:
            client.set("test:now", self._ms)


@pytest.fixture
async def redis_ward(redis_url: str) -> AsyncIterator[Ward]:
    clients = [create_client(redis_url) for _ in range(PROCESSES)]
    clock = RedisClock(redis_url)
    yield Ward([RedisHealth(c, POLICY, draw=lambda: 0.5, clock=HAND_CLOCK) for c in clients], clock.pass_by)
    for client in clients:
        await client.aclose()


def fake_ward() -> Ward:
    shared, clock = LocalHealth(POLICY), HandClock()
    return Ward([FakeHealth(ward=shared, clock=clock, asker=f"p{n}") for n in range(PROCESSES)], clock.pass_by)


@pytest.fixture(params=["fake", "redis"])
def ward(request: pytest.FixtureRequest) -> Ward:
    found: Ward = fake_ward() if request.param == "fake" else request.getfixturevalue("redis_ward")
    return found


async def test_a_healthy_account_admits_as_many_as_its_limit(ward: Ward) -> None:
    """Across all processes; and one place comes back with each that is given back."""
    answers = await asyncio.gather(*[ward.processes[n % PROCESSES].admit(ROUTE) for n in range(20)])
    taken = [answer for answer in answers if isinstance(answer, Admitted)]
    assert len(taken) == ROUTE.concurrency
    assert {answer.reason for answer in answers if isinstance(answer, Held)} == {"full"}
    await ward.end(taken[0])
    ward.pass_by(POLICY.turn_seconds)
    again = [await process.admit(ROUTE) for process in ward.processes]
    assert sum(isinstance(answer, Admitted) for answer in again) == 1


async def test_all_accounts_together_have_a_limit_too(ward: Ward) -> None:
    for route in [ROUTE] * 5 + [OTHER] * 3:
        await ward.admitted(route)
    assert (await ward.held(OTHER)).reason == "full"


async def test_giving_a_place_back_twice_gives_back_one(ward: Ward) -> None:
    """And what the first time said is not counted again."""
    first, *_ = [await ward.admitted() for _ in range(ROUTE.concurrency)]
    for process in (0, 1, 0):
        await ward.end(first, Trouble.SERVER_ERROR, process=process)
    await ward.admitted()
    await ward.held()
    [looked] = await ward.processes[0].look([ROUTE])
    assert (looked.calls, looked.failures, looked.under_way) == (1, 1, ROUTE.concurrency)


async def test_a_dead_workers_places_come_back_by_themselves(ward: Ward) -> None:
    """And those of one that lives, and renews, stay."""
    kept, *_ = [await ward.admitted() for _ in range(ROUTE.concurrency)]
    ward.pass_by(POLICY.lease_seconds - 0.001)
    assert (await ward.held(process=1)).reason == "full"
    await ward.processes[0].renew_all([(ROUTE, kept)])
    ward.pass_by(0.001)
    for _ in range(ROUTE.concurrency - 1):
        await ward.admitted(process=1)
    assert (await ward.held(process=1)).reason == "full"


async def test_a_breaker_opens_for_all_where_too_many_fail(ward: Ward) -> None:
    await ward.meet(None, None, Trouble.TIMED_OUT)
    await ward.admitted()
    await ward.meet(Trouble.OVERLOADED)
    assert [(await ward.held(process=n)).reason for n in range(PROCESSES)] == ["open"] * PROCESSES
    assert isinstance(await ward.processes[0].admit(OTHER), Admitted)


async def test_a_few_failures_open_nothing(ward: Ward) -> None:
    """Fewer than the least count, or not the share that matters, or longer ago than the window."""
    await ward.meet(*[Trouble.SERVER_ERROR] * 3)
    ward.pass_by(POLICY.window_seconds)
    await ward.meet(*[None] * 4, *[Trouble.SERVER_ERROR] * 3, None, Trouble.SERVER_ERROR)
    await ward.admitted()


@pytest.mark.parametrize("trouble", [Trouble.BAD_REQUEST, Trouble.REFUSED, Trouble.INVALID_REPLY, Trouble.TRUNCATED])
async def test_a_provider_that_will_not_do_it_is_not_sick(ward: Ward, trouble: Trouble) -> None:
    await ward.meet(*[trouble] * 20)
    await ward.admitted()


@pytest.mark.parametrize("trouble", [Trouble.QUOTA_SPENT, Trouble.UNAUTHORIZED])
async def test_trouble_of_the_account_opens_its_breaker_at_once(ward: Ward, trouble: Trouble) -> None:
    await ward.meet(trouble)
    assert (await ward.held(process=1)).reason == "open"


async def test_exactly_one_probe_tests_a_sick_account(ward: Ward) -> None:
    """Of twenty who ask at the same time from all processes."""
    await ward.fall_sick()
    held = await ward.held()
    ward.pass_by(held.seconds)
    answers = await asyncio.gather(*[ward.processes[n % PROCESSES].admit(ROUTE) for n in range(20)])
    probes = [answer for answer in answers if isinstance(answer, Admitted)]
    assert [probe.probe for probe in probes] == [True]
    assert {answer.reason for answer in answers if isinstance(answer, Held)} == {"open"}


async def test_a_dead_worker_cannot_keep_the_probe(ward: Ward) -> None:
    """Whoever probes next decides; the first one, back from the dead, says nothing any more."""
    await ward.fall_sick()
    ward.pass_by(POLICY.open_seconds)
    first = await ward.admitted()
    ward.pass_by(POLICY.lease_seconds)
    second = await ward.admitted(process=1)
    assert second.probe
    await ward.end(first, Trouble.SERVER_ERROR)
    assert (await ward.held(process=2)).reason == "open"
    await ward.end(second, process=1)
    assert not (await ward.admitted(process=2)).probe


async def test_a_good_probe_closes_the_breaker(ward: Ward) -> None:
    """What was counted before is forgotten: the next failure opens nothing."""
    await ward.fall_sick()
    ward.pass_by(POLICY.open_seconds)
    await ward.end(await ward.admitted())
    await ward.meet(*[Trouble.SERVER_ERROR] * (POLICY.least_calls - 1))
    assert not (await ward.admitted(process=3)).probe


async def test_a_bad_probe_opens_it_for_twice_as_long(ward: Ward) -> None:
    """Up to the cap; jitter takes a quarter off here, as the draw is one half."""
    await ward.fall_sick()
    lasted = []
    for _ in range(8):
        lasted.append((await ward.held()).seconds)
        ward.pass_by(lasted[-1])
        probe = await ward.admitted()
        await ward.end(probe, Trouble.UNREACHABLE)
    assert lasted == [6, 12, 24, 48, 96, 192, 225, 225]


async def test_a_probe_that_was_not_sent_leaves_the_turn_to_another(ward: Ward) -> None:
    await ward.fall_sick()
    ward.pass_by(POLICY.open_seconds)
    await ward.processes[0].withdraw(ROUTE, await ward.admitted())
    assert (await ward.admitted(process=1)).probe


async def test_those_who_were_sent_before_the_breaker_opened_do_not_open_it_wider(ward: Ward) -> None:
    """Nor do they fail or pass its probe, nor count once it is closed."""
    early = [await ward.admitted() for _ in range(3)]
    await ward.fall_sick()
    opened = (await ward.held()).seconds
    await ward.end(early[0], Trouble.UNAUTHORIZED)
    assert (await ward.held()).seconds == opened
    ward.pass_by(opened)
    probe = await ward.admitted()
    await ward.end(early[1])
    assert (await ward.held()).reason == "open"
    await ward.end(probe)
    ward.pass_by(0.001)
    await ward.end(early[2], Trouble.UNAUTHORIZED)
    await ward.admitted()


async def test_a_rate_limit_rests_the_account_for_all_and_opens_nothing(ward: Ward) -> None:
    """As long as the provider says; failures are not counted."""
    await ward.end(await ward.admitted(), Trouble.RATE_LIMITED, rest_seconds=3)
    assert await ward.held(process=2) == Held("cooling", 3)
    ward.pass_by(3)
    await ward.admitted(process=2)
    [looked] = await ward.processes[1].look([ROUTE])
    assert (looked.breaker, looked.calls, looked.cooling_seconds) == ("closed", 0, None)


async def test_a_rate_limit_without_a_time_rests_longer_each_time(ward: Ward) -> None:
    """Several met at once are one; a request that succeeds after a rest ends the row."""
    lasted = []
    for _ in range(7):
        met = [await ward.admitted() for _ in range(3)]
        for one in met:
            await ward.end(one, Trouble.RATE_LIMITED)
        lasted.append((await ward.held()).seconds)
        ward.pass_by(lasted[-1])
    assert lasted == [1.5, 3, 6, 12, 24, 45, 45]
    await ward.meet(None, Trouble.RATE_LIMITED)
    assert (await ward.held()).seconds == 1.5


async def test_no_provider_rests_longer_than_the_policy_allows(ward: Ward) -> None:
    await ward.end(await ward.admitted(), Trouble.RATE_LIMITED, rest_seconds=86_400)
    assert await ward.held() == Held("cooling", POLICY.longest_rest_seconds)


async def test_operators_see_how_an_account_does(ward: Ward) -> None:
    await ward.meet(None, Trouble.TIMED_OUT, Trouble.TIMED_OUT)
    await ward.admitted()
    looked = await ward.processes[1].look([ROUTE, OTHER, ROUTE])
    assert [(one.account, one.breaker, one.calls, one.failures, one.under_way) for one in looked] == [
        ("one", "closed", 3, 2, 1),
        ("two", "closed", 0, 0, 0),
    ]
    await ward.meet(Trouble.TIMED_OUT)
    [looked_again] = await ward.processes[1].look([ROUTE])
    assert (looked_again.breaker, looked_again.opens_again_in_seconds) == ("open", 6)
    ward.pass_by(6)
    [once_more] = await ward.processes[1].look([ROUTE])
    assert (once_more.breaker, once_more.opens_again_in_seconds) == ("half_open", None)


async def test_processes_that_wait_take_turns(ward: Ward) -> None:
    """A place that comes back goes to whoever waits longest, not to the process that asks first."""
    mine = [await ward.admitted() for _ in range(ROUTE.concurrency)]
    for process in (1, 2, 0):
        assert (await ward.held(process=process)).reason == "full"
        ward.pass_by(0.01)
    for expected, one in zip((1, 2, 0), mine, strict=False):
        await ward.end(one)
        answers = [await ward.processes[n].admit(ROUTE) for n in (0, 2, 1, 0, 2, 1)]
        got = {n for n, answer in zip((0, 2, 1, 0, 2, 1), answers, strict=True) if isinstance(answer, Admitted)}
        assert got == {expected}


async def test_who_stops_waiting_loses_its_turn(ward: Ward) -> None:
    mine = [await ward.admitted() for _ in range(ROUTE.concurrency)]
    await ward.held(process=1)
    await ward.end(mine[0])
    ward.pass_by(POLICY.turn_seconds)
    await ward.admitted(process=2)


YEAR = 365 * 86_400.0


async def test_a_clock_set_back_lengthens_no_breaker_beyond_its_longest(redis_ward: Ward) -> None:
    """Nor do calls of what is now the future make the account look sick."""
    await redis_ward.fall_sick()
    redis_ward.pass_by(-YEAR)
    assert (await redis_ward.held()).seconds <= POLICY.open_cap_seconds
    redis_ward.pass_by(POLICY.open_cap_seconds)
    await redis_ward.end(await redis_ward.admitted())
    await redis_ward.meet(None, None, Trouble.SERVER_ERROR)
    await redis_ward.admitted()


async def test_a_clock_set_back_lengthens_no_rest_beyond_the_longest(redis_ward: Ward) -> None:
    await redis_ward.end(await redis_ward.admitted(), Trouble.RATE_LIMITED, rest_seconds=30)
    redis_ward.pass_by(-YEAR)
    assert (await redis_ward.held()).reason == "cooling"
    redis_ward.pass_by(POLICY.longest_rest_seconds)
    await redis_ward.admitted()


async def test_a_clock_set_back_leaks_no_place_of_a_dead_worker(redis_ward: Ward) -> None:
    for _ in range(ROUTE.concurrency):
        await redis_ward.admitted()
    redis_ward.pass_by(-YEAR)
    assert (await redis_ward.held()).reason == "full"
    redis_ward.pass_by(POLICY.lease_seconds)
    await redis_ward.admitted()
