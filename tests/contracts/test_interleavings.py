"""Whatever happens in whatever order: every move is in the table, epochs only grow, and the sums hold."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.bootstrap import build_runner, perform_metrics, perform_recommend, write_feedback
from pipeline.execution import Shop, each_alone
from pipeline.follow_through import NOTHING_FOLLOWS, Clock, Journey, Performs, follow_through
from pipeline.lifecycle import SUCCEEDED_STATES, TRANSITIONS, Event, Stage, StageState, Status, sources
from pipeline.llm.template import TemplateProvider
from pipeline.model import Claim, Work
from pipeline.ports import WorkUnit
from pipeline.stages import score
from pipeline.stages.outcome import Outcome, Rejected, RetryLater
from pipeline.stages.run import ended, first_step
from pipeline.stages.verdict import judge
from pipeline.store.control import ControlStore
from pipeline.store.engine import transaction
from pipeline.store.upkeep import UpkeepStore
from tests.contracts.fakes.live import FakeBell, FakeBoard
from tests.contracts.house import OTHER, POLICY, WORKER, PostgresHouse, watching
from tests.samples import a_hand_in
from tests.sums import assert_sums_hold, query

Snapshot = dict[tuple[str, Stage], tuple[StageState, int]]
MOVES = {(before, after) for (before, _), after in TRANSITIONS.items()}


@pytest.fixture
def house(postgres_house: PostgresHouse) -> PostgresHouse:
    return postgres_house


def dice(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - the same play every time


class Play:
    """Workers, sweeper and people who act at random on a few submissions of few learners."""

    def __init__(self, house: PostgresHouse, ids: list[str], chances: random.Random) -> None:
        self.house = house
        self.ids = ids
        self.chances = chances
        self.claims: list[tuple[str, Stage, Claim]] = []
        self.upkeep = UpkeepStore(house.engine)
        self.control = ControlStore(house.engine)

    @property
    def acts(self) -> list[Callable[[], Awaitable[None]]]:
        return [self.claim, self.claim, self.claim, self.finish, self.finish, self.finish, self.fail, self.give_back,
                self.lose, self.strand, self.cancel, self.retry]  # fmt: skip

    async def act(self) -> None:
        await self.chances.choice(self.acts)()

    def some_ids(self) -> list[str]:
        return self.chances.sample(self.ids, self.chances.randint(1, len(self.ids)))

    def drop_claims(self) -> tuple[str, Stage, list[Claim]]:
        """Some of one worker's claims on one stage, current or long lost."""
        if not self.claims:
            return WORKER, Stage.SCORE, []
        worker, stage, _ = self.chances.choice(self.claims)
        mine = [entry for entry in self.claims if entry[:2] == (worker, stage)]
        chosen = self.chances.sample(mine, self.chances.randint(1, len(mine)))
        if self.chances.random() < 0.8:  # the others come back as zombies
            self.claims = [entry for entry in self.claims if entry not in chosen]
        return worker, stage, [claim for _, _, claim in chosen]

    async def claim(self) -> None:
        stage, worker = self.chances.choice(list(Stage)), self.chances.choice([WORKER, OTHER])
        claims, _ = await self.house.store.claim(stage, self.some_ids(), worker, 30.0, solo=self.chances.random() < 0.3)
        self.claims += [(worker, stage, claim) for claim in claims]

    async def finish(self) -> None:
        worker, stage, claims = self.drop_claims()
        async with self.house.store.unit(stage, worker) as unit:
            held = await unit.hold(claims)
            works = await unit.load([claim for claim, _ in held])
            outcomes = await PERFORM[stage](unit, works)
            clock = Clock(works)
            journeys = [
                Journey(
                    first_step(stage, judge(claim, outcome, POLICY, 0.0), before),
                    ended(work, stage, clock.now(), outcome),
                )
                for (claim, before), work, outcome in zip(held, works, outcomes, strict=True)
            ]
            follow = self.chances.choice([NOTHING_FOLLOWS, PERFORM])
            await unit.record(await follow_through(unit, journeys, follow, POLICY, clock))

    async def fail(self) -> None:
        worker, stage, claims = self.drop_claims()
        outcomes: list[Outcome] = [Rejected("Refused"), RetryLater("Later", delay_seconds=0.0)]
        outcome = self.chances.choice(outcomes)
        async with self.house.store.unit(stage, worker) as unit:
            held = await unit.hold(claims)
            await unit.record([first_step(stage, judge(claim, outcome, POLICY, 0.0), before) for claim, before in held])

    async def give_back(self) -> None:
        worker, stage, claims = self.drop_claims()
        await self.upkeep.give_back(worker, [(stage, claim) for claim in claims])

    async def lose(self) -> None:
        """A sweeper that knows of no worker: all that runs is lost."""
        await self.upkeep.sweep(watching(), dead_seconds=8, max_attempts=POLICY.max_attempts)

    async def strand(self) -> None:
        worker, stage, claims = self.drop_claims()
        known = [(stage, claim) for claim in claims]
        failed = [(other, claim) for _, other, claim in self.claims if self.chances.random() < 0.5]
        await self.upkeep.return_stranded(worker, known, failed, 0.0, max_attempts=POLICY.max_attempts)

    async def cancel(self) -> None:
        if self.chances.random() < 0.3:
            await self.control.cancel(self.house.tenant_id, [self.chances.choice(self.ids)], "test")

    async def retry(self) -> None:
        await self.control.retry(self.house.tenant_id, self.some_ids(), "test")

    async def snapshot(self) -> Snapshot:
        rows = await query(self.house.engine, "SELECT submission_id::text, stage, state, epoch FROM stages")
        return {(row[0], Stage(row[1])): (StageState(row[2]), row[3]) for row in rows}


async def scored(unit: WorkUnit, works: Sequence[Work]) -> Sequence[Outcome]:
    return await each_alone(score.decide)(unit, works)


async def with_feedback(_: WorkUnit, works: Sequence[Work]) -> Sequence[Outcome]:
    return [write_feedback(TemplateProvider(), work) for work in works]


PERFORM: Performs = {
    Stage.SCORE: scored,
    Stage.FEEDBACK: with_feedback,
    Stage.RECOMMEND: perform_recommend,
    Stage.METRICS: perform_metrics,
}


async def accepted(house: PostgresHouse, count: int) -> list[str]:
    """Submissions of two learners to overlapping questions."""
    batch = [
        a_hand_in(house.tenant_id, house.questions[i % 4 :], ("a", "b"), learner_id=f"learner-{i % 2}")
        for i in range(count)
    ]
    await house.intake.accept(batch)
    return [one.id for one in batch]


def assert_legal(before: Snapshot, after: Snapshot) -> None:
    """Each stage stayed, or moved as the table says, or went on and was done; handing out raises the epoch."""
    for key, (state, epoch) in after.items():
        old_state, old_epoch = before[key]
        followed = old_state is StageState.WAITING and state in SUCCEEDED_STATES
        if state is not old_state:
            assert followed or (old_state, state) in MOVES, (key, old_state, state)
        claimed = state is StageState.RUNNING and old_state is not StageState.RUNNING
        assert epoch == old_epoch + (followed or claimed), key


@pytest.mark.parametrize("seed", range(6))
async def test_every_move_is_in_the_table(house: PostgresHouse, seed: int) -> None:
    """One act at a time, each checked against the table; a forbidden row would be refused by a CHECK."""
    play = Play(house, await accepted(house, 5), dice(seed))
    before = await play.snapshot()
    for _ in range(60):
        await play.act()
        after = await play.snapshot()
        assert_legal(before, after)
        before = after
    await assert_sums_hold(house.engine)
    await assert_history_tells_every_end(house.engine)


@pytest.mark.parametrize("seed", range(4))
async def test_acts_at_the_same_time_agree_and_never_deadlock(house: PostgresHouse, seed: int) -> None:
    """Eight players at once on the same submissions; a circle of waiting would fail one of them."""
    ids = await accepted(house, 8)
    players = [Play(house, ids, dice(100 * seed + n)) for n in range(8)]

    async def play(player: Play) -> None:
        for _ in range(25):
            await player.act()

    await asyncio.gather(*[play(player) for player in players])
    await assert_sums_hold(house.engine)
    await assert_history_tells_every_end(house.engine)


async def assert_history_tells_every_end(engine: AsyncEngine) -> None:
    """Epochs = ends without a result (history) + results + what runs + what was cancelled while it ran."""
    rows = await query(
        engine,
        "SELECT t.stage, t.state, t.epoch, (SELECT count(*) FROM attempts a WHERE a.submission_id = t.submission_id"
        " AND a.stage = t.stage) FROM stages t",
    )
    for stage, state, epoch, ends in rows:
        open_or_well_ended = state in {StageState.RUNNING, *SUCCEEDED_STATES}
        unexplained = epoch - ends - open_or_well_ended
        assert unexplained in ({0, 1} if state == StageState.CANCELLED else {0}), (stage, state, epoch, ends)


@pytest.mark.parametrize("seed", range(3))
async def test_concurrent_submissions_of_one_learner_lose_nothing(house: PostgresHouse, seed: int) -> None:
    """Thirty hand-ins of two learners learn in concurrent units of random size; a replay gives the same digits."""
    chances = dice(seed)
    ids = await accepted(house, 30)
    await run_all(house, Stage.SCORE, [ids])
    await run_all(house, Stage.FEEDBACK, [ids])
    chances.shuffle(ids)
    sizes = [chances.randint(1, 5) for _ in ids]
    batches = [ids[sum(sizes[:i]) : sum(sizes[: i + 1])] for i in range(len(ids))]
    await run_all(house, Stage.RECOMMEND, [batch for batch in batches if batch])
    await run_all(house, Stage.METRICS, [ids[::2], ids[1::2]])
    assert {(await house.status(id_))[0] for id_ in ids} == {Status.COMPLETED}
    await assert_sums_hold(house.engine)


async def run_all(house: PostgresHouse, stage: Stage, batches: list[list[str]]) -> None:
    """Run a stage for these batches at once."""

    async def run(batch: list[str]) -> None:
        play = Play(house, batch, dice(0))
        claims, _ = await house.store.claim(stage, batch, WORKER, 30.0)
        play.claims = [(WORKER, stage, claim) for claim in claims]
        async with house.store.unit(stage, WORKER) as unit:
            held = await unit.hold(claims)
            outcomes = await PERFORM[stage](unit, await unit.load([claim for claim, _ in held]))
            await unit.record(
                [first_step(stage, judge(c, o, POLICY, 0.0), h) for (c, h), o in zip(held, outcomes, strict=True)]
            )

    await asyncio.gather(*[run(batch) for batch in batches])


@pytest.mark.parametrize("state", StageState)
async def test_guards_in_sql_agree_with_the_table(house: PostgresHouse, state: StageState) -> None:
    """Put a score stage into each state by hand: an act moves it if and only if the table lets it."""
    for event, act in (
        (Event.CLAIMED, claim_it),
        (Event.SUCCEEDED, record_it),
        (Event.LEASE_LOST, sweep_it),
        (Event.GAVE_BACK, give_it_back),
        (Event.CANCELLED, cancel_it),
        (Event.RETRIED, retry_it),
    ):
        [id_] = await house.accept(1)
        await put(house, id_, state)
        await act(house, id_)
        moved = (await house.stages(id_))[Stage.SCORE].state is not state
        assert moved is (state in sources(event)), event


async def put(house: PostgresHouse, id_: str, state: StageState) -> None:
    columns = {
        "worker_id": f"'{WORKER}'" if state is StageState.RUNNING else "NULL",
        "lease_expires_at": "clock_timestamp() - interval '1 h'" if state is StageState.RUNNING else "NULL",
        "available_at": "clock_timestamp()" if state is StageState.READY else "NULL",
        "finished_at": "clock_timestamp()" if state in FINISHED else "NULL",
    }
    assignments = ", ".join(f"{name} = {value}" for name, value in columns.items())
    async with transaction(house.engine) as connection:
        await connection.execute(
            text(
                f"UPDATE stages SET state = '{state}', epoch = 1, attempts = 1, {assignments}"
                " WHERE submission_id = CAST(:id AS uuid) AND stage = 'score'"
            ),
            {"id": id_},
        )


FINISHED = {*SUCCEEDED_STATES, StageState.DEAD, StageState.CANCELLED}


async def claim_it(house: PostgresHouse, id_: str) -> None:
    await house.store.claim(Stage.SCORE, [id_], WORKER, 30.0)


async def record_it(house: PostgresHouse, id_: str) -> None:
    claim = Claim(id_, house.tenant_id, 1, 1)
    async with house.store.unit(Stage.SCORE, WORKER) as unit:
        held = await unit.hold([claim])
        works = await unit.load([claim for claim, _ in held])
        await unit.record(
            [
                first_step(Stage.SCORE, judge(claim, score.decide(w), POLICY, 0.0), h)
                for w, (_, h) in zip(works, held, strict=True)
            ]
        )


async def sweep_it(house: PostgresHouse, _: str) -> None:
    await UpkeepStore(house.engine).sweep(watching(), dead_seconds=8, max_attempts=3)


async def give_it_back(house: PostgresHouse, id_: str) -> None:
    await UpkeepStore(house.engine).give_back(WORKER, [(Stage.SCORE, Claim(id_, house.tenant_id, 1, 1))])


async def cancel_it(house: PostgresHouse, id_: str) -> None:
    await ControlStore(house.engine).cancel(house.tenant_id, [id_], "test")


async def retry_it(house: PostgresHouse, id_: str) -> None:
    await ControlStore(house.engine).retry(house.tenant_id, [id_], "test")


async def test_a_unit_that_stands_still_does_not_hold_back_scores_of_others(house: PostgresHouse) -> None:
    """One worker froze after it had locked ratings that all share: another's hand-ins are scored, and go on later."""
    frozen, healthy = await accepted(house, 2)
    [claim], _ = await house.store.claim(Stage.SCORE, [frozen], OTHER, 30.0)
    shop = Shop(
        worker_id=WORKER, store=house.store, bell=FakeBell(), board=FakeBoard(), policy=POLICY, lease_seconds=30.0,
        batch=10,
    )  # fmt: skip
    runner = build_runner(Stage.SCORE, shop, tuple(Stage))
    async with house.store.unit(Stage.SCORE, OTHER) as unit:
        await unit.hold([claim])
        await unit.lock_learning(await unit.load([claim]))
        await runner.ring([healthy])
        states = {stage: row.state for stage, row in (await house.stages(healthy)).items()}
    assert states[Stage.SCORE] is StageState.DONE
    assert states[Stage.RECOMMEND] is StageState.READY
