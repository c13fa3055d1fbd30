"""The API while Redis or Postgres is away, and the moment after."""

import asyncio
import itertools
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx
import redis.asyncio

from pipeline.service.access import Role
from tests.integration.faults.system import System, a_submission, body
from tests.process import Process
from tests.sums import assert_all_completed_once

AT_ONCE = 12
REFUSED_WITHIN = timedelta(seconds=2)


async def test_redis_away_at_submit_still_accepts_and_completes_later(system: System) -> None:
    """202 without Redis, an answer from Postgres, and all done soon after Redis is back."""
    async with api(system) as (process, client):
        system.worker()
        await system.until_workers(1)
        system.valkey.stop()
        accepted = await asyncio.gather(*[hand_in(client, i) for i in range(AT_ONCE)])
        assert [answer.status_code for answer in accepted] == [202] * AT_ONCE
        shown = await client.get(accepted[0].headers["location"])
        assert shown.json()["status"] in {"pending", "scoring"}
        system.valkey.start()
        await system.until_completed(AT_ONCE)
        await assert_all_completed_once(system.parts.servers.engine, AT_ONCE)
        assert (await client.get(accepted[0].headers["location"])).json()["status"] == "completed"
        assert process.lives


async def test_a_stalled_redis_keeps_nobody_waiting(system: System) -> None:
    """It takes commands and answers none: hand-ins, repeated ones, statuses and readiness come from Postgres."""
    async with api(system) as (_, client), redis.asyncio.Redis.from_url(system.valkey.url) as stalled:
        await hand_in(client, 0, **{"idempotency-key": "first"})
        await stalled.client_pause(6_000, all=True)
        new, repeated = await asyncio.gather(hand_in(client, 1), hand_in(client, 0, **{"idempotency-key": "first"}))
        shown = await client.get(repeated.headers["location"])
        ready = await client.get("/health/ready")
        assert [answer.status_code for answer in (new, repeated, shown, ready)] == [202, 202, 200, 200]
        assert ready.json() == {"status": "degraded", "postgres": "ok", "redis": "unavailable"}
        assert max(answer.elapsed for answer in (new, repeated, shown, ready)) < REFUSED_WITHIN


async def test_postgres_away_is_a_503_that_says_when_to_come_back(system: System) -> None:
    """Refused within two seconds, nothing stored, the process lives, and the next try is accepted."""
    async with api(system) as (process, client):
        assert (await hand_in(client, 0)).status_code == 202
        system.postgres.stop()
        refused = await asyncio.gather(*[hand_in(client, i) for i in range(AT_ONCE)])
        assert {answer.status_code for answer in refused} == {503}
        assert max(answer.elapsed for answer in refused) < REFUSED_WITHIN
        assert all(int(answer.headers["retry-after"]) >= 1 for answer in refused)
        assert refused[0].headers["content-type"] == "application/problem+json"
        assert (await client.get("/health/live")).status_code == 200
        assert (await client.get("/health/ready")).status_code == 503
        system.postgres.start()
        assert (await hand_in(client, 0)).status_code == 202
        assert process.lives
        assert await system.count("SELECT count(*) FROM submissions") == 2


async def test_the_first_requests_after_a_restart_of_postgres_are_accepted(system: System) -> None:
    """No connection of before the restart is used: not one request pays for it."""
    async with api(system) as (_, client):
        before = await asyncio.gather(*[look(client) for _ in range(AT_ONCE)])
        system.postgres.restart()
        after = await asyncio.gather(*[look(client) for _ in range(AT_ONCE)], hand_in(client, 1))
        assert {answer.status_code for answer in before} == {404}
        assert {answer.status_code for answer in after} == {404, 202}


async def test_an_api_told_to_stop_answers_whoever_it_heard(system: System) -> None:
    """SIGTERM under load: exit 0, every accepted hand-in was answered with its 202, others were not let in."""
    async with api(system) as (process, client):
        accepted: dict[str, str] = {}
        told = asyncio.create_task(stop_after(process, accepted, AT_ONCE * 10))
        await asyncio.gather(*[hand_in_until_refused(client, worker, accepted) for worker in range(AT_ONCE)])
        await told

        async def ended() -> bool:
            return not process.lives

        await system.until(ended)
        assert process.exit_code == 0, process.tail()
        assert "Traceback" not in process.logged(), process.logged()
    stored = await system.rows("SELECT idempotency_key AS key, id::text FROM submissions")
    assert {row.key: row.id for row in stored} == accepted


async def stop_after(process: Process, accepted: dict[str, str], count: int) -> None:
    """SIGTERM while hand-ins are coming in."""
    while len(accepted) < count:  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(0.005)
    process.send(signal.SIGTERM)


async def hand_in_until_refused(client: httpx.AsyncClient, worker: int, accepted: dict[str, str]) -> None:
    """Hand in one after the other until the server lets nobody in; note what is accepted, by its key."""
    for i in itertools.count():
        key = f"{worker}/{i}"
        given = body(a_submission(f"learner-{worker}", i))
        try:
            answer = await client.post("/v1/submissions", content=given, headers={"idempotency-key": key})
        except httpx.TransportError:
            return
        assert answer.status_code == 202, answer.text
        accepted[key] = answer.json()["id"]


@asynccontextmanager
async def api(system: System) -> AsyncIterator[tuple[Process, httpx.AsyncClient]]:
    """An API process that is ready, and a client with a key for it."""
    key = await system.parts.access.create_key_in(system.tenant_id, Role.TEACHER, "test")
    process, url = system.api()
    headers = {"authorization": f"Bearer {key.secret}"}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=20.0) as client:

        async def ready() -> bool:
            try:
                return (await client.get("/health/ready")).status_code == 200
            except httpx.TransportError:
                return False

        await system.until(ready)
        yield process, client


async def hand_in(client: httpx.AsyncClient, number: int, **headers: str) -> httpx.Response:
    content = body(a_submission(f"learner-{number}", number))
    return await client.post("/v1/submissions", content=content, headers=headers)


async def look(client: httpx.AsyncClient) -> httpx.Response:
    return await client.get("/v1/submissions/01900000-0000-7000-8000-000000000000")
