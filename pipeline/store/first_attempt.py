"""First attempts at questions, and what else the same learners answered, gathered set by set.

There is no index from a question to its answers: it would be written with every answer that comes in, for a job that
runs at night. So the answers to a piece of questions are found by reading all answers once, as they lie on disk.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pipeline.learning.asking import asked_by, chosen_in
from pipeline.learning.item_analysis import ENOUGH_ELSEWHERE, FirstAttempt, ItemAnalysis, analyse
from pipeline.store.question import question_from_body

MILLION: Final = 1_000_000
NEWEST_ATTEMPTS: Final = 2_000
"""First attempts of a question that are looked at, the newest ones: a correlation of so many is sure to ±0.02."""

# A row of a result is an array (`store/packing.py`), or an object where it is older than that.
FRACTION: Final = """
    CASE jsonb_typeof(r.body -> 'answers' -> CAST(a.position AS int))
        WHEN 'array' THEN CAST(r.body -> 'answers' -> CAST(a.position AS int) ->> 1 AS float)
        ELSE CAST(r.body -> 'answers' -> CAST(a.position AS int) ->> 'fraction' AS float) END
"""

# A learner's first attempt at any version counts where that version asked the same and was scored the same as today's.
FIRST_ATTEMPTS = text(
    f"""
    WITH versions AS (
        SELECT v.key, v.question_key,
            v.body - CAST(:unasked AS text[]) = now.body - CAST(:unasked AS text[]) AS same
        FROM questions q JOIN question_versions now ON now.key = q.version_key
        JOIN question_versions v ON v.question_key = q.key
        WHERE q.tenant_id = :tenant_id AND q.key = ANY(:keys)
    ), firsts AS (
        SELECT DISTINCT ON (v.question_key, s.learner_id) v.question_key, s.learner_id, v.same, s.id AS submission_id,
            a.position, a.response, a.response_time_ms
        FROM answers a JOIN versions v ON v.key = a.version_key
        JOIN submissions s ON s.tenant_id = :tenant_id AND s.id = a.submission_id
        ORDER BY v.question_key, s.learner_id, s.id, a.position
    ), scored AS (
        SELECT a.*, {FRACTION} AS fraction,
            row_number() OVER (PARTITION BY a.question_key ORDER BY a.submission_id DESC, a.position) AS newest
        FROM firsts a JOIN results r ON r.submission_id = a.submission_id AND r.stage = 'score'
        WHERE a.same
    )
    SELECT question_key, learner_id, response, response_time_ms, fraction FROM scored
    WHERE newest <= {NEWEST_ATTEMPTS} AND fraction IS NOT NULL
    """
)
UNASKED: Final = ["points", "difficulty", "topics", "module", "explanation", "industry", "tags", "hide_solution"]
"""The fields of a question that change neither what is asked nor what is right."""

# Millionths, so that sums are exact. A learner's first attempts at all questions, each beside what is usual there.
STANDINGS = text(
    f"""
    WITH firsts AS (
        SELECT DISTINCT ON (s.learner_id, v.question_key) s.learner_id, v.question_key, s.id AS submission_id,
            a.position
        FROM unnest(CAST(:learner_ids AS text[])) AS w(learner_id)
        JOIN submissions s ON s.tenant_id = :tenant_id AND s.learner_id = w.learner_id
        JOIN answers a ON a.submission_id = s.id
        JOIN question_versions v ON v.key = a.version_key
        ORDER BY s.learner_id, v.question_key, s.id, a.position
    ), scored AS (
        SELECT a.learner_id, round({FRACTION} * {MILLION})::bigint AS fraction,
            i.fraction_millionths / i.scored AS facility
        FROM firsts a JOIN results r ON r.submission_id = a.submission_id AND r.stage = 'score'
        JOIN item_statistics i ON i.question_key = a.question_key
        WHERE i.scored > 0
    )
    SELECT learner_id, count(*) AS answers, sum(fraction - facility)::bigint AS surplus
    FROM scored WHERE fraction IS NOT NULL GROUP BY learner_id
    """
)


class Learnt(msgspec.Struct, frozen=True):
    """What a learner's first attempts add up to: their number, and by how many millionths they beat what is usual."""

    answers: int
    surplus: int


async def analysed(connection: AsyncConnection, tenant_id: int, rows: Sequence[Any]) -> dict[int, ItemAnalysis]:
    """The figures of these questions, by key."""
    values = {"tenant_id": tenant_id, "keys": [row.key for row in rows], "unasked": UNASKED}
    tries = (await connection.execute(FIRST_ATTEMPTS, values)).all()
    learners = {"tenant_id": tenant_id, "learner_ids": sorted({one.learner_id for one in tries})}
    standings = {row.learner_id: Learnt(*row[1:]) for row in await connection.execute(STANDINGS, learners)}
    by_key: dict[int, list[Any]] = {row.key: [] for row in rows}
    for one in tries:
        by_key[one.question_key].append(one)
    analyses: dict[int, ItemAnalysis] = {}
    for row in rows:
        analyses[row.key] = analysis_of(row, by_key[row.key], standings)
        await asyncio.sleep(0)  # others are served between two questions
    return analyses


def analysis_of(row: Any, tries: Sequence[Any], standings: Mapping[str, Learnt]) -> ItemAnalysis:
    question = question_from_body(row.id, row.version, row.body)
    attempts = [
        FirstAttempt(
            learner_id=one.learner_id,
            fraction=one.fraction,
            ability=ability_elsewhere(standings.get(one.learner_id), one.fraction, row.facility),
            chosen=chosen_in(question, one.response),
            response_time_ms=one.response_time_ms,
        )
        for one in tries
    ]
    return analyse(asked_by(question), attempts)


def ability_elsewhere(learnt: Learnt | None, fraction: float, facility: int | None) -> float | None:
    """By how much a learner beats what is usual on other questions; None where that is not known well enough."""
    if learnt is None or facility is None or learnt.answers <= ENOUGH_ELSEWHERE:
        return None
    own = round(fraction * MILLION) - facility
    return (learnt.surplus - own) / (learnt.answers - 1) / MILLION
