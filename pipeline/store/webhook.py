"""A tenant's webhook endpoints, the deliveries to them, and the ledger of tries."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from uuid_utils import uuid7

from pipeline.errors import Conflict
from pipeline.ports import DeliveryFilter, DeliveryView, NewWebhook, Webhook
from pipeline.store.engine import LOOK_UP_SECONDS, transaction

# Additions of one tenant come one after another, so that their limit holds.
ONE_AT_A_TIME = text("SELECT id FROM tenants WHERE id = :tenant_id FOR UPDATE")
COLUMNS = "id::text, url, events, description, created_at, disabled_at"
ADD = text(
    f"""
    INSERT INTO webhooks (id, tenant_id, url, events, description, secret)
    SELECT CAST(:id AS uuid), :tenant_id, :url, :events, :description, :secret
    WHERE (SELECT count(*) FROM webhooks WHERE tenant_id = :tenant_id) < :most
    RETURNING {COLUMNS}
    """
)
ENDPOINTS = text(f"SELECT {COLUMNS} FROM webhooks WHERE tenant_id = :tenant_id ORDER BY id")
REMOVE = text("DELETE FROM webhooks WHERE tenant_id = :tenant_id AND id = CAST(:id AS uuid) RETURNING id")
# What is created or claimed at this very moment finds no endpoint when its turn comes, and is given up then.
GIVE_UP = text(
    """
    WITH given_up AS (
        UPDATE deliveries
        SET state = 'dead', epoch = epoch + 1, available_at = NULL, finished_at = clock_timestamp()
        WHERE webhook_id = CAST(:id AS uuid) AND state = 'ready'
        RETURNING id, epoch, tenant_id
    )
    INSERT INTO delivery_tries (delivery_id, epoch, tenant_id, error)
    SELECT id, epoch, tenant_id, 'the endpoint was deleted' FROM given_up
    """
)
SET_CALLBACK_SECRET = text("UPDATE tenants SET callback_secret = :secret WHERE id = :tenant_id")
VIEW = """
    SELECT d.id::text, d.submission_id::text, d.webhook_id::text, d.event, d.url, d.state, d.created_at,
        d.available_at AS next_try_at, d.finished_at,
        coalesce((SELECT jsonb_agg(jsonb_build_object('number', t.epoch, 'tried_at', t.tried_at,
                'response_status', t.response_status, 'error', t.error, 'duration_ms', t.duration_ms)
                ORDER BY t.epoch)
            FROM delivery_tries t WHERE t.delivery_id = d.id), '[]'::jsonb) AS tries
    FROM deliveries d
"""
DELIVERIES = text(
    f"""
    {VIEW}
    WHERE d.tenant_id = :tenant_id
      AND (CAST(:submission_id AS uuid) IS NULL OR d.submission_id = CAST(:submission_id AS uuid))
      AND (CAST(:webhook_id AS uuid) IS NULL OR d.webhook_id = CAST(:webhook_id AS uuid))
      AND (CAST(:state AS text) IS NULL OR d.state = :state)
      AND (CAST(:event AS text) IS NULL OR d.event = :event)
      AND (CAST(:before AS uuid) IS NULL OR d.id < CAST(:before AS uuid))
    ORDER BY d.id DESC LIMIT :most
    """
)
DELIVERY = text(f"{VIEW} WHERE d.tenant_id = :tenant_id AND d.id = CAST(:id AS uuid)")
LOCK_DELIVERY = text(
    """
    SELECT d.state, d.webhook_id::text, d.webhook_id IS NULL OR w.id IS NOT NULL AS has_receiver
    FROM deliveries d LEFT JOIN webhooks w ON w.id = d.webhook_id AND w.tenant_id = d.tenant_id
    WHERE d.tenant_id = :tenant_id AND d.id = CAST(:id AS uuid)
    FOR UPDATE OF d
    """
)
MAKE_DUE = text(
    """
    UPDATE deliveries
    SET state = 'ready', attempts = 0, available_at = clock_timestamp(), queued_at = clock_timestamp(),
        finished_at = NULL
    WHERE tenant_id = :tenant_id AND id = CAST(:id AS uuid) AND state IN ('ready', 'delivered', 'dead')
    """
)
ENABLE = text("UPDATE webhooks SET disabled_at = NULL WHERE tenant_id = :tenant_id AND id = CAST(:id AS uuid)")


class WebhookStore:
    """Postgres as the port `pipeline.ports.WebhookStore`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def add(self, tenant_id: int, webhook: NewWebhook, *, most: int) -> Webhook | None:
        """Keep an endpoint; None where the tenant has `most` already."""
        values = {
            "id": str(uuid7()),
            "tenant_id": tenant_id,
            "url": webhook.url,
            "events": list(webhook.events),
            "description": webhook.description,
            "secret": webhook.secret,
            "most": most,
        }
        async with transaction(self._engine) as connection:
            await connection.execute(ONE_AT_A_TIME, {"tenant_id": tenant_id})
            row = (await connection.execute(ADD, values)).one_or_none()
        return None if row is None else webhook_from(row)

    async def endpoints(self, tenant_id: int) -> list[Webhook]:
        """The tenant's endpoints, oldest first."""
        async with transaction(self._engine) as connection:
            return [webhook_from(row) for row in await connection.execute(ENDPOINTS, {"tenant_id": tenant_id})]

    async def remove(self, tenant_id: int, webhook_id: str) -> bool:
        """Delete an endpoint and give up what waits for it; False if there is none with this id."""
        async with transaction(self._engine) as connection:
            found = await connection.execute(REMOVE, {"tenant_id": tenant_id, "id": webhook_id})
            if found.one_or_none() is None:
                return False
            await connection.execute(GIVE_UP, {"id": webhook_id})
            return True

    async def set_callback_secret(self, tenant_id: int, secret: str) -> None:
        """Sign deliveries to callback URLs with this secret from now on."""
        async with transaction(self._engine) as connection:
            await connection.execute(SET_CALLBACK_SECRET, {"tenant_id": tenant_id, "secret": secret})

    async def deliveries(self, tenant_id: int, wanted: DeliveryFilter, most: int) -> list[DeliveryView]:
        """The tenant's deliveries, newest first."""
        values = {"tenant_id": tenant_id, "most": most, **msgspec.structs.asdict(wanted)}
        async with transaction(self._engine, seconds=LOOK_UP_SECONDS) as connection:
            return views_from(list(await connection.execute(DELIVERIES, values)))

    async def redeliver(self, tenant_id: int, delivery_id: str) -> DeliveryView | None:
        """Make a delivery due now, under its id and with its content; None if there is none with this id.

        Raises `Conflict` where it is being sent or its endpoint is deleted. An endpoint that was disabled
        because it said that it is gone is enabled again: whoever asks for this knows that it is back.
        """
        values = {"tenant_id": tenant_id, "id": delivery_id}
        async with transaction(self._engine) as connection:
            row = (await connection.execute(LOCK_DELIVERY, values)).one_or_none()
            if row is None:
                return None
            await _make_due(connection, row, values)
            return views_from(list(await connection.execute(DELIVERY, values)))[0]


async def _make_due(connection: AsyncConnection, row: Any, values: dict[str, Any]) -> None:
    if row.state == "running":
        raise Conflict("The delivery is being sent at this moment.")
    if not row.has_receiver:
        raise Conflict("The endpoint of this delivery is deleted.")
    await connection.execute(MAKE_DUE, values)
    if row.webhook_id is not None:
        await connection.execute(ENABLE, {**values, "id": row.webhook_id})


def webhook_from(row: Any) -> Webhook:
    return msgspec.convert(row._asdict(), Webhook)


def views_from(rows: Sequence[Any]) -> list[DeliveryView]:
    return [msgspec.convert(row._asdict(), DeliveryView) for row in rows]
