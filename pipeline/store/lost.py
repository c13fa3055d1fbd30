"""Stages whose holder is gone: finding them, and taking each back unless it moved on meanwhile."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pipeline.lifecycle import Event, Stage
from pipeline.model import Claim, Recorded, merged
from pipeline.stages.run import first_step
from pipeline.stages.verdict import Verdict
from pipeline.store.fence import lock
from pipeline.store.writing import pending_write, write

# Silence and leases are judged as of the moment up to which the sweeper is known to have been watching: a machine
# may fall asleep between two statements.
FIND_LOST = text(
    """
    SELECT t.submission_id::text, t.tenant_id, t.stage, t.epoch, t.attempts, t.solo, t.worker_id::text,
        CASE WHEN t.lease_expires_at < :now THEN 'the lease expired'
             ELSE 'the worker fell silent' END AS reason,
        t.stage = 'feedback' AND NOT EXISTS (
            SELECT FROM attempts a
            WHERE a.submission_id = t.submission_id AND a.stage = t.stage AND a.ended = 'lease_lost') AS forgiven
    FROM stages t
    WHERE t.state = 'running' AND (
        t.lease_expires_at < :now
        OR NOT EXISTS (
            SELECT FROM workers w WHERE w.id = t.worker_id
              AND w.heartbeat_at > :now - make_interval(secs => :dead_seconds)))
    ORDER BY t.submission_id LIMIT :most
    """
)

# Claims this worker got without learning of it: the answer to its claim was lost on the way.
FIND_STRANDED = text(
    """
    SELECT t.submission_id::text, t.tenant_id, t.stage, t.epoch, t.attempts, t.solo, t.worker_id::text,
        'the claim was never confirmed' AS reason,
        t.stage = 'feedback' AND NOT EXISTS (
            SELECT FROM attempts a
            WHERE a.submission_id = t.submission_id AND a.stage = t.stage AND a.ended = 'lease_lost') AS forgiven
    FROM stages t
    WHERE t.state = 'running' AND t.worker_id = CAST(:id AS uuid)
      AND t.started_at < clock_timestamp() - make_interval(secs => :older_seconds)
      AND NOT EXISTS (
        SELECT FROM jsonb_to_recordset(CAST(:claims AS jsonb)) AS c(submission_id uuid, stage text, epoch int)
        WHERE c.submission_id = t.submission_id AND c.stage = t.stage AND c.epoch = t.epoch)
    ORDER BY t.submission_id LIMIT :most
    """
)


class Lost(msgspec.Struct, frozen=True):
    """A running stage whose holder is gone.

    It is `forgiven` the first time where a worker holds hundreds of its kind, as with feedback by models: run one by
    one as suspects they would take an hour.
    """

    claim: Claim
    stage: Stage
    worker_id: str
    reason: str
    forgiven: bool = False


def lost_from(row: Any) -> Lost:
    claim = Claim(row.submission_id, row.tenant_id, row.epoch, row.attempts, row.solo)
    return Lost(claim, Stage(row.stage), row.worker_id, row.reason, forgiven=row.forgiven)


def verdict_on(lost: Lost, event: Event, max_attempts: int | None) -> Verdict:
    """A lost stage is ready again, unless it ran alone and this was its last attempt."""
    exhausted = max_attempts is not None and lost.claim.solo and lost.claim.attempt >= max_attempts
    return Verdict(lost.claim, Event.EXHAUSTED if exhausted else event, error=lost.reason)


async def take_back(
    connection: AsyncConnection, lost: Sequence[Lost], event: Event, locking: Any, *, max_attempts: int | None = None
) -> Recorded:
    """Fence and return each lost stage; those that moved on meanwhile are left alone.

    A stopping worker waits for what it is just recording (`LOCK`). A sweeper never waits (`LOCK_FREE`): a frozen
    worker may hold the lock, and others' work must not wait with it.
    """
    wanted = {(one.claim.submission_id, one.claim.tenant_id) for one in lost}
    ours = await lock(connection, sorted(wanted), locking)
    locked = {row.id for row in ours.rows}
    lost = [one for one in lost if one.claim.submission_id in locked]
    parts: list[Recorded] = []
    for stage in Stage:
        of_stage = [one for one in lost if one.stage is stage]
        if of_stage:
            parts.append(await _take_back_stage(connection, stage, of_stage, event, max_attempts))
    return merged(parts)


async def _take_back_stage(
    connection: AsyncConnection, stage: Stage, lost: Sequence[Lost], event: Event, max_attempts: int | None
) -> Recorded:
    locked = await lock(connection, [(one.claim.submission_id, one.claim.tenant_id) for one in lost])
    held = {row.id: row.held for row in locked.rows}
    pending = [
        pending_write(
            first_step(stage, verdict_on(one, event, max_attempts), held[one.claim.submission_id]),
            one.worker_id,
            ended="lease_lost" if event is Event.LEASE_LOST else None,
            forgiven=one.forgiven,
        )
        for one in lost
        if locked.owners.get((one.claim.submission_id, stage)) == (one.claim.epoch, one.worker_id)
    ]
    return await write(connection, pending) if pending else Recorded()
