"""What readers of feedback under way may rely on, by a fake in memory and on a real Valkey."""

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol

import pytest
from redis.asyncio import Redis

from pipeline.live.board import RedisBoard, told_key
from pipeline.live.client import create_client
from pipeline.live.deltas import KEPT_SECONDS, RedisDeltas
from pipeline.ports.generation import Deltas, Transcripts
from pipeline.service.reading_along import NOTHING, UNSURE, pieces_after
from tests.contracts.fakes.live import FakeDeltas

ID = "01900000-0000-7000-8000-000000000001"
TENANT = 1


class Told(Deltas, Transcripts, Protocol):
    """Telling and reading what was told."""


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    client = create_client(redis_url)
    yield client
    await client.aclose()


@pytest.fixture(params=["fake", "redis"])
def told(request: pytest.FixtureRequest) -> Told:
    if request.param == "fake":
        return FakeDeltas()
    return RedisDeltas(request.getfixturevalue("redis"))


class Reader:
    """One who reads along now and then, as a client would put it together; `received` are all pieces."""

    def __init__(self, told: Transcripts, known: int = NOTHING) -> None:
        self._told = told
        self.known = known
        self.texts: dict[str, str] = {}
        self.received: list[tuple[str, str | None]] = []

    async def read(self) -> None:
        for transcript in await self._told.transcripts([(TENANT, ID)]):
            for piece in pieces_after(transcript, self.known):
                self.known = piece.sequence
                self.received.append((piece.question_id, piece.text))
                self.texts[piece.question_id] = (
                    "" if piece.text is None else self.texts.get(piece.question_id, "") + piece.text
                )


async def test_what_is_told_is_read_piece_by_piece(told: Told) -> None:
    """Each piece once, by one who reads along; in one piece per answer by one who comes late."""
    reader = Reader(told)
    await told.tell(ID, TENANT, "q", "Gut ")
    await reader.read()
    await told.tell(ID, TENANT, "r", "Ja.")
    await reader.read()
    await told.tell(ID, TENANT, "q", "gemächt", after="Gut ")
    await reader.read()
    await reader.read()
    assert reader.received == [("q", "Gut "), ("r", "Ja."), ("q", "gemächt")]
    late = Reader(told)
    await late.read()
    assert late.received == [("r", "Ja."), ("q", "Gut gemächt")]


async def test_telling_again_shows_nothing_twice(told: Told) -> None:
    """A worker that takes over from one that died has the reply from the journal and begins at its beginning."""
    reader = Reader(told)
    await told.tell(ID, TENANT, "q", "One. Two.")
    await reader.read()
    await told.tell(ID, TENANT, "q", "One.")
    await told.tell(ID, TENANT, "q", " Two.", after="One.")
    await told.tell(ID, TENANT, "q", " Three.", after="One. Two.", whole=True)
    await reader.read()
    assert reader.received == [("q", "One. Two."), ("q", " Three.")]


async def test_another_text_takes_the_first_one_back(told: Told) -> None:
    """Whoever read some of it is told to forget it, and whoever read nothing need not know."""
    reader, late = Reader(told), Reader(told)
    await told.tell(ID, TENANT, "q", "One. Two.")
    await reader.read()
    await told.tell(ID, TENANT, "q", "Uno.")
    await reader.read()
    await late.read()
    assert reader.received == [("q", "One. Two."), ("q", None), ("q", "Uno.")]
    assert late.received == [("q", "Uno.")]


async def test_a_whole_text_that_is_shorter_takes_the_longer_one_back(told: Told) -> None:
    reader = Reader(told)
    await told.tell(ID, TENANT, "q", "One. Two.")
    await reader.read()
    await told.tell(ID, TENANT, "q", "One.", whole=True)
    await reader.read()
    assert reader.texts == {"q": "One."}


async def test_a_restart_is_read_before_there_is_another_text(told: Told) -> None:
    reader = Reader(told)
    await told.tell(ID, TENANT, "q", "One.")
    await reader.read()
    await told.restart(ID, TENANT, "q")
    await told.restart(ID, TENANT, "q")
    await reader.read()
    assert reader.received == [("q", "One."), ("q", None)]
    await told.tell(ID, TENANT, "q", "Uno.")
    await reader.read()
    assert reader.texts == {"q": "Uno."}


async def test_nothing_is_taken_back_where_nothing_was_told(told: Told) -> None:
    reader = Reader(told)
    await told.restart(ID, TENANT, "q")
    await reader.read()
    assert reader.received == []


async def test_tenants_read_nothing_of_each_other(told: Told) -> None:
    await told.tell(ID, TENANT, "q", "One.")
    assert await told.transcripts([(TENANT + 1, ID)]) == []


async def test_one_who_was_cut_off_between_two_pieces_begins_anew(told: Told) -> None:
    """One number can't say how far each of several answers was read."""
    for question_id in ("q", "r"):
        await told.tell(ID, TENANT, question_id, "One.")
    (transcript,) = await told.transcripts([(TENANT, ID)])
    first, _ = pieces_after(transcript, NOTHING)
    assert first.sequence == UNSURE
    cut_off = Reader(told, known=first.sequence)
    cut_off.texts = {str(first.question_id): str(first.text)}
    await cut_off.read()
    assert cut_off.texts == {"q": "One.", "r": "One."}


async def test_a_reader_gets_over_the_loss_of_all_that_was_told(redis: Redis) -> None:
    """Redis is emptied in the middle; the next piece brings the whole text, and takes the half one back."""
    deltas = RedisDeltas(redis)
    reader = Reader(deltas)
    await deltas.tell(ID, TENANT, "q", "One.")
    await reader.read()
    await redis.flushall()
    await deltas.tell(ID, TENANT, "q", " Two.", after="One.")
    await reader.read()
    assert reader.received == [("q", "One."), ("q", None), ("q", "One. Two.")]
    from_the_future = Reader(deltas, known=reader.known + 1_000_000)
    await from_the_future.read()
    assert from_the_future.received == [("q", None), ("q", "One. Two.")]


async def test_what_is_told_is_forgotten_after_an_hour_or_when_it_is_buried(redis: Redis) -> None:
    """And what is told of an erased learner's submission comes too late."""
    deltas, board = RedisDeltas(redis), RedisBoard(redis, status_ttl_seconds=60, result_ttl_seconds=60)
    await deltas.tell(ID, TENANT, "q", "One.")
    assert 0 < await redis.ttl(told_key(ID)) <= KEPT_SECONDS
    await board.bury([ID])
    await deltas.tell(ID, TENANT, "q", " Two.", after="One.")
    assert await deltas.transcripts([(TENANT, ID)]) == []
    assert b"One." not in b"".join(await everything_in(redis))


async def test_no_text_lies_anywhere_but_in_its_own_key(redis: Redis) -> None:
    """The stream that all processes read must not outlive an erasure."""
    await RedisDeltas(redis).tell(ID, TENANT, "q", "One.")
    assert b"One." in b"".join(await everything_in(redis))
    await redis.delete(told_key(ID))
    assert b"One." not in b"".join(await everything_in(redis))


async def everything_in(redis: Redis) -> list[bytes]:
    return [await redis.dump(key) or b"" for key in await redis.keys()]


async def test_endless_text_is_not_kept(redis: Redis) -> None:
    deltas = RedisDeltas(redis)
    await deltas.tell(ID, TENANT, "q", "x" * 32_001)
    assert await deltas.transcripts([(TENANT, ID)]) == []


async def test_telling_is_lost_quietly_and_counted_where_redis_is_away() -> None:
    client = create_client("redis://127.0.0.1:1/0")
    deltas = RedisDeltas(client)
    await deltas.tell(ID, TENANT, "q", "One.")
    await deltas.restart(ID, TENANT, "q")
    assert deltas.lost == 2
    await client.aclose()


async def test_what_many_tell_at_once_is_shown_in_the_order_of_each(redis: Redis) -> None:
    """They go to Redis together, also where it does not know the scripts yet, or no more."""
    deltas = RedisDeltas(redis)
    for text, before in (("One.", ""), (" Two.", "One.")):
        await redis.script_flush()
        await asyncio.gather(*[deltas.tell(ID, TENANT, f"q{n}", text, after=before) for n in range(30)])
    await asyncio.gather(
        deltas.restart(ID, TENANT, "q0"), *[deltas.tell(ID, TENANT, f"q{n}", "Uno.", whole=True) for n in range(2)]
    )
    reader = Reader(deltas)
    await reader.read()
    assert reader.texts == {"q0": "Uno.", "q1": "Uno."} | {f"q{n}": "One. Two." for n in range(2, 30)}
    assert deltas.lost == 0
