"""The switch of a tenant from one state of what was learnt to another, while nobody else writes it."""

from bisect import bisect_left
from collections.abc import AsyncIterator, Mapping, Sequence
from itertools import islice
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pipeline.learning.metrics import Increments
from pipeline.learning.rating import ItemRating
from pipeline.ports.rebuilding import Correction, DecisionCorrection, Event, Rebuilt, StepCorrection
from pipeline.stages.recommend import LearnerState
from pipeline.store.engine import as_json
from pipeline.store.history import AT_ONCE, HistoryReader
from pipeline.store.learning import add_metrics, skill_row

LONGEST_IN_FLIGHT: Final = 1_000_000
"""So many numbers at most are drawn, by everybody, while one transaction that drew one is on its way."""

NEW_EVENTS = text(
    """
    SELECT r.learning_sequence AS sequence, r.submission_id::text AS submission_id, r.item_steps, false AS counted,
        NULL::timestamptz AS created_at, 0 AS position, NULL::float AS fraction, NULL::float AS step,
        NULL::int AS answers
    FROM results r
    WHERE r.tenant_id = :tenant_id AND r.stage = 'recommend' AND r.learning_sequence > :low
    UNION ALL
    SELECT d.learning_sequence, d.submission_id::text, NULL, NULL, d.settled_at, d.position, d.fraction, d.item_step,
        d.answers
    FROM settlements d WHERE d.tenant_id = :tenant_id AND d.learning_sequence > :low
    ORDER BY sequence
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

CORRECT_DECISIONS = text(
    """
    UPDATE settlements d SET item_step = c.step, answers = c.answers
    FROM jsonb_to_recordset(CAST(:corrections AS jsonb)) AS c(
        submission_id uuid, position smallint, step float, answers smallint)
    WHERE d.submission_id = c.submission_id AND d.position = c.position AND d.tenant_id = :tenant_id
    """
)


class LearningSwitch(HistoryReader):
    """The port `pipeline.ports.rebuilding.LearningSwitch`; `learners` and `items` are those under lock."""

    def __init__(
        self, connection: AsyncConnection, tenant_id: int, learners: frozenset[str], items: frozenset[str]
    ) -> None:
        super().__init__(connection, tenant_id)
        self._learners = learners
        self._items = items

    async def events(self, seen: Sequence[int]) -> AsyncIterator[Sequence[Event]]:
        low = seen[-1] - LONGEST_IN_FLIGHT if seen else 0
        async for rows in self.parts(NEW_EVENTS, low=low):
            yield await self.events_of([row for row in rows if not is_among(seen, row.sequence)])

    async def replace(self, rebuilt: Rebuilt) -> None:
        learners = {id_: state for id_, state in rebuilt.learners.items() if id_ in self._learners}
        left = iter(learners.items())
        while part := dict(islice(left, AT_ONCE)):
            await self._replace_learners(part)
        await self._replace_items(rebuilt.items)
        await self._add(rebuilt)
        await correct(self.connection, self.tenant_id, rebuilt.corrections)

    async def _replace_learners(self, learners: Mapping[str, LearnerState]) -> None:
        tenant_id = self.tenant_id
        rows = [skill_row((tenant_id, id_), s) for id_, state in learners.items() for s in state.skills.values()]
        recent = [{"id": id_, "recent": state.recent_correct} for id_, state in learners.items()]
        await self.connection.execute(DELETE_SKILLS, {"tenant_id": tenant_id, "learners": list(learners)})
        await self.connection.execute(WRITE_SKILLS, {"skills": as_json(rows)})
        await self.connection.execute(WRITE_RECENT, {"tenant_id": tenant_id, "learners": as_json(recent)})

    async def _replace_items(self, items: Mapping[str, ItemRating | None]) -> None:
        left = iter(items.items())
        while part := dict(islice(left, AT_ONCE)):
            gone = [id_ for id_, item in part.items() if item is None and id_ in self._items]
            await self.connection.execute(DELETE_ITEMS, {"tenant_id": self.tenant_id, "items": gone})
            for statement, locked in ((WRITE_ITEMS, True), (ADD_ITEMS, False)):
                rows = [
                    {"id": id_, "rating": item.rating, "answers": item.answers}
                    for id_, item in part.items()
                    if item is not None and (id_ in self._items) is locked
                ]
                await self.connection.execute(statement, {"tenant_id": self.tenant_id, "items": as_json(rows)})

    async def _add(self, rebuilt: Rebuilt) -> None:
        """Figures are added to as workers add to them: whatever they add meanwhile is kept."""
        days = tuple(day for day in rebuilt.days if day.learner_id in self._learners)
        await add_metrics(self.connection, Increments(days, tuple(rebuilt.counts)))
        learners, items = [day.learner_id for day in days], [count.question_id for count in rebuilt.counts]
        await self.connection.execute(CLEAR_DAYS, {"tenant_id": self.tenant_id, "learners": learners})
        await self.connection.execute(CLEAR_COUNTS, {"tenant_id": self.tenant_id, "items": items})


async def correct(connection: AsyncConnection, tenant_id: int, corrections: Sequence[Correction]) -> None:
    for statement, kind in ((CORRECT, StepCorrection), (CORRECT_DECISIONS, DecisionCorrection)):
        of_kind = [one for one in corrections if isinstance(one, kind)]
        for start in range(0, len(of_kind), AT_ONCE):
            part = as_json(of_kind[start : start + AT_ONCE])
            await connection.execute(statement, {"tenant_id": tenant_id, "corrections": part})


def is_among(ascending: Sequence[int], number: int) -> bool:
    place = bisect_left(ascending, number)
    return place < len(ascending) and ascending[place] == number
