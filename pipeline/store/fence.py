"""Locking submissions, and telling who owns their stages.

Lock order, so that no two transactions wait for each other: submissions by id, then learners, then items,
then everything else of the submissions held.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pipeline.lifecycle import Stage, StageState, Status
from pipeline.model import Held, StageTiming
from pipeline.store.engine import as_json
from pipeline.store.round_trip import Query, in_one_trip

LOCK = text(
    """
    SELECT s.id::text, s.tenant_id, s.version, s.status,
        (SELECT coalesce(array_agg(p.stage), '{}') FROM stage_pauses p) AS paused
    FROM submissions s
    JOIN jsonb_to_recordset(CAST(:claims AS jsonb)) AS c(submission_id uuid, tenant_id int)
      ON s.tenant_id = c.tenant_id AND s.id = c.submission_id
    ORDER BY s.id FOR UPDATE OF s
    """
)


LOCK_FREE = text(LOCK.text + " SKIP LOCKED")


# Read after the lock, by a statement of its own: only a new statement sees what whoever held the lock wrote.
STATES = text(
    """
    SELECT t.submission_id::text AS id, t.stage, t.state, t.epoch, t.attempts, t.worker_id::text,
        t.queued_at, t.started_at, t.finished_at
    FROM stages t WHERE t.submission_id = ANY(CAST(:ids AS uuid[])) AND t.tenant_id = ANY(CAST(:tenants AS int[]))
    """
)


LOCKED_STATES = text(STATES.text + " FOR UPDATE")


class Locked(msgspec.Struct, frozen=True):
    """Submissions under lock, who owns each of their running stages (epoch, worker), and which stages are paused.

    `besides` are the rows of what was asked along with it, query by query.
    """

    rows: list["LockedRow"]
    owners: dict[tuple[str, Stage], tuple[int, str | None]]
    timings: dict[str, tuple[StageTiming, ...]]
    paused: frozenset[Stage]
    besides: list[list[Any]]


class LockedRow(msgspec.Struct, frozen=True):
    id: str
    held: Held


async def lock(
    connection: AsyncConnection,
    submissions: Sequence[tuple[str, int]],
    statement: Any = LOCK,
    states_statement: Any = STATES,
    besides: Sequence[Query] = (),
) -> Locked:
    """Lock these (id, tenant) in id order and read all their stages, and `besides`, in one trip.

    That keeps every stage as it is but a ready one, which may still be claimed: whoever moves those reads
    by `LOCKED_STATES`.
    """
    claims = as_json([{"submission_id": id_, "tenant_id": tenant_id} for id_, tenant_id in submissions])
    whose = {"ids": [id_ for id_, _ in submissions], "tenants": [*{tenant_id for _, tenant_id in submissions}]}
    locked, stages, *others = await in_one_trip(
        connection, (statement, {"claims": claims}), (states_statement, whose), *besides
    )
    states: dict[str, dict[Stage, StageState]] = {row.id: {} for row in locked}
    epochs: dict[str, dict[Stage, int]] = {row.id: {} for row in locked}
    attempts: dict[str, dict[Stage, int]] = {row.id: {} for row in locked}
    owners: dict[tuple[str, Stage], tuple[int, str | None]] = {}
    timings: dict[str, tuple[StageTiming, ...]] = {row.id: () for row in locked}
    for id_, stage_name, state, epoch, attempt, worker_id, *moments in stages:
        if id_ not in states:  # somebody else holds it
            continue
        stage = Stage(stage_name)
        states[id_][stage] = StageState(state)
        epochs[id_][stage] = epoch
        attempts[id_][stage] = attempt
        if state == StageState.RUNNING:
            owners[id_, stage] = (epoch, worker_id)
        if moments[0] is not None:
            timings[id_] += (StageTiming(stage, *moments),)
    rows = [
        LockedRow(
            r.id,
            Held(r.id, r.tenant_id, r.version, Status(r.status), states[r.id], epochs[r.id], attempts[r.id]),
        )
        for r in locked
    ]
    paused = frozenset(Stage(name) for name in locked[0].paused) if locked else frozenset()
    return Locked(rows, owners, timings, paused, others)
