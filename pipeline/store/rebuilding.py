"""History and live state of what was learnt, read as of one moment; and the switch from one state to another.

Work goes on while a tenant is looked at: the look is a snapshot and takes no lock. The switch locks the tenant's
learners and then its questions, rows that workers lock in the same order before they read them, so it is alone with
them until it ends, and costs nothing to anybody at other times.
"""

from bisect import bisect_left
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import islice
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from pipeline.errors import Conflict
from pipeline.learning.metrics import AnswerSums, Increments, LearnerDay, QuestionCount
from pipeline.learning.rating import ItemRating, Skill
from pipeline.lifecycle import Stage
from pipeline.model import Claim
from pipeline.ports.rebuilding import Event, KeptStep, Lesson, Rebuilt, StepCorrection
from pipeline.stages.recommend import LearnerState
from pipeline.store.candidates import Banks
from pipeline.store.engine import as_json, transaction
from pipeline.store.learning import SUMS, add_metrics, skill_from, skill_row
from pipeline.store.question import QuestionVersions
from pipeline.store.work import WorkUnit

AT_ONCE: Final = 1_000
REBUILD_LOCK: Final = 0x6C6E
"""The first key of the advisory locks of rebuilds; the second is the tenant."""
LONGEST_IN_FLIGHT: Final = 1_000_000
"""So many numbers at most are drawn, by everybody, while one transaction that drew one is on its way."""

# A whole tenant is read: here the planner may read tables in their order.
READ_WHOLE = text("SELECT set_config('enable_seqscan', 'on', true)")
PATIENT = text("SELECT set_config('idle_in_transaction_session_timeout', '0', true)")
ALONE = text("SELECT pg_try_advisory_xact_lock(:space, :tenant_id)")
TENANTS = text("SELECT name, id FROM tenants ORDER BY name")

EVENTS = text(
    """
    SELECT r.learning_sequence AS sequence, r.created_at, r.submission_id::text AS submission_id, r.item_steps,
        m.state = 'done' AS counted, 0 AS position, NULL AS question_id, NULL::float AS start, NULL::float AS step,
        NULL::int AS answers
    FROM results r JOIN stages m ON m.submission_id = r.submission_id AND m.stage = 'metrics'
    WHERE r.tenant_id = :tenant_id AND r.stage = 'recommend'
    UNION ALL
    SELECT k.sequence, NULL, NULL, NULL, NULL, k.position, q.id, k.start, k.step, k.answers
    FROM kept_item_steps k JOIN questions q ON q.key = k.question_key
    WHERE k.tenant_id = :tenant_id
    ORDER BY sequence NULLS FIRST, created_at, submission_id, position
    """
)
NEW_EVENTS = text(
    """
    SELECT r.learning_sequence AS sequence, r.submission_id::text AS submission_id, r.item_steps, false AS counted
    FROM results r
    WHERE r.tenant_id = :tenant_id AND r.stage = 'recommend' AND r.learning_sequence > :low
    ORDER BY r.learning_sequence
    """
)
FIRST_FREE = text(
    """
    SELECT least(0, (SELECT min(learning_sequence) FROM results WHERE tenant_id = :tenant_id),
            (SELECT min(sequence) FROM kept_item_steps WHERE tenant_id = :tenant_id))
        - (SELECT count(*) FROM results
           WHERE tenant_id = :tenant_id AND stage = 'recommend' AND learning_sequence IS NULL)
    """
)
KEPT = text("SELECT count(*) FROM kept_item_steps WHERE tenant_id = :tenant_id")

LEARNERS = text(
    """
    WITH learner AS MATERIALIZED (
        SELECT l.id, ARRAY(
            SELECT q.id FROM unnest(l.recent_correct) WITH ORDINALITY AS u(key, place)
            JOIN questions q ON q.key = u.key ORDER BY u.place) AS recent_correct
        FROM learners l WHERE l.tenant_id = :tenant_id
    ), skill AS (
        SELECT * FROM skills s WHERE s.tenant_id = :tenant_id
    )
    SELECT coalesce(l.id, s.learner_id) AS learner_id, coalesce(l.recent_correct, '{}') AS recent_correct, s.*
    FROM learner l FULL JOIN skill s ON s.learner_id = l.id ORDER BY 1, s.topic
    """
)
ITEMS = text(
    """
    SELECT q.id, r.rating, r.answers FROM item_ratings r JOIN questions q ON q.key = r.question_key
    WHERE r.tenant_id = :tenant_id
    """
)
DAYS = text(f"SELECT tenant_id, learner_id, day, submissions, {SUMS} FROM learner_days WHERE tenant_id = :tenant_id")
COUNTS = text(
    """
    SELECT q.id, {sums}
    FROM (SELECT * FROM item_statistics WHERE tenant_id = :tenant_id) i
    FULL JOIN (SELECT * FROM kept_item_statistics WHERE tenant_id = :tenant_id) k USING (question_key)
    JOIN questions q ON q.key = question_key
    """.format(sums=", ".join(f"coalesce(i.{name}, 0) - coalesce(k.{name}, 0) AS {name}" for name in SUMS.split(", ")))
)

# Whose submission was accepted just as he was erased has no row yet, and could not be locked.
START_LEARNERS = text(
    """
    INSERT INTO learners (tenant_id, id)
    SELECT DISTINCT s.tenant_id, s.learner_id FROM submissions s
    WHERE s.tenant_id = :tenant_id
      AND NOT EXISTS (SELECT FROM learners l WHERE l.tenant_id = s.tenant_id AND l.id = s.learner_id)
    ORDER BY s.learner_id
    ON CONFLICT DO NOTHING
    """
)
LOCK_LEARNERS = text("SELECT id FROM learners WHERE tenant_id = :tenant_id ORDER BY tenant_id, id FOR UPDATE")
LOCK_ITEMS = text(
    """
    SELECT q.id FROM item_ratings r JOIN questions q ON q.key = r.question_key
    WHERE r.tenant_id = :tenant_id ORDER BY r.question_key FOR UPDATE OF r
    """
)

DELETE_SKILLS = text("DELETE FROM skills WHERE tenant_id = :tenant_id AND learner_id = ANY(:learners)")
WRITE_SKILLS = text(
    """
    INSERT INTO skills (tenant_id, learner_id, topic, rating, answers, correct, recent_errors, recent_answers,
        mistakes, stability, review_difficulty, due_at, updated_at)
    SELECT * FROM jsonb_to_recordset(CAST(:skills AS jsonb)) AS s(
        tenant_id int, learner_id text, topic text, rating float, answers int, correct int, recent_errors float,
        recent_answers float, mistakes float[], stability float, review_difficulty float, due_at timestamptz,
        updated_at timestamptz)
    """
)
WRITE_RECENT = text(
    """
    UPDATE learners l SET recent_correct = ARRAY(
        SELECT q.key FROM jsonb_array_elements_text(i.recent) WITH ORDINALITY AS u(id, place)
        JOIN questions q ON q.tenant_id = l.tenant_id AND q.id = u.id ORDER BY u.place)
    FROM jsonb_to_recordset(CAST(:learners AS jsonb)) AS i(id text, recent jsonb)
    WHERE l.tenant_id = :tenant_id AND l.id = i.id
    """
)
WRITE_ITEMS = text(
    """
    INSERT INTO item_ratings (question_key, tenant_id, rating, answers)
    SELECT q.key, q.tenant_id, i.rating, i.answers
    FROM jsonb_to_recordset(CAST(:items AS jsonb)) AS i(id text, rating float, answers int)
    JOIN questions q ON q.tenant_id = :tenant_id AND q.id = i.id
    ORDER BY q.key
    ON CONFLICT (question_key) DO UPDATE SET rating = excluded.rating, answers = excluded.answers
    """
)
# A question that came after the lock has the rating that workers gave it.
ADD_ITEMS = text(WRITE_ITEMS.text.partition("DO UPDATE")[0] + "DO NOTHING")
DELETE_ITEMS = text(
    """
    DELETE FROM item_ratings r USING questions q
    WHERE q.key = r.question_key AND q.tenant_id = :tenant_id AND q.id = ANY(:items)
    """
)
CLEAR_DAYS = text(
    "DELETE FROM learner_days WHERE tenant_id = :tenant_id AND learner_id = ANY(:learners) AND submissions = 0"
)
CLEAR_COUNTS = text(
    """
    DELETE FROM item_statistics i USING questions q
    WHERE q.key = i.question_key AND q.tenant_id = :tenant_id AND q.id = ANY(:items) AND i.answers = 0
    """
)

# What is being erased meanwhile is kept elsewhere already, or gone.
CORRECT = text(
    """
    UPDATE results r SET learning_sequence = c.sequence, item_steps = c.item_steps
    FROM jsonb_to_recordset(CAST(:corrections AS jsonb)) AS c(submission_id uuid, sequence bigint, item_steps float[])
    WHERE r.submission_id = c.submission_id AND r.stage = 'recommend' AND r.tenant_id = :tenant_id
      AND r.item_steps IS DISTINCT FROM '{}'::float[]
    """
)


class _Reader:
    """One transaction that reads a tenant."""

    def __init__(self, connection: AsyncConnection, tenant_id: int) -> None:
        self._connection = connection
        self._tenant_id = tenant_id
        self._unit = WorkUnit(connection, Stage.RECOMMEND, None, QuestionVersions(), Banks())

    async def kept_steps(self) -> int:
        return await self._number(KEPT)

    async def _number(self, statement: Any) -> int:
        found: int = (await self._connection.execute(statement, {"tenant_id": self._tenant_id})).scalar_one()
        return found

    async def _parts(self, statement: Any, **values: Any) -> AsyncIterator[Sequence[Any]]:
        """The rows, at most `AT_ONCE` of them in memory."""
        rows = await self._connection.stream(
            statement, {"tenant_id": self._tenant_id, **values}, execution_options={"yield_per": AT_ONCE}
        )
        async for part in rows.partitions(AT_ONCE):
            yield part

    async def _rows(self, statement: Any) -> AsyncIterator[Any]:
        async for part in self._parts(statement):
            for row in part:
                yield row

    async def _events_of(self, rows: Sequence[Any]) -> list[Event]:
        ids = [row.submission_id for row in rows if row.submission_id is not None]
        works = await self._unit.load([Claim(id_, self._tenant_id, 0, 0) for id_ in ids])
        by_id = {work.submission_id: work for work in works}
        events: list[Event] = []
        for row in rows:
            if row.submission_id is None:
                events.append(KeptStep(row.sequence, row.question_id, row.start, row.step, row.answers))
            elif work := by_id.get(row.submission_id):
                steps = None if row.item_steps is None else tuple(row.item_steps)
                events.append(Lesson(work, row.sequence, steps, learnt=steps != (), counted=row.counted))
        return events


class LearningLook(_Reader):
    """The port `pipeline.ports.rebuilding.LearningLook`."""

    async def first_free_sequence(self) -> int:
        return await self._number(FIRST_FREE)

    async def events(self) -> AsyncIterator[Sequence[Event]]:
        async for rows in self._parts(EVENTS):
            yield await self._events_of(rows)

    async def learners(self) -> AsyncIterator[tuple[str, LearnerState]]:
        now, recent, skills = "", (), dict[str, Skill]()
        async for row in self._rows(LEARNERS):
            if row.learner_id != now:
                if now:
                    yield now, LearnerState(skills, recent)
                now, recent, skills = row.learner_id, tuple(row.recent_correct), {}
            if row.topic is not None:
                skills[row.topic] = skill_from(row)
        if now:
            yield now, LearnerState(skills, recent)

    async def items(self) -> AsyncIterator[tuple[str, ItemRating]]:
        async for row in self._rows(ITEMS):
            yield row.id, ItemRating(row.rating, row.answers)

    async def days(self) -> AsyncIterator[LearnerDay]:
        async for row in self._rows(DAYS):
            yield LearnerDay(row.tenant_id, row.learner_id, row.day, row.submissions, AnswerSums(*row[4:]))

    async def counts(self) -> AsyncIterator[QuestionCount]:
        async for row in self._rows(COUNTS):
            yield QuestionCount(self._tenant_id, row.id, AnswerSums(*row[1:]))


class LearningSwitch(_Reader):
    """The port `pipeline.ports.rebuilding.LearningSwitch`; `learners` and `items` are those under lock."""

    def __init__(
        self, connection: AsyncConnection, tenant_id: int, learners: frozenset[str], items: frozenset[str]
    ) -> None:
        super().__init__(connection, tenant_id)
        self._learners = learners
        self._items = items

    async def events(self, seen: Sequence[int]) -> AsyncIterator[Sequence[Event]]:
        low = seen[-1] - LONGEST_IN_FLIGHT if seen else 0
        async for rows in self._parts(NEW_EVENTS, low=low):
            yield await self._events_of([row for row in rows if not is_among(seen, row.sequence)])

    async def replace(self, rebuilt: Rebuilt) -> None:
        learners = {id_: state for id_, state in rebuilt.learners.items() if id_ in self._learners}
        left = iter(learners.items())
        while part := dict(islice(left, AT_ONCE)):
            await self._replace_learners(part)
        await self._replace_items(rebuilt.items)
        await self._add(rebuilt)
        await correct(self._connection, self._tenant_id, rebuilt.corrections)

    async def _replace_learners(self, learners: Mapping[str, LearnerState]) -> None:
        tenant_id = self._tenant_id
        rows = [skill_row((tenant_id, id_), s) for id_, state in learners.items() for s in state.skills.values()]
        recent = [{"id": id_, "recent": state.recent_correct} for id_, state in learners.items()]
        await self._connection.execute(DELETE_SKILLS, {"tenant_id": tenant_id, "learners": list(learners)})
        await self._connection.execute(WRITE_SKILLS, {"skills": as_json(rows)})
        await self._connection.execute(WRITE_RECENT, {"tenant_id": tenant_id, "learners": as_json(recent)})

    async def _replace_items(self, items: Mapping[str, ItemRating | None]) -> None:
        left = iter(items.items())
        while part := dict(islice(left, AT_ONCE)):
            gone = [id_ for id_, item in part.items() if item is None and id_ in self._items]
            await self._connection.execute(DELETE_ITEMS, {"tenant_id": self._tenant_id, "items": gone})
            for statement, locked in ((WRITE_ITEMS, True), (ADD_ITEMS, False)):
                rows = [
                    {"id": id_, "rating": item.rating, "answers": item.answers}
                    for id_, item in part.items()
                    if item is not None and (id_ in self._items) is locked
                ]
                await self._connection.execute(statement, {"tenant_id": self._tenant_id, "items": as_json(rows)})

    async def _add(self, rebuilt: Rebuilt) -> None:
        """Figures are added to as workers add to them: whatever they add meanwhile is kept."""
        days = tuple(day for day in rebuilt.days if day.learner_id in self._learners)
        await add_metrics(self._connection, Increments(days, tuple(rebuilt.counts)))
        learners, items = [day.learner_id for day in days], [count.question_id for count in rebuilt.counts]
        await self._connection.execute(CLEAR_DAYS, {"tenant_id": self._tenant_id, "learners": learners})
        await self._connection.execute(CLEAR_COUNTS, {"tenant_id": self._tenant_id, "items": items})


class RebuildStore:
    """Postgres as the port `pipeline.ports.rebuilding.RebuildStore`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def tenants(self) -> Mapping[str, int]:
        async with transaction(self._engine) as connection:
            return {row.name: row.id for row in await connection.execute(TENANTS)}

    @asynccontextmanager
    async def look(self, tenant_id: int) -> AsyncIterator[LearningLook]:
        snapshot = self._engine.execution_options(isolation_level="REPEATABLE READ")
        async with self._alone(tenant_id), transaction(snapshot) as connection:
            await connection.execute(READ_WHOLE)
            await connection.execute(PATIENT)
            yield LearningLook(connection, tenant_id)

    @asynccontextmanager
    async def _alone(self, tenant_id: int) -> AsyncIterator[None]:
        """Hold other rebuilds off, before there is a snapshot: one of before their end would show what they mended."""
        async with transaction(self._engine) as connection:
            await connection.execute(PATIENT)
            if not (await connection.execute(ALONE, {"space": REBUILD_LOCK, "tenant_id": tenant_id})).scalar_one():
                raise Conflict("What was learnt is being rebuilt already.")
            yield

    @asynccontextmanager
    async def switch(self, tenant_id: int) -> AsyncIterator[LearningSwitch]:
        wanted = {"tenant_id": tenant_id}
        async with transaction(self._engine) as connection:
            await connection.execute(READ_WHOLE)
            await connection.execute(START_LEARNERS, wanted)
            learners = frozenset((await connection.execute(LOCK_LEARNERS, wanted)).scalars())
            items = frozenset((await connection.execute(LOCK_ITEMS, wanted)).scalars())
            yield LearningSwitch(connection, tenant_id, learners, items)

    async def correct(self, tenant_id: int, corrections: Sequence[StepCorrection]) -> None:
        async with transaction(self._engine) as connection:
            await correct(connection, tenant_id, corrections)


async def correct(connection: AsyncConnection, tenant_id: int, corrections: Sequence[StepCorrection]) -> None:
    for start in range(0, len(corrections), AT_ONCE):
        part = as_json(corrections[start : start + AT_ONCE])
        await connection.execute(CORRECT, {"tenant_id": tenant_id, "corrections": part})


def is_among(ascending: Sequence[int], number: int) -> bool:
    place = bisect_left(ascending, number)
    return place < len(ascending) and ascending[place] == number
