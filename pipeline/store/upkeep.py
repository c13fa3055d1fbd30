"""What keeps work from waiting for ever: heartbeats, leases taken back, and finding work nobody took.

All times are Postgres'; the clocks of workers decide nothing.
"""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.lifecycle import Event, Stage
from pipeline.model import Claim, Recorded, merged
from pipeline.ports import Swept, Vigil, kept_up
from pipeline.store.delivery_upkeep import (
    END_LOST_DELIVERIES,
    FORGET_DELIVERIES,
    OF_EACH_LANE,
    UNTAKEN_DELIVERIES,
    UNTAKEN_OF_EVERY_LANE,
)
from pipeline.store.engine import as_json, transaction
from pipeline.store.fence import LOCK, LOCK_FREE
from pipeline.store.job import END_LOST as END_LOST_JOBS
from pipeline.store.lost import FIND_LOST, FIND_STRANDED, Lost, lost_from, take_back
from pipeline.store.periodic import END_LOST as END_LOST_RUNS

SWEEPER_LOCK = 0x7377_6565_70  # "sweep": one sweeper at a time per database
REAPED_AT_ONCE = 500

# A heartbeat need not outlive a crash of Postgres.
RELAX_COMMIT = text("SET LOCAL synchronous_commit = off")

REGISTER = text(
    "INSERT INTO workers (id, host, pid, stages) VALUES (CAST(:id AS uuid), :host, :pid, :stages)"
    " ON CONFLICT (id) DO UPDATE SET heartbeat_at = clock_timestamp()"
)
BEAT = text(
    "UPDATE workers SET heartbeat_at = clock_timestamp(), stopping = :stopping"
    " WHERE id = CAST(:id AS uuid) RETURNING id"
)
LEAVE = text("DELETE FROM workers WHERE id = CAST(:id AS uuid)")
FORGET_DEAD = text("DELETE FROM workers WHERE heartbeat_at < clock_timestamp() - interval '1 hour'")

# Only leases that are half over are written again, so that short work never pays for it. A row that is
# locked is being recorded or taken back this moment; waiting for it could close a circle of waiting.
RENEW = text(
    """
    WITH due AS (
        SELECT t.submission_id, t.stage FROM stages t
        JOIN jsonb_to_recordset(CAST(:claims AS jsonb)) AS c(submission_id uuid, stage text, epoch int)
          ON t.submission_id = c.submission_id AND t.stage = c.stage AND t.epoch = c.epoch
        WHERE t.state = 'running' AND t.worker_id = CAST(:id AS uuid)
          AND t.lease_expires_at < clock_timestamp() + make_interval(secs => :lease_seconds / 2)
        FOR UPDATE OF t SKIP LOCKED
    )
    UPDATE stages t SET lease_expires_at = clock_timestamp() + make_interval(secs => :lease_seconds)
    FROM due d WHERE t.submission_id = d.submission_id AND t.stage = d.stage AND t.state = 'running'
    """
)

TRY_SWEEPER = text("SELECT pg_try_advisory_xact_lock(:key) AS ours, clock_timestamp() AS now")

# An index can be asked with now(), and not with clock_timestamp(). Without that bound a sweep walks all that is
# ready or put off, which takes most of a second where it is a million, every second.
FIND_UNTAKEN = text(
    """
    SELECT t.submission_id::text, t.solo FROM stages t
    WHERE t.stage = :stage AND t.state = 'ready'
      AND t.available_at <= now() - make_interval(secs => CASE WHEN :with_retries THEN 0 ELSE :grace_seconds END)
      AND (t.available_at < clock_timestamp() - make_interval(secs => :grace_seconds)
           OR ((t.attempts > 0 OR t.epoch > 0) AND t.available_at <= clock_timestamp() AND :with_retries))
      AND NOT EXISTS (SELECT FROM stage_pauses p WHERE p.stage = :stage)
    ORDER BY t.available_at LIMIT :most
    """
)


class Untaken(msgspec.Struct, frozen=True):
    """Work that is due and that nobody took; `solo` must run alone."""

    ids: tuple[str, ...]
    solo: tuple[str, ...]


class UpkeepStore:
    """Postgres as the port `pipeline.ports.UpkeepStore`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def register(self, worker_id: str, host: str, pid: int, stages: Sequence[str]) -> None:
        """Make a worker known, so that its leases count."""
        async with transaction(self._engine) as connection:
            await connection.execute(REGISTER, {"id": worker_id, "host": host, "pid": pid, "stages": list(stages)})

    async def leave(self, worker_id: str) -> None:
        """Take a worker off the list; it holds nothing any more."""
        async with transaction(self._engine) as connection:
            await connection.execute(LEAVE, {"id": worker_id})

    async def beat(
        self,
        worker_id: str,
        in_flight: Sequence[tuple[Stage, Claim]],
        lease_seconds: float,
        *,
        stopping: bool,
    ) -> bool:
        """Say that the worker lives and renew the leases of what it works on; False if it is not registered."""
        async with transaction(self._engine) as connection:
            await connection.execute(RELAX_COMMIT)
            beaten = await connection.execute(BEAT, {"id": worker_id, "stopping": stopping})
            known = beaten.one_or_none() is not None
            if in_flight:
                await connection.execute(
                    RENEW, {"id": worker_id, "claims": claims_json(in_flight), "lease_seconds": lease_seconds}
                )
        return known

    async def give_back(self, worker_id: str, in_flight: Sequence[tuple[Stage, Claim]]) -> Recorded:
        """Return unharmed what a stopping worker could not finish."""
        async with transaction(self._engine) as connection:
            lost = [Lost(claim, stage, worker_id, "the worker stopped") for stage, claim in in_flight]
            return await take_back(connection, lost, Event.GAVE_BACK, LOCK)

    async def return_stranded(
        self,
        worker_id: str,
        in_flight: Sequence[tuple[Stage, Claim]],
        failed: Collection[tuple[Stage, Claim]],
        older_seconds: float,
        *,
        max_attempts: int,
    ) -> Recorded:
        """Return claims that Postgres gave this worker while the answer was lost, or that it had to abandon.

        Those among `failed` count as lost; the others go back unharmed, for Postgres itself was at fault.
        """
        values = {
            "id": worker_id,
            "claims": claims_json(in_flight),
            "older_seconds": older_seconds,
            "most": REAPED_AT_ONCE,
        }
        at_fault = {(stage, claim.submission_id, claim.epoch) for stage, claim in failed}
        async with transaction(self._engine) as connection:
            stranded = [lost_from(row) for row in await connection.execute(FIND_STRANDED, values)]
            counted = [one for one in stranded if (one.stage, one.claim.submission_id, one.claim.epoch) in at_fault]
            unharmed = [one for one in stranded if one not in counted]
            lost = await take_back(connection, counted, Event.LEASE_LOST, LOCK_FREE, max_attempts=max_attempts)
            return merged([lost, await take_back(connection, unharmed, Event.GAVE_BACK, LOCK_FREE)])

    async def sweep(self, vigil: Vigil | None, *, dead_seconds: float, max_attempts: int) -> Swept:
        """Take back what dead workers and expired leases hold, after a vigil of `dead_seconds` without a gap as long.

        Who was away for longer (an outage of Postgres, a machine that slept) finds everybody silent and every
        lease over, and so takes nothing: whoever lives gets the time to say so.
        """
        async with transaction(self._engine) as connection:
            looked = (await connection.execute(TRY_SWEEPER, {"key": SWEEPER_LOCK})).one()
            vigil = kept_up(vigil, looked.now, most_seconds=dead_seconds)
            if not looked.ours:
                return Swept(vigil, None)
            if vigil.seconds < dead_seconds:
                return Swept(vigil, Recorded())
            rows = await connection.execute(
                FIND_LOST, {"now": looked.now, "dead_seconds": dead_seconds, "most": REAPED_AT_ONCE}
            )
            lost = [lost_from(row) for row in rows]
            for end_lost in (END_LOST_DELIVERIES, END_LOST_JOBS, END_LOST_RUNS):
                await connection.execute(
                    end_lost, {"now": looked.now, "dead_seconds": dead_seconds, "most": REAPED_AT_ONCE}
                )
            await connection.execute(FORGET_DEAD)
            return Swept(
                vigil, await take_back(connection, lost, Event.LEASE_LOST, LOCK_FREE, max_attempts=max_attempts)
            )

    async def untaken(self, stage: Stage, *, grace_seconds: float, most: int, with_retries: bool = True) -> Untaken:
        """The oldest ready work of a stage that was due `grace_seconds` ago, and retries that are due now."""
        async with transaction(self._engine) as connection:
            rows = list(
                await connection.execute(
                    FIND_UNTAKEN,
                    {
                        "stage": stage,
                        "grace_seconds": grace_seconds,
                        "most": most,
                        "with_retries": with_retries,
                    },
                )
            )
        return untaken_from(rows)

    async def forget_deliveries(self, *, older_seconds: float, most: int) -> int:
        """Delete deliveries, with their tries, that were finished so long ago; answers how many."""
        async with transaction(self._engine) as connection:
            values = {"older_seconds": older_seconds, "most": most}
            return int((await connection.execute(FORGET_DELIVERIES, values)).rowcount)

    async def untaken_deliveries(self, *, grace_seconds: float, most: int) -> Untaken:
        """Webhook deliveries that are due, were rung long ago, or whose worker is gone."""
        async with transaction(self._engine) as connection:
            rows = list(await connection.execute(UNTAKEN_DELIVERIES, {"grace_seconds": grace_seconds, "most": most}))
            if len(rows) >= most:
                rows = list(await connection.execute(UNTAKEN_OF_EVERY_LANE, {"of_each": OF_EACH_LANE}))
        return untaken_from(rows)


def untaken_from(rows: Sequence[Any]) -> Untaken:
    return Untaken(
        ids=tuple(row.submission_id for row in rows if not row.solo),
        solo=tuple(row.submission_id for row in rows if row.solo),
    )


def claims_json(in_flight: Sequence[tuple[Stage, Claim]]) -> str:
    return as_json([{"submission_id": c.submission_id, "stage": stage, "epoch": c.epoch} for stage, c in in_flight])
