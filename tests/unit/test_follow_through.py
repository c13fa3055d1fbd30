"""Stages that go on at once, on a store in memory: what follows, what doesn't, and who is to blame."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from pipeline.errors import Contended
from pipeline.execution import ApartRunner, Shop, StageRunner, each_alone
from pipeline.follow_through import Clock, Perform
from pipeline.lifecycle import Stage, StageState, Status
from pipeline.model import AnswerScore, LearnerContext, Outcome, Work
from pipeline.ports import WorkUnit
from pipeline.stages.outcome import Done, Rejected, RetryLater
from pipeline.stages.outcome import Outcome as StageOutcome
from pipeline.stages.score import sum_up
from pipeline.stages.verdict import RetryPolicy
from tests.contracts.fakes.live import FakeBell, FakeBoard
from tests.contracts.fakes.work import NOW, FakeStage, FakeWorkStore

POLICY = RetryPolicy(max_attempts=2, base_seconds=1000.0, cap_seconds=1000.0)
RIGHT = AnswerScore(Outcome.CORRECT, fraction=1.0, points=1.0, max_points=1.0, rule="single_choice/1")
SCORED = Done(sum_up([RIGHT]))


class House:
    """One worker's shop in memory, which serves every stage; what each does may be replaced."""

    def __init__(self, **replaced: Perform) -> None:
        self.store, self.bell, self.board = FakeWorkStore(), FakeBell(), FakeBoard()
        self.shop = Shop(
            worker_id="w",
            store=self.store,
            bell=self.bell,
            board=self.board,
            policy=POLICY,
            lease_seconds=5.0,
            batch=10,
        )
        self.performs: dict[Stage, Perform] = {Stage(name): perform for name, perform in PERFORMS.items()}
        self.performs |= {Stage(name): perform for name, perform in replaced.items()}

    def runner(self, stage: Stage = Stage.SCORE) -> StageRunner:
        follow = {after: perform for after, perform in self.performs.items() if after is not stage}
        return StageRunner(stage, self.shop, self.performs[stage], follow=follow)

    def row(self, id_: str, stage: Stage) -> FakeStage:
        return self.store.submissions[id_].stages[stage]

    def states(self, id_: str) -> list[StageState]:
        return [self.row(id_, stage).state for stage in Stage]


def always(outcome: StageOutcome) -> Perform:
    return each_alone(lambda _: outcome)


PERFORMS = {"score": always(SCORED), "feedback": always(Done({"f": 1})), "recommend": always(Done({"r": 1})),
            "metrics": always(Done({}))}  # fmt: skip
ALL_DONE = [StageState.DONE] * 4


async def test_one_ring_takes_a_submission_all_the_way() -> None:
    """One claim, one unit, one change shown as completed; nobody is rung."""
    house = House()
    ids = [house.store.accept() for _ in range(3)]
    await house.runner().ring(ids)
    for id_ in ids:
        assert house.states(id_) == ALL_DONE
        assert house.store.submissions[id_].status is Status.COMPLETED
        assert {(row.epoch, row.attempts) for row in house.store.submissions[id_].stages.values()} == {(1, 1)}
    assert house.bell.rung == []
    for change in house.board.shown.values():
        assert (change.version, change.status, change.finished) == (3, Status.COMPLETED, tuple(Stage))
        assert change.followed == (Stage.FEEDBACK, Stage.RECOMMEND, Stage.METRICS)


async def test_a_paused_stage_is_left_to_its_ring_and_what_waits_for_it_waits() -> None:
    house = House()
    house.store.paused = {Stage.FEEDBACK}
    id_ = house.store.accept()
    await house.runner().ring([id_])
    assert house.states(id_) == [StageState.DONE, StageState.READY, StageState.DONE, StageState.WAITING]
    assert [(queue, list(ids)) for queue, ids, _ in house.bell.rung] == [(Stage.FEEDBACK, [id_])]


async def test_a_stage_that_this_worker_does_not_serve_is_rung() -> None:
    house = House()
    del house.performs[Stage.RECOMMEND]
    id_ = house.store.accept()
    await house.runner().ring([id_])
    assert house.states(id_) == [StageState.DONE, StageState.DONE, StageState.READY, StageState.WAITING]


async def test_a_stage_that_was_ready_before_may_be_somebody_elses_and_does_not_follow() -> None:
    """Feedback was rung for already; recording recommend must not run it."""
    house = House()
    id_ = house.store.accept()
    house.store.submissions[id_].stages |= {
        Stage.SCORE: FakeStage(StageState.DONE, 1, 1),
        Stage.FEEDBACK: FakeStage(StageState.READY),
        Stage.RECOMMEND: FakeStage(StageState.READY),
    }
    await house.runner(Stage.RECOMMEND).ring([id_])
    assert house.states(id_) == [StageState.DONE, StageState.READY, StageState.DONE, StageState.WAITING]


async def test_a_follower_that_fails_is_its_own_failed_attempt_and_the_rest_is_kept() -> None:
    house = House(recommend=always(RetryLater("ValueError", traceback="in line 1")))
    id_ = house.store.accept()
    await house.runner().ring([id_])
    assert house.states(id_) == [StageState.DONE, StageState.DONE, StageState.READY, StageState.WAITING]
    row = house.row(id_, Stage.RECOMMEND)
    assert (row.epoch, row.attempts, row.resting) == (1, 1, True)
    assert [(claim.attempt, error) for claim, error, _ in house.store.submissions[id_].history] == [(1, "ValueError")]


async def test_a_follower_that_is_rejected_fails_the_submission_with_its_score_kept() -> None:
    house = House(feedback=always(Rejected("Refused")))
    id_ = house.store.accept()
    await house.runner().ring([id_])
    assert house.store.submissions[id_].status is Status.FAILED
    assert set(house.store.submissions[id_].results) == {Stage.SCORE, Stage.RECOMMEND}


async def test_a_surprise_in_a_follower_is_not_blamed_on_the_stage_before_it() -> None:
    """The whole batch of recommend breaks down; scores are recorded without it, and it is rung for."""

    async def broken(_: WorkUnit, works: Sequence[Work]) -> Sequence[StageOutcome]:
        raise ZeroDivisionError(len(works))

    house = House(recommend=broken)
    ids = [house.store.accept() for _ in range(3)]
    await house.runner().ring(ids)
    for id_ in ids:
        assert house.states(id_)[0] is StageState.DONE
        assert house.row(id_, Stage.RECOMMEND).state is StageState.READY
        assert house.store.submissions[id_].history == []
    await house.runner(Stage.RECOMMEND).ring(ids)
    assert [len(house.store.submissions[id_].history) for id_ in ids] == [1, 1, 1]


async def test_a_suspect_goes_one_stage_at_a_time() -> None:
    """If it kills its worker again, it is known in which stage."""
    house = House()
    id_ = house.store.accept()
    house.row(id_, Stage.SCORE).solo = True
    runner = house.runner()
    await runner.ring([id_], solo=True)
    await runner.drain()
    assert house.states(id_) == [StageState.DONE, StageState.READY, StageState.READY, StageState.WAITING]


async def test_with_a_suspect_among_what_finishes_nothing_follows() -> None:
    """A stage that takes its time ends in a batch; should a follower kill the worker, the suspect is not to blame."""
    house = House()

    async def take_time(_: Work) -> StageOutcome:
        return Done({"f": 1})

    runner = ApartRunner(Stage.FEEDBACK, house.shop, take_time, room=10, follow={Stage.METRICS: PERFORMS["metrics"]})
    for solo in (False, True):
        id_ = house.store.accept()
        house.store.submissions[id_].stages |= {
            Stage.SCORE: FakeStage(StageState.DONE, 1, 1),
            Stage.FEEDBACK: FakeStage(StageState.READY, solo=solo),
            Stage.RECOMMEND: FakeStage(StageState.DONE, 1, 1),
        }
        await runner.ring([id_], solo=solo)
        await runner.drain()
        followed = StageState.READY if solo else StageState.DONE
        assert house.states(id_) == [StageState.DONE, StageState.DONE, StageState.DONE, followed]


async def test_the_stages_that_follow_know_the_scores_and_the_times() -> None:
    seen: dict[Stage, Work] = {}

    def looking(stage: Stage) -> Perform:
        def look(work: Work) -> StageOutcome:
            seen[stage] = work
            return Done({"seen": True})

        return each_alone(look)

    house = House(recommend=looking(Stage.RECOMMEND), metrics=looking(Stage.METRICS))
    await house.runner().ring([house.store.accept()])
    assert seen[Stage.RECOMMEND].scores == seen[Stage.METRICS].scores == (RIGHT,)
    assert [timing.stage for timing in seen[Stage.METRICS].timings] == [Stage.FEEDBACK, Stage.RECOMMEND, Stage.METRICS]
    for timing in seen[Stage.METRICS].timings[:-1]:
        assert timing.started_at is not None
        assert timing.finished_at is not None
        assert NOW <= timing.started_at <= timing.finished_at
    assert seen[Stage.METRICS].timings[-1].finished_at is None


def test_the_clock_goes_on_from_the_stores_by_the_time_that_passed() -> None:
    ticks = iter([100.0, 101.5])
    loaded = datetime(2026, 1, 1, tzinfo=UTC)
    work = Work("id", 1, "ada", LearnerContext(), loaded, loaded, loaded, ())
    assert Clock([work], lambda: next(ticks)).now() == loaded + timedelta(seconds=1.5)


async def test_where_others_are_in_the_way_of_followers_the_scores_are_recorded_without_them() -> None:
    """As one batch, not one by one: nobody in it is at fault."""
    sizes: list[int] = []

    async def scored(_: WorkUnit, works: Sequence[Work]) -> Sequence[StageOutcome]:
        sizes.append(len(works))
        return [SCORED for _ in works]

    async def contended(_: WorkUnit, works: Sequence[Work]) -> Sequence[StageOutcome]:
        raise Contended(f"others hold {len(works)}")

    house = House(score=scored, recommend=contended)
    ids = [house.store.accept() for _ in range(5)]
    await house.runner().ring(ids)
    assert sizes == [5, 5]
    for id_ in ids:
        assert house.states(id_) == [StageState.DONE, StageState.READY, StageState.READY, StageState.WAITING]
        assert house.store.submissions[id_].history == []
