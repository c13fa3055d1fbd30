"""Limits on handing in, over HTTP: they hold under concurrent calls, and a repeated request costs nothing."""

import asyncio

import msgspec
import psycopg
import pytest

from pipeline.settings import Settings
from tests.api.live import LiveApi, hand_in, live_api


@pytest.fixture
def limited(settings: Settings) -> Settings:
    return msgspec.structs.replace(
        settings, rate_limits="on", rate_limit_submissions="3/300", rate_limit_tenant="5/300"
    )


async def statuses(live: LiveApi, *learners: str) -> list[int]:
    answers = await asyncio.gather(*[live.post("/v1/submissions", hand_in(learner)) for learner in learners])
    return sorted(answer.status_code for answer in answers)


async def test_twenty_at_once_get_exactly_the_limit(limited: Settings) -> None:
    async with live_api(limited) as live:
        assert await statuses(live, *["u-1"] * 20) == [202] * 3 + [429] * 17
        assert (await live.counts())["submissions"] == 3


async def test_a_refusal_says_when_to_come_back(limited: Settings) -> None:
    """`Retry-After` and the limit's headers; an accepted call tells what is left."""
    async with live_api(limited) as live:
        first = await live.post("/v1/submissions", hand_in())
        assert first.headers["ratelimit-policy"] == '"learner";q=3;w=300, "tenant";q=5;w=300'
        assert first.headers["ratelimit"].startswith('"learner";r=2;t=')
        await statuses(live, "u-1", "u-1")
        refused = await live.post("/v1/submissions", hand_in())
        assert refused.status_code == 429
        assert 290 < int(refused.headers["retry-after"]) <= 305
        assert refused.headers["ratelimit-policy"] == '"learner";q=3;w=300'
        problem = refused.json()
        assert problem["type"].endswith("/rate-limited")
        assert f"try again in {refused.headers['retry-after']} s" in problem["detail"]
        assert "GRADELINE_RATE_LIMIT_SUBMISSIONS" in problem["detail"]


async def test_learners_have_limits_of_their_own_and_the_tenant_has_one(limited: Settings) -> None:
    """The sixth of a tenant is refused, whoever hands in; another tenant is not concerned."""
    async with live_api(limited) as live:
        assert await statuses(live, *[f"u-{n}" for n in range(6)]) == [202] * 5 + [429]
        other = await live.post("/v1/submissions", hand_in(), tenant="academy")
        assert other.status_code == 202


async def test_a_repeated_request_costs_nothing_and_is_never_refused(limited: Settings) -> None:
    """Neither while there is room nor when the limit is used up."""
    async with live_api(limited) as live:
        for _ in range(5):
            answer = await live.post("/v1/submissions", hand_in(), Idempotency_Key="k")
            assert answer.status_code == 202
        assert await statuses(live, "u-1", "u-1", "u-1") == [202, 202, 429]
        again = await live.post("/v1/submissions", hand_in(), Idempotency_Key="k")
        assert (again.status_code, again.headers["idempotency-replayed"]) == (202, "true")
        other = await live.post("/v1/submissions", hand_in(response="b"), Idempotency_Key="k")
        assert other.status_code == 422


async def test_a_refused_hand_in_costs_nothing(limited: Settings) -> None:
    """What is invalid was never handed in."""
    async with live_api(limited) as live:
        for _ in range(5):
            assert (await live.post("/v1/submissions", hand_in(response="z"))).status_code == 422
        assert await statuses(live, "u-1", "u-1", "u-1") == [202] * 3


async def test_a_hand_in_that_postgres_kept_waiting_costs_nothing(limited: Settings) -> None:
    """A client that is told to come back again and again finds its room untouched when it can be accepted."""
    async with (
        live_api(limited) as live,
        await psycopg.AsyncConnection.connect(limited.database_url or "") as stranger,
    ):
        await stranger.execute("LOCK TABLE stages IN SHARE MODE")
        for _ in range(2):
            assert await statuses(live, "u-1", "u-1", "u-1") == [503] * 3
        await stranger.rollback()
        assert await statuses(live, "u-1", "u-1", "u-1") == [202] * 3


async def test_limits_hold_without_redis(limited: Settings) -> None:
    """The process counts for itself: safe, if less exact across processes."""
    away = msgspec.structs.replace(limited, redis_url="redis://127.0.0.1:1/0")
    async with live_api(away) as live:
        assert await statuses(live, *["u-1"] * 6) == [202] * 3 + [429] * 3


async def test_limits_can_be_switched_off(limited: Settings) -> None:
    free = msgspec.structs.replace(limited, rate_limits="off")
    async with live_api(free) as live:
        assert await statuses(live, *["u-1"] * 6) == [202] * 6
        answer = await live.post("/v1/submissions", hand_in())
        assert "ratelimit" not in answer.headers
