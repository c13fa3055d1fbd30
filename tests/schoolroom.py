"""A made-up class written straight into the tables, so that what is true of it is known."""

import random
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from math import exp
from typing import Any, Final

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils import uuid7

from pipeline.model import Question
from pipeline.store.bank import BankStore
from pipeline.store.engine import as_json, transaction

OPTIONS: Final = ("a", "b", "c", "d")
MILLION: Final = 1_000_000
OUTCOMES: Final = ("incorrect", "correct")
DONE_SECONDS: Final = 120.0


class Try(msgspec.Struct, frozen=True):
    """One answer; tries of a learner come in the order in which they are listed."""

    learner_id: str
    question_id: str
    response: str | None
    fraction: float
    response_time_ms: int


def choice_question(number: int, key: str = "a", **changes: Any) -> Question:
    """Choose among four; `key` is what the author says is right."""
    given: dict[str, Any] = {
        "id": f"q{number:03}",
        "version": 0,
        "type": "single_choice",
        "prompt": f"Which one, {number}?",
        "answer": {"option": key},
        "options": tuple({"id": option, "text": f"option {option}"} for option in OPTIONS),
        "topics": (f"topic-{number % 4}",),
        "module": f"module-{number % 3}",
    }
    return Question(**{**given, **changes})


def made_up_tries(
    questions: Sequence[Question], truths: Mapping[str, str], *, learners: int, each: int, seed: int
) -> list[Try]:
    """Learners of ability N(0, 1), each at `each` of the questions; every fifth question a second time, and better."""
    draw, tries = random.Random(seed), []  # noqa: S311 - made-up learners
    for number in range(learners):
        ability = draw.gauss(0.0, 1.0)
        for question in draw.sample(questions, each):
            for again in range(1 + (draw.random() < 0.2)):
                knows = draw.random() < 1 / (1 + exp(-1.7 * (ability + 2 * again - question.difficulty + 3)))
                chosen = truths[question.id] if knows else draw.choice(OPTIONS)
                right = chosen == question.answer["option"]
                tries.append(Try(f"u{number:04}", question.id, chosen, float(right), draw.randrange(1_000, 60_000)))
    return tries


SUBMISSIONS = text(
    """
    INSERT INTO submissions (id, tenant_id, learner_id, status, version, completed_at, career_goal)
    SELECT id, :tenant_id, learner_id, 'completed', 3, now(), career_goal
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(id uuid, learner_id text, career_goal text)
    """
)
ANSWERS = text(
    """
    INSERT INTO answers (submission_id, position, tenant_id, version_key, response, response_time_ms)
    SELECT r.id, 0, :tenant_id, q.version_key, r.response, r.response_time_ms
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(id uuid, question_id text, response jsonb, response_time_ms int)
    JOIN questions q ON q.tenant_id = :tenant_id AND q.id = r.question_id
    """
)
RESULTS = text(
    """
    INSERT INTO results (submission_id, stage, tenant_id, body)
    SELECT r.id, 'score', :tenant_id, r.body FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(id uuid, body jsonb)
    """
)
LEARNERS = text(
    "INSERT INTO learners (tenant_id, id) SELECT :tenant_id, id FROM unnest(CAST(:ids AS text[])) AS id"
    " ON CONFLICT DO NOTHING"
)
STATISTICS = text(
    """
    INSERT INTO item_statistics (question_key, tenant_id, answers, scored, correct, fraction_millionths, timed,
        response_time_ms)
    SELECT v.question_key, :tenant_id, count(*), count(*), count(*) FILTER (WHERE f = 1), sum(f * 1000000)::bigint,
        count(*), sum(a.response_time_ms)
    FROM answers a JOIN question_versions v ON v.key = a.version_key
    JOIN results r ON r.submission_id = a.submission_id AND r.stage = 'score',
        LATERAL (SELECT CAST(r.body -> 'answers' -> 0 ->> 1 AS float) AS f) scored
    WHERE a.tenant_id = :tenant_id GROUP BY v.question_key
    ON CONFLICT (question_key) DO UPDATE SET answers = excluded.answers, scored = excluded.scored,
        correct = excluded.correct, fraction_millionths = excluded.fraction_millionths, timed = excluded.timed,
        response_time_ms = excluded.response_time_ms
    """
)


async def seat(engine: AsyncEngine, tenant_id: int, questions: Sequence[Question], tries: Iterable[Try]) -> None:
    """Put questions and tries into the tables, each try as a submission, and count the questions' statistics."""
    await BankStore(engine).save(tenant_id, questions)
    rows = [
        {
            "id": str(uuid7()),
            "learner_id": one.learner_id,
            "question_id": one.question_id,
            "response": one.response,
            "response_time_ms": one.response_time_ms,
            "body": {"answers": [[OUTCOMES[one.fraction == 1], one.fraction, one.fraction, 1, "single_choice/1"]]},
        }
        for one in tries
    ]
    values = {"tenant_id": tenant_id, "rows": as_json(rows), "ids": sorted({str(row["learner_id"]) for row in rows})}
    async with transaction(engine, seconds=DONE_SECONDS) as connection:
        for statement in (LEARNERS, SUBMISSIONS, ANSWERS, RESULTS, STATISTICS):
            await connection.execute(statement, values)


class Day(msgspec.Struct, frozen=True):
    """What a learner did on one day."""

    learner_id: str
    day: date
    scored: int
    correct: int


DAYS = text(
    """
    INSERT INTO learner_days (tenant_id, learner_id, day, submissions, answers, scored, correct, fraction_millionths,
        timed, response_time_ms)
    SELECT :tenant_id, learner_id, day, 1, scored, scored, correct, correct * 1000000, 0, 0
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(learner_id text, day date, scored int, correct int)
    """
)


async def live_through(engine: AsyncEngine, tenant_id: int, days: Sequence[Day]) -> None:
    """Write learners with what they did, day by day."""
    values = {"tenant_id": tenant_id, "rows": as_json(days), "ids": sorted({one.learner_id for one in days})}
    async with transaction(engine, seconds=DONE_SECONDS) as connection:
        await connection.execute(LEARNERS, values)
        await connection.execute(DAYS, values)


class KnownTopic(msgspec.Struct, frozen=True):
    """How a learner stands in a topic; `errors` are recent ones."""

    learner_id: str
    topic: str
    rating: float
    answers: int
    errors: float = 0.0


SKILLS = text(
    """
    INSERT INTO skills (tenant_id, learner_id, topic, rating, answers, correct, recent_errors, recent_answers,
        updated_at)
    SELECT :tenant_id, learner_id, topic, rating, answers, answers, errors, errors, :at
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        learner_id text, topic text, rating float, answers int, errors float)
    """
)


async def teach(engine: AsyncEngine, tenant_id: int, known: Sequence[KnownTopic], *, at: datetime) -> None:
    """Write how learners stand in topics as of `at`."""
    async with transaction(engine, seconds=DONE_SECONDS) as connection:
        await connection.execute(SKILLS, {"tenant_id": tenant_id, "rows": as_json(known), "at": at})


async def aim(engine: AsyncEngine, tenant_id: int, goals: Mapping[str, str]) -> None:
    """Let learners hand in something that names their career goal."""
    rows = [{"id": str(uuid7()), "learner_id": learner, "career_goal": goal} for learner, goal in goals.items()]
    async with transaction(engine, seconds=DONE_SECONDS) as connection:
        await connection.execute(SUBMISSIONS, {"tenant_id": tenant_id, "rows": as_json(rows)})
