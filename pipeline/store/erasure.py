"""Forgetting a learner, in transactions of bounded size.

Nothing comes back: whoever writes a result first locks its submission and finds it gone, whoever moves
skills first locks the learner. Both locks are taken here too, in the order that all of the store keeps.
What the learner did to questions stays, without who it was (`remains`).
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.store.engine import LOOK_UP_SECONDS, as_json, transaction
from pipeline.store.ledger import MONEY_LOCK
from pipeline.store.question import QuestionVersions
from pipeline.store.remains import keep_counts, keep_learning

LOCK_SUBMISSIONS = text(
    """
    SELECT FROM submissions WHERE tenant_id = :tenant_id AND id = ANY(CAST(:ids AS uuid[])) ORDER BY id FOR UPDATE
    """
)

# Deliveries are sent by workers that hold no submission, so they are locked themselves before their tries go.
LOCK_DELIVERIES = text(
    """
    SELECT FROM deliveries WHERE tenant_id = :tenant_id AND submission_id = ANY(CAST(:ids AS uuid[]))
    ORDER BY id FOR UPDATE
    """
)

DELETE_TRIES = text(
    """
    DELETE FROM delivery_tries y USING deliveries d
    WHERE y.delivery_id = d.id AND d.tenant_id = :tenant_id AND d.submission_id = ANY(CAST(:ids AS uuid[]))
    """
)

PARTS: Final = (
    "llm_batch_items",
    "deliveries",
    "results",
    "attempts",
    "answers",
    "stages",
    "feedback_backgrounds",
    "feedback_assignments",
    "feedback_ratings",
    "feedback_improvements",
)
"""The tables that hold parts of a submission by its id. Who ends waits for a batch holds its requests before stages."""

DELETE_PARTS = [
    text(f"DELETE FROM {part} WHERE tenant_id = :tenant_id AND submission_id = ANY(CAST(:ids AS uuid[]))")
    for part in PARTS
]

# A reply that these paid for goes; where somebody else is asking for the same again, his claim stays.
LOCK_REPLIES = text(
    """
    SELECT FROM llm_replies
    WHERE tenant_id = :tenant_id
      AND (asker_id = ANY(CAST(:ids AS uuid[])) OR submission_id = ANY(CAST(:ids AS uuid[])))
    ORDER BY tenant_id, key FOR UPDATE
    """
)
DELETE_REPLIES = text("DELETE FROM llm_replies WHERE tenant_id = :tenant_id AND asker_id = ANY(CAST(:ids AS uuid[]))")
EMPTY_REPLIES = text(
    """
    UPDATE llm_replies
    SET submission_id = NULL, text = NULL, provider = NULL, model = NULL, prompt_version = NULL, answered_at = NULL
    WHERE tenant_id = :tenant_id AND submission_id = ANY(CAST(:ids AS uuid[])) AND state IN ('asked', 'abandoned')
    """
)

DELETE_SUBMISSIONS = text("DELETE FROM submissions WHERE tenant_id = :tenant_id AND id = ANY(CAST(:ids AS uuid[]))")

LOCK_LEARNER = text("SELECT FROM learners WHERE tenant_id = :tenant_id AND id = :learner_id FOR UPDATE")

LEFT = text("SELECT EXISTS (SELECT FROM submissions WHERE tenant_id = :tenant_id AND learner_id = :learner_id)")

# What was spent stays, but not on whom. Whoever books on him at this moment is waited for, or finds him gone.
LOCK_MONEY = text("SELECT pg_advisory_xact_lock(:space, :tenant_id)")
FORGET_SPENDER = [
    text("SELECT FROM llm_budgets WHERE tenant_id = :tenant_id AND learner_id = :learner_id ORDER BY day FOR UPDATE"),
    text("SELECT FROM llm_attempts WHERE tenant_id = :tenant_id AND learner_id = :learner_id ORDER BY id FOR UPDATE"),
    text(
        "UPDATE llm_attempts SET learner_id = NULL, submission_id = NULL"
        " WHERE tenant_id = :tenant_id AND learner_id = :learner_id"
    ),
    text("DELETE FROM llm_budgets WHERE tenant_id = :tenant_id AND learner_id = :learner_id"),
]

DELETE_LEARNER = [
    text("DELETE FROM feedback_ratings WHERE tenant_id = :tenant_id AND learner_id = :learner_id"),
    text("DELETE FROM skills WHERE tenant_id = :tenant_id AND learner_id = :learner_id"),
    text("DELETE FROM learner_reports WHERE tenant_id = :tenant_id AND learner_id = :learner_id"),
    text("DELETE FROM learner_days WHERE tenant_id = :tenant_id AND learner_id = :learner_id"),
    text("DELETE FROM learner_standings WHERE tenant_id = :tenant_id AND learner_id = :learner_id"),
    text("DELETE FROM risk_assessments WHERE tenant_id = :tenant_id AND learner_id = :learner_id"),
    text("DELETE FROM learner_group_members WHERE tenant_id = :tenant_id AND learner_id = :learner_id"),
    text("DELETE FROM learners WHERE tenant_id = :tenant_id AND id = :learner_id"),
]

# How far a run got may be told by a learner's id. One that is under way moves on; one that rests begins anew instead,
# whosever the id is: doing its pieces again changes nothing.
FORGET_PLACE = text(
    """
    UPDATE periodic_runs SET progress = progress - 'at'
    WHERE state <> 'running'
      AND jsonb_path_exists(progress, '$.at.** ? (@ == $id)', jsonb_build_object('id', CAST(:learner_id AS text)))
    """
)

# The same act reported twice, because the answer to the first was lost, is one entry. Its time is that of the end:
# tokens made before it are no longer good.
NOTE = text(
    """
    INSERT INTO audit_log (id, tenant_id, actor, action, target, created_at)
    VALUES (CAST(:audit_id AS uuid), :tenant_id, :actor, 'learner.erase', CAST(:target AS jsonb), clock_timestamp())
    ON CONFLICT (id) DO NOTHING
    """
)


class ErasureStore:
    """Postgres as the port `pipeline.ports.ErasureStore`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._versions = QuestionVersions()

    async def erase_submissions(self, tenant_id: int, submission_ids: Sequence[str]) -> None:
        """Erase these submissions with all that hangs on them; work under way on them can't write any more."""
        values = {"tenant_id": tenant_id, "ids": list(submission_ids)}
        replies = (LOCK_REPLIES, DELETE_REPLIES, EMPTY_REPLIES)
        statements = [LOCK_DELIVERIES, DELETE_TRIES, *DELETE_PARTS, *replies, DELETE_SUBMISSIONS]
        async with transaction(self._engine, seconds=LOOK_UP_SECONDS) as connection:
            await connection.execute(LOCK_SUBMISSIONS, values)
            await keep_learning(connection, tenant_id, submission_ids)
            await keep_counts(connection, self._versions, tenant_id, submission_ids)
            for statement in statements:
                await connection.execute(statement, values)

    async def erase_learner(
        self, tenant_id: int, learner_id: str, *, actor: str, audit_id: str, learner_hash: str
    ) -> bool:
        """Erase what is left of a learner and note it in the audit log; False where submissions are left.

        A submission accepted just now may have moved skills already, so it has to go first. Of the learner
        the log keeps a hash only.
        """
        values = {"tenant_id": tenant_id, "learner_id": learner_id}
        async with transaction(self._engine, seconds=LOOK_UP_SECONDS) as connection:
            await connection.execute(LOCK_LEARNER, values)
            if (await connection.execute(LEFT, values)).scalar_one():
                return False
            await connection.execute(LOCK_MONEY, {"space": MONEY_LOCK, "tenant_id": tenant_id})
            for statement in [*FORGET_SPENDER, *DELETE_LEARNER, FORGET_PLACE]:
                await connection.execute(statement, values)
            target = as_json({"learner_sha256": learner_hash})
            note = {"audit_id": audit_id, "tenant_id": tenant_id, "actor": actor, "target": target}
            await connection.execute(NOTE, note)
        return True
