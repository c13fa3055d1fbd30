"""How webhook deliveries are handed out and taken back, fenced by epoch and worker as stages are."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.ports import DeliveryClaim, DeliveryResult, DueDelivery
from pipeline.store.engine import as_json, transaction

DUE = text(
    """
    SELECT id::text, lane FROM deliveries
    WHERE id = ANY(CAST(:ids AS uuid[]))
      AND ((state = 'ready' AND available_at <= clock_timestamp())
           OR (state = 'running' AND lease_expires_at < clock_timestamp()))
    ORDER BY id
    """
)

# Whoever held an expired lease may have sent it or not: the ledger says so, and the epoch shuts them out.
CLAIM = text(
    """
    WITH due AS (
        SELECT id, tenant_id, epoch, state FROM deliveries
        WHERE id = ANY(CAST(:ids AS uuid[]))
          AND ((state = 'ready' AND available_at <= clock_timestamp())
               OR (state = 'running' AND lease_expires_at < clock_timestamp()))
        ORDER BY id FOR UPDATE SKIP LOCKED
    ), taken AS (
        UPDATE deliveries d
        SET state = 'running', epoch = d.epoch + 1, attempts = d.attempts + 1, worker_id = CAST(:worker AS uuid),
            available_at = NULL, lease_expires_at = clock_timestamp() + make_interval(secs => :lease_seconds)
        FROM due
        WHERE d.id = due.id AND d.state = due.state AND d.epoch = due.epoch
        RETURNING d.*, due.state = 'running' AS resumed
    ), noted AS (
        INSERT INTO delivery_tries (delivery_id, epoch, tenant_id, error)
        SELECT id, epoch, tenant_id, 'the worker was lost; it is not known whether the receiver was reached'
        FROM due WHERE state = 'running'
    )
    SELECT t.id::text, t.url, t.payload, t.epoch, t.attempts AS attempt, t.resumed,
        CASE WHEN t.webhook_id IS NULL THEN o.callback_secret ELSE w.secret END AS secret,
        CAST(extract(epoch FROM clock_timestamp() - t.queued_at) AS float) AS age_seconds
    FROM taken t
    JOIN tenants o ON o.id = t.tenant_id
    LEFT JOIN webhooks w ON w.id = t.webhook_id AND w.tenant_id = t.tenant_id AND w.disabled_at IS NULL
    ORDER BY t.id
    """
)

RECORD = text(
    """
    WITH result AS (
        SELECT * FROM jsonb_to_recordset(CAST(:results AS jsonb)) AS r(
            id uuid, epoch int, state text, delay_seconds float, disable boolean, status smallint, error text,
            duration_ms int)
    ), moved AS (
        UPDATE deliveries d
        SET state = r.state, worker_id = NULL, lease_expires_at = NULL,
            available_at = CASE WHEN r.state = 'ready'
                THEN clock_timestamp() + make_interval(secs => r.delay_seconds) END,
            finished_at = CASE WHEN r.state IN ('delivered', 'dead') THEN clock_timestamp() END
        FROM result r
        WHERE d.id = r.id AND d.state = 'running' AND d.epoch = r.epoch AND d.worker_id = CAST(:worker AS uuid)
        RETURNING d.id, d.tenant_id, d.webhook_id, d.epoch, r.status, r.error, r.duration_ms, r.disable
    ), noted AS (
        INSERT INTO delivery_tries (delivery_id, epoch, tenant_id, response_status, error, duration_ms, tried_at)
        SELECT id, epoch, tenant_id, status, error, duration_ms,
            clock_timestamp() - make_interval(secs => duration_ms / 1000.0)
        FROM moved
    ), disabled AS (
        UPDATE webhooks w SET disabled_at = clock_timestamp()
        FROM moved m WHERE m.disable AND w.id = m.webhook_id AND w.disabled_at IS NULL
    )
    SELECT id::text FROM moved
    """
)

GIVE_BACK = text(
    """
    UPDATE deliveries d
    SET state = 'ready', attempts = d.attempts - 1, worker_id = NULL, lease_expires_at = NULL,
        available_at = clock_timestamp()
    FROM jsonb_to_recordset(CAST(:claims AS jsonb)) AS c(id uuid, epoch int)
    WHERE d.id = c.id AND d.state = 'running' AND d.epoch = c.epoch AND d.worker_id = CAST(:worker AS uuid)
    RETURNING d.id::text
    """
)


class DeliveryStore:
    """Postgres as the port `pipeline.ports.DeliveryStore`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def due(self, ids: Sequence[str]) -> list[DueDelivery]:
        """Those of these deliveries that may be sent now, oldest first."""
        async with transaction(self._engine) as connection:
            return [DueDelivery(row.id, row.lane) for row in await connection.execute(DUE, {"ids": list(ids)})]

    async def claim(self, ids: Sequence[str], worker_id: str, lease_seconds: float) -> list[DeliveryClaim]:
        """Take those that are due, each under a new epoch and a lease."""
        values = {"ids": list(ids), "worker": worker_id, "lease_seconds": lease_seconds}
        async with transaction(self._engine) as connection:
            rows = await connection.execute(CLAIM, values)
            return [msgspec.convert(row._asdict(), DeliveryClaim) for row in rows]

    async def record(self, results: Sequence[DeliveryResult], worker_id: str) -> set[str]:
        """Write what tries came to; a claim that was lost is left out and changes nothing."""
        values = {"results": as_json([result_row(result) for result in results]), "worker": worker_id}
        async with transaction(self._engine) as connection:
            return {row.id for row in await connection.execute(RECORD, values)}

    async def give_back(self, claims: Sequence[DeliveryClaim], worker_id: str) -> list[str]:
        """Return unharmed what a stopping worker could not finish."""
        values = {"claims": as_json([{"id": c.id, "epoch": c.epoch} for c in claims]), "worker": worker_id}
        async with transaction(self._engine) as connection:
            return [row.id for row in await connection.execute(GIVE_BACK, values)]


def result_row(result: DeliveryResult) -> dict[str, Any]:
    verdict = result.verdict
    return {
        "id": result.claim.id,
        "epoch": result.claim.epoch,
        "state": verdict.state,
        "delay_seconds": verdict.delay_seconds,
        "disable": verdict.disable,
        "status": verdict.status,
        "error": verdict.error,
        "duration_ms": result.duration_ms,
    }
