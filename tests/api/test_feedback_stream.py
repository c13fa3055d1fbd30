"""Feedback that is read while it is written, as server-sent events over a real Valkey."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec
import pytest
from redis.asyncio import Redis

from pipeline.live.deltas import RedisDeltas
from pipeline.service.access import Role
from pipeline.service.following import Happening
from pipeline.settings import Settings
from tests.api.live import LiveApi, live_api

DELTA, RESTART = "feedback.delta", "feedback.restart"


class Event(msgspec.Struct, frozen=True):
    id: str
    name: str
    data: dict[str, Any]


class Client:
    """One who follows a submission, and puts the pieces of each answer together."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self.received: list[Event] = []
        self._lines = answer.aiter_lines()

    async def next(self) -> Event | None:
        """The next event; None at the end."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(20):
            async for line in self._lines:
                if line:
                    name, _, value = line.partition(": ")
                    fields[name] = value
                elif "data" in fields:
                    event = Event(fields["id"], fields["event"], msgspec.json.decode(fields["data"]))
                    self.received.append(event)
                    return event
        return None

    async def until(self, name: str) -> Event:
        while (event := await self.next()) is not None:
            if event.name == name:
                return event
        raise AssertionError(f"no {name} came")

    async def rest(self) -> None:
        while await self.next() is not None:
            pass

    @property
    def names(self) -> list[str]:
        return [event.name for event in self.received]

    @property
    def texts(self) -> dict[str, str]:
        return texts_of(self.received)


def texts_of(events: list[Event]) -> dict[str, str]:
    """The pieces of each answer put together, as a client does it."""
    texts: dict[str, str] = {}
    for event in events:
        if event.name == DELTA:
            question_id = event.data["question_id"]
            texts[question_id] = texts.get(question_id, "") + event.data["text"]
        elif event.name == RESTART:
            texts[event.data["question_id"]] = ""
    return texts


@asynccontextmanager
async def following(
    live: LiveApi, submission_id: str, last_event_id: str | None = None, **who: Any
) -> AsyncIterator[Client]:
    headers = live.credential(**who) | ({} if last_event_id is None else {"Last-Event-ID": last_event_id})
    async with live.http.stream("GET", f"/v1/submissions/{submission_id}/events", headers=headers) as answer:
        yield Client(answer)


class Writer:
    """A worker that writes feedback on one submission."""

    def __init__(self, live: LiveApi, redis: Redis, submission_id: str, tenant_id: int) -> None:
        self._live = live
        self._id = submission_id
        self._tenant_id = tenant_id
        self._deltas = RedisDeltas(redis)
        self.texts: dict[str, str] = {}

    async def tell(self, text: str, question_id: str = "q-1") -> None:
        told = self.texts.get(question_id, "")
        await self._deltas.tell(self._id, self._tenant_id, question_id, text, after=told)
        self.texts[question_id] = told + text

    async def restart(self, question_id: str = "q-1") -> None:
        await self._deltas.restart(self._id, self._tenant_id, question_id)
        self.texts[question_id] = ""

    async def end(self) -> None:
        """The submission comes to an end."""
        answer = await self._live.post(f"/v1/submissions/{self._id}/cancel")
        assert answer.status_code == 200


@pytest.fixture
async def redis(live: LiveApi) -> AsyncIterator[Redis]:
    async with Redis.from_url(str(live.parts.settings.redis_url)) as client:
        yield client


async def writer_of(live: LiveApi, redis: Redis) -> tuple[Writer, str]:
    principal = await live.parts.access.authenticate(live.credential()["Authorization"])
    submission_id = await live.hand_in()
    return Writer(live, redis, submission_id, principal.tenant_id), submission_id


async def test_text_is_told_between_statuses_as_it_is_written(live: LiveApi, redis: Redis) -> None:
    """Each piece as an event of its own, the end after the last one."""
    writer, submission_id = await writer_of(live, redis)
    async with following(live, submission_id) as client:
        await client.next()
        for text in ("Gut ", "gemächt. ", "Weiter!"):
            await writer.tell(text)
            event = await client.next()
            assert event is not None
            assert event.data == {"id": submission_id, "question_id": "q-1", "text": text}
        await writer.end()
        await client.rest()
    assert client.names == ["status", DELTA, DELTA, DELTA, "cancelled"]


async def test_an_event_id_says_how_much_was_read(live: LiveApi, redis: Redis) -> None:
    """Before any feedback it is the version alone, afterwards a number that grows comes behind a dot."""
    writer, submission_id = await writer_of(live, redis)
    async with following(live, submission_id) as client:
        await client.next()
        for text in ("One. ", "Two."):
            await writer.tell(text)
            await client.next()
        await writer.end()
        await client.rest()
    first, *others = [event.id for event in client.received]
    assert first == "1"
    assert all(re.fullmatch(r"[12]\.[0-9]{16}", event_id) for event_id in others)
    assert others == sorted(others)
    assert others[-1].startswith("2.")


async def test_a_late_subscriber_is_told_all_so_far_and_then_what_comes(live: LiveApi, redis: Redis) -> None:
    """What was missed in one event per answer."""
    writer, submission_id = await writer_of(live, redis)
    for number in range(5):
        await writer.tell(f"{number} ", f"q-{number % 2}")
    async with following(live, submission_id) as late:
        for _ in range(3):
            await late.next()
        assert sorted(late.names) == [DELTA, DELTA, "status"]
        assert late.texts == writer.texts == {"q-0": "0 2 4 ", "q-1": "1 3 "}
        await writer.tell("6", "q-0")
        await writer.end()
        await late.rest()
    assert late.texts == writer.texts


async def test_whoever_comes_after_the_end_is_told_what_was_written_before_it(live: LiveApi, redis: Redis) -> None:
    writer, submission_id = await writer_of(live, redis)
    await writer.tell("One.")
    await writer.end()
    async with following(live, submission_id) as late:
        await late.rest()
    assert late.names == [DELTA, "cancelled"]


async def test_a_resumed_stream_tells_exactly_the_missing_pieces(live: LiveApi, redis: Redis) -> None:
    """From whichever event on: what was received before and what comes then is the text, told once."""
    writer, submission_id = await writer_of(live, redis)
    async with following(live, submission_id) as client:
        await client.next()
        for text, question_id in (("One. ", "q-1"), ("Uno. ", "q-2"), ("Two. ", "q-1"), ("Dos.", "q-2")):
            await writer.tell(text, question_id)
            await client.next()
        await writer.restart("q-2")
        await client.next()
        await writer.tell("Eins.", "q-2")
        await writer.end()
        await client.rest()
    assert client.texts == writer.texts == {"q-1": "One. Two. ", "q-2": "Eins."}
    for place, event in enumerate(client.received[:-1]):
        before = client.received[: place + 1]
        async with following(live, submission_id, event.id) as again:
            await again.rest()
        assert texts_of([*before, *again.received]) == writer.texts
        assert again.names[-1] == "cancelled"
        told = {e.data["question_id"] for e in again.received if e.name == DELTA}
        missed = {e.data["question_id"] for e in client.received[place + 1 :] if e.name == DELTA}
        assert told == missed


async def test_one_who_is_cut_off_while_catching_up_misses_nothing(live: LiveApi, redis: Redis) -> None:
    """Between the pieces of two answers no number says how far one has come, so all of it is told anew."""
    writer, submission_id = await writer_of(live, redis)
    for question_id in ("q-1", "q-2"):
        await writer.tell("One.", question_id)
    async with following(live, submission_id) as late:
        await late.until(DELTA)
    await writer.end()
    async with following(live, submission_id, late.received[-1].id) as again:
        await again.rest()
    assert again.names == [RESTART, DELTA, RESTART, DELTA, "cancelled"]
    assert texts_of([*late.received, *again.received]) == writer.texts


async def test_a_restart_takes_back_what_was_told(live: LiveApi, redis: Redis) -> None:
    """A late subscriber, who was told nothing of it, hears of no restart."""
    writer, submission_id = await writer_of(live, redis)
    async with following(live, submission_id) as client:
        await client.next()
        await writer.tell("Wrong.")
        await client.next()
        await writer.restart()
        restarted = await client.next()
        assert restarted is not None
        assert (restarted.name, restarted.data) == (RESTART, {"id": submission_id, "question_id": "q-1"})
        await writer.tell("Right.")
        await writer.end()
        await client.rest()
    assert client.texts == {"q-1": "Right."}
    async with following(live, submission_id) as late:
        await late.rest()
    assert late.names == [DELTA, "cancelled"]


async def test_tenants_and_learners_read_only_what_is_theirs(live: LiveApi, redis: Redis) -> None:
    """Neither another tenant, nor another learner's token; and a forged event of another tenant is not heard."""
    writer, submission_id = await writer_of(live, redis)
    path = f"/v1/submissions/{submission_id}/events"
    assert (await live.get(path, tenant="academy")).status_code == 404
    other = await live.http.get(path, headers=await live.learner_credential("u-2"))
    assert other.status_code == 404
    academy = await live.parts.access.authenticate(live.credential(tenant="academy")["Authorization"])
    async with following(live, submission_id) as client:
        await client.next()
        intruder = Writer(live, redis, submission_id, academy.tenant_id)
        await intruder.tell("Not yours.")
        await writer.end()
        await client.rest()
    assert client.names == ["status", "cancelled"]


async def test_a_learners_token_reads_its_own_feedback(live: LiveApi, redis: Redis) -> None:
    writer, submission_id = await writer_of(live, redis)
    await writer.tell("Yours.")
    await writer.end()
    path, mine = f"/v1/submissions/{submission_id}/events", await live.learner_credential("u-1")
    async with live.http.stream("GET", path, headers=mine) as answer:
        client = Client(answer)
        await client.rest()
    assert client.texts == {"q-1": "Yours."}


async def test_an_erased_learner_leaves_nothing_that_was_told(live: LiveApi, redis: Redis) -> None:
    writer, _ = await writer_of(live, redis)
    await writer.tell("Dear Ada.")
    erased = await live.http.delete("/v1/learners/u-1", headers=live.credential(role=Role.TEACHER))
    assert erased.status_code == 204
    await writer.tell(" Bye.")
    left = [await redis.dump(key) or b"" for key in await redis.keys()]
    assert b"Ada" not in b"".join(left)


async def test_a_reader_gets_over_an_emptied_redis(live: LiveApi, redis: Redis) -> None:
    """Half a text is taken back and told as a whole with the next piece."""
    writer, submission_id = await writer_of(live, redis)
    async with following(live, submission_id) as client:
        await client.next()
        await writer.tell("One. ")
        await client.next()
        await redis.flushall()
        await writer.tell("Two.")
        await writer.end()
        await client.rest()
    assert client.texts == writer.texts
    assert RESTART in client.names


async def test_without_redis_the_end_is_told_and_no_text(settings: Settings) -> None:
    """The document is what counts."""
    away = msgspec.structs.replace(settings, redis_url="redis://127.0.0.1:1/0")
    async with live_api(away) as live:
        submission_id = await live.hand_in()
        async with following(live, submission_id) as client:
            await client.next()
            await live.post(f"/v1/submissions/{submission_id}/cancel")
            await client.rest()
        assert client.names == ["status", "cancelled"]


async def test_five_hundred_readers_share_one_connection_and_each_reads_all(live: LiveApi, redis: Redis) -> None:
    """A piece is fetched by a few reads for all of them together, never by one for each."""
    writer, submission_id = await writer_of(live, redis)
    principal = await live.parts.access.authenticate(live.credential()["Authorization"])
    arrived = asyncio.Semaphore(0)

    async def read_along() -> str:
        text = ""
        async for happening in live.parts.following.follow(principal, submission_id, None):
            if happening is None:
                continue
            text += text_of(happening)
            arrived.release()
        return text

    reading = [asyncio.create_task(read_along()) for _ in range(500)]
    await all_of(arrived)
    before = await hash_reads(redis)
    for number in range(5):
        await writer.tell(f"{number} ")
        await all_of(arrived)
    reads, clients = await hash_reads(redis) - before, len(await redis.client_list())
    await writer.end()
    assert await asyncio.gather(*reading) == ["0 1 2 3 4 "] * 500
    assert reads <= 50
    assert clients < 30


def text_of(happening: Happening) -> str:
    return getattr(happening.what, "text", "") or ""


async def all_of(arrived: asyncio.Semaphore) -> None:
    """Wait until each of five hundred has come one step further."""
    async with asyncio.timeout(60):
        for _ in range(500):
            await arrived.acquire()


async def hash_reads(redis: Redis) -> int:
    stats = await redis.info("commandstats")
    return int(stats.get("cmdstat_hgetall", {"calls": 0})["calls"])
