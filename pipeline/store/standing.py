"""Where learners stand among others: by how much their first attempts beat what is usual on the same questions.

Each night works it out once for everybody and keeps it. For each question that a learner met, his other answers would
otherwise be read again: all answers once for each hundred of them.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pipeline.learning.item_analysis import ENOUGH_ELSEWHERE
from pipeline.store.engine import as_json

MILLION: Final = 1_000_000

# A row of a result is an array (`store/packing.py`), or an object where it is older than that: one has no place 1, the
# other no names.
FRACTION: Final = """
    CAST(coalesce(r.body -> 'answers' -> CAST(a.position AS int) ->> 1,
        r.body -> 'answers' -> CAST(a.position AS int) ->> 'fraction') AS float)
"""

# A person's decision counts from when it was made.
SCORED_AT: Final = """
    greatest(r.created_at, CAST(r.body -> 'answers' -> CAST(a.position AS int) -> 5 ->> 'at' AS timestamptz))
"""

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
        WHERE i.scored > 0 AND {SCORED_AT} <= coalesce(CAST(:as_of AS timestamptz), 'infinity')
    )
    SELECT learner_id, count(*) AS answers, sum(fraction - facility)::bigint AS surplus
    FROM scored WHERE fraction IS NOT NULL GROUP BY learner_id
    """
)

NEXT_LEARNERS = text("SELECT id FROM learners WHERE tenant_id = :tenant_id AND id > :after ORDER BY id LIMIT :most")
# No transaction that stores scores takes so long: what it is of, and no later one, is there for all to see.
SETTLED = text("SELECT clock_timestamp() - interval '1 minute'")

# Who was erased in the meantime is not brought back. Who has no answer any more stands nowhere.
KEEP = text(
    """
    INSERT INTO learner_standings (tenant_id, learner_id, answers, surplus, as_of)
    SELECT l.tenant_id, l.id, coalesce(s.answers, 0), coalesce(s.surplus, 0), :as_of
    FROM learners l LEFT JOIN jsonb_to_recordset(CAST(:standings AS jsonb))
        AS s(learner_id text, answers int, surplus bigint) ON s.learner_id = l.id
    WHERE l.tenant_id = :tenant_id AND l.id = ANY(:learner_ids)
    ORDER BY l.id FOR KEY SHARE OF l
    ON CONFLICT (tenant_id, learner_id) DO UPDATE
        SET answers = excluded.answers, surplus = excluded.surplus, as_of = excluded.as_of
    """
)
KEPT = text(
    """
    SELECT learner_id, answers, surplus, CAST(extract(epoch FROM as_of) AS float) AS as_of FROM learner_standings
    WHERE tenant_id = :tenant_id AND learner_id = ANY(:learner_ids) AND answers > :enough
    """
)


class Standing(msgspec.Struct, frozen=True):
    """What a learner's first attempts add up to: their number, and by how many millionths they beat what is usual.

    `as_of` says which are in it: those that were scored until then, in seconds of Unix time; None: all that there are.
    """

    answers: int
    surplus: int
    as_of: float | None = None


async def keep_next_standings(connection: AsyncConnection, tenant_id: int, after: str, most: int) -> str | None:
    """Work out and keep the standings of the next at most `most` learners; the id of the last, None at the end."""
    values = {"tenant_id": tenant_id, "after": after, "most": most}
    learner_ids = [row.id for row in await connection.execute(NEXT_LEARNERS, values)]
    if not learner_ids:
        return None
    as_of = (await connection.execute(SETTLED)).scalar_one()
    found = await standings_now(connection, tenant_id, learner_ids, as_of)
    given = [{"learner_id": id_, "answers": one.answers, "surplus": one.surplus} for id_, one in found.items()]
    whose = {"tenant_id": tenant_id, "learner_ids": learner_ids}
    await connection.execute(KEEP, {**whose, "as_of": as_of, "standings": as_json(given)})
    return learner_ids[-1] if len(learner_ids) == most else None


async def standings_of(
    connection: AsyncConnection, tenant_id: int, learner_ids: Collection[str]
) -> dict[str, Standing]:
    """The standings of these learners as the last night kept them; worked out where it knew too little of somebody."""
    values = {"tenant_id": tenant_id, "learner_ids": list(learner_ids), "enough": ENOUGH_ELSEWHERE}
    kept = {row.learner_id: standing_from(row) for row in await connection.execute(KEPT, values)}
    unknown = sorted(set(learner_ids) - kept.keys())
    return {**kept, **await standings_now(connection, tenant_id, unknown)} if unknown else kept


async def standings_now(
    connection: AsyncConnection, tenant_id: int, learner_ids: Sequence[str], as_of: datetime | None = None
) -> dict[str, Standing]:
    """The standings of these learners from all answers scored until `as_of`; who has no such answer is left out."""
    values = {"tenant_id": tenant_id, "learner_ids": list(learner_ids), "as_of": as_of}
    rows = await connection.execute(STANDINGS, values)
    return {row.learner_id: Standing(row.answers, row.surplus) for row in rows}


def standing_from(row: Any) -> Standing:
    return Standing(row.answers, row.surplus, row.as_of)
