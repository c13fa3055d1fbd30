"""Whoever learns from whose submissions at the same time, in whatever order their steps come: no update is lost.

Workers on connections of their own learn from submissions of the same learners to the same questions, fail, and try
again, while a learner is erased. Hypothesis decides whose step is next; a worker that waits for a lock is told from
one that works by Postgres itself, so that nothing depends on time.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from itertools import chain, count

import msgspec
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.lifecycle import Stage
from pipeline.model import Claim
from pipeline.service.rebuilding import Rebuilder
from pipeline.stages import recommend
from pipeline.stages.run import first_step
from pipeline.stages.verdict import judge
from pipeline.store.erasure import ErasureStore
from pipeline.store.rebuilding import RebuildStore
from tests.contracts.house import POLICY, WORKER, PostgresHouse, run
from tests.samples import a_hand_in, new_tenant, stored_questions
from tests.sums import query

LEARNERS = ("ada", "bob")
TOPICS = 2
QUESTIONS = 6
DEADLINE_SECONDS = 30.0
AUDIT_ID = "01900000-0000-7000-8000-{:012}"
BLOCKED = """
    SELECT count(*)::int FROM pg_stat_activity
    WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0
"""
QUICK = (Phase.explicit, Phase.reuse, Phase.generate)
"""A plan that fails is short enough to be read as it is; shrinking would play hundreds of others."""
numbers = count()


class HandIn(msgspec.Struct, frozen=True):
    """Who answers which questions, and how."""

    learner: str
    first_question: int
    responses: tuple[str | None, ...]


class Plan(msgspec.Struct, frozen=True):
    """What happens: hand-ins, who works on which of them and fails how often, and whose step is next.

    Where all questions are `known` already, nobody waits for the row of a new one.
    """

    known: bool
    hand_ins: tuple[HandIn, ...]
    workers: tuple[int, ...]
    failures: tuple[int, ...]
    erases: bool
    schedule: tuple[int, ...]


EVERYTHING = (HandIn("eve", 0, ("a", "b", "b", "a", "a", "b")),)
HAND_INS = st.builds(
    HandIn,
    learner=st.sampled_from(LEARNERS),
    first_question=st.integers(0, 3),
    responses=st.lists(st.sampled_from(["a", "b", None]), min_size=1, max_size=3).map(tuple),
)
PLANS = st.integers(3, 8).flatmap(
    lambda size: st.builds(
        Plan,
        known=st.booleans(),
        hand_ins=st.lists(HAND_INS, min_size=size, max_size=size).map(tuple),
        workers=st.lists(st.integers(0, 3), min_size=size, max_size=size).map(tuple),
        failures=st.lists(st.integers(0, 2), min_size=4, max_size=4).map(tuple),
        erases=st.booleans(),
        schedule=st.lists(st.integers(0, 4), max_size=30).map(tuple),
    )
)

Pause = Callable[[], Awaitable[None]]


class Actor:
    """Somebody who does one step at a time, when told to."""

    def __init__(self, script: Callable[[Pause], Awaitable[None]]) -> None:
        self._turn = asyncio.Semaphore(0)
        self._rests = False
        self._task = asyncio.ensure_future(script(self._pause))

    async def _pause(self) -> None:
        self._rests = True
        await self._turn.acquire()

    def go(self) -> None:
        self._rests = False
        self._turn.release()

    @property
    def rests(self) -> bool:
        return self._rests and not self.ended

    @property
    def ended(self) -> bool:
        return self._task.done()

    @property
    def busy(self) -> bool:
        return not self._rests and not self.ended

    def result(self) -> None:
        self._task.result()


async def settled(actors: Sequence[Actor], engine: AsyncEngine) -> None:
    """Wait until everybody has ended the step, or waits for a lock that somebody else holds."""
    while busy := sum(actor.busy for actor in actors):
        (row,) = await query(engine, BLOCKED)
        if row[0] >= busy:
            return


async def play(actors: Sequence[Actor], schedule: Sequence[int], engine: AsyncEngine) -> None:
    """Everybody's steps as the schedule says, then by turns."""
    await settled(actors, engine)
    for place in chain(schedule, count()):
        if all(actor.ended for actor in actors):
            break
        if actors[place % len(actors)].rests:
            actors[place % len(actors)].go()
        await settled(actors, engine)
    for actor in actors:
        actor.result()


class Failed(Exception):
    """A worker's surprise."""


async def learn(house: PostgresHouse, claims: Sequence[Claim], pause: Pause, *, fails: bool) -> None:
    """One try: lock, learn, write, commit, with a rest after each step."""
    async with house.store.unit(Stage.RECOMMEND, WORKER) as unit:
        held = await unit.hold(claims)
        works = await unit.load([claim for claim, _ in held])
        await pause()
        state = await unit.lock_learning(works)
        await pause()
        outcomes, learned = recommend.decide(works, state)
        await unit.save_learning(learned)
        await pause()
        await unit.record(
            [first_step(Stage.RECOMMEND, judge(c, o, POLICY, 0.0), h) for (c, h), o in zip(held, outcomes, strict=True)]
        )
        await pause()
        if fails:
            raise Failed


def worker(house: PostgresHouse, claims: Sequence[Claim], failures: int) -> Callable[[Pause], Awaitable[None]]:
    async def script(pause: Pause) -> None:
        await pause()
        for attempt in range(failures + 1):
            try:
                await learn(house, claims, pause, fails=attempt < failures)
            except Failed:
                continue

    return script


def eraser(house: PostgresHouse, learner_id: str) -> Callable[[Pause], Awaitable[None]]:
    async def script(pause: Pause) -> None:
        store, audit_id = ErasureStore(house.engine), AUDIT_ID.format(house.tenant_id)
        erased = False
        while not erased:
            for submission_id in await submissions_of(house, learner_id):
                await pause()
                await store.erase_submissions(house.tenant_id, [submission_id])
            await pause()
            erased = await store.erase_learner(
                house.tenant_id, learner_id, actor="test", audit_id=audit_id, learner_hash="x"
            )

    return script


async def submissions_of(house: PostgresHouse, learner_id: str) -> list[str]:
    sql = "SELECT id::text FROM submissions WHERE tenant_id = :tenant AND learner_id = :learner ORDER BY id"
    return [row.id for row in await query(house.engine, sql, tenant=house.tenant_id, learner=learner_id)]


async def accepted(house: PostgresHouse, hand_ins: Sequence[HandIn]) -> list[str]:
    batch = [
        a_hand_in(house.tenant_id, house.questions[one.first_question :], one.responses, learner_id=one.learner)
        for one in hand_ins
    ]
    await house.intake.accept(batch)
    return [one.id for one in batch]


@given(PLANS)
@settings(max_examples=10, deadline=None, phases=QUICK, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_update_is_lost_and_a_replay_is_exact(postgres_house: PostgresHouse, plan: Plan) -> None:
    house = postgres_house
    house.tenant_id = await new_tenant(house.engine, f"school {next(numbers)}")
    house.questions = await stored_questions(house.engine, house.tenant_id)
    first = EVERYTHING if plan.known else ()
    known = await accepted(house, first)
    for stage in Stage:
        await run(house, stage, known)
    ids = await accepted(house, plan.hand_ins)
    await run(house, Stage.SCORE, ids)
    await run(house, Stage.FEEDBACK, ids)
    claims, _ = await house.store.claim(Stage.RECOMMEND, ids, WORKER, 30.0)
    shares = [
        [claim for claim in claims if plan.workers[ids.index(claim.submission_id)] == number] for number in range(4)
    ]
    actors = [Actor(worker(house, share, plan.failures[number])) for number, share in enumerate(shares) if share]
    if plan.erases:
        actors.append(Actor(eraser(house, "ada")))
    async with asyncio.timeout(DEADLINE_SECONDS):
        await play(actors, plan.schedule, house.engine)
    await run(house, Stage.METRICS, ids)
    left = [one for one in (*first, *plan.hand_ins) if not (plan.erases and one.learner == "ada")]
    assert await answers_learnt(house) == answers_given(left)
    findings = await Rebuilder(RebuildStore(house.engine)).check(house.tenant_id)
    assert findings.first == ()
    assert findings.submissions == len(left)


async def answers_learnt(house: PostgresHouse) -> dict[tuple[str, str], int]:
    """How many answers each learner's skills count, by learner and topic."""
    rows = await query(
        house.engine, "SELECT learner_id, topic, answers FROM skills WHERE tenant_id = :tenant", tenant=house.tenant_id
    )
    return {(row.learner_id, row.topic): row.answers for row in rows}


def answers_given(hand_ins: Sequence[HandIn]) -> dict[tuple[str, str], int]:
    """The same, counted from what was handed in: topics of the sample questions take turns."""
    counted: dict[tuple[str, str], int] = {}
    for one in hand_ins:
        for place in range(len(one.responses)):
            if one.first_question + place < QUESTIONS:
                key = (one.learner, f"topic-{(one.first_question + place) % TOPICS}")
                counted[key] = counted.get(key, 0) + 1
    return counted
