"""The providers' health while Redis is away, on a scripted Redis."""

import asyncio
from typing import Any

import pytest
import redis.exceptions

from pipeline.exchange import Route, Trouble
from pipeline.live.health import REST_SECONDS, RedisHealth, name_of
from pipeline.live.health_script import ADMIT, RELEASE
from pipeline.live.local_health import HealthPolicy
from pipeline.ports.generation import Admitted, Held

ROUTE = Route("first", "openai", "m", account="one", concurrency=3)
OTHER = Route("second", "openai", "m", account="two", concurrency=3)
POLICY = HealthPolicy(concurrency=4, least_calls=2)


class ScriptedRedis:
    """A server that is away, hangs, or admits everybody; it remembers how often it was asked."""

    def __init__(self) -> None:
        self.mood = "away"
        self.asked = 0
        self.released: list[str] = []

    def register_script(self, text: str) -> Any:
        async def run(args: list[Any]) -> list[Any]:
            self.asked += 1
            if self.mood == "away":
                raise redis.exceptions.ConnectionError
            if self.mood == "hangs":
                await asyncio.Event().wait()
            if text.endswith(RELEASE):
                self.released += args[10::5]
            if text.endswith(ADMIT):
                return [part for n in range(8, len(args) + 1, 3) for part in (b"place", f"1-{args[n + 1]}".encode(), 0)]
            return []

        return run


class Moment:
    """This process's clock, turned by hand."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def server() -> ScriptedRedis:
    return ScriptedRedis()


@pytest.fixture
def moment() -> Moment:
    return Moment()


@pytest.fixture
def health(server: ScriptedRedis, moment: Moment) -> RedisHealth:
    return RedisHealth(server, POLICY, monotonic=moment)  # type: ignore[arg-type] # as much of Redis as is used


async def admitted(health: RedisHealth, route: Route = ROUTE) -> Admitted:
    answer = await health.admit(route)
    assert isinstance(answer, Admitted)
    return answer


async def test_each_process_keeps_the_limits_for_itself(health: RedisHealth) -> None:
    """Of an account, and of all."""
    places = [await admitted(health) for _ in range(ROUTE.concurrency)]
    assert isinstance(await health.admit(ROUTE), Held)
    await admitted(health, OTHER)
    assert isinstance(await health.admit(OTHER), Held)
    await health.release(ROUTE, places[0], None)
    await admitted(health, ROUTE)


async def test_each_process_has_a_breaker_of_its_own(health: RedisHealth, moment: Moment) -> None:
    for _ in range(POLICY.least_calls):
        await health.release(ROUTE, await admitted(health), Trouble.UNREACHABLE)
    held = await health.admit(ROUTE)
    assert isinstance(held, Held)
    assert held.reason == "open"
    moment.seconds += held.seconds + 0.001
    answers = await asyncio.gather(*[health.admit(ROUTE) for _ in range(5)])
    assert [answer.probe for answer in answers if isinstance(answer, Admitted)] == [True]


async def test_a_server_that_is_away_is_left_alone_for_a_while(
    health: RedisHealth, server: ScriptedRedis, moment: Moment
) -> None:
    """Then one request tries it, and the others do not wait for the outcome."""
    place = await admitted(health)
    await health.release(ROUTE, place, None)
    await admitted(health)
    assert server.asked == 1
    moment.seconds += REST_SECONDS
    server.mood = "hangs"
    trying = asyncio.create_task(health.admit(OTHER))
    while server.asked == 1:  # noqa: ASYNC110 - the scripted server has no event for it
        await asyncio.sleep(0)
    await health.release(ROUTE, place, None)
    assert server.asked == 2
    assert not trying.done()
    assert isinstance(await trying, Admitted)


async def test_what_was_last_known_of_all_is_where_a_process_goes_on(
    health: RedisHealth, server: ScriptedRedis, moment: Moment
) -> None:
    """Requests that are under way when Redis goes away still count, and so do their failures."""
    server.mood = "there"
    places = [await admitted(health) for _ in range(ROUTE.concurrency)]
    server.mood = "away"
    assert isinstance(await health.admit(ROUTE), Held)
    for place in places[: POLICY.least_calls]:
        await health.release(ROUTE, place, Trouble.TIMED_OUT)
    held = await health.admit(ROUTE)
    assert isinstance(held, Held)
    assert held.reason == "open"
    moment.seconds += REST_SECONDS
    server.mood = "there"
    assert not (await admitted(health)).probe


async def test_what_is_owed_is_given_back_once_and_no_longer_than_a_lease_lasts(
    health: RedisHealth, server: ScriptedRedis, moment: Moment
) -> None:
    early, late = await admitted(health), await admitted(health)
    await health.release(ROUTE, early, None)
    moment.seconds += POLICY.lease_seconds
    await health.release(ROUTE, late, None)
    server.mood = "there"
    moment.seconds += REST_SECONDS
    for _ in range(2):
        await admitted(health)
    assert server.released == ["0-" + name_of(late.lease)]
