"""Deleting what is too old, a bounded piece at a time, each in a transaction of its own."""

from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.model import JsonValue
from pipeline.store.engine import transaction

WALKED_AT_ONCE: Final = 2_000
DELETED_AT_ONCE: Final = 1_000

NEXT_TENANT: Final = text("SELECT id FROM tenants WHERE id > :after ORDER BY id LIMIT 1")
# Nothing finds reports by their week alone, so all are walked in the order of their key, each once a night.
EXPIRE_REPORTS: Final = text(
    """
    WITH few AS (
        SELECT tenant_id, learner_id, week FROM learner_reports
        WHERE (tenant_id, learner_id, week) > (:tenant_id, :learner_id, CAST(:week AS date))
        ORDER BY tenant_id, learner_id, week LIMIT :most
    ), gone AS (
        DELETE FROM learner_reports r USING few f
        WHERE r.tenant_id = f.tenant_id AND r.learner_id = f.learner_id AND r.week = f.week
          AND r.week < CAST(now() - make_interval(secs => :older_seconds) AS date)
    )
    SELECT tenant_id, learner_id, week::text FROM few ORDER BY tenant_id DESC, learner_id DESC, week DESC LIMIT 1
    """
)
EXPIRE_RISKS: Final = text(
    """
    DELETE FROM risk_assessments WHERE tenant_id = :tenant_id AND (learner_id, day) IN (
        SELECT learner_id, day FROM risk_assessments
        WHERE tenant_id = :tenant_id AND day < CAST(now() - make_interval(secs => :older_seconds) AS date)
        ORDER BY day LIMIT :most)
    """
)
EXPIRE_NIGHTS: Final = text(
    """
    DELETE FROM risk_nights
    WHERE tenant_id = :tenant_id AND day < CAST(now() - make_interval(secs => :older_seconds) AS date)
    """
)
# The last run of a job stays, or the job would count as never seen.
EXPIRE_RUNS: Final = text(
    """
    DELETE FROM periodic_runs r
    WHERE r.slot < now() - make_interval(secs => :older_seconds) AND r.finished_at IS NOT NULL
      AND r.slot < (SELECT max(n.slot) FROM periodic_runs n WHERE n.job = r.job)
    """
)


class ExpiryStore:
    """Postgres as the steps of the periodic job `expiry`; each may be repeated."""

    def __init__(
        self, engine: AsyncEngine, *, reports_seconds: float, risks_seconds: float, runs_seconds: float
    ) -> None:
        self._engine = engine
        self._reports_seconds = reports_seconds
        self._risks_seconds = risks_seconds
        self._runs_seconds = runs_seconds

    async def next_tenant(self, after: int) -> int | None:
        """The tenant with the smallest number behind `after`."""
        async with transaction(self._engine) as connection:
            found: int | None = (await connection.execute(NEXT_TENANT, {"after": after})).scalar_one_or_none()
        return found

    async def expire_reports(self, _: datetime, progress: JsonValue) -> JsonValue:
        """Look at the next reports in the order of their key and delete those that are too old."""
        tenant_id, learner_id, week = progress or (0, "", "-infinity")
        values = {"tenant_id": tenant_id, "learner_id": learner_id, "week": week, "most": WALKED_AT_ONCE}
        async with transaction(self._engine) as connection:
            rows = await connection.execute(EXPIRE_REPORTS, values | {"older_seconds": self._reports_seconds})
            last = rows.one_or_none()
        return None if last is None else list(last)

    async def expire_risks(self, tenant_id: int, slot: datetime, *, after: str | None, most: int) -> str | None:
        """Delete a tenant's oldest assessments that are too old."""
        del slot, after  # what is too old is told by the clock, and what was deleted is not found again
        values = {"tenant_id": tenant_id, "older_seconds": self._risks_seconds, "most": most}
        async with transaction(self._engine) as connection:
            await connection.execute(EXPIRE_NIGHTS, {"tenant_id": tenant_id, "older_seconds": self._risks_seconds})
            deleted = (await connection.execute(EXPIRE_RISKS, values)).rowcount
        return "more" if deleted == most else None

    async def expire_runs(self, _: datetime, __: JsonValue) -> JsonValue:
        """Delete what is noted of runs that ended too long ago."""
        async with transaction(self._engine) as connection:
            await connection.execute(EXPIRE_RUNS, {"older_seconds": self._runs_seconds})
