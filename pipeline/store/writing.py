"""Writing down what happened to stages: one statement for whatever a batch came to."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pipeline.learning.rating import ItemSteps
from pipeline.lifecycle import FINAL_STATUSES, SUCCEEDED_STATES, Event, Stage, StageState, status_of
from pipeline.model import Change, Held, Recorded
from pipeline.stages.run import Run, Step
from pipeline.stages.verdict import Verdict
from pipeline.store.engine import as_json
from pipeline.store.lesser import improve_later
from pipeline.store.outbox import tell_ended
from pipeline.store.packing import packed
from pipeline.store.round_trip import in_one_trip

# Everything a batch came to, in one statement. Each stage row names the state and epoch it leaves; `moved`
# tells how many did, and anything but all of them rolls the transaction back. What was learnt from gets its number
# here, in the order in which it was: everything that it moved is under lock by now, so whoever moves any of it later
# draws later.
WRITE = text(
    """
    WITH move AS (
        SELECT * FROM jsonb_to_recordset(CAST(:moves AS jsonb)) AS m(
            submission_id uuid, stage text, epoch int, before text, after text, delay_seconds float,
            attempts smallint, solo boolean, begun_at timestamptz)
    ), moved AS (
        UPDATE stages t
        SET state = m.after, worker_id = NULL, lease_expires_at = NULL,
            available_at = CASE WHEN m.after = 'ready'
                THEN clock_timestamp() + make_interval(secs => m.delay_seconds) END,
            queued_at = CASE WHEN m.begun_at IS NOT NULL THEN m.begun_at
                WHEN m.before IN ('waiting', 'dead') AND m.after = 'ready' THEN clock_timestamp()
                ELSE t.queued_at END,
            started_at = coalesce(m.begun_at, t.started_at),
            finished_at = CASE WHEN m.after IN ('done', 'degraded', 'dead', 'cancelled')
                THEN clock_timestamp() END,
            epoch = t.epoch + (m.begun_at IS NOT NULL)::int,
            attempts = coalesce(m.attempts, t.attempts + (m.begun_at IS NOT NULL)::int),
            solo = coalesce(m.solo, t.solo)
        FROM move m
        WHERE t.submission_id = m.submission_id AND t.stage = m.stage AND t.state = m.before AND t.epoch = m.epoch
        RETURNING t.submission_id
    ), updated AS (
        UPDATE submissions s
        SET status = u.status, version = u.version, updated_at = clock_timestamp(),
            completed_at = CASE WHEN u.status = 'completed' THEN clock_timestamp() END
        FROM jsonb_to_recordset(CAST(:updates AS jsonb)) AS u(id uuid, tenant_id int, status text, version int)
        WHERE s.tenant_id = u.tenant_id AND s.id = u.id AND s.version = u.version - 1
        RETURNING s.id
    ), stored AS (
        INSERT INTO results (submission_id, stage, tenant_id, body, learning_sequence, item_steps)
        SELECT submission_id, stage, tenant_id, body,
            CASE WHEN item_steps IS NOT NULL THEN nextval('learning_sequence') END, item_steps
        FROM (
            SELECT * FROM jsonb_to_recordset(CAST(:results AS jsonb)) AS r(
                submission_id uuid, stage text, tenant_id int, body jsonb, item_steps float[])
            ORDER BY submission_id
        ) AS r
    ), remembered AS (
        INSERT INTO attempts (tenant_id, submission_id, stage, attempt, epoch, worker_id, ended, error, traceback,
            started_at)
        SELECT a.tenant_id, a.submission_id, a.stage, a.attempt, a.epoch, a.worker_id, a.ended, a.error, a.traceback,
            coalesce(a.started_at, t.started_at)
        FROM jsonb_to_recordset(CAST(:attempts AS jsonb)) AS a(
            tenant_id int, submission_id uuid, stage text, attempt smallint, epoch int, worker_id uuid, ended text,
            error text, traceback text, started_at timestamptz)
        JOIN stages t ON t.submission_id = a.submission_id AND t.stage = a.stage
    )
    SELECT (SELECT count(*) FROM moved) AS moved, (SELECT count(*) FROM updated) AS updated
    """
)


class FenceBroken(Exception):
    """A guarded update did not find the rows its own lock had shown: a bug, so nothing is stored."""


class PendingWrite(msgspec.Struct, frozen=True):
    """One submission's share of a write."""

    run: Run
    moves: list[dict[str, Any]]
    results: list[dict[str, Any]]
    attempts: list[dict[str, Any]]


ENDED_AS = {
    Event.POSTPONED: "failed",
    Event.EXHAUSTED: "failed",
    Event.GAVE_BACK: "gave_back",
    Event.LEASE_LOST: "lease_lost",
}


def pending_write(
    run: Run,
    worker_id: str | None,
    *,
    ended: str | None = None,
    forgiven: bool = False,
    item_steps: ItemSteps | None = None,
) -> PendingWrite:
    """What a run means for its submission's rows; `ended` is how a failed attempt is put down, if not as usual.

    A lease that was lost and is `forgiven` brings no suspicion. `item_steps` are stored with the recommend result.
    """
    before = run.before
    own = {step.stage: step for step in run.steps}
    return PendingWrite(
        run,
        [
            move_row(run, name, own.get(name), forgiven=forgiven)
            for name, state in run.states.items()
            if state is not before.states[name]
        ],
        # The metrics stage stores sums, not a result of its own.
        [result_row(before, step, item_steps) for step in run.steps if step.verdict.body],
        [attempt_row(before, step, worker_id, ended) for step in run.steps if step.verdict.event in ENDED_AS],
    )


def result_row(before: Held, step: Step, item_steps: ItemSteps | None) -> dict[str, Any]:
    return {
        "submission_id": before.submission_id,
        "stage": step.stage,
        "tenant_id": before.tenant_id,
        "body": packed(step.stage, step.verdict.body or {}),
        "item_steps": item_steps if step.stage is Stage.RECOMMEND else None,
    }


def attempt_row(before: Held, step: Step, worker_id: str | None, ended: str | None) -> dict[str, Any]:
    verdict = step.verdict
    return {
        "tenant_id": before.tenant_id,
        "submission_id": before.submission_id,
        "stage": step.stage,
        "attempt": verdict.claim.attempt,
        "epoch": verdict.claim.epoch,
        "worker_id": worker_id,
        "ended": ended or ENDED_AS[verdict.event],
        "error": verdict.error or verdict.event,
        "traceback": verdict.traceback,
        "started_at": step.begun_at,
    }


def move_row(run: Run, stage: Stage, step: Step | None, *, forgiven: bool) -> dict[str, Any]:
    """From what a stage was to what it is; `step` is what it did itself, None where it became ready by another's."""
    row: dict[str, Any] = {
        "submission_id": run.before.submission_id,
        "stage": stage,
        "epoch": run.before.epochs[stage],
        "before": run.before.states[stage],
        "after": run.states[stage],
        "delay_seconds": 0.0,
    }
    if step is not None:
        row["delay_seconds"] = step.verdict.delay_seconds
        row["attempts"] = attempts_after(step.verdict)
        row["solo"] = solo_after(step.verdict, forgiven=forgiven)
        row["begun_at"] = step.begun_at
    return row


def attempts_after(verdict: Verdict) -> int | None:
    """A handing-out that says nothing about the submission itself is not held against it.

    That is one given back by a stopping worker, or lost together with neighbours, any of which may have
    killed the worker: it will run alone next time, and then it counts.
    """
    shared_loss = verdict.event is Event.LEASE_LOST and not verdict.claim.solo
    if verdict.event is Event.GAVE_BACK or shared_loss:
        return verdict.claim.attempt - 1
    return None


def solo_after(verdict: Verdict, *, forgiven: bool) -> bool | None:
    """Lost leases run alone from now on; a failure that its worker survived clears the suspicion."""
    if verdict.event is Event.LEASE_LOST:
        return not forgiven
    return False if verdict.event in {Event.SUCCEEDED, Event.SUCCEEDED_WITH_LESS, Event.POSTPONED} else None


async def write(connection: AsyncConnection, pending: Sequence[PendingWrite]) -> Recorded:
    """Store everything of a batch, or raise `FenceBroken` and so store nothing of it."""
    changes = [change_of(one.run) for one in pending]
    moves = [row for one in pending for row in one.moves]
    values = {
        "moves": as_json(moves),
        "updates": as_json([update_row(change) for change in changes]),
        "results": as_json([row for one in pending for row in one.results]),
        "attempts": as_json([row for one in pending for row in one.attempts]),
    }
    [[row]] = await in_one_trip(connection, (WRITE, values))
    if (row.moved, row.updated) != (len(moves), len(changes)):
        raise FenceBroken(f"moved {row.moved} of {len(moves)} stages, {row.updated} of {len(changes)} submissions")
    await improve_later(connection, [one.run.before for one in pending if has_lesser_feedback(one.run)])
    ended = [
        change
        for change, one in zip(changes, pending, strict=True)
        if change.status in FINAL_STATUSES and change.status is not one.run.before.status
    ]
    return Recorded(tuple(changes), await tell_ended(connection, ended))


def has_lesser_feedback(run: Run) -> bool:
    return run.states[Stage.FEEDBACK] is StageState.DEGRADED is not run.before.states[Stage.FEEDBACK]


def update_row(change: Change) -> dict[str, Any]:
    return {
        "id": change.submission_id,
        "tenant_id": change.tenant_id,
        "status": change.status,
        "version": change.version,
    }


def change_of(run: Run) -> Change:
    before, states = run.before, run.states
    return Change(
        before.submission_id,
        before.tenant_id,
        before.version + 1,
        status_of(states),
        ready=tuple(s for s, state in states.items() if state is StageState.READY is not before.states[s]),
        finished=tuple(step.stage for step in run.steps if states[step.stage] in SUCCEEDED_STATES),
        followed=tuple(step.stage for step in run.steps if step.begun_at is not None),
    )
