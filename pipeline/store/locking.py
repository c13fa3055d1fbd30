"""What the store knows of learners and items, read under lock.

A row that is not there can't be locked, so whoever finds one missing starts it. Nobody holds a lock of the same kind
while doing so: rows are locked all or none, those that were missing are started, then all are locked. Who starts rows
waits only for others who start rows, who locks rows only for others who have locked theirs, both in key order; so
nobody ever waits in a circle.
"""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pipeline.learning.evidence import topics_of
from pipeline.learning.memory import Memory
from pipeline.learning.rating import ItemRating, Skill, first_item_rating
from pipeline.learning.recency import Recent
from pipeline.learning.start import Shifts
from pipeline.model import Question, Work
from pipeline.stages.recommend import ItemKey, LearnerKey, LearnerState, LearningState, in_order
from pipeline.store.candidates import TenantBank
from pipeline.store.engine import as_json

LOCK_LEARNERS = text(
    """
    WITH wanted AS MATERIALIZED (
        SELECT i.tenant_id, i.id FROM jsonb_to_recordset(CAST(:learners AS jsonb)) AS i(tenant_id int, id text)
    )
    SELECT l.tenant_id, l.id, l.recent_correct FROM wanted w
    JOIN learners l ON l.tenant_id = w.tenant_id AND l.id = w.id
    WHERE NOT EXISTS (
        SELECT FROM wanted m
        WHERE NOT EXISTS (SELECT FROM learners x WHERE x.tenant_id = m.tenant_id AND x.id = m.id)
    )
    ORDER BY l.tenant_id, l.id FOR UPDATE OF l
    """
)

START_LEARNERS = text(
    """
    INSERT INTO learners (tenant_id, id)
    SELECT i.tenant_id, i.id FROM jsonb_to_recordset(CAST(:learners AS jsonb)) AS i(tenant_id int, id text)
    ORDER BY i.tenant_id, i.id
    ON CONFLICT DO NOTHING
    """
)

SKILLS = text(
    """
    SELECT s.tenant_id, s.learner_id, s.topic, s.rating, s.answers, s.correct, s.recent_errors, s.recent_answers,
        s.mistakes, s.stability, s.review_difficulty, s.due_at, s.updated_at
    FROM skills s
    JOIN jsonb_to_recordset(CAST(:learners AS jsonb)) AS i(tenant_id int, id text)
      ON s.tenant_id = i.tenant_id AND s.learner_id = i.id
    """
)

LOCK_ITEMS = text(
    """
    WITH wanted AS MATERIALIZED (
        SELECT q.key, q.tenant_id, q.id
        FROM jsonb_to_recordset(CAST(:items AS jsonb)) AS i(tenant_id int, id text)
        JOIN questions q ON q.tenant_id = i.tenant_id AND q.id = i.id
    )
    SELECT w.tenant_id, w.id, r.rating, r.answers FROM wanted w JOIN item_ratings r ON r.question_key = w.key
    WHERE NOT EXISTS (
        SELECT FROM wanted m WHERE NOT EXISTS (SELECT FROM item_ratings x WHERE x.question_key = m.key)
    )
    ORDER BY r.question_key FOR UPDATE OF r
    """
)

START_ITEMS = text(
    """
    INSERT INTO item_ratings (question_key, tenant_id, rating, answers, start)
    SELECT q.key, i.tenant_id, i.rating, 0, i.start
    FROM jsonb_to_recordset(CAST(:items AS jsonb)) AS i(tenant_id int, id text, rating float, start float)
    JOIN questions q ON q.tenant_id = i.tenant_id AND q.id = i.id
    ORDER BY q.key
    ON CONFLICT (question_key) DO NOTHING
    """
)


async def lock_learning(
    connection: AsyncConnection, known: Mapping[int, TenantBank], works: Sequence[Work]
) -> LearningState:
    """What is known of the learners and items of a batch, locked until the transaction ends: learners, then items."""
    keys = sorted({(work.tenant_id, work.learner_id) for work in works})
    correct = await lock_learners(connection, keys)
    skills = await read_skills(connection, keys)
    return LearningState(
        learners={key: LearnerState(skills[key], named(known[key[0]].id_by_key, correct[key])) for key in keys},
        items=await lock_items(connection, works, {tenant_id: bank.shifts for tenant_id, bank in known.items()}),
        banks={tenant_id: bank.candidates for tenant_id, bank in known.items()},
        guides={tenant_id: bank.guide for tenant_id, bank in known.items()},
    )


async def lock_learners(connection: AsyncConnection, keys: Sequence[LearnerKey]) -> dict[LearnerKey, Sequence[int]]:
    """Lock these learners; answers the keys of the questions each answered right lately."""
    wanted = {"learners": learner_keys(keys)}
    rows = (await connection.execute(LOCK_LEARNERS, wanted)).all()
    # A learner's row may be gone while a new submission is there: it was accepted just as the learner was erased,
    # and may be erased once more between these two.
    while len(rows) < len(keys):
        await connection.execute(START_LEARNERS, wanted)
        rows = (await connection.execute(LOCK_LEARNERS, wanted)).all()
    return {(tenant_id, id_): correct for tenant_id, id_, correct in rows}


async def read_skills(connection: AsyncConnection, keys: Sequence[LearnerKey]) -> dict[LearnerKey, dict[str, Skill]]:
    """The skills of learners who are locked, by topic."""
    skills: dict[LearnerKey, dict[str, Skill]] = {key: {} for key in keys}
    for row in await connection.execute(SKILLS, {"learners": learner_keys(keys)}):
        skills[row.tenant_id, row.learner_id][row.topic] = skill_from(row)
    return skills


def named(names: Mapping[int, str], question_keys: Sequence[int]) -> tuple[str, ...]:
    return tuple(names[key] for key in question_keys if key in names)


def learner_keys(keys: Iterable[LearnerKey]) -> str:
    return as_json([{"tenant_id": tenant_id, "id": id_} for tenant_id, id_ in keys])


async def lock_items(
    connection: AsyncConnection, works: Sequence[Work], shifts: Mapping[int, Shifts] = MappingProxyType({})
) -> dict[ItemKey, ItemRating]:
    """The ratings of all questions of these, locked; those that have none begin off their levels by their tenant's."""
    asked: dict[ItemKey, Question] = {}
    for work in in_order(works):  # a question starts from the version that is learnt from first
        for answer in work.answers:
            asked.setdefault((work.tenant_id, answer.question.id), answer.question)
    items = await _locked_items(connection, asked)
    if len(items) < len(asked):
        first = [first_row(key, question, shifts.get(key[0])) for key, question in asked.items()]
        await connection.execute(START_ITEMS, {"items": as_json(first)})
        items = await _locked_items(connection, asked)
    return items


def first_row(key: ItemKey, question: Question, shifts: Shifts | None) -> dict[str, Any]:
    """A question's rating as it begins; where is noted unless it is at its level."""
    level = first_item_rating(question).rating
    begin = level if shifts is None else level + shifts.of(topics_of(question))
    return {"tenant_id": key[0], "id": key[1], "rating": begin, "start": None if begin == level else begin}


async def _locked_items(connection: AsyncConnection, keys: Iterable[ItemKey]) -> dict[ItemKey, ItemRating]:
    wanted = as_json([{"tenant_id": tenant_id, "id": id_} for tenant_id, id_ in keys])
    rows = await connection.execute(LOCK_ITEMS, {"items": wanted})
    return {(row.tenant_id, row.id): ItemRating(row.rating, row.answers) for row in rows}


def skill_from(row: Any) -> Skill:
    return Skill(
        topic=row.topic,
        rating=row.rating,
        answers=row.answers,
        correct=row.correct,
        updated_at=row.updated_at,
        recent=Recent(row.recent_errors, row.recent_answers),
        mistakes=tuple(row.mistakes),
        memory=None if row.stability is None else Memory(row.stability, row.review_difficulty, row.due_at),
    )
