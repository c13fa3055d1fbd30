"""How work is handed out and taken back: claims, fences, and one write for whatever a batch came to.

Lock order, so that no two transactions wait for each other: submissions by id, then learners, then items,
then everything else of the submissions held.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from uuid_utils import uuid7

from pipeline.learning.metrics import Increments
from pipeline.lifecycle import (
    FINAL_STATUSES,
    SUCCEEDED_STATES,
    Event,
    Stage,
    StageState,
    Status,
    advance,
    status_of,
)
from pipeline.model import (
    Answer,
    AnswerScore,
    Change,
    Claim,
    Held,
    LearnerContext,
    Recorded,
    StageTiming,
    Work,
)
from pipeline.stages.recommend import Learned, LearningState
from pipeline.stages.verdict import Verdict
from pipeline.store.engine import as_json, statement, transaction
from pipeline.store.learning import Banks, add_metrics, lock_learning, save_learning
from pipeline.store.question import QuestionVersions

# A stage whose earlier holder died is handed out only by a ring that asks for such, so that one that kills
# its worker runs alone and takes nobody along.
#
# A claim need not outlive a crash of Postgres: a lost one leaves its stage ready, and the fence names the
# worker as well as the epoch, so a forgotten claim can't write. Hence no wait for the disk (`relaxed`).
#
# LATERAL, ctid and IS NOT DISTINCT FROM hold the planner to the primary key. A queue's statistics are always out of
# date; left to them, it walks all that is ready, 50 times as long already with a backlog of some thousands.
CLAIM = text(
    """
    WITH relaxed AS (
        SELECT set_config('synchronous_commit', 'off', true) AS commit
    ), due AS (
        SELECT ready.place
        FROM unnest(CAST(:ids AS uuid[])) AS i(id)
        CROSS JOIN LATERAL (
            SELECT t.ctid AS place FROM stages t
            WHERE t.submission_id = i.id AND t.stage = :stage AND t.state IS NOT DISTINCT FROM 'ready'
              AND t.available_at <= clock_timestamp() AND t.solo = :solo
            FOR UPDATE SKIP LOCKED
        ) AS ready
        WHERE (SELECT commit FROM relaxed) = 'off'
          AND NOT EXISTS (SELECT FROM stage_pauses p WHERE p.stage = :stage)
    ), claimed AS (
        UPDATE stages t
        SET state = 'running', epoch = t.epoch + 1, attempts = t.attempts + 1, worker_id = CAST(:worker AS uuid),
            available_at = NULL, started_at = clock_timestamp(),
            lease_expires_at = clock_timestamp() + make_interval(secs => :lease_seconds)
        WHERE t.ctid = ANY (ARRAY(SELECT place FROM due)) AND t.state IS NOT DISTINCT FROM 'ready'
        RETURNING t.submission_id, t.tenant_id, t.epoch, t.attempts, t.solo
    ), pending AS (
        SELECT s.ctid AS place FROM submissions s
        JOIN claimed c ON s.tenant_id = c.tenant_id AND s.id = c.submission_id
        WHERE s.status = 'pending' AND :stage = 'score'
        ORDER BY s.id FOR UPDATE OF s SKIP LOCKED
    ), marked AS (
        UPDATE submissions s SET status = 'scoring', version = s.version + 1, updated_at = clock_timestamp()
        WHERE s.ctid = ANY (ARRAY(SELECT place FROM pending)) AND s.status = 'pending'
        RETURNING s.id, s.tenant_id, s.version
    )
    SELECT 'claimed' AS what, submission_id::text, tenant_id, epoch AS number, attempts, solo FROM claimed
    UNION ALL
    SELECT 'marked', id::text, tenant_id, version, NULL, NULL FROM marked
    """
)

LOCK = text(
    """
    SELECT s.id::text, s.tenant_id, s.version, s.status FROM submissions s
    JOIN jsonb_to_recordset(CAST(:claims AS jsonb)) AS c(submission_id uuid, tenant_id int)
      ON s.tenant_id = c.tenant_id AND s.id = c.submission_id
    ORDER BY s.id FOR UPDATE OF s
    """
)

LOCK_FREE = text(LOCK.text + " SKIP LOCKED")

# Read after the lock, by a statement of its own: only a new statement sees what whoever held the lock wrote.
STATES = text(
    """
    SELECT t.submission_id::text AS id, t.stage, t.state, t.epoch, t.attempts, t.worker_id::text FROM stages t
    WHERE t.submission_id = ANY(CAST(:ids AS uuid[]))
    """
)

LOCKED_STATES = text(STATES.text + " FOR UPDATE")

LOAD = text(
    """
    SELECT s.id::text, s.tenant_id, s.learner_id, s.locale, s.career_goal, s.industry, s.created_at,
        coalesce(s.submitted_at, s.created_at) AS handed_in_at,
        (SELECT jsonb_agg(jsonb_build_array(a.version_key, a.response, a.response_time_ms, a.confidence)
                          ORDER BY a.position)
         FROM answers a WHERE a.submission_id = s.id) AS answers,
        (SELECT r.body FROM results r WHERE r.submission_id = s.id AND r.stage = 'score') AS score,
        CASE WHEN :timed THEN (
            SELECT jsonb_agg(jsonb_build_array(t.stage, t.queued_at, t.started_at, t.finished_at))
            FROM stages t WHERE t.submission_id = s.id) END AS timings,
        clock_timestamp() AS now
    FROM submissions s
    JOIN jsonb_to_recordset(CAST(:claims AS jsonb)) AS c(submission_id uuid, tenant_id int)
      ON s.tenant_id = c.tenant_id AND s.id = c.submission_id
    """
)

# Everything a batch came to, in one statement. Each stage row names the state and epoch it leaves; `moved`
# tells how many did, and anything but all of them rolls the transaction back.
WRITE = text(
    """
    WITH move AS (
        SELECT * FROM jsonb_to_recordset(CAST(:moves AS jsonb)) AS m(
            submission_id uuid, stage text, epoch int, before text, after text, delay_seconds float,
            attempts smallint, solo boolean)
    ), moved AS (
        UPDATE stages t
        SET state = m.after, worker_id = NULL, lease_expires_at = NULL,
            available_at = CASE WHEN m.after = 'ready'
                THEN clock_timestamp() + make_interval(secs => m.delay_seconds) END,
            queued_at = CASE WHEN m.before IN ('waiting', 'dead') AND m.after = 'ready'
                THEN clock_timestamp() ELSE t.queued_at END,
            finished_at = CASE WHEN m.after IN ('done', 'degraded', 'dead', 'cancelled')
                THEN clock_timestamp() END,
            attempts = coalesce(m.attempts, t.attempts),
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
        INSERT INTO results (submission_id, stage, tenant_id, body)
        SELECT submission_id, stage, tenant_id, body
        FROM jsonb_to_recordset(CAST(:results AS jsonb)) AS r(
            submission_id uuid, stage text, tenant_id int, body jsonb)
    ), remembered AS (
        INSERT INTO attempts (tenant_id, submission_id, stage, attempt, epoch, worker_id, ended, error, traceback,
            started_at)
        SELECT a.tenant_id, a.submission_id, a.stage, a.attempt, a.epoch, a.worker_id, a.ended, a.error, a.traceback,
            t.started_at
        FROM jsonb_to_recordset(CAST(:attempts AS jsonb)) AS a(
            tenant_id int, submission_id uuid, stage text, attempt smallint, epoch int, worker_id uuid, ended text,
            error text, traceback text)
        JOIN stages t ON t.submission_id = a.submission_id AND t.stage = a.stage
    )
    SELECT (SELECT count(*) FROM moved) AS moved, (SELECT count(*) FROM updated) AS updated
    """
)

# Deliveries to one receiver share a lane: a registered endpoint is one, callback URLs are one per origin, since
# their paths may differ for every submission while the machine behind them is the same.
OUTBOX_TARGETS = text(
    """
    WITH ended AS (
        SELECT e.event, s.* FROM jsonb_to_recordset(CAST(:ended AS jsonb)) AS e(id uuid, tenant_id int, event text)
        JOIN submissions s ON s.tenant_id = e.tenant_id AND s.id = e.id
    ), target AS (
        SELECT ended.*, w.id AS webhook_id, w.url, w.id::text AS lane FROM ended
        JOIN webhooks w ON w.tenant_id = ended.tenant_id AND ended.event = ANY(w.events) AND w.disabled_at IS NULL
        UNION ALL
        SELECT ended.*, NULL::uuid, ended.callback_url,
            ended.tenant_id || ' ' || lower(substring(ended.callback_url FROM '^[^/]+//[^/?#]+'))
        FROM ended WHERE ended.callback_url IS NOT NULL
    )
    SELECT t.tenant_id, t.id::text AS submission_id, t.webhook_id::text, t.event, t.url, t.lane,
        jsonb_build_object('type', t.event, 'timestamp', to_char(t.updated_at AT TIME ZONE 'UTC',
            'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
            'data', jsonb_build_object('id', t.id, 'status', t.status, 'version', t.version,
                'learner_id', t.learner_id, 'assignment_id', t.assignment_id,
                'metadata', coalesce(t.metadata, '{}'::jsonb),
                'score', (SELECT r.body - 'answers' FROM results r WHERE r.submission_id = t.id AND r.stage = 'score'))
        )::text AS payload
    FROM target t
    """
)

OUTBOX_INSERT = text(
    """
    INSERT INTO deliveries (id, tenant_id, submission_id, webhook_id, event, url, lane, payload, state, available_at)
    SELECT id, tenant_id, submission_id, webhook_id, event, url, lane, payload, 'ready', clock_timestamp()
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS d(
        id uuid, tenant_id int, submission_id uuid, webhook_id uuid, event text, url text, lane text, payload text)
    """
)


class FenceBroken(Exception):
    """A guarded update did not find the rows its own lock had shown: a bug, so nothing is stored."""


def claim_rows(claims: Sequence[Claim]) -> str:
    return as_json([{"submission_id": c.submission_id, "tenant_id": c.tenant_id} for c in claims])


class WorkUnit:
    """One transaction on a batch of one stage; nothing of it is kept unless it ends well."""

    def __init__(
        self,
        connection: AsyncConnection,
        stage: Stage,
        worker_id: str | None,
        versions: QuestionVersions,
        banks: Banks,
    ) -> None:
        self.connection = connection
        self._banks = banks
        self.stage = stage
        self._worker_id = worker_id
        self._versions = versions

    async def hold(self, claims: Sequence[Claim]) -> list[tuple[Claim, Held]]:
        """Lock the submissions and keep the claims that are still ours; a lost lease drops out here."""
        held = await lock(self.connection, [(c.submission_id, c.tenant_id) for c in claims])
        rows = {row.id: row for row in held.rows}
        ours = []
        for claim in claims:
            key = (claim.submission_id, self.stage)
            if held.owners.get(key) == (claim.epoch, self._worker_id):
                ours.append((claim, rows[claim.submission_id].held))
        return ours

    async def load(self, claims: Sequence[Claim]) -> list[Work]:
        """What the stage needs to know of each submission, in the order of the claims, erased ones left out."""
        if not claims:
            return []
        found = await self.connection.execute(
            LOAD, {"claims": claim_rows(claims), "timed": self.stage is Stage.METRICS}
        )
        rows = {row.id: row for row in found}
        keys = (answer[0] for row in rows.values() for answer in row.answers)
        versions = await self._versions.load(self.connection, keys)
        return [work_from(rows[c.submission_id], versions) for c in claims if c.submission_id in rows]

    async def lock_learning(self, works: Sequence[Work]) -> LearningState:
        """What is known of the learners and questions of these submissions, locked until the unit ends."""
        return await lock_learning(self.connection, self._banks, works)

    async def save_learning(self, learned: Learned) -> None:
        """Write back what was learnt of them."""
        await save_learning(self.connection, self._banks, learned)

    async def add_metrics(self, increments: Increments) -> None:
        """Add to the daily, per-question and per-stage figures."""
        await add_metrics(self.connection, increments)

    async def record(self, held: Sequence[tuple[Verdict, Held]]) -> Recorded:
        """Write what happened to each held submission's stage; successors become ready with it."""
        if not held:
            return Recorded()
        return await write(
            self.connection,
            [stage_change(self.stage, verdict, before, self._worker_id) for verdict, before in held],
        )


class PendingWrite(msgspec.Struct, frozen=True):
    """One submission's share of a write."""

    before: Held
    after: dict[Stage, StageState]
    moves: tuple[dict[str, Any], ...]
    finished: Stage | None = None
    result: dict[str, Any] | None = None
    attempt: dict[str, Any] | None = None


ENDED_AS = {
    Event.POSTPONED: "failed",
    Event.EXHAUSTED: "failed",
    Event.GAVE_BACK: "gave_back",
    Event.LEASE_LOST: "lease_lost",
}


def stage_change(
    stage: Stage, verdict: Verdict, before: Held, worker_id: str | None, *, ended: str | None = None
) -> PendingWrite:
    """What a verdict on one stage means for its submission's rows."""
    after = advance(before.states, stage, verdict.event)
    claim = verdict.claim
    moves = [
        move_row(before, name, state, verdict, stage)
        for name, state in after.items()
        if state is not before.states[name]
    ]
    result = attempt = None
    if verdict.body:  # the metrics stage stores sums, not a result of its own
        result = {
            "submission_id": before.submission_id,
            "stage": stage,
            "tenant_id": before.tenant_id,
            "body": verdict.body,
        }
    if verdict.event in ENDED_AS:
        attempt = {
            "tenant_id": before.tenant_id,
            "submission_id": before.submission_id,
            "stage": stage,
            "attempt": claim.attempt,
            "epoch": claim.epoch,
            "worker_id": worker_id,
            "ended": ended or ENDED_AS[verdict.event],
            "error": verdict.error or verdict.event,
            "traceback": verdict.traceback,
        }
    finished = stage if after[stage] in SUCCEEDED_STATES else None
    return PendingWrite(before, after, tuple(moves), finished, result, attempt)


def move_row(before: Held, stage: Stage, after: StageState, verdict: Verdict, own: Stage) -> dict[str, Any]:
    row: dict[str, Any] = {
        "submission_id": before.submission_id,
        "stage": stage,
        "epoch": before.epochs[stage],
        "before": before.states[stage],
        "after": after,
        "delay_seconds": 0.0,
    }
    if stage is own:
        row["delay_seconds"] = verdict.delay_seconds
        row["attempts"] = attempts_after(verdict)
        row["solo"] = solo_after(verdict)
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


def solo_after(verdict: Verdict) -> bool | None:
    """Lost leases run alone from now on; a failure that its worker survived clears the suspicion."""
    if verdict.event is Event.LEASE_LOST:
        return True
    return False if verdict.event in {Event.SUCCEEDED, Event.SUCCEEDED_WITH_LESS, Event.POSTPONED} else None


class Locked(msgspec.Struct, frozen=True):
    """Submissions under lock, and who owns each of their running stages (epoch, worker)."""

    rows: list["LockedRow"]
    owners: dict[tuple[str, Stage], tuple[int, str | None]]


class LockedRow(msgspec.Struct, frozen=True):
    id: str
    held: Held


async def lock(
    connection: AsyncConnection,
    submissions: Sequence[tuple[str, int]],
    statement: Any = LOCK,
    states_statement: Any = STATES,
) -> Locked:
    """Lock these (id, tenant) in id order and read all their stages.

    That keeps every stage as it is but a ready one, which may still be claimed: whoever moves those reads
    by `LOCKED_STATES`.
    """
    claims = as_json([{"submission_id": id_, "tenant_id": tenant_id} for id_, tenant_id in submissions])
    locked = list(await connection.execute(statement, {"claims": claims}))
    states: dict[str, dict[Stage, StageState]] = {row.id: {} for row in locked}
    epochs: dict[str, dict[Stage, int]] = {row.id: {} for row in locked}
    attempts: dict[str, dict[Stage, int]] = {row.id: {} for row in locked}
    owners: dict[tuple[str, Stage], tuple[int, str | None]] = {}
    for id_, stage_name, state, epoch, attempt, worker_id in await connection.execute(
        states_statement, {"ids": list(states)}
    ):
        stage = Stage(stage_name)
        states[id_][stage] = StageState(state)
        epochs[id_][stage] = epoch
        attempts[id_][stage] = attempt
        if state == StageState.RUNNING:
            owners[id_, stage] = (epoch, worker_id)
    rows = [
        LockedRow(
            r.id,
            Held(r.id, r.tenant_id, r.version, Status(r.status), states[r.id], epochs[r.id], attempts[r.id]),
        )
        for r in locked
    ]
    return Locked(rows, owners)


async def write(connection: AsyncConnection, pending: Sequence[PendingWrite]) -> Recorded:
    """Store everything of a batch, or raise `FenceBroken` and so store nothing of it."""
    changes = [change_of(p) for p in pending]
    moves = [m for p in pending for m in p.moves]
    row = (
        await connection.execute(
            WRITE,
            {
                "moves": as_json(moves),
                "updates": as_json(
                    [
                        {
                            "id": c.submission_id,
                            "tenant_id": c.tenant_id,
                            "status": c.status,
                            "version": c.version,
                        }
                        for c in changes
                    ]
                ),
                "results": as_json([p.result for p in pending if p.result]),
                "attempts": as_json([p.attempt for p in pending if p.attempt]),
            },
        )
    ).one()
    if (row.moved, row.updated) != (len(moves), len(changes)):
        raise FenceBroken(f"moved {row.moved} of {len(moves)} stages, {row.updated} of {len(changes)} submissions")
    ended = [
        {"id": c.submission_id, "tenant_id": c.tenant_id, "event": f"submission.{c.status}"}
        for c, p in zip(changes, pending, strict=True)
        if c.status in FINAL_STATUSES and c.status is not p.before.status
    ]
    return Recorded(tuple(changes), await _outbox(connection, ended))


def change_of(pending: PendingWrite) -> Change:
    before = pending.before
    ready = tuple(
        stage
        for stage, state in pending.after.items()
        if state is StageState.READY and before.states[stage] is not StageState.READY
    )
    return Change(
        before.submission_id,
        before.tenant_id,
        before.version + 1,
        status_of(pending.after),
        ready,
        pending.finished,
    )


async def _outbox(connection: AsyncConnection, ended: list[dict[str, Any]]) -> tuple[str, ...]:
    if not ended:
        return ()
    targets = (await connection.execute(OUTBOX_TARGETS, {"ended": as_json(ended)})).mappings()
    rows = [{"id": str(uuid7()), **target} for target in targets]
    if rows:
        await connection.execute(OUTBOX_INSERT, {"rows": as_json(rows)})
    return tuple(row["id"] for row in rows)


def work_from(row: Any, versions: Any) -> Work:
    return Work(
        submission_id=row.id,
        tenant_id=row.tenant_id,
        learner_id=row.learner_id,
        context=LearnerContext(row.locale, row.career_goal, row.industry),
        created_at=row.created_at,
        handed_in_at=row.handed_in_at,
        answers=tuple(
            Answer(versions[key].question, response, milliseconds, confidence)
            for key, response, milliseconds, confidence in row.answers
        ),
        scores=scores_from(row.score),
        timings=tuple(msgspec.convert(row.timings or [], list[StageTiming])),
        loaded_at=row.now,
    )


def scores_from(body: Any) -> tuple[AnswerScore, ...]:
    """The per-answer scores of a stored score result; empty where there is none yet."""
    if body is None:
        return ()
    return tuple(msgspec.convert(answer, AnswerScore) for answer in body["answers"])


class WorkStore:
    """Postgres as the port `pipeline.ports.WorkStore`."""

    def __init__(self, engine: AsyncEngine, versions: QuestionVersions) -> None:
        self._engine = engine
        self._versions = versions
        self._banks = Banks()

    async def claim(
        self, stage: Stage, ids: Sequence[str], worker_id: str, lease_seconds: float, *, solo: bool = False
    ) -> tuple[list[Claim], list[Change]]:
        """Take what is ready of these submissions; answers the claims and what changed for watchers."""
        async with statement(self._engine) as connection:
            rows = await connection.execute(
                CLAIM,
                {
                    "ids": list(ids),
                    "stage": stage,
                    "worker": worker_id,
                    "lease_seconds": lease_seconds,
                    "solo": solo,
                },
            )
            found = rows.all()
        claims = [
            Claim(row.submission_id, row.tenant_id, row.number, row.attempts, row.solo)
            for row in found
            if row.what == "claimed"
        ]
        changes = [
            Change(row.submission_id, row.tenant_id, row.number, Status.SCORING)
            for row in found
            if row.what == "marked"
        ]
        return claims, changes

    async def load(self, stage: Stage, claims: Sequence[Claim]) -> list[Work]:
        """What the stage needs to know of each submission, without holding it."""
        async with statement(self._engine) as connection:
            return await WorkUnit(connection, stage, None, self._versions, self._banks).load(claims)

    @asynccontextmanager
    async def unit(self, stage: Stage, worker_id: str) -> AsyncIterator[WorkUnit]:
        """A transaction in which a batch of this stage is held, loaded and recorded."""
        async with transaction(self._engine) as connection:
            yield WorkUnit(connection, stage, worker_id, self._versions, self._banks)
