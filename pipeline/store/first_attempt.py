"""First attempts at questions, and where the same learners stand elsewhere, gathered set by set."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pipeline.learning.asking import asked_by, chosen_in
from pipeline.learning.item_analysis import ENOUGH_ELSEWHERE, FirstAttempt, ItemAnalysis, analyse
from pipeline.store.question import question_from_body
from pipeline.store.standing import FRACTION, MILLION, SCORED_AT, Standing, standings_of

NEWEST_ATTEMPTS: Final = 2_000
"""First attempts of a question that are looked at, the newest ones: a correlation of so many is sure to ±0.02."""

# A learner's first attempt at any version counts where that version asked the same and was scored the same as today's.
FIRST_ATTEMPTS = text(
    f"""
    WITH versions AS MATERIALIZED (
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
        SELECT a.*, {FRACTION} AS fraction, CAST(extract(epoch FROM {SCORED_AT}) AS float) AS scored_at,
            row_number() OVER (PARTITION BY a.question_key ORDER BY a.submission_id DESC, a.position) AS newest
        FROM firsts a JOIN results r ON r.submission_id = a.submission_id AND r.stage = 'score'
        WHERE a.same
    )
    SELECT question_key, learner_id, response, response_time_ms, fraction, scored_at FROM scored
    WHERE newest <= {NEWEST_ATTEMPTS} AND fraction IS NOT NULL
    """
)
UNASKED: Final = ["points", "difficulty", "topics", "module", "explanation", "industry", "tags", "hide_solution"]
"""The fields of a question that change neither what is asked nor what is right."""


async def analysed(connection: AsyncConnection, tenant_id: int, rows: Sequence[Any]) -> dict[int, ItemAnalysis]:
    """The figures of these questions, by key."""
    values = {"tenant_id": tenant_id, "keys": [row.key for row in rows], "unasked": UNASKED}
    tries = (await connection.execute(FIRST_ATTEMPTS, values)).all()
    standings = await standings_of(connection, tenant_id, {one.learner_id for one in tries})
    by_key: dict[int, list[Any]] = {row.key: [] for row in rows}
    for one in tries:
        by_key[one.question_key].append(one)
    analyses: dict[int, ItemAnalysis] = {}
    for row in rows:
        analyses[row.key] = analysis_of(row, by_key[row.key], standings)
        await asyncio.sleep(0)  # others are served between two questions
    return analyses


def analysis_of(row: Any, tries: Sequence[Any], standings: Mapping[str, Standing]) -> ItemAnalysis:
    question = question_from_body(row.id, row.version, row.body)
    attempts = [
        FirstAttempt(
            one.learner_id,
            one.fraction,
            ability_elsewhere(standings.get(one.learner_id), one.fraction, one.scored_at, row.facility),
            chosen_in(question, one.response),
            one.response_time_ms,
        )
        for one in tries
    ]
    return analyse(asked_by(question), attempts)


def ability_elsewhere(
    standing: Standing | None, fraction: float, scored_at: float, facility: int | None
) -> float | None:
    """By how much a learner beats what is usual on other questions; None where that is not known well enough."""
    if standing is None or facility is None:
        return None
    inside = standing.as_of is None or scored_at <= standing.as_of
    others = standing.answers - inside
    if others < ENOUGH_ELSEWHERE:
        return None
    own = round(fraction * MILLION) - facility if inside else 0
    return (standing.surplus - own) / others / MILLION
