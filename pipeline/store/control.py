"""What people may do to submissions: cancel, retry, discard. Every act is written to the audit log with it."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from uuid_utils import uuid7

from pipeline.lifecycle import Stage, StageState, StageStates, cancel, discard, retry
from pipeline.model import Held, Recorded
from pipeline.stages.run import Run
from pipeline.store.engine import as_json, transaction
from pipeline.store.fence import LOCKED_STATES, lock
from pipeline.store.writing import PendingWrite, write

RECORD_ACT = text(
    """
    INSERT INTO audit_log (id, tenant_id, actor, action, reason, target)
    VALUES (CAST(:id AS uuid), :tenant_id, :actor, :action, :reason, CAST(:target AS jsonb))
    """
)

Decide = Callable[[StageStates], dict[Stage, StageState]]


class ControlStore:
    """Postgres as the port `pipeline.ports.ControlStore`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def cancel(self, tenant_id: int, ids: Sequence[str], actor: str, reason: str | None = None) -> Recorded:
        """Cancel whatever is not finished; a worker's later result is refused."""
        return await self._act("submission.cancel", cancel, tenant_id, ids, actor, reason)

    async def retry(self, tenant_id: int, ids: Sequence[str], actor: str, reason: str | None = None) -> Recorded:
        """Give dead stages another round of attempts; results of other stages are kept."""
        return await self._act("submission.retry", retry, tenant_id, ids, actor, reason)

    async def discard(self, tenant_id: int, ids: Sequence[str], actor: str, reason: str | None = None) -> Recorded:
        """Cancel submissions that have a dead stage, and only those."""
        return await self._act("submission.discard", discard, tenant_id, ids, actor, reason)

    async def _act(
        self, action: str, decide: Decide, tenant_id: int, ids: Sequence[str], actor: str, reason: str | None
    ) -> Recorded:
        async with transaction(self._engine) as connection:
            locked = await lock(connection, [(id_, tenant_id) for id_ in ids], states_statement=LOCKED_STATES)
            decided = [(row.held, decide(row.held.states)) for row in locked.rows]
            pending = [control_change(before, after) for before, after in decided if after != before.states]
            if not pending:
                return Recorded()
            await record_act(
                connection,
                tenant_id=tenant_id,
                actor=actor,
                action=action,
                reason=reason,
                target={"submission_ids": [one.run.before.submission_id for one in pending]},
            )
            return await write(connection, pending)


async def record_act(
    connection: AsyncConnection, *, tenant_id: int, actor: str, action: str, reason: str | None, target: dict[str, Any]
) -> None:
    """Keep who did what to which things, and why, in the transaction that does it."""
    await connection.execute(
        RECORD_ACT,
        {
            "id": str(uuid7()),
            "tenant_id": tenant_id,
            "actor": actor,
            "action": action,
            "reason": reason,
            "target": as_json(target),
        },
    )


def control_change(before: Held, after: dict[Stage, StageState]) -> PendingWrite:
    """The rows of one submission that an act moves."""
    moves = [control_move(before, stage, state) for stage, state in after.items() if state is not before.states[stage]]
    return PendingWrite(Run(before, (), after), moves, [], [])


def control_move(before: Held, stage: Stage, after: StageState) -> dict[str, Any]:
    """One stage's move. A retried stage counts its attempts anew; what made it run alone stays."""
    return {
        "submission_id": before.submission_id,
        "stage": stage,
        "epoch": before.epochs[stage],
        "before": before.states[stage],
        "after": after,
        "delay_seconds": 0.0,
        "attempts": 0 if after is StageState.READY else None,
    }
