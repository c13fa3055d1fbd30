"""The run of a stage, on a store, a bell and a board in memory."""

import asyncio
import time
from collections.abc import Sequence

import pytest

from pipeline.execution import ApartRunner, PerformAlone, Shop, StageRunner, each_alone
from pipeline.follow_through import Perform
from pipeline.lifecycle import Stage, StageState, Status
from pipeline.model import Work
from pipeline.ports import WorkUnit
from pipeline.stages.outcome import Done, Outcome
from pipeline.stages.score import sum_up
from pipeline.stages.verdict import RetryPolicy
from tests.contracts.fakes.live import FakeBell, FakeBoard
from tests.contracts.fakes.work import FakeWorkStore

SECRET = "my answer is 42"
AT_ONCE = RetryPolicy(max_attempts=2, base_seconds=0.0, cap_seconds=0.0)


class House:
    """One worker's shop, in memory, and runners for it."""

    def __init__(self, lease_seconds: float = 5.0) -> None:
        self.store, self.bell, self.board = FakeWorkStore(), FakeBell(), FakeBoard()
        self.shop = Shop(
            worker_id="w",
            store=self.store,
            bell=self.bell,
            board=self.board,
            policy=AT_ONCE,
            lease_seconds=lease_seconds,
            batch=10,
        )

    def accept(self, count: int) -> list[str]:
        return [self.store.accept() for _ in range(count)]

    def scorer(self, perform: Perform) -> StageRunner:
        return StageRunner(Stage.SCORE, self.shop, perform)

    def alone(self, perform: PerformAlone, *, room: int = 10) -> ApartRunner:
        return ApartRunner(Stage.SCORE, self.shop, perform, room=room)

    def states(self, ids: Sequence[str], stage: Stage = Stage.SCORE) -> list[StageState]:
        return [self.store.submissions[id_].stages[stage].state for id_ in ids]


def done(_: Work) -> Outcome:
    return Done(sum_up([]))


async def done_alone(work: Work) -> Outcome:
    return done(work)


async def worked_through(runner: StageRunner | ApartRunner, ids: Sequence[str]) -> None:
    """Ring for these, and wait for those that are lined up."""
    await runner.ring(ids)
    await runner.drain()


async def test_a_ring_is_claimed_decided_recorded_rung_and_shown() -> None:
    house = House()
    ids = house.accept(3)
    await house.scorer(each_alone(done)).ring(ids)
    assert house.states(ids) == [StageState.DONE] * 3
    assert [(queue, set(rung)) for queue, rung, _ in house.bell.rung] == [
        ("feedback", set(ids)),
        ("recommend", set(ids)),
    ]
    assert {(change.version, change.status) for change in house.board.shown.values()} == {(3, Status.AI_PROCESSING)}
    assert house.shop.in_flight.held() == []


async def test_rings_for_the_same_work_run_it_once() -> None:
    house = House()
    ids = house.accept(5)
    seen: list[str] = []

    def decide(work: Work) -> Outcome:
        seen.append(work.submission_id)
        return done(work)

    runner = house.scorer(each_alone(decide))
    await asyncio.gather(*[runner.ring(ids) for _ in range(4)])
    assert sorted(seen) == sorted(ids)


async def test_a_surprise_in_one_is_that_ones_failed_attempt() -> None:
    """Its neighbours are done; after its attempts it is dead, and its history tells each."""
    house = House()
    bad, *good = house.accept(4)

    def decide(work: Work) -> Outcome:
        if work.submission_id == bad:
            raise LookupError(SECRET)
        return done(work)

    runner = house.scorer(each_alone(decide))
    await runner.ring([bad, *good])
    assert house.states(good) == [StageState.DONE] * 3
    assert house.states([bad]) == [StageState.READY]
    await runner.ring([bad])
    assert house.states([bad]) == [StageState.DEAD]
    assert [error for _, error, _ in house.store.submissions[bad].history] == ["LookupError"] * 2


async def test_a_batch_that_surprises_as_a_whole_is_taken_apart() -> None:
    """Which one is to blame is found by running each alone."""
    house = House()
    bad, *good = house.accept(4)

    async def perform(_: WorkUnit, works: Sequence[Work]) -> list[Outcome]:
        if bad in {work.submission_id for work in works}:
            raise ZeroDivisionError
        return [done(work) for work in works]

    await house.scorer(perform).ring([bad, *good])
    assert house.states(good) == [StageState.DONE] * 3
    assert house.states([bad]) == [StageState.READY]
    assert [error for _, error, _ in house.store.submissions[bad].history] == ["ZeroDivisionError"]


@pytest.mark.parametrize("alone", [False, True])
async def test_a_batch_that_cannot_be_recorded_is_taken_apart(alone: bool) -> None:
    house = House()
    bad, *good = house.accept(4)
    house.store.unrecordable = {bad}
    runner = house.alone(done_alone) if alone else house.scorer(each_alone(done))
    await worked_through(runner, [bad, *good])
    assert house.states(good) == [StageState.DONE] * 3
    assert house.states([bad]) == [StageState.READY]
    assert [error for _, error, _ in house.store.submissions[bad].history] == ["ValueError"]


async def test_what_cannot_be_loaded_fails_alone() -> None:
    """It counts as an attempt, so it does not go round for ever."""
    house = House()
    bad, *good = house.accept(4)
    house.store.unloadable = {bad}
    runner = house.alone(done_alone)
    for _ in range(AT_ONCE.max_attempts):
        await worked_through(runner, [bad, *good])
    assert house.states(good) == [StageState.DONE] * 3
    assert house.states([bad]) == [StageState.DEAD]


@pytest.mark.parametrize("alone", [False, True])
async def test_a_store_that_is_away_is_waited_for(alone: bool) -> None:
    """The claim went through, then the store is away for a while: the work is done all the same, and once."""
    house = House()
    ids = house.accept(3)
    calls: list[str] = []

    def decide(work: Work) -> Outcome:
        calls.append(work.submission_id)
        house.store.outages = 2 if len(calls) == 1 else house.store.outages
        return done(work)

    async def decide_alone(work: Work) -> Outcome:
        return decide(work)

    runner = house.alone(decide_alone) if alone else house.scorer(each_alone(decide))
    await worked_through(runner, ids)
    assert house.states(ids) == [StageState.DONE] * 3
    assert {row.stages[Stage.SCORE].attempts for row in house.store.submissions.values()} == {1}


async def test_a_store_that_stays_away_ends_the_wait_with_the_lease() -> None:
    """Nothing is raised and nothing is recorded: the sweeper will find the claims."""
    house = House(lease_seconds=0.1)
    ids = house.accept(2)

    async def decide(work: Work) -> Outcome:
        house.store.outages = 1_000
        return done(work)

    await worked_through(house.alone(decide), ids)
    assert house.states(ids) == [StageState.RUNNING] * 2
    assert house.shop.in_flight.held() == []


async def test_a_claim_that_finds_the_store_away_is_left_to_the_sweeper() -> None:
    house = House()
    ids = house.accept(1)
    house.store.outages = 1
    await house.scorer(each_alone(done)).ring(ids)
    assert house.states(ids) == [StageState.READY]


async def test_a_lost_ring_or_status_loses_no_result() -> None:
    house = House()
    ids = house.accept(2)
    house.bell.away = house.board.away = True
    await house.scorer(each_alone(done)).ring(ids)
    assert house.states(ids) == [StageState.DONE] * 2


async def test_failure_texts_never_contain_answers() -> None:
    """The text of an exception may quote what it choked on; only its type and place are kept."""
    house = House()
    ids = house.accept(1)

    def decide(_: Work) -> Outcome:
        raise ValueError(SECRET)

    await house.scorer(each_alone(decide)).ring(ids)
    [(_, error, traceback)] = house.store.submissions[ids[0]].history
    assert error == "ValueError"
    assert "decide" in (traceback or "")
    assert SECRET not in f"{error} {traceback}"


async def test_work_in_hand_is_known_while_it_lasts() -> None:
    """The heartbeat renews what is held here, from the claim to the record."""
    house = House()
    ids = house.accept(2)
    held: list[int] = []

    async def decide(work: Work) -> Outcome:
        held.append(len(house.shop.in_flight.held()))
        return done(work)

    await worked_through(house.alone(decide), ids)
    assert held == [2, 2]
    assert house.shop.in_flight.held() == []


async def test_a_closed_shop_passes_rings_on() -> None:
    """Nothing is claimed; another worker hears of it at once."""
    house = House()
    ids = house.accept(2)
    house.shop.close()
    await house.scorer(each_alone(done)).ring(ids)
    assert house.states(ids) == [StageState.READY] * 2
    assert house.bell.rung == [("score", tuple(ids), False)]


async def test_suspects_run_one_at_a_time_and_hold_no_ring_up() -> None:
    """The ring returns at once; each suspect is alone in its batch, however often it is rung."""
    house = House()
    ids = house.accept(4)
    for id_ in ids:
        house.store.submissions[id_].stages[Stage.SCORE].solo = True
    batches: list[int] = []

    async def perform(_: WorkUnit, works: Sequence[Work]) -> list[Outcome]:
        batches.append(len(works))
        return [done(work) for work in works]

    runner = house.scorer(perform)
    await runner.ring(ids, solo=True)
    assert batches == []
    await runner.ring(ids, solo=True)
    await runner.drain()
    assert batches == [1, 1, 1, 1]
    assert house.states(ids) == [StageState.DONE] * 4


async def test_a_long_computation_lets_others_have_their_turn() -> None:
    """Otherwise a worker that computes would be taken for a dead one."""
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    def compute(work: Work) -> Outcome:
        ends = time.monotonic() + 0.03
        while time.monotonic() < ends:
            pass
        return done(work)

    house = House()
    ids = house.accept(5)
    works = await house.store.load(Stage.SCORE, (await house.store.claim(Stage.SCORE, ids, "w", 5.0))[0])
    counting = asyncio.create_task(count_turns())
    async with house.store.unit(Stage.SCORE, "w") as unit:
        await each_alone(compute)(unit, works)
    counting.cancel()
    assert turns >= len(ids)


async def test_a_surprise_with_one_suspect_leaves_the_others_to_be_examined() -> None:
    """Where even claiming fails in a way no rule foresaw, the next suspect is taken all the same."""
    house = House()
    bad, good = house.accept(2)
    for id_ in (bad, good):
        house.store.submissions[id_].stages[Stage.SCORE].solo = True
    house.store.unclaimable.add(bad)
    runner = house.scorer(each_alone(done))
    await runner.ring([bad, good], solo=True)
    await runner.drain()
    assert house.states([bad, good]) == [StageState.READY, StageState.DONE]


async def test_what_was_too_much_at_once_is_tried_in_smaller_batches() -> None:
    """A batch that the store never took within its lease: the next are half as large, and grow again with success."""
    house = House(lease_seconds=0.05)
    sizes: list[int] = []

    async def perform(_: WorkUnit, works: Sequence[Work]) -> list[Outcome]:
        sizes.append(len(works))
        return [done(work) for work in works]

    runner = house.scorer(perform)
    too_many = house.accept(8)
    claims, _ = await house.store.claim(Stage.SCORE, too_many, "w", 0.05)
    house.store.outages = 10_000
    assert (await runner.work(claims)).changes == ()
    house.store.outages = 0
    await runner.ring(house.accept(24))
    assert sizes == [4, 8, 10, 2]


async def test_a_ring_of_a_stage_that_takes_its_time_returns_at_once() -> None:
    """Its threads are needed for stages that are quick."""
    house = House()
    ids = house.accept(2)
    finish = asyncio.Event()

    async def decide(work: Work) -> Outcome:
        await finish.wait()
        return done(work)

    runner = house.alone(decide)
    await runner.ring(ids)
    assert house.states(ids) != [StageState.DONE] * 2
    finish.set()
    await runner.drain()
    assert house.states(ids) == [StageState.DONE] * 2


async def test_no_more_is_claimed_than_there_is_room_for() -> None:
    """What waits is nobody's yet, so another worker may take it; it is taken up as soon as one is done."""
    house = House()
    ids = house.accept(5)
    most = 0

    async def decide(work: Work) -> Outcome:
        nonlocal most
        most = max(most, house.states(ids).count(StageState.RUNNING))
        await asyncio.sleep(0)
        return done(work)

    await worked_through(house.alone(decide, room=2), ids)
    assert house.states(ids) == [StageState.DONE] * 5
    assert most == 2


async def test_what_is_lined_up_when_the_shop_closes_is_passed_on() -> None:
    house = House()
    first, *rest = house.accept(3)

    async def decide(work: Work) -> Outcome:
        house.shop.close()
        return done(work)

    await worked_through(house.alone(decide, room=1), [first, *rest])
    assert house.states([first, *rest]) == [StageState.DONE, StageState.READY, StageState.READY]
    assert ("score", tuple(rest), False) in house.bell.rung
