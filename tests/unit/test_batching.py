"""Group commit: nothing waits for a timer, nobody waits for ever."""

import asyncio

import pytest

from pipeline.batching import Batcher


async def doubled(items: list[int]) -> list[int]:
    return [2 * item for item in items]


async def test_whoever_adds_right_after_a_reply_gets_the_next_one() -> None:
    """The flusher that gave the reply has ended by then; a new one must begin."""
    batcher = Batcher(doubled, most=10)
    async with asyncio.timeout(5):
        assert [await batcher.add(n) for n in range(5)] == [0, 2, 4, 6, 8]
        await batcher.drain()


async def test_what_arrives_during_a_flush_forms_the_next_batch() -> None:
    """One item alone goes at once; those that come meanwhile go together, at most `most` of them."""
    begun, gate = asyncio.Event(), asyncio.Event()
    batches: list[list[int]] = []

    async def flush(items: list[int]) -> list[int]:
        batches.append(list(items))
        begun.set()
        await gate.wait()
        return items

    batcher = Batcher(flush, most=3)
    adding = [asyncio.ensure_future(batcher.add(n)) for n in range(5)]
    await begun.wait()
    first = list(batches)
    later = [asyncio.ensure_future(batcher.add(n)) for n in (5, 6)]
    gate.set()
    assert await asyncio.gather(*adding, *later) == list(range(7))
    assert first == [[0, 1, 2]]
    assert batches == [[0, 1, 2], [3, 4, 5], [6]]


async def test_a_failed_flush_fails_its_batch_and_no_other() -> None:
    """Each caller of the batch gets the error; the next batch is flushed."""

    async def flush(items: list[int]) -> list[int]:
        if 1 in items:
            raise ValueError("one")
        return items

    batcher = Batcher(flush, most=1)
    replies = await asyncio.gather(batcher.add(1), batcher.add(2), return_exceptions=True)
    assert isinstance(replies[0], ValueError)
    assert replies[1] == 2


async def test_drain_waits_for_all_that_was_handed_over() -> None:
    """Afterwards nothing is left, and every reply is there."""
    batcher = Batcher(doubled, most=2)
    adding = asyncio.gather(*[batcher.add(n) for n in range(7)])
    await asyncio.sleep(0)
    await batcher.drain()
    assert batcher.backlog == 0
    assert await adding == [2 * n for n in range(7)]


async def test_a_caller_who_left_harms_nobody() -> None:
    """Its item is flushed, its reply is dropped, its neighbours get theirs."""
    batcher = Batcher(doubled, most=5)
    leaving, staying = asyncio.ensure_future(batcher.add(1)), asyncio.ensure_future(batcher.add(2))
    await asyncio.sleep(0)
    leaving.cancel()
    assert await staying == 4
    with pytest.raises(asyncio.CancelledError):
        await leaving
