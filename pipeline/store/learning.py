"""What the store knows of learners and items, read under lock and written back in the same transaction."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pipeline.learning.memory import Memory
from pipeline.learning.metrics import AnswerSums, Increments
from pipeline.learning.rating import ItemRating, Skill, first_item_rating
from pipeline.learning.recency import Recent
from pipeline.model import Question, Work
from pipeline.stages.recommend import ItemKey, Learned, LearnerKey, LearnerState, LearningState, in_order
from pipeline.store.candidates import TenantBank
from pipeline.store.engine import as_json

LOCK_LEARNERS = text(
    """
    SELECT l.tenant_id, l.id, l.recent_correct FROM learners l
    JOIN jsonb_to_recordset(CAST(:learners AS jsonb)) AS i(tenant_id int, id text)
      ON l.tenant_id = i.tenant_id AND l.id = i.id
    ORDER BY l.tenant_id, l.id FOR UPDATE OF l
    """
)

# A learner's row may be gone while a new submission is there: it was accepted just as the learner was erased.
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
    SELECT r.tenant_id, q.id, r.rating, r.answers
    FROM jsonb_to_recordset(CAST(:items AS jsonb)) AS i(tenant_id int, id text)
    JOIN questions q ON q.tenant_id = i.tenant_id AND q.id = i.id
    JOIN item_ratings r ON r.question_key = q.key
    ORDER BY r.question_key FOR UPDATE OF r
    """
)

START_ITEMS = text(
    """
    INSERT INTO item_ratings (question_key, tenant_id, rating, answers)
    SELECT q.key, i.tenant_id, i.rating, i.answers
    FROM jsonb_to_recordset(CAST(:items AS jsonb)) AS i(tenant_id int, id text, rating float, answers int)
    JOIN questions q ON q.tenant_id = i.tenant_id AND q.id = i.id
    ORDER BY q.key
    ON CONFLICT (question_key) DO NOTHING
    """
)

# All of it is under lock already, so the order of the parts does not matter.
SAVE = text(
    """
    WITH learner AS (
        UPDATE learners l SET recent_correct = i.recent_correct
        FROM jsonb_to_recordset(CAST(:learners AS jsonb)) AS i(tenant_id int, id text, recent_correct bigint[])
        WHERE l.tenant_id = i.tenant_id AND l.id = i.id AND l.recent_correct IS DISTINCT FROM i.recent_correct
    ), item AS (
        UPDATE item_ratings r SET rating = i.rating, answers = i.answers
        FROM jsonb_to_recordset(CAST(:items AS jsonb)) AS i(tenant_id int, id text, rating float, answers int)
        JOIN questions q ON q.tenant_id = i.tenant_id AND q.id = i.id
        WHERE r.question_key = q.key
    )
    INSERT INTO skills (tenant_id, learner_id, topic, rating, answers, correct, recent_errors, recent_answers,
        mistakes, stability, review_difficulty, due_at, updated_at)
    SELECT * FROM jsonb_to_recordset(CAST(:skills AS jsonb)) AS s(
        tenant_id int, learner_id text, topic text, rating float, answers int, correct int, recent_errors float,
        recent_answers float, mistakes float[], stability float, review_difficulty float, due_at timestamptz,
        updated_at timestamptz)
    ON CONFLICT (tenant_id, learner_id, topic) DO UPDATE SET
        rating = excluded.rating, answers = excluded.answers, correct = excluded.correct,
        recent_errors = excluded.recent_errors, recent_answers = excluded.recent_answers,
        mistakes = excluded.mistakes, stability = excluded.stability,
        review_difficulty = excluded.review_difficulty, due_at = excluded.due_at, updated_at = excluded.updated_at
    """
)

SUMS: Final = "answers, scored, correct, fraction_millionths, timed, response_time_ms"
SUM_TYPES: Final = (
    "answers bigint, scored bigint, correct bigint, fraction_millionths bigint, timed bigint, response_time_ms bigint"
)


def added(table: str, columns: str = SUMS) -> str:
    return ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in columns.split(", "))


# Each part takes its locks in key order, and the parts come in one order because the plan is one.
ADD_METRICS = text(
    f"""
    WITH day AS (
        INSERT INTO learner_days (tenant_id, learner_id, day, submissions, {SUMS})
        SELECT tenant_id, learner_id, day, submissions, {SUMS}
        FROM jsonb_to_recordset(CAST(:days AS jsonb)) AS d(
            tenant_id int, learner_id text, day date, submissions int, {SUM_TYPES})
        ORDER BY tenant_id, learner_id, day
        ON CONFLICT (tenant_id, learner_id, day) DO UPDATE SET {added("learner_days", "submissions, " + SUMS)}
    ), item AS (
        INSERT INTO item_statistics (question_key, tenant_id, {SUMS})
        SELECT q.key, i.tenant_id, {SUMS}
        FROM jsonb_to_recordset(CAST(:items AS jsonb)) AS i(tenant_id int, question_id text, {SUM_TYPES})
        JOIN questions q ON q.tenant_id = i.tenant_id AND q.id = i.question_id
        ORDER BY q.key
        ON CONFLICT (question_key) DO UPDATE SET {added("item_statistics")}
    )
    INSERT INTO stage_minutes (stage, minute, count, wait_ms, run_ms, longest_wait_ms, longest_run_ms)
    SELECT * FROM jsonb_to_recordset(CAST(:minutes AS jsonb)) AS m(
        stage text, minute timestamptz, count bigint, wait_ms bigint, run_ms bigint, longest_wait_ms bigint,
        longest_run_ms bigint)
    ORDER BY stage, minute
    ON CONFLICT (stage, minute) DO UPDATE SET {added("stage_minutes", "count, wait_ms, run_ms")},
        longest_wait_ms = greatest(stage_minutes.longest_wait_ms, excluded.longest_wait_ms),
        longest_run_ms = greatest(stage_minutes.longest_run_ms, excluded.longest_run_ms)
    """
)


async def lock_learning(
    connection: AsyncConnection, known: Mapping[int, TenantBank], works: Sequence[Work]
) -> LearningState:
    """What is known of the learners and items of a batch, locked until the transaction ends."""
    keys = sorted({(work.tenant_id, work.learner_id) for work in works})
    correct = await _lock_learners(connection, known, keys)
    if missing := [key for key in keys if key not in correct]:
        # A row that is not there can't be locked: put it there first, then lock with whoever else did.
        await connection.execute(START_LEARNERS, {"learners": learner_keys(missing)})
        correct |= await _lock_learners(connection, known, missing)
    skills: dict[LearnerKey, dict[str, Skill]] = {key: {} for key in keys}
    for row in await connection.execute(SKILLS, {"learners": learner_keys(keys)}):
        skills[row.tenant_id, row.learner_id][row.topic] = skill_from(row)
    return LearningState(
        learners={key: LearnerState(skills[key], correct[key]) for key in keys},
        items=await _lock_items(connection, works),
        banks={tenant_id: bank.candidates for tenant_id, bank in known.items()},
        guides={tenant_id: bank.guide for tenant_id, bank in known.items()},
    )


async def _lock_learners(
    connection: AsyncConnection, banks: Mapping[int, TenantBank], keys: Sequence[LearnerKey]
) -> dict[LearnerKey, tuple[str, ...]]:
    """Lock those learners that are there; answers the questions each answered right lately."""
    correct: dict[LearnerKey, tuple[str, ...]] = {}
    for tenant_id, id_, question_keys in await connection.execute(LOCK_LEARNERS, {"learners": learner_keys(keys)}):
        names = banks[tenant_id].id_by_key
        correct[tenant_id, id_] = tuple(names[key] for key in question_keys if key in names)
    return correct


def learner_keys(keys: Iterable[LearnerKey]) -> str:
    return as_json([{"tenant_id": tenant_id, "id": id_} for tenant_id, id_ in keys])


async def _lock_items(connection: AsyncConnection, works: Sequence[Work]) -> dict[ItemKey, ItemRating]:
    asked: dict[ItemKey, Question] = {}
    for work in in_order(works):  # a question starts from the version that is learnt from first
        for answer in work.answers:
            asked.setdefault((work.tenant_id, answer.question.id), answer.question)
    items = await _locked_items(connection, asked)
    if fresh := {key: question for key, question in asked.items() if key not in items}:
        # A row that is not there can't be locked: put it there first, then lock with whoever else did.
        first = [
            {"tenant_id": key[0], "id": key[1], **msgspec.structs.asdict(first_item_rating(question))}
            for key, question in fresh.items()
        ]
        await connection.execute(START_ITEMS, {"items": as_json(first)})
        items |= await _locked_items(connection, fresh)
    return items


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


async def save_learning(connection: AsyncConnection, known: Mapping[int, TenantBank], learned: Learned) -> None:
    """Write back what a batch moved."""
    learners = [
        {
            "tenant_id": tenant_id,
            "id": id_,
            "recent_correct": [
                known[tenant_id].key_by_id[question]
                for question in state.recent_correct
                if question in known[tenant_id].key_by_id
            ],
        }
        for (tenant_id, id_), state in learned.learners.items()
    ]
    skills = [
        skill_row(key, learned.learners[key].skills[topic])
        for key, topics in learned.moved_skills.items()
        for topic in sorted(topics)
    ]
    items = [
        {"tenant_id": tenant_id, "id": id_, "rating": item.rating, "answers": item.answers}
        for (tenant_id, id_), item in learned.items.items()
    ]
    await connection.execute(SAVE, {"learners": as_json(learners), "skills": as_json(skills), "items": as_json(items)})


def skill_row(key: LearnerKey, skill: Skill) -> dict[str, Any]:
    memory = skill.memory
    return {
        "tenant_id": key[0],
        "learner_id": key[1],
        "topic": skill.topic,
        "rating": skill.rating,
        "answers": skill.answers,
        "correct": skill.correct,
        "recent_errors": skill.recent.errors,
        "recent_answers": skill.recent.answers,
        "mistakes": skill.mistakes,
        "stability": memory.stability if memory else None,
        "review_difficulty": memory.difficulty if memory else None,
        "due_at": memory.due_at if memory else None,
        "updated_at": skill.updated_at,
    }


async def add_metrics(connection: AsyncConnection, increments: Increments) -> None:
    """Add a batch's figures."""
    days = [
        {
            "tenant_id": row.tenant_id,
            "learner_id": row.learner_id,
            "day": row.day,
            "submissions": row.submissions,
            **sums(row.sums),
        }
        for row in increments.days
    ]
    items = [
        {"tenant_id": row.tenant_id, "question_id": row.question_id, **sums(row.sums)} for row in increments.questions
    ]
    await connection.execute(
        ADD_METRICS, {"days": as_json(days), "items": as_json(items), "minutes": as_json(increments.stages)}
    )


def sums(row: AnswerSums) -> dict[str, int]:
    return msgspec.structs.asdict(row)
