"""Jobs that generate texts: handed in by teachers, handed out to workers, fenced by epoch and worker as stages are.

The text of a job is deleted when the job is finished: nothing needs it any more.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from uuid_utils import uuid7

from pipeline.model import JsonValue
from pipeline.ports.job import Earlier, JobClaim, JobKind, JobResult, JobState, JobView, NewJob
from pipeline.store.engine import LOOK_UP_SECONDS, as_json, transaction

# Additions of one tenant come one after another, so that their limit holds.
ONE_AT_A_TIME: Final = text("SELECT id FROM tenants WHERE id = :tenant_id FOR UPDATE")
COUNT_OPEN: Final = text(
    "SELECT count(*) FROM (SELECT 1 FROM generations WHERE tenant_id = :tenant_id AND state IN ('pending', 'running')"
    " LIMIT :most_open) open"
)
COLUMNS: Final = """id::text, kind, state AS status, version, attempts, input - 'text' AS request, error,
    created_at, updated_at, finished_at"""
ADD: Final = text(
    f"""
    INSERT INTO generations (id, tenant_id, kind, state, input, available_at, idempotency_key, fingerprint)
    VALUES (CAST(:id AS uuid), :tenant_id, :kind, 'pending', CAST(:input AS jsonb), clock_timestamp(), :key,
        :fingerprint)
    RETURNING {COLUMNS}, NULL AS result
    """
)
FIND: Final = text(f"SELECT {COLUMNS}, result FROM generations WHERE tenant_id = :tenant_id AND id = CAST(:id AS uuid)")
FIND_BY_KEY: Final = text(
    f"SELECT {COLUMNS}, NULL AS result, fingerprint FROM generations"
    " WHERE tenant_id = :tenant_id AND idempotency_key = :key"
)
BROWSE: Final = text(
    f"""
    SELECT {COLUMNS}, NULL AS result FROM generations
    WHERE tenant_id = :tenant_id
      AND (CAST(:kind AS text) IS NULL OR kind = :kind)
      AND (CAST(:state AS text) IS NULL OR state = :state)
      AND (CAST(:before AS uuid) IS NULL OR id < CAST(:before AS uuid))
    ORDER BY id DESC LIMIT :most
    """
)
CANCEL: Final = text(
    """
    UPDATE generations
    SET state = 'cancelled', version = version + 1, input = input - 'text', worker_id = NULL, lease_expires_at = NULL,
        available_at = NULL, updated_at = clock_timestamp(), finished_at = clock_timestamp()
    WHERE tenant_id = :tenant_id AND id = CAST(:id AS uuid) AND state IN ('pending', 'running')
    RETURNING id
    """
)
# Two teachers may accept at the same time: what either accepted stays noted.
NOTE_ACCEPTED: Final = text(
    """
    UPDATE generations
    SET version = version + 1, updated_at = clock_timestamp(),
        result = jsonb_set(result, '{accepted}', (
            SELECT jsonb_agg(DISTINCT one ORDER BY one)
            FROM jsonb_array_elements_text(coalesce(result -> 'accepted', '[]') || CAST(:ids AS jsonb)) AS one))
    WHERE tenant_id = :tenant_id AND id = CAST(:id AS uuid) AND state = 'completed'
      AND NOT coalesce(result -> 'accepted', '[]') @> CAST(:ids AS jsonb)
    """
)

# What is due: rung for the first time, after a rest, or because whoever had it is gone; the epoch shuts them out.
CLAIM: Final = text(
    """
    WITH due AS (
        SELECT id, epoch, state FROM generations
        WHERE id = ANY(CAST(:ids AS uuid[]))
          AND ((state = 'pending' AND available_at <= clock_timestamp())
               OR (state = 'running' AND lease_expires_at < clock_timestamp()))
        ORDER BY id FOR UPDATE SKIP LOCKED
    )
    UPDATE generations g
    SET state = 'running', version = g.version + 1, epoch = g.epoch + 1, attempts = g.attempts + 1,
        worker_id = CAST(:worker AS uuid), available_at = NULL, updated_at = clock_timestamp(),
        lease_expires_at = clock_timestamp() + make_interval(secs => :lease_seconds)
    FROM due
    WHERE g.id = due.id AND g.state = due.state AND g.epoch = due.epoch
    RETURNING g.id::text, g.tenant_id, g.kind, g.input AS request, g.epoch, g.attempts AS attempt
    """
)
RENEW: Final = text(
    """
    UPDATE generations g SET lease_expires_at = clock_timestamp() + make_interval(secs => :lease_seconds)
    FROM jsonb_to_recordset(CAST(:claims AS jsonb)) AS c(id uuid, epoch int)
    WHERE g.id = c.id AND g.state = 'running' AND g.epoch = c.epoch AND g.worker_id = CAST(:worker AS uuid)
    """
)
RECORD: Final = text(
    """
    UPDATE generations
    SET state = :state, version = version + 1, result = CAST(:result AS jsonb), error = :error, worker_id = NULL,
        lease_expires_at = NULL, updated_at = clock_timestamp(),
        input = CASE WHEN :state = 'pending' THEN input ELSE input - 'text' END,
        available_at = CASE WHEN :state = 'pending'
            THEN clock_timestamp() + make_interval(secs => :delay_seconds) END,
        finished_at = CASE WHEN :state <> 'pending' THEN clock_timestamp() END
    WHERE id = CAST(:id AS uuid) AND state = 'running' AND epoch = :epoch AND worker_id = CAST(:worker AS uuid)
    RETURNING id
    """
)
GIVE_BACK: Final = text(
    """
    UPDATE generations g
    SET state = 'pending', version = g.version + 1, attempts = g.attempts - 1, worker_id = NULL,
        lease_expires_at = NULL, available_at = clock_timestamp(), updated_at = clock_timestamp()
    FROM jsonb_to_recordset(CAST(:claims AS jsonb)) AS c(id uuid, epoch int)
    WHERE g.id = c.id AND g.state = 'running' AND g.epoch = c.epoch AND g.worker_id = CAST(:worker AS uuid)
    RETURNING g.id::text
    """
)

UNTAKEN: Final = text(
    """
    SELECT id::text FROM (
        (SELECT id, available_at AS due FROM generations
         WHERE state = 'pending' AND available_at <= now()
           AND (available_at < now() - make_interval(secs => :grace_seconds) OR attempts > 0)
         ORDER BY available_at LIMIT :most)
        UNION ALL
        (SELECT id, lease_expires_at FROM generations
         WHERE state = 'running' AND lease_expires_at < now() ORDER BY lease_expires_at LIMIT :most)
    ) waiting
    ORDER BY due LIMIT :most
    """
)
# What a lost worker was at is due as soon as that is known. Rows that are locked are being recorded this moment.
END_LOST: Final = text(
    """
    WITH lost AS (
        SELECT g.id FROM generations g
        WHERE g.state = 'running' AND g.lease_expires_at > :now AND NOT EXISTS (
            SELECT FROM workers w WHERE w.id = g.worker_id
              AND w.heartbeat_at > :now - make_interval(secs => :dead_seconds))
        ORDER BY g.id LIMIT :most FOR UPDATE OF g SKIP LOCKED
    )
    UPDATE generations g SET lease_expires_at = :now FROM lost WHERE g.id = lost.id AND g.state = 'running'
    """
)
FORGET: Final = text(
    """
    WITH old AS (
        SELECT id FROM generations WHERE finished_at < now() - make_interval(secs => :older_seconds)
        ORDER BY finished_at LIMIT :most FOR UPDATE SKIP LOCKED
    )
    DELETE FROM generations g USING old WHERE g.id = old.id
    """
)


class JobStore:
    """Postgres as the port `pipeline.ports.job.JobStore`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def earlier(self, tenant_id: int, job: NewJob) -> Earlier | None:
        """The job with this one's idempotency key, if there is one."""
        async with transaction(self._engine) as connection:
            return await find_earlier(connection, tenant_id, job)

    async def add(self, tenant_id: int, job: NewJob, *, most_open: int) -> JobView | Earlier | None:
        """Keep a job, due now, unless its key was used; None where the tenant has `most_open` unfinished ones."""
        values = {
            "id": str(uuid7()),
            "tenant_id": tenant_id,
            "kind": job.kind,
            "input": as_json(job.request),
            "key": job.idempotency_key,
            "fingerprint": job.fingerprint,
        }
        async with transaction(self._engine) as connection:
            await connection.execute(ONE_AT_A_TIME, {"tenant_id": tenant_id})
            if earlier := await find_earlier(connection, tenant_id, job):
                return earlier
            counted = await connection.execute(COUNT_OPEN, {"tenant_id": tenant_id, "most_open": most_open})
            if counted.scalar_one() >= most_open:
                return None
            return view_from((await connection.execute(ADD, values)).one())

    async def find(self, tenant_id: int, job_id: str) -> JobView | None:
        """One job of the tenant's."""
        async with transaction(self._engine) as connection:
            row = (await connection.execute(FIND, {"tenant_id": tenant_id, "id": job_id})).one_or_none()
        return None if row is None else view_from(row)

    async def browse(
        self, tenant_id: int, *, kind: JobKind | None, state: JobState | None, before: str | None, most: int
    ) -> list[JobView]:
        """The tenant's jobs without their results, newest first, from the first before the id `before`."""
        values = {"tenant_id": tenant_id, "kind": kind, "state": state, "before": before, "most": most}
        async with transaction(self._engine, seconds=LOOK_UP_SECONDS) as connection:
            return [view_from(row) for row in await connection.execute(BROWSE, values)]

    async def cancel(self, tenant_id: int, job_id: str) -> bool:
        """End a job that is not finished; False where it is, or where there is none."""
        async with transaction(self._engine) as connection:
            ended = await connection.execute(CANCEL, {"tenant_id": tenant_id, "id": job_id})
            return ended.one_or_none() is not None

    async def note_accepted(self, tenant_id: int, job_id: str, draft_ids: Sequence[str]) -> None:
        """Write into a completed job's result which of its drafts are in the bank by now."""
        values = {"tenant_id": tenant_id, "id": job_id, "ids": as_json(list(draft_ids))}
        async with transaction(self._engine) as connection:
            await connection.execute(NOTE_ACCEPTED, values)

    async def claim(self, ids: Sequence[str], worker_id: str, lease_seconds: float) -> list[JobClaim]:
        """Take those that are due, each under a new epoch and a lease; one more attempt."""
        values = {"ids": list(ids), "worker": worker_id, "lease_seconds": lease_seconds}
        async with transaction(self._engine) as connection:
            rows = await connection.execute(CLAIM, values)
            return [msgspec.convert(row._asdict(), JobClaim) for row in rows]

    async def renew(self, claims: Sequence[JobClaim], worker_id: str, lease_seconds: float) -> None:
        """Go on holding these; one that was lost meanwhile stays lost."""
        values = {"claims": claims_json(claims), "worker": worker_id, "lease_seconds": lease_seconds}
        async with transaction(self._engine) as connection:
            await connection.execute(RENEW, values)

    async def record(self, result: JobResult, worker_id: str) -> bool:
        """Write what a try came to; False where the claim was lost or the job cancelled, and nothing is written."""
        async with transaction(self._engine) as connection:
            return (await connection.execute(RECORD, result_row(result, worker_id))).one_or_none() is not None

    async def give_back(self, claims: Sequence[JobClaim], worker_id: str) -> list[str]:
        """Return unharmed what a stopping worker could not finish; answers which."""
        values = {"claims": claims_json(claims), "worker": worker_id}
        async with transaction(self._engine) as connection:
            return [row.id for row in await connection.execute(GIVE_BACK, values)]

    async def untaken(self, *, grace_seconds: float, most: int) -> list[str]:
        """Jobs that are due and were rung long ago, that rested, or whose worker is gone; oldest first."""
        async with transaction(self._engine) as connection:
            rows = await connection.execute(UNTAKEN, {"grace_seconds": grace_seconds, "most": most})
            return [row.id for row in rows]

    async def forget(self, *, older_seconds: float, most: int) -> int:
        """Delete jobs, with their results, that were finished so long ago; answers how many."""
        async with transaction(self._engine) as connection:
            values = {"older_seconds": older_seconds, "most": most}
            return int((await connection.execute(FORGET, values)).rowcount)


async def find_earlier(connection: AsyncConnection, tenant_id: int, job: NewJob) -> Earlier | None:
    if job.idempotency_key is None:
        return None
    found = await connection.execute(FIND_BY_KEY, {"tenant_id": tenant_id, "key": job.idempotency_key})
    row = found.one_or_none()
    return None if row is None else Earlier(view_from(row), row.fingerprint == job.fingerprint)


def view_from(row: Any) -> JobView:
    return msgspec.convert(row._asdict(), JobView)


def claims_json(claims: Sequence[JobClaim]) -> str:
    return as_json([{"id": claim.id, "epoch": claim.epoch} for claim in claims])


def result_row(result: JobResult, worker_id: str) -> dict[str, JsonValue]:
    completed = result.state is JobState.COMPLETED
    return {
        "id": result.claim.id,
        "epoch": result.claim.epoch,
        "worker": worker_id,
        "state": result.state,
        "result": as_json(result.result) if completed else None,
        "error": None if completed else result.error,
        "delay_seconds": result.delay_seconds,
    }
