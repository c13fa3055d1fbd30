"""Lesser feedback that is tried again: replaced once, by one, and only while it is wanted."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.lifecycle import Stage, StageState, Status
from pipeline.model import Work
from pipeline.ports.improvement import Due
from pipeline.service.improving import Improver
from pipeline.stages.outcome import Degraded, Done, Outcome
from pipeline.store.control import ControlStore
from pipeline.store.engine import create_engine, transaction
from pipeline.store.erasure import ErasureStore
from pipeline.store.improvement import ImprovementStore
from tests.contracts.fakes.live import FakeBoard
from tests.contracts.house import BODIES, PostgresHouse, claimed, finish, record
from tests.samples import a_hand_in

LESSER = Degraded(BODIES[Stage.FEEDBACK], reason="providers_failed")
BETTER: dict[str, object] = {"source": "ai", "summary": "Better.", "answers": []}
COUNTED = ("deliveries", "attempts", "learner_days", "skills")


class World(PostgresHouse):
    """Submissions with lesser feedback, and what tries it again."""

    def __init__(self, engine: AsyncEngine) -> None:
        super().__init__(engine)
        self.improvements = ImprovementStore(engine)
        self.board = FakeBoard()
        self.outcome: Outcome = Done(BETTER)
        self.wrote: list[str] = []
        self.can_write = True

    def improver(self) -> Improver:
        return Improver(
            store=self.improvements, works=self.store, board=self.board, write=self._write, ready=self._ready
        )

    async def _write(self, work: Work) -> Outcome:
        assert len(work.answers) == 2
        self.wrote.append(work.submission_id)
        return self.outcome

    async def _ready(self) -> bool:
        return self.can_write

    async def scored(self, *, retry_feedback: bool = True) -> str:
        hand_in = a_hand_in(
            self.tenant_id,
            self.questions,
            ("a", "b"),
            retry_feedback=retry_feedback,
            callback_url="https://school.example/done",
        )
        await self.intake.accept([hand_in])
        await finish(self, Stage.SCORE, [hand_in.id])
        return hand_in.id

    async def lesser(self, *, retry_feedback: bool = True) -> str:
        """A submission with feedback that is less than was asked for; recommendations are still to come."""
        submission_id = await self.scored(retry_feedback=retry_feedback)
        await record(self, Stage.FEEDBACK, await claimed(self, Stage.FEEDBACK, [submission_id]), LESSER)
        return submission_id

    async def complete(self, submission_id: str) -> None:
        for stage in (Stage.RECOMMEND, Stage.METRICS):
            await finish(self, stage, [submission_id])

    async def noted(self) -> list[str]:
        return [str(row[0]) for row in await self.ask("SELECT submission_id::text FROM feedback_improvements")]

    async def make_due(self) -> None:
        """Everybody's turn has come."""
        await self.ask("UPDATE feedback_improvements SET available_at = now() - interval '1 second' RETURNING 1")

    async def ask(self, sql: str) -> list[tuple[Any, ...]]:
        async with transaction(self.engine) as connection:
            return [tuple(row) for row in await connection.execute(text(sql))]

    async def taken(self) -> list[Due]:
        await self.make_due()
        return await self.improvements.take(lease_seconds=60, most=10)


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    engine = create_engine(database_url, pool_size=8, pool_wait_seconds=30)
    world = World(engine)
    await world.furnish()
    yield world
    await engine.dispose()


async def test_lesser_feedback_is_noted_where_the_client_asked_for_it(world: World) -> None:
    """In the transaction that stores it, and nobody else's; what is complete is not noted."""
    wanted = await world.lesser()
    await world.lesser(retry_feedback=False)
    await finish(world, Stage.FEEDBACK, [await world.scored()])
    assert await world.noted() == [wanted]
    assert await world.improvements.take(lease_seconds=60, most=10) == []  # not before a minute is over


async def test_better_feedback_takes_the_place_of_the_lesser(world: World) -> None:
    """With a new version, and nothing else: no webhook, no figure, no time of the submission changes."""
    submission_id = await world.lesser()
    await world.complete(submission_id)
    before = await unchanged(world)
    _, version = await world.status(submission_id)
    await world.make_due()
    await world.improver().tick()
    assert (await world.stages(submission_id))[Stage.FEEDBACK].state is StageState.DONE
    assert (await world.results(submission_id))[Stage.FEEDBACK]["summary"] == "Better."
    assert await world.status(submission_id) == (Status.COMPLETED, version + 1)
    assert world.board.shown[submission_id].version == version + 1
    assert await unchanged(world) == before
    assert await world.noted() == []


async def unchanged(world: World) -> list[Any]:
    """What an improvement leaves alone."""
    counts = [await world.ask(f"SELECT count(*) FROM {table}") for table in COUNTED]
    times = await world.ask("SELECT completed_at FROM submissions")
    return [*counts, times, await world.ask("SELECT stage, epoch, attempts, finished_at FROM stages ORDER BY stage")]


async def test_feedback_may_become_better_before_the_submission_is_complete(world: World) -> None:
    submission_id = await world.lesser()
    await world.make_due()
    await world.improver().tick()
    assert (await world.status(submission_id))[0] is Status.AI_PROCESSING
    await world.complete(submission_id)
    assert (await world.status(submission_id))[0] is Status.COMPLETED
    assert (await world.results(submission_id))[Stage.FEEDBACK]["summary"] == "Better."


async def test_nothing_is_tried_while_nobody_can_write(world: World) -> None:
    submission_id = await world.lesser()
    await world.make_due()
    world.can_write = False
    await world.improver().tick()
    assert (world.wrote, await world.noted()) == ([], [submission_id])


async def test_what_is_lesser_again_is_tried_again_later(world: World) -> None:
    submission_id = await world.lesser()
    world.outcome = LESSER
    await world.make_due()
    await world.improver().tick()
    await world.improver().tick()
    assert world.wrote == [submission_id]
    assert (await world.stages(submission_id))[Stage.FEEDBACK].state is StageState.DEGRADED
    world.outcome = Done(BETTER)
    await world.make_due()
    await world.improver().tick()
    assert (await world.results(submission_id))[Stage.FEEDBACK]["summary"] == "Better."


async def test_many_workers_try_each_submission_once(world: World) -> None:
    ids = [await world.lesser() for _ in range(12)]
    await world.make_due()
    await asyncio.gather(*[world.improver().tick() for _ in range(4)])
    assert sorted(world.wrote) == sorted(ids)
    assert await world.noted() == []


async def test_whoever_was_too_slow_changes_nothing(world: World) -> None:
    """Its lease ended, another has taken over: fenced by the count of tries."""
    submission_id = await world.lesser()
    (slow,) = await world.taken()
    (quick,) = await world.taken()
    assert await world.improvements.improve(slow, {"source": "ai", "summary": "Late.", "answers": []}) is None
    assert await world.improvements.improve(quick, BETTER) is not None
    assert await world.improvements.improve(quick, {"source": "ai", "summary": "Twice.", "answers": []}) is None
    assert (await world.results(submission_id))[Stage.FEEDBACK]["summary"] == "Better."


async def test_a_cancelled_submission_keeps_the_feedback_it_has(world: World) -> None:
    """Whether it is cancelled before its turn or while a model writes."""
    early, late = await world.lesser(), await world.lesser()
    store = ControlStore(world.engine)
    await store.cancel(world.tenant_id, [early], "key:1")
    (due,) = await world.taken()
    assert (due.submission_id, await world.noted()) == (late, [late])
    await store.cancel(world.tenant_id, [late], "key:1")
    assert await world.improvements.improve(due, BETTER) is None
    assert (await world.results(late))[Stage.FEEDBACK]["summary"] == "Good."


async def test_an_erased_submission_does_not_come_back(world: World) -> None:
    submission_id = await world.lesser()
    (due,) = await world.taken()
    await ErasureStore(world.engine).erase_submissions(world.tenant_id, [submission_id])
    assert await world.improvements.improve(due, BETTER) is None
    assert await world.noted() == []
    assert await world.results(submission_id) == {}


async def test_watchers_are_told_even_if_redis_was_away_at_first(world: World) -> None:
    """A finished submission's document is kept for days, so the news must not be lost."""
    submission_id = await world.lesser()
    world.board.away = True
    await world.make_due()
    await world.improver().tick()
    assert (world.board.shown, await world.noted()) == ({}, [submission_id])
    world.board.away = False
    await world.make_due()
    await world.improver().tick()
    _, version = await world.status(submission_id)
    assert world.board.shown[submission_id].version == version
    assert (world.wrote, await world.noted()) == ([submission_id], [])


async def test_nothing_is_tried_while_feedback_is_paused(world: World) -> None:
    await world.lesser()
    await world.ask("INSERT INTO stage_pauses (stage, reason) VALUES ('feedback', 'why') RETURNING 1")
    assert await world.taken() == []


async def test_after_a_day_it_is_given_up(world: World) -> None:
    """Even where no model is configured any more."""
    submission_id = await world.lesser()
    await world.make_due()
    await world.ask("UPDATE feedback_improvements SET give_up_at = now() - interval '1 second' RETURNING 1")
    await Improver(store=world.improvements, works=world.store, board=world.board).tick()
    assert (world.wrote, await world.noted()) == ([], [])
    assert (await world.stages(submission_id))[Stage.FEEDBACK].state is StageState.DEGRADED


async def test_a_surprise_in_one_keeps_nobody_else_from_being_improved(world: World) -> None:
    unlucky, lucky = await world.lesser(), await world.lesser()

    async def write(work: Work) -> Outcome:
        if work.submission_id == unlucky:
            raise ZeroDivisionError
        return Done(BETTER)

    await world.make_due()
    await Improver(store=world.improvements, works=world.store, board=world.board, write=write).tick()
    assert await world.noted() == [unlucky]
    assert (await world.results(lucky))[Stage.FEEDBACK]["summary"] == "Better."
