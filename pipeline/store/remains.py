"""What stays of a learner who is erased: what the answers did to the questions, without whose they were.

Questions keep their ratings and figures, which follow from everybody's answers. So that they can still be worked out
again, each answer's step is kept under its number in the order of learning, and its counts in a sum. With the first of
the learner's submissions all of the steps go over, and the skills go: at any moment what is stored is what the
history that is left says, however long the erasure takes and wherever it breaks off.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pipeline.learning.metrics import count_up
from pipeline.learning.rating import MIDDLE_DIFFICULTY
from pipeline.lifecycle import Stage
from pipeline.model import Claim
from pipeline.stages.metrics import finished
from pipeline.store.candidates import Banks
from pipeline.store.engine import as_json
from pipeline.store.learning import SUM_TYPES, SUMS, added, sums
from pipeline.store.question import QuestionVersions
from pipeline.store.work import WorkUnit

LEARNERS = text(
    "SELECT DISTINCT learner_id FROM submissions WHERE tenant_id = :tenant_id AND id = ANY(CAST(:ids AS uuid[]))"
)
LOCK_LEARNERS = text(
    "SELECT FROM learners WHERE tenant_id = :tenant_id AND id = ANY(:learners) ORDER BY tenant_id, id FOR UPDATE"
)
KEEP_STEPS = text(
    """
    INSERT INTO kept_item_steps (tenant_id, sequence, position, question_key, start, step, answers)
    SELECT r.tenant_id, r.learning_sequence, a.place, v.question_key,
        coalesce((v.body ->> 'difficulty')::float, :middle) - :middle,
        coalesce(r.item_steps[a.place], 0), (r.item_steps[a.place] IS NOT NULL)::int
    FROM submissions s
    JOIN results r ON r.submission_id = s.id AND r.stage = 'recommend'
    CROSS JOIN LATERAL (
        SELECT x.version_key, row_number() OVER (ORDER BY x.position) AS place
        FROM answers x WHERE x.submission_id = s.id
    ) AS a
    JOIN question_versions v ON v.key = a.version_key
    WHERE s.tenant_id = :tenant_id AND s.learner_id = ANY(:learners)
      AND r.learning_sequence IS NOT NULL AND cardinality(r.item_steps) > 0
    """
)
# A number names one answer here, so any place will do.
KEEP_DECISIONS = text(
    """
    WITH gone AS (
        DELETE FROM settlements d USING submissions s
        WHERE s.tenant_id = :tenant_id AND s.learner_id = ANY(:learners) AND d.submission_id = s.id
        RETURNING d.tenant_id, d.learning_sequence, d.submission_id, d.position, d.item_step, d.answers
    )
    INSERT INTO kept_item_steps (tenant_id, sequence, position, question_key, start, step, answers)
    SELECT g.tenant_id, g.learning_sequence, g.position, v.question_key,
        coalesce((v.body ->> 'difficulty')::float, :middle) - :middle, g.item_step, g.answers
    FROM gone g
    JOIN answers a ON a.submission_id = g.submission_id AND a.position = g.position
    JOIN question_versions v ON v.key = a.version_key
    """
)
MARK_KEPT = text(
    """
    UPDATE results r SET item_steps = '{}'
    FROM submissions s
    WHERE s.tenant_id = :tenant_id AND s.learner_id = ANY(:learners) AND r.submission_id = s.id
      AND r.stage = 'recommend' AND r.item_steps IS DISTINCT FROM '{}'::float[]
    """
)
FORGET: Final = (
    text("DELETE FROM skills WHERE tenant_id = :tenant_id AND learner_id = ANY(:learners)"),
    text(
        "UPDATE learners SET recent_correct = '{}'"
        " WHERE tenant_id = :tenant_id AND id = ANY(:learners) AND recent_correct <> '{}'"
    ),
)
COUNTED = text(
    """
    SELECT submission_id::text FROM stages
    WHERE tenant_id = :tenant_id AND submission_id = ANY(CAST(:ids AS uuid[])) AND stage = 'metrics' AND state = 'done'
    """
)
KEEP_COUNTS = text(
    f"""
    INSERT INTO kept_item_statistics (question_key, tenant_id, {SUMS})
    SELECT q.key, i.tenant_id, {SUMS}
    FROM jsonb_to_recordset(CAST(:items AS jsonb)) AS i(tenant_id int, question_id text, {SUM_TYPES})
    JOIN questions q ON q.tenant_id = i.tenant_id AND q.id = i.question_id
    ORDER BY q.key
    ON CONFLICT (question_key) DO UPDATE SET {added("kept_item_statistics")}
    """
)


async def keep_learning(connection: AsyncConnection, tenant_id: int, submission_ids: Sequence[str]) -> None:
    """Keep the steps of all answers of whoever handed these in, and forget what they know; locks the learners."""
    ids = {"tenant_id": tenant_id, "ids": list(submission_ids)}
    learners = list((await connection.execute(LEARNERS, ids)).scalars())
    values = {"tenant_id": tenant_id, "learners": learners}
    await connection.execute(LOCK_LEARNERS, values)
    for statement in (KEEP_STEPS, KEEP_DECISIONS):
        await connection.execute(statement, {**values, "middle": float(MIDDLE_DIFFICULTY)})
    for statement in (MARK_KEPT, *FORGET):
        await connection.execute(statement, values)


async def keep_counts(
    connection: AsyncConnection, versions: QuestionVersions, tenant_id: int, submission_ids: Sequence[str]
) -> None:
    """Keep what these submissions, which are under lock, added to the figures of questions."""
    counted = await connection.execute(COUNTED, {"tenant_id": tenant_id, "ids": list(submission_ids)})
    claims = [Claim(id_, tenant_id, 0, 0) for id_ in counted.scalars()]
    works = await WorkUnit(connection, Stage.RECOMMEND, None, versions, Banks()).load(claims)
    counts = count_up(finished(work) for work in works).questions
    rows = [{"tenant_id": tenant_id, "question_id": one.question_id, **sums(one.sums)} for one in counts]
    await connection.execute(KEEP_COUNTS, {"items": as_json(rows)})
