"""History and live state of what was learnt, read as of one moment, a bounded part of it in memory."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pipeline.learning.metrics import AnswerSums, LearnerDay, QuestionCount
from pipeline.learning.rating import ItemRating, Skill
from pipeline.lifecycle import Stage
from pipeline.model import Claim, Work
from pipeline.ports.rebuilding import Decided, Event, KeptStep, Lesson
from pipeline.stages.recommend import LearnerState
from pipeline.store.candidates import Banks
from pipeline.store.learning import SUMS
from pipeline.store.locking import skill_from
from pipeline.store.question import QuestionVersions
from pipeline.store.work import WorkUnit

AT_ONCE: Final = 1_000

EVENTS = text(
    """
    SELECT r.learning_sequence AS sequence, r.created_at, r.submission_id::text AS submission_id, r.item_steps,
        m.state = 'done' AS counted, 0 AS position, NULL::float AS fraction, NULL AS question_id, NULL::float AS start,
        NULL::float AS step, NULL::int AS answers
    FROM results r JOIN stages m ON m.submission_id = r.submission_id AND m.stage = 'metrics'
    WHERE r.tenant_id = :tenant_id AND r.stage = 'recommend'
    UNION ALL
    SELECT d.learning_sequence, d.settled_at, d.submission_id::text, NULL, NULL, d.position, d.fraction, NULL, NULL,
        d.item_step, d.answers
    FROM settlements d WHERE d.tenant_id = :tenant_id
    UNION ALL
    SELECT k.sequence, NULL, NULL, NULL, NULL, k.position, NULL, q.id, k.start, k.step, k.answers
    FROM kept_item_steps k JOIN questions q ON q.key = k.question_key
    WHERE k.tenant_id = :tenant_id
    ORDER BY sequence NULLS FIRST, created_at, submission_id, position
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
STARTS = text(
    """
    SELECT q.id, r.start FROM item_ratings r JOIN questions q ON q.key = r.question_key
    WHERE r.tenant_id = :tenant_id AND r.start IS NOT NULL
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


class HistoryReader:
    """One transaction that reads a tenant."""

    def __init__(self, connection: AsyncConnection, tenant_id: int) -> None:
        self.connection = connection
        self.tenant_id = tenant_id
        self._unit = WorkUnit(connection, Stage.RECOMMEND, None, QuestionVersions(), Banks())

    async def starts(self) -> Mapping[str, float]:
        return {row.id: row.start async for row in self._rows(STARTS)}

    async def kept_steps(self) -> int:
        return await self._number(KEPT)

    async def _number(self, statement: Any) -> int:
        found: int = (await self.connection.execute(statement, {"tenant_id": self.tenant_id})).scalar_one()
        return found

    async def parts(self, statement: Any, **values: Any) -> AsyncIterator[Sequence[Any]]:
        """The rows, at most `AT_ONCE` of them in memory."""
        rows = await self.connection.stream(
            statement, {"tenant_id": self.tenant_id, **values}, execution_options={"yield_per": AT_ONCE}
        )
        async for part in rows.partitions(AT_ONCE):
            yield part

    async def _rows(self, statement: Any) -> AsyncIterator[Any]:
        async for part in self.parts(statement):
            for row in part:
                yield row

    async def events_of(self, rows: Sequence[Any]) -> list[Event]:
        ids = dict.fromkeys(row.submission_id for row in rows if row.submission_id is not None)
        works = await self._unit.load([Claim(id_, self.tenant_id, 0, 0) for id_ in ids])
        by_id = {work.submission_id: work for work in works}
        events: list[Event] = []
        for row in rows:
            if row.submission_id is None:
                events.append(KeptStep(row.sequence, row.question_id, row.start, row.step, row.answers))
            elif work := by_id.get(row.submission_id):
                events.append(event_from(row, work))
        return events


def event_from(row: Any, work: Work) -> Event:
    if row.fraction is not None:
        return Decided(work, row.sequence, row.position, row.fraction, row.created_at, row.step, row.answers)
    steps = None if row.item_steps is None else tuple(row.item_steps)
    return Lesson(work, row.sequence, steps, learnt=steps != (), counted=row.counted)


class LearningLook(HistoryReader):
    """The port `pipeline.ports.rebuilding.LearningLook`."""

    async def first_free_sequence(self) -> int:
        return await self._number(FIRST_FREE)

    async def events(self) -> AsyncIterator[Sequence[Event]]:
        async for rows in self.parts(EVENTS):
            yield await self.events_of(rows)

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
            yield QuestionCount(self.tenant_id, row.id, AnswerSums(*row[1:]))
