"""What watchers may rely on, on a real Valkey; the fake board keeps the first promise."""

import random
from collections.abc import AsyncIterator

import pytest

from pipeline.errors import Unavailable
from pipeline.lifecycle import Stage, Status
from pipeline.live.board import RedisBoard
from pipeline.live.client import create_client
from pipeline.model import Change, Shown
from tests.contracts.fakes.live import FakeBoard

ID = "01900000-0000-7000-8000-000000000001"
STATUSES = [Status.PENDING, Status.SCORING, Status.AI_PROCESSING, Status.COMPLETED]


def a_change(version: int, **more: object) -> Change:
    return Change(ID, 1, version, STATUSES[version - 1], **more)  # type: ignore[arg-type] # the fields of a change


@pytest.fixture
async def board(redis_url: str) -> AsyncIterator[RedisBoard]:
    client = create_client(redis_url)
    yield RedisBoard(client, status_ttl_seconds=60, result_ttl_seconds=600)
    await client.aclose()


@pytest.mark.parametrize("seed", range(5))
async def test_versions_only_grow_in_whatever_order_they_come(board: RedisBoard, seed: int) -> None:
    versions = [1, 2, 3, 4, 4, 2]
    random.Random(seed).shuffle(versions)  # noqa: S311 - the same order every time
    fake = FakeBoard()
    for version in versions:
        await board.publish([a_change(version)])
        await fake.publish([a_change(version)])
    told = [standing.version for standing in await board.history(1, ID)]
    assert told == sorted(set(told))
    assert told[-1] == fake.shown[ID].version == 4


async def test_nothing_is_shown_of_what_was_never_published(board: RedisBoard) -> None:
    assert await board.look(ID) is None
    assert await board.history(1, ID) == []


async def test_a_document_is_kept_for_its_version_only(board: RedisBoard) -> None:
    """An older document never covers a newer status, and a newer status drops the older document."""
    await board.publish([a_change(2)])
    await board.remember(ID, 1, 1, Status.PENDING, b"old")
    assert await board.look(ID) is None
    await board.remember(ID, 1, 2, Status.COMPLETED, b"new")
    assert await board.look(ID) == Shown(1, 2, Status.COMPLETED, b"new")
    await board.publish([a_change(3)])
    assert await board.look(ID) is None


async def test_what_is_buried_stays_buried(board: RedisBoard) -> None:
    """A change or a document that was under way when its learner was erased comes too late."""
    await board.publish([a_change(1)])
    await board.bury([ID])
    await board.publish([a_change(2)])
    await board.remember(ID, 1, 2, Status.COMPLETED, b"late")
    assert await board.look(ID) is None
    assert await board.history(1, ID) == []


async def test_flow_counts_what_enters_and_leaves(board: RedisBoard) -> None:
    await board.publish([a_change(1, ready=(Stage.SCORE,))])
    await board.publish([a_change(3, ready=(Stage.FEEDBACK, Stage.RECOMMEND), finished=(Stage.SCORE,))])
    await board.publish([a_change(4, finished=(Stage.RECOMMEND, Stage.METRICS), followed=(Stage.METRICS,))])
    assert await board.flow() == {
        "score:in": 1,
        "score:out": 1,
        "feedback:in": 1,
        "recommend:in": 1,
        "recommend:out": 1,
        "metrics:in": 1,
        "metrics:out": 1,
    }


async def test_a_board_that_is_away_says_so() -> None:
    client = create_client("redis://127.0.0.1:1/0")
    board = RedisBoard(client, status_ttl_seconds=60, result_ttl_seconds=600)
    with pytest.raises(Unavailable):
        await board.publish([a_change(1)])
    with pytest.raises(Unavailable):
        await board.look(ID)
    await client.aclose()
