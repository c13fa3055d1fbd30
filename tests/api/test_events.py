"""Following a submission as server-sent events."""

import asyncio

import msgspec
import pytest
from redis.asyncio import Redis

from pipeline.live.board import EVENTS_STREAM
from pipeline.settings import Settings
from pipeline.store.control import ControlStore
from tests.api.event_stream import Event, events, run_all
from tests.api.live import LiveApi, live_api


async def test_a_stream_tells_everything_from_now_to_the_end(live: LiveApi) -> None:
    """First the present status, then each change once and in order, at last `completed`; then it ends."""
    submission_id = await live.hand_in()
    async with events(live, submission_id) as stream:
        assert stream.answer.headers["content-type"].startswith("text/event-stream")
        first = await stream.next()
        await run_all(live, submission_id)
        rest = await stream.rest()
    assert first == Event(1, "status", {"id": submission_id, "status": "pending", "version": 1})
    versions = [event.id for event in rest]
    assert versions == sorted(set(versions))
    assert [event.name for event in rest[:-1]] == ["status"] * (len(rest) - 1)
    assert (rest[-1].name, rest[-1].data["status"]) == ("completed", "completed")
    shown = await live.get(f"/v1/submissions/{submission_id}")
    assert shown.json()["version"] == rest[-1].id


async def test_a_cancelled_submission_ends_its_stream(live: LiveApi) -> None:
    submission_id = await live.hand_in()
    async with events(live, submission_id) as stream:
        await stream.next()
        await live.post(f"/v1/submissions/{submission_id}/cancel")
        assert [event.name for event in await stream.rest()] == ["cancelled"]


async def test_a_resumed_stream_tells_exactly_what_was_missed(live: LiveApi) -> None:
    """Each version after the last one received, from whichever process, as often as one asks."""
    submission_id = await live.hand_in()
    async with events(live, submission_id) as stream:
        first = await stream.next()
        await run_all(live, submission_id)
        told = [first, *await stream.rest()]
    for position, event in enumerate(told[:-1]):
        assert event is not None
        async with events(live, submission_id, str(event.id)) as stream:
            assert await stream.rest() == told[position + 1 :]


async def test_whoever_knows_the_end_is_told_to_stop(live: LiveApi) -> None:
    """204 stops an EventSource, which otherwise connects again and again."""
    submission_id = await live.hand_in()
    await live.post(f"/v1/submissions/{submission_id}/cancel")
    async with events(live, submission_id, "2") as stream:
        assert stream.answer.status_code == 204


@pytest.mark.parametrize("last", ["", "x", "-1", "1.0", "9" * 30])
async def test_an_id_that_is_not_ours_begins_anew(live: LiveApi, last: str) -> None:
    submission_id = await live.hand_in()
    await live.post(f"/v1/submissions/{submission_id}/cancel")
    async with events(live, submission_id, last) as stream:
        assert [event.name for event in await stream.rest()] == ["cancelled"]


async def test_a_lost_event_is_made_up_for(live: LiveApi) -> None:
    """The stream of events is deleted while a watcher waits; Postgres tells in its place."""
    submission_id = await live.hand_in()
    async with events(live, submission_id) as stream, Redis.from_url(str(live.parts.settings.redis_url)) as redis:
        await stream.next()
        principal = await live.parts.access.authenticate(live.credential()["Authorization"])
        # Cancelled behind the board's back: nothing is published at all.
        store = ControlStore(live.parts.servers.engine)
        await store.cancel(principal.tenant_id, [submission_id], "key:1")
        await redis.delete(EVENTS_STREAM)
        assert [event.name for event in await stream.rest()] == ["cancelled"]


async def test_streams_work_without_redis(settings: Settings) -> None:
    """Status is then read from Postgres, about once a second."""
    away = msgspec.structs.replace(settings, redis_url="redis://127.0.0.1:1/0")
    async with live_api(away) as live:
        submission_id = await live.hand_in()
        async with events(live, submission_id) as stream:
            first = await stream.next()
            await live.post(f"/v1/submissions/{submission_id}/cancel")
            rest = await stream.rest()
        assert first is not None
        assert (first.name, [event.name for event in rest]) == ("status", ["cancelled"])


async def test_open_streams_end_when_the_server_stops(settings: Settings) -> None:
    """Cleanly, well before the time that running requests are given; long polls too."""
    async with live_api(settings) as live:
        submission_id = await live.hand_in()
        path = f"/v1/submissions/{submission_id}"
        async with events(live, submission_id) as stream:
            await stream.next()
            polling = asyncio.create_task(live.get(f"{path}?wait=30"))
            while live.parts.watch.watchers < 2:  # noqa: ASYNC110 - until the poll has arrived
                await asyncio.sleep(0.01)
            live.server.should_exit = True
            async with asyncio.timeout(settings.shutdown_seconds - 1):
                assert await stream.next() is None
                assert (await polling).json()["status"] == "pending"


async def test_hundreds_of_watchers_share_one_connection(live: LiveApi) -> None:
    """Each is told the end, whichever submission it watches; Redis has no more clients for them."""
    ids = [await live.hand_in(f"u-{n}") for n in range(10)]
    async with Redis.from_url(str(live.parts.settings.redis_url)) as redis:

        async def follow(submission_id: str) -> list[Event]:
            async with events(live, submission_id) as stream:
                return await stream.rest()

        following = [asyncio.create_task(follow(ids[n % 10])) for n in range(150)]
        while live.parts.watch.watchers < len(following):  # noqa: ASYNC110 - until all have arrived
            await asyncio.sleep(0.01)
        clients = len(await redis.client_list())
        for submission_id in ids:
            await live.post(f"/v1/submissions/{submission_id}/cancel")
        ends = [told[-1].name for told in await asyncio.gather(*following)]
    assert ends == ["cancelled"] * len(following)
    assert clients < 30
