"""Runs of periodic jobs. A row is inserted once for each job and time, and handed out under a lease.

What a worker writes is fenced by its id and by when its claim was given: who lost a lease writes nothing any more.
All times are Postgres'.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from pipeline.errors import Conflict, NotFound
from pipeline.model import JsonValue
from pipeline.ports.periodic import (
    NO_FAILURES,
    DecideRuns,
    Failures,
    JobView,
    NewRun,
    RunClaim,
    RunEnd,
    RunState,
    RunView,
)
from pipeline.store.engine import as_json, transaction
from pipeline.store.operations import record_for_all

PLANNER_LOCK: Final = 0x706C_616E  # "plan": one at a time notes what has come
CLAIM_LOCK: Final = 0x7065_7269_6F64  # "period": or two could take two runs of one job at the same time

TRY_LOCK: Final = text("SELECT pg_try_advisory_xact_lock(:key)")
WAIT_FOR_LOCK: Final = text("SELECT pg_advisory_xact_lock(:key)")
LOOK: Final = text("SELECT clock_timestamp() AS now")
LAST: Final = text("SELECT job, max(slot) AS slot FROM periodic_runs GROUP BY job")
NOTE: Final = text(
    """
    INSERT INTO periodic_runs (job, slot, state, attempts, error, available_at, finished_at)
    SELECT n.job, n.slot, CASE WHEN n.skipped IS NULL THEN 'waiting' ELSE 'skipped' END, 0, n.skipped,
        CASE WHEN n.skipped IS NULL THEN clock_timestamp() END,
        CASE WHEN n.skipped IS NOT NULL THEN clock_timestamp() END
    FROM jsonb_to_recordset(CAST(:runs AS jsonb)) AS n(job text, slot timestamptz, skipped text)
    ON CONFLICT (job, slot) DO NOTHING
    """
)
CLAIM: Final = text(
    """
    WITH next AS (
        SELECT r.job, r.slot FROM periodic_runs r
        WHERE r.job = ANY(:jobs)
          AND (r.state = 'waiting' AND r.available_at <= clock_timestamp()
               OR r.state = 'running' AND r.lease_expires_at <= clock_timestamp())
          AND NOT EXISTS (
            SELECT FROM periodic_runs o
            WHERE o.job = r.job AND o.state = 'running' AND o.lease_expires_at > clock_timestamp())
        ORDER BY r.slot, r.job LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    UPDATE periodic_runs r
    SET state = 'running', attempts = r.attempts + 1, worker_id = CAST(:worker_id AS uuid), available_at = NULL,
        started_at = clock_timestamp(), lease_expires_at = clock_timestamp() + make_interval(secs => :lease_seconds)
    FROM next n WHERE r.job = n.job AND r.slot = n.slot AND r.state IN ('waiting', 'running')
    RETURNING r.job, r.slot, r.attempts AS attempt, r.started_at AS since, r.progress
    """
)
HELD: Final = """job = :job AND slot = :slot AND state = 'running' AND worker_id = CAST(:worker_id AS uuid)
      AND started_at = :since"""
ADVANCE: Final = text(
    f"""
    UPDATE periodic_runs
    SET progress = CAST(:progress AS jsonb), attempts = 1, error = NULL,
        lease_expires_at = clock_timestamp() + make_interval(secs => :lease_seconds)
    WHERE {HELD}
    """
)
END: Final = text(
    f"""
    UPDATE periodic_runs
    SET state = :state, progress = CAST(:progress AS jsonb), error = :error,
        attempts = attempts - CASE WHEN :uncounted THEN 1 ELSE 0 END, worker_id = NULL, lease_expires_at = NULL,
        available_at = CASE WHEN :state = 'waiting' THEN clock_timestamp() + make_interval(secs => :delay_seconds) END,
        finished_at = CASE WHEN :state <> 'waiting' THEN clock_timestamp() END
    WHERE {HELD}
    """
)
END_LOST: Final = text(
    """
    WITH lost AS (
        SELECT r.job, r.slot FROM periodic_runs r
        WHERE r.state = 'running' AND r.lease_expires_at > :now AND NOT EXISTS (
            SELECT FROM workers w WHERE w.id = r.worker_id
              AND w.heartbeat_at > :now - make_interval(secs => :dead_seconds))
        ORDER BY r.slot LIMIT :most FOR UPDATE OF r SKIP LOCKED
    )
    UPDATE periodic_runs r SET lease_expires_at = :now
    FROM lost WHERE r.job = lost.job AND r.slot = lost.slot AND r.state = 'running'
    """
)
# Progress names where a run is among one tenant's things; others are told only how far that is.
VIEW: Final = """r.slot, r.state, r.attempts, coalesce(CAST(r.progress ->> 'pieces' AS int), 0) AS pieces, r.error,
    CASE WHEN r.state = 'skipped' OR r.attempts = 0 THEN NULL ELSE r.started_at END AS started_at, r.finished_at,
    r.available_at AS next_attempt_at"""
VIEWS: Final = text(
    f"""
    SELECT j.job, v.* FROM unnest(CAST(:jobs AS text[])) AS j(job) CROSS JOIN LATERAL (
        SELECT {VIEW} FROM periodic_runs r WHERE r.job = j.job
        ORDER BY r.state = 'running' DESC, r.slot DESC LIMIT :most) v
    """
)
COUNTS: Final = text(
    "SELECT job, state, count(*) AS runs FROM periodic_runs WHERE job = ANY(:jobs) GROUP BY job, state"
)
RUN_NOW: Final = text(
    f"""
    INSERT INTO periodic_runs AS r (job, slot, state, attempts, available_at)
    VALUES (:job, clock_timestamp(), 'waiting', 0, clock_timestamp())
    RETURNING {VIEW}
    """
)
STATE_OF: Final = text("SELECT state FROM periodic_runs WHERE job = :job AND slot = :slot FOR UPDATE")
# One that failed goes on where it was; one that was done begins anew.
RUN_AGAIN: Final = text(
    f"""
    UPDATE periodic_runs r
    SET state = 'waiting', attempts = 0, available_at = clock_timestamp(), finished_at = NULL, error = NULL,
        progress = CASE WHEN r.state IN ('failed', 'waiting') THEN r.progress END
    WHERE r.job = :job AND r.slot = :slot AND r.state <> 'running'
    RETURNING {VIEW}
    """
)


class PeriodicStore:
    """Postgres as the ports `pipeline.ports.periodic.PeriodicStore` and `JobsStore`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def plan(self, decide: DecideRuns) -> int:
        """Note what has come; answers how many. Where somebody else is just doing so, nothing."""
        async with transaction(self._engine) as connection:
            if not (await connection.execute(TRY_LOCK, {"key": PLANNER_LOCK})).scalar_one():
                return 0
            return await note(connection, decide)

    async def claim(self, jobs: Sequence[str], worker_id: str, lease_seconds: float) -> RunClaim | None:
        """The right to the oldest run of these jobs that is due or was lost; one run of a job at a time."""
        values = {"jobs": list(jobs), "worker_id": worker_id, "lease_seconds": lease_seconds}
        async with transaction(self._engine) as connection:
            if not (await connection.execute(TRY_LOCK, {"key": CLAIM_LOCK})).scalar_one():
                return None
            row = (await connection.execute(CLAIM, values)).one_or_none()
        return None if row is None else claim_from(row)

    async def advance(
        self,
        claim: RunClaim,
        worker_id: str,
        *,
        progress: JsonValue,
        pieces: int,
        lease_seconds: float,
        failures: Failures = NO_FAILURES,
    ) -> bool:
        """Keep how far a run got, and its lease; False if the claim was lost."""
        values = {"progress": kept(pieces, progress, failures), "lease_seconds": lease_seconds}
        async with transaction(self._engine) as connection:
            return (await connection.execute(ADVANCE, fence_of(claim, worker_id) | values)).rowcount == 1

    async def end(self, claim: RunClaim, worker_id: str, end: RunEnd) -> bool:
        """Record how a claim ended; False if it was lost before."""
        values = {
            "state": end.state,
            "progress": kept(end.pieces, end.progress, end.failures),
            "error": end.error,
            "uncounted": end.uncounted,
            "delay_seconds": end.delay_seconds,
        }
        async with transaction(self._engine) as connection:
            return (await connection.execute(END, fence_of(claim, worker_id) | values)).rowcount == 1

    async def look(self, jobs: Sequence[str], *, most: int) -> tuple[datetime, Mapping[str, JobView]]:
        """Postgres' clock, and what became of each job, with at most `most` runs of it."""
        async with transaction(self._engine) as connection:
            now: datetime = (await connection.execute(LOOK)).scalar_one()
            views = list(await connection.execute(VIEWS, {"jobs": list(jobs), "most": most}))
            counts = list(await connection.execute(COUNTS, {"jobs": list(jobs)}))
        return now, {
            job: JobView(
                tuple(view_from(row) for row in views if row.job == job),
                {RunState(row.state): row.runs for row in counts if row.job == job},
            )
            for job in jobs
        }

    async def request(
        self, tenant_id: int, actor: str, reason: str, job: str, slot: datetime | None, decide: DecideRuns
    ) -> RunView:
        """Have a job run now, or once more for the time `slot`, and keep who wanted it.

        What has come is noted first, or a run of its own would stand in its way.
        """
        async with transaction(self._engine) as connection:
            await connection.execute(WAIT_FOR_LOCK, {"key": PLANNER_LOCK})
            await note(connection, decide)
            wanted = await (run_now(connection, job) if slot is None else run_again(connection, job, slot))
            target = {"job": job, "slot": wanted.slot}
            await record_for_all(connection, tenant_id, actor, "job.run", reason, target)
            return wanted


async def note(connection: AsyncConnection, decide: DecideRuns) -> int:
    now: datetime = (await connection.execute(LOOK)).scalar_one()
    last = {row.job: row.slot for row in await connection.execute(LAST)}
    runs: Sequence[NewRun] = decide(now, last)
    if not runs:
        return 0
    return int((await connection.execute(NOTE, {"runs": as_json(runs)})).rowcount)


async def run_now(connection: AsyncConnection, job: str) -> RunView:
    return view_from((await connection.execute(RUN_NOW, {"job": job})).one())


async def run_again(connection: AsyncConnection, job: str, slot: datetime) -> RunView:
    state = (await connection.execute(STATE_OF, {"job": job, "slot": slot})).scalar_one_or_none()
    if state is None:
        raise NotFound("There is no run of this job for that time.")
    if state == RunState.RUNNING:
        raise Conflict("That run is under way.")
    return view_from((await connection.execute(RUN_AGAIN, {"job": job, "slot": slot})).one())


def kept(pieces: int, progress: JsonValue, failures: Failures) -> str:
    """What is stored of how far a run got; at its end, only the count: nothing needs the place any more."""
    at = {} if progress is None else {"at": progress, "failures": failures}
    return as_json({"pieces": pieces, **at})


def claim_from(row: Any) -> RunClaim:
    progress = row.progress or {}
    failures = msgspec.convert(progress.get("failures", {}), Failures)
    return RunClaim(row.job, row.slot, row.attempt, row.since, progress.get("pieces", 0), progress.get("at"), failures)


def view_from(row: Any) -> RunView:
    fields = {name: value for name, value in row._asdict().items() if name != "job"}
    return msgspec.convert(fields, RunView)


def fence_of(claim: RunClaim, worker_id: str) -> dict[str, Any]:
    return {"job": claim.job, "slot": claim.slot, "worker_id": worker_id, "since": claim.since}
