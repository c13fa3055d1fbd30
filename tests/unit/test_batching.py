"""Group commit: nothing waits for a timer, nobody waits for ever."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.batching import Batcher, Spacing


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


async def test_what_its_caller_gave_up_before_its_turn_is_not_flushed() -> None:
    """A client that was told to come back later finds nothing done behind its back, however long the flush took."""
    begun, gate = asyncio.Event(), asyncio.Event()
    flushed: list[int] = []

    async def flush(items: list[int]) -> list[int]:
        begun.set()
        await gate.wait()
        flushed.extend(items)
        return items

    batcher = Batcher(flush, most=2)
    first = asyncio.ensure_future(batcher.add(0))
    await begun.wait()
    impatient = [asyncio.ensure_future(batcher.add(n)) for n in (1, 2, 3)]
    patient = asyncio.ensure_future(batcher.add(4))
    await asyncio.sleep(0)
    for one in impatient:
        one.cancel()
    gate.set()
    assert [await first, await patient] == [0, 4]
    await batcher.drain()
    assert flushed == [0, 4]


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


async def test_callers_are_released_when_the_flusher_is_stopped() -> None:
    """Those of the batch under way and those still waiting: nobody may hang on a flusher that is gone."""
    begun = asyncio.Event()

    async def flush(items: list[int]) -> list[int]:
        begun.set()
        await asyncio.get_running_loop().create_future()
        return items

    batcher = Batcher(flush, most=1)
    adding = [asyncio.ensure_future(batcher.add(n)) for n in range(3)]
    await begun.wait()
    draining = asyncio.ensure_future(batcher.drain())
    await asyncio.sleep(0)
    draining.cancel()
    async with asyncio.timeout(5):
        replies = await asyncio.gather(*adding, return_exceptions=True)
    assert [type(reply) for reply in replies] == [asyncio.CancelledError] * 3


@given(
    items=st.lists(st.integers(0, 99), max_size=60),
    most=st.integers(1, 7),
    concurrency=st.integers(1, 4),
    failing=st.sets(st.integers(0, 99), max_size=5),
    leaving=st.sets(st.integers(0, 59), max_size=5),
)
async def test_every_item_is_answered_once_whatever_happens(
    items: list[int], most: int, concurrency: int, failing: set[int], leaving: set[int]
) -> None:
    """Batches are bounded, replies reach their own callers, errors the callers of their batch and nobody else."""
    batches: list[list[tuple[int, int]]] = []
    running = 0

    async def flush(batch: list[tuple[int, int]]) -> list[int]:
        nonlocal running
        batches.append(list(batch))
        running += 1
        assert running <= concurrency
        await asyncio.sleep(0)
        running -= 1
        if failing & {item for _, item in batch}:
            raise LookupError
        return [-item for _, item in batch]

    batcher = Batcher(flush, most=most, concurrency=concurrency)
    adding = [asyncio.ensure_future(batcher.add((place, item))) for place, item in enumerate(items)]
    await asyncio.sleep(0)
    for place in leaving & set(range(len(adding))):
        adding[place].cancel()
    replies = await asyncio.gather(*adding, return_exceptions=True)
    await batcher.drain()
    flushed = {place: batch for batch in batches for place, _ in batch}
    assert len(flushed) == sum(map(len, batches))  # nothing twice
    assert set(range(len(items))) - leaving <= set(flushed)
    assert all(len(batch) <= most for batch in batches)
    for place, (item, reply) in enumerate(zip(items, replies, strict=True)):
        if place in leaving:
            assert isinstance(reply, asyncio.CancelledError)
        elif failing & {item for _, item in flushed[place]}:
            assert isinstance(reply, LookupError)
        else:
            assert reply == -item


async def test_a_flush_that_answers_too_few_is_an_error_for_all_of_its_batch() -> None:
    async def flush(items: list[int]) -> list[int]:
        return items[1:]

    batcher = Batcher(flush, most=5)
    replies = await asyncio.gather(batcher.add(1), batcher.add(2), return_exceptions=True)
    assert [type(reply) for reply in replies] == [ValueError] * 2


class Time:
    """A clock that goes on when somebody rests, and a record of the rests."""

    def __init__(self) -> None:
        self.now = 100.0
        self.rests: list[float] = []

    def clock(self) -> float:
        return self.now

    async def rest(self, seconds: float) -> None:
        self.rests.append(seconds)
        await asyncio.sleep(0)
        self.now += seconds

    def spacing(self, seconds: float, *, ahead: int = 0) -> Spacing:
        return Spacing(seconds, ahead=ahead, clock=self.clock, rest=self.rest)


async def test_at_idle_a_spaced_batcher_waits_for_nothing() -> None:
    """The first item goes at once, and so does one that comes when the time has passed."""
    time = Time()
    batcher = Batcher(doubled, most=10, spacing=time.spacing(0.05))
    assert await batcher.add(1) == 2
    time.now += 0.06
    assert await batcher.add(2) == 4
    assert time.rests == []


async def test_what_comes_within_the_spacing_goes_together_when_it_has_passed() -> None:
    """Several short flushes become one, though none of them would have been under way still."""
    time = Time()
    batches: list[tuple[float, list[int]]] = []

    async def flush(items: list[int]) -> list[int]:
        batches.append((time.now, list(items)))
        return items

    batcher = Batcher(flush, most=10, spacing=time.spacing(0.5))
    await batcher.add(1)
    time.now += 0.25
    assert await batcher.add_all([2, 3]) == [2, 3]
    assert batches == [(100.0, [1]), (100.5, [2, 3])]
    assert time.rests == [0.25]


async def test_a_few_may_go_ahead_after_a_rest() -> None:
    """Three at once, and then one every half second; who rests for one and a half may have three again, and no more."""
    time = Time()
    batcher = Batcher(doubled, most=10, spacing=time.spacing(0.5, ahead=2))
    for number in range(4):
        await batcher.add(number)
    assert time.rests == [0.5]
    time.now += 100
    for number in range(5):
        await batcher.add(number)
    assert time.rests == [0.5, 0.5, 0.5]


async def test_what_comes_unevenly_and_seldom_enough_waits_for_nothing() -> None:
    """Pairs, a second apart: on average the spacing is kept."""
    time = Time()
    batcher = Batcher(doubled, most=10, spacing=time.spacing(0.5, ahead=1))
    for number in range(10):
        await batcher.add(number)
        await batcher.add(number)
        time.now += 1.0
    assert time.rests == []


async def test_a_whole_batch_waits_for_no_spacing() -> None:
    """Where as much waits as fits, waiting longer would win nothing."""
    time = Time()
    batcher = Batcher(doubled, most=2, spacing=time.spacing(0.5))
    assert await batcher.add_all([1, 2, 3, 4]) == [2, 4, 6, 8]
    assert time.rests == []


async def test_whoever_stops_a_spaced_flusher_leaves_nobody_waiting() -> None:
    """A flusher that is stopped while it rests cancels those who wait for it."""
    resting = asyncio.Event()

    async def rest(_: float) -> None:
        resting.set()
        await asyncio.Event().wait()

    batcher = Batcher(doubled, most=10, spacing=Spacing(0.5, clock=lambda: 1.0, rest=rest))
    await batcher.add(1)
    late = asyncio.ensure_future(batcher.add(2))
    await resting.wait()
    (flusher,) = [task for task in asyncio.all_tasks() if "_flush_until_empty" in repr(task)]
    flusher.cancel()
    with pytest.raises(asyncio.CancelledError):
        await late
