"""What was learnt of learners and items, written back in the transaction that has locked it, and what it adds up to."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pipeline.learning.metrics import AnswerSums, Increments
from pipeline.learning.rating import Skill
from pipeline.stages.recommend import Learned, LearnerKey
from pipeline.store.engine import as_json

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


async def save_learning(
    connection: AsyncConnection, question_keys: Mapping[int, Mapping[str, int]], learned: Learned
) -> None:
    """Write back what was moved; `question_keys` are those of each tenant's questions by their ids."""
    learners = [
        {
            "tenant_id": tenant_id,
            "id": id_,
            "recent_correct": [
                question_keys[tenant_id][question]
                for question in state.recent_correct
                if question in question_keys[tenant_id]
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
