"""Whoever decides on whose answers at the same time as workers learn from them: no update is lost.

As in `test_learning_interleavings`, which has the actors: Hypothesis decides whose step is next, a worker fails in the
middle and tries again, several teachers decide on the same answers, and a learner is erased.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from itertools import count

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.errors import NotFound
from pipeline.lifecycle import Stage
from tests.contracts.classroom import Classroom
from tests.contracts.house import WORKER, run
from tests.contracts.test_learning_interleavings import DEADLINE_SECONDS, QUICK, Actor, Pause, eraser, play, worker
from tests.sums import query

numbers = count()


class Plan(msgspec.Struct, frozen=True):
    """Whose submissions there are, which teacher gives how many points for which answers, and whose step is next.

    Each learner has a submission that was learnt from before, and one that a worker is learning from.
    """

    learners: tuple[str, ...]
    decisions: tuple[tuple[tuple[int, str, float], ...], ...]
    failures: int
    erases: bool
    schedule: tuple[int, ...]


DECISIONS = st.lists(
    st.tuples(st.integers(0, 9), st.sampled_from(["essay", "close"]), st.sampled_from([0.0, 0.5, 2.0])),
    min_size=1,
    max_size=4,
).map(tuple)
PLANS = st.builds(
    Plan,
    learners=st.lists(st.sampled_from(["ada", "bob"]), min_size=1, max_size=3).map(tuple),
    decisions=st.lists(DECISIONS, min_size=1, max_size=3).map(tuple),
    failures=st.integers(0, 2),
    erases=st.booleans(),
    schedule=st.lists(st.integers(0, 4), max_size=30).map(tuple),
)


def teacher(
    room: Classroom, ids: Sequence[str], decisions: Sequence[tuple[int, str, float]]
) -> Callable[[Pause], Awaitable[None]]:
    async def script(pause: Pause) -> None:
        for number, question_id, points in decisions:
            await pause()
            try:
                await room.settle(ids[number % len(ids)], question_id, points)
            except NotFound:
                continue  # erased by now

    return script


@pytest.fixture
async def room(engine: AsyncEngine) -> Classroom:
    return Classroom(engine)


@given(PLANS)
@settings(max_examples=10, deadline=None, phases=QUICK, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_decision_is_lost_and_a_replay_is_exact(room: Classroom, plan: Plan) -> None:
    await room.furnish(f"school {next(numbers)}")
    known = [await room.hand_in(learner) for learner in plan.learners]
    new = [await room.hand_in(learner, stages=[Stage.SCORE, Stage.FEEDBACK]) for learner in plan.learners]
    ids = [*known, *new]
    claims, _ = await room.store.claim(Stage.RECOMMEND, new, WORKER, 30.0)
    actors = [Actor(worker(room, claims, plan.failures))]
    actors += [Actor(teacher(room, ids, decisions)) for decisions in plan.decisions]
    if plan.erases:
        actors.append(Actor(eraser(room, "ada")))
    async with asyncio.timeout(DEADLINE_SECONDS):
        await play(actors, plan.schedule, room.engine)
    await run(room, Stage.METRICS, new)
    assert await answers_settled(room) == expected(plan, ids)
    await room.exact()


async def answers_settled(room: Classroom) -> set[tuple[str, str]]:
    """Which answers' first decisions were learnt from, by submission and question."""
    sql = """
        SELECT d.submission_id::text AS id, q.id AS question_id FROM settlements d
        JOIN answers a ON a.submission_id = d.submission_id AND a.position = d.position
        JOIN question_versions v ON v.key = a.version_key JOIN questions q ON q.key = v.question_key
        WHERE d.tenant_id = :tenant
    """
    return {(row.id, row.question_id) for row in await query(room.engine, sql, tenant=room.tenant_id)}


def expected(plan: Plan, ids: Sequence[str]) -> set[tuple[str, str]]:
    """The same as the plan has it, without what was erased."""
    learners = plan.learners * 2
    left = {id_ for id_, learner in zip(ids, learners, strict=True) if not (plan.erases and learner == "ada")}
    decided = {(ids[number % len(ids)], question) for each in plan.decisions for number, question, _ in each}
    return {(id_, question) for id_, question in decided if id_ in left}
