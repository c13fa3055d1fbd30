"""The delivery contract's world on a real Postgres."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils import uuid7

from pipeline.store.delivery import DeliveryStore
from tests.contracts.delivery_world import Noted

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
CALLBACK_SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"

ADD_TENANT = text(
    "INSERT INTO tenants (name, token_secret, callback_secret) VALUES (:name, 't', :secret)"
    " ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id"
)
ADD_ENDPOINT = text(
    "INSERT INTO webhooks (id, tenant_id, url, secret, events)"
    " VALUES (CAST(:id AS uuid), :tenant_id, :url, :secret, ARRAY['submission.completed'])"
)
ADD_DELIVERY = text(
    """
    INSERT INTO deliveries (id, tenant_id, submission_id, webhook_id, event, url, lane, payload, state, available_at)
    VALUES (CAST(:id AS uuid), :tenant_id, gen_random_uuid(), CAST(:webhook_id AS uuid), 'submission.completed', :url,
        :lane, :payload, 'ready', clock_timestamp())
    """
)
PASS_TIME = text(
    """
    UPDATE deliveries SET available_at = available_at - make_interval(secs => :seconds),
        lease_expires_at = lease_expires_at - make_interval(secs => :seconds),
        queued_at = queued_at - make_interval(secs => :seconds)
    """
)


class PostgresDeliveries:
    """Real rows; time passes by moving theirs back."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.store = DeliveryStore(engine)

    async def tenant(self, name: str = "school") -> int:
        async with self.engine.begin() as connection:
            values = {"name": name, "secret": CALLBACK_SECRET}
            return int((await connection.execute(ADD_TENANT, values)).scalar_one())

    async def add(
        self, *, url: str = "https://school.example/hook", endpoint: bool = True, payload: str = '{"type":"t"}'
    ) -> str:
        tenant_id, delivery_id, webhook_id = await self.tenant(), str(uuid7()), str(uuid7()) if endpoint else None
        values = {"tenant_id": tenant_id, "url": url}
        async with self.engine.begin() as connection:
            if webhook_id is not None:
                await connection.execute(ADD_ENDPOINT, {**values, "id": webhook_id, "secret": SECRET})
            lane = webhook_id or f"{tenant_id} {url}"
            await connection.execute(
                ADD_DELIVERY,
                {**values, "id": delivery_id, "webhook_id": webhook_id, "lane": lane, "payload": payload},
            )
        return delivery_id

    async def remove_endpoint(self, delivery_id: str) -> None:
        await self._execute(
            "DELETE FROM webhooks WHERE id = (SELECT webhook_id FROM deliveries WHERE id = CAST(:id AS uuid))",
            id=delivery_id,
        )

    async def pass_time(self, seconds: float) -> None:
        async with self.engine.begin() as connection:
            await connection.execute(PASS_TIME, {"seconds": seconds})

    async def state(self, delivery_id: str) -> str:
        return str(await self._scalar("SELECT state FROM deliveries WHERE id = CAST(:id AS uuid)", delivery_id))

    async def ledger(self, delivery_id: str) -> list[Noted]:
        statement = text(
            "SELECT epoch, response_status, error FROM delivery_tries"
            " WHERE delivery_id = CAST(:id AS uuid) ORDER BY epoch"
        )
        async with self.engine.begin() as connection:
            return [Noted(*row) for row in await connection.execute(statement, {"id": delivery_id})]

    async def endpoint_enabled(self, delivery_id: str) -> bool:
        return bool(
            await self._scalar(
                "SELECT w.disabled_at IS NULL FROM webhooks w JOIN deliveries d ON d.webhook_id = w.id"
                " WHERE d.id = CAST(:id AS uuid)",
                delivery_id,
            )
        )

    async def _execute(self, statement: str, **values: object) -> None:
        async with self.engine.begin() as connection:
            await connection.execute(text(statement), values)

    async def _scalar(self, statement: str, delivery_id: str) -> object:
        async with self.engine.begin() as connection:
            return (await connection.execute(text(statement), {"id": delivery_id})).scalar_one()
