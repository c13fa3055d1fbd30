"""What clients see while a server is away: nothing is refused without need, nothing hangs."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import msgspec
import psutil
import pytest

from api.patience import ANSWER_SECONDS
from pipeline.bootstrap import migrate
from pipeline.embedded import EmbeddedPostgres
from pipeline.settings import Settings
from tests.api.live import LiveApi, hand_in, live_api

ABSENT = "019abc5e-77a1-7c3e-9d5b-2f8a61c04e11"


@pytest.fixture
async def own_postgres(tmp_path: Path) -> AsyncIterator[EmbeddedPostgres]:
    """A Postgres that this test may stop."""
    server = EmbeddedPostgres(tmp_path / "postgres", fsync=False)
    await asyncio.to_thread(server.start)
    yield server
    await asyncio.to_thread(server.stop)


async def unavailable(live: LiveApi) -> None:
    """A hand-in and a read are answered in time, with 503 and when to come back."""
    async with asyncio.timeout(ANSWER_SECONDS + 1):  # the client's own way there and back comes on top
        answers = await asyncio.gather(live.post("/v1/submissions", hand_in()), live.get(f"/v1/submissions/{ABSENT}"))
    for answer in answers:
        assert_unavailable(answer)


def assert_unavailable(answer: httpx.Response) -> None:
    assert answer.status_code == 503, answer.text
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.headers["content-type"] == "application/problem+json"


async def back(live: LiveApi) -> None:
    """Hand-ins are accepted again, in some seconds."""
    async with asyncio.timeout(20):
        while (await live.post("/v1/submissions", hand_in())).status_code != 202:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.1)


async def test_without_postgres_a_hand_in_is_told_to_come_back(
    settings: Settings, own_postgres: EmbeddedPostgres
) -> None:
    """And once Postgres is back, so is the API, with everything it had accepted."""
    own = msgspec.structs.replace(settings, database_url=own_postgres.url)
    await migrate(own)
    async with live_api(own) as live:
        accepted = await live.hand_in()
        await asyncio.to_thread(own_postgres.stop)
        await unavailable(live)
        await asyncio.to_thread(own_postgres.start)
        await back(live)
        assert (await live.get(f"/v1/submissions/{accepted}")).status_code == 200


async def test_a_frozen_postgres_keeps_nobody_waiting(settings: Settings, own_postgres: EmbeddedPostgres) -> None:
    """It neither answers nor refuses; the API answers in its place, also when it has to look up the key."""
    own = msgspec.structs.replace(settings, database_url=own_postgres.url, key_cache_seconds=0.001)
    await migrate(own)
    async with live_api(own) as live:
        await live.hand_in()
        postmaster = psutil.Process(own_postgres.pid)
        frozen = [postmaster, *postmaster.children(recursive=True)]
        for process in frozen:
            process.suspend()
        try:
            await unavailable(live)
        finally:
            for process in frozen:
                process.resume()
        await back(live)


async def test_without_redis_everything_is_still_accepted_and_shown(settings: Settings) -> None:
    """Hand-ins, reads, long polls and cancels; Postgres knows it all."""
    away = msgspec.structs.replace(settings, redis_url="redis://127.0.0.1:1/0")
    async with live_api(away) as live:
        path = f"/v1/submissions/{await live.hand_in()}"
        first = await live.get(path)
        assert (first.status_code, first.json()["status"]) == (200, "pending")
        polling = asyncio.create_task(live.get(f"{path}?wait=20", first.headers["etag"]))
        while not live.parts.watch.watchers:  # noqa: ASYNC110 - until the poll has arrived
            await asyncio.sleep(0.01)
        assert (await live.post(f"{path}/cancel")).status_code == 200
        async with asyncio.timeout(10):
            assert (await polling).json()["status"] == "cancelled"
