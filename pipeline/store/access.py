"""Tenants and their API keys. Only a hash of a key is kept; it can be recognised, not read back."""

from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils import uuid7

from pipeline.ports import KeyInfo, KnownKey, Signing
from pipeline.store.browsing import CLOCK_DIFFERENCE, first_id_at
from pipeline.store.control import record_act
from pipeline.store.engine import statement, transaction

ENSURE_TENANT = text(
    """
    WITH new AS (
        INSERT INTO tenants (name, token_secret, callback_secret) VALUES (:name, :token_secret, :callback_secret)
        ON CONFLICT (name) DO NOTHING RETURNING id
    )
    SELECT id FROM new UNION ALL SELECT id FROM tenants WHERE name = :name LIMIT 1
    """
)
INSERT_KEY = text(
    "INSERT INTO api_keys (id, tenant_id, name, role, secret_hash)"
    " VALUES (CAST(:id AS uuid), :tenant_id, :name, :role, :secret_hash)"
)
FIND_KEYS = text(
    """
    SELECT k.secret_hash, k.id::text, k.tenant_id, k.role FROM api_keys k
    WHERE k.secret_hash = ANY(:hashes) AND k.revoked_at IS NULL
    """
)
IN_FORCE = text("SELECT id::text FROM api_keys WHERE id = ANY(CAST(:ids AS uuid[])) AND revoked_at IS NULL")
LIST_KEYS = text(
    """
    SELECT k.id::text, t.name AS tenant, k.name, k.role, k.created_at, k.revoked_at
    FROM api_keys k JOIN tenants t ON t.id = k.tenant_id
    WHERE CAST(:tenant_id AS int) IS NULL OR k.tenant_id = :tenant_id ORDER BY k.id
    """
)
REVOKE_KEY = text(
    """
    UPDATE api_keys SET revoked_at = coalesce(revoked_at, clock_timestamp())
    WHERE id = CAST(:id AS uuid) AND (CAST(:tenant_id AS int) IS NULL OR tenant_id = :tenant_id) RETURNING tenant_id
    """
)
SIGNING = text(
    """
    SELECT t.token_secret, clock_timestamp() AS now FROM tenants t JOIN api_keys k ON k.tenant_id = t.id
    WHERE t.id = :tenant_id AND k.id = CAST(:key_id AS uuid) AND k.revoked_at IS NULL
    """
)
# Of an erasure the audit log alone knows, and of whom by a hash. Its ids begin with their time, so what is looked
# through is what was done in the tenant's name since then.
ERASED_SINCE = text(
    """
    SELECT EXISTS (
        SELECT FROM audit_log
        WHERE tenant_id = :tenant_id AND id >= CAST(:first_id AS uuid) AND created_at >= :moment
          AND action = 'learner.erase' AND target ->> 'learner_sha256' = :learner_hash)
    """
)
NOTED_BEFORE: Final = 2 * CLOCK_DIFFERENCE
"""How much earlier than its entry in the audit log an act's id may say it was: the clocks differ, and it takes time."""


class AccessStore:
    """Postgres as the port `pipeline.ports.AccessStore`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def ensure_tenant(self, name: str, *, token_secret: str, callback_secret: str) -> int:
        """The tenant of this name, made with these secrets if there is none; answers its id."""
        async with transaction(self._engine) as connection:
            values = {"name": name, "token_secret": token_secret, "callback_secret": callback_secret}
            return int((await connection.execute(ENSURE_TENANT, values)).scalar_one())

    async def add_key(
        self, tenant_id: int, *, name: str, role: str, secret_hash: bytes, actor: str | None = None
    ) -> str:
        """Keep a new key by its hash, and in the audit log who made it, if named; answers its id."""
        key_id = str(uuid7())
        values = {
            "id": key_id,
            "tenant_id": tenant_id,
            "name": name,
            "role": role,
            "secret_hash": secret_hash,
        }
        async with transaction(self._engine) as connection:
            await connection.execute(INSERT_KEY, values)
            if actor is not None:
                target = {"key_id": key_id, "name": name, "role": role}
                await record_act(
                    connection, tenant_id=tenant_id, actor=actor, action="key.create", reason=None, target=target
                )
        return key_id

    async def find_keys(self, hashes: Sequence[bytes]) -> Mapping[bytes, KnownKey]:
        """The keys with these hashes; those that are unknown or revoked are absent."""
        async with statement(self._engine) as connection:
            rows = (await connection.execute(FIND_KEYS, {"hashes": list(hashes)})).all()
        return {bytes(row.secret_hash): KnownKey(row.id, row.tenant_id, row.role) for row in rows}

    async def in_force(self, key_ids: Collection[str]) -> AbstractSet[str]:
        """Which of these keys are there and not revoked."""
        async with statement(self._engine) as connection:
            return {*(await connection.execute(IN_FORCE, {"ids": list(key_ids)})).scalars()}

    async def signing(self, tenant_id: int, key_id: str) -> Signing | None:
        """How the tokens that a key of the tenant makes are signed; None where it is revoked."""
        async with statement(self._engine) as connection:
            values = {"tenant_id": tenant_id, "key_id": key_id}
            row = (await connection.execute(SIGNING, values)).one_or_none()
        return None if row is None else Signing(*row)

    async def erased_since(self, tenant_id: int, learner_hash: str, moment: datetime) -> bool:
        """Whether the tenant's learner of this hash was erased at this moment of the store's clock or later."""
        values = {"tenant_id": tenant_id, "learner_hash": learner_hash, "moment": moment}
        async with statement(self._engine) as connection:
            looked = await connection.execute(ERASED_SINCE, {**values, "first_id": first_id_at(moment, -NOTED_BEFORE)})
            return bool(looked.scalar_one())

    async def list_keys(self, tenant_id: int | None) -> list[KeyInfo]:
        """A tenant's keys, or everybody's, oldest first; never their secrets."""
        async with transaction(self._engine) as connection:
            rows = await connection.execute(LIST_KEYS, {"tenant_id": tenant_id})
            return [msgspec.convert(row._asdict(), KeyInfo) for row in rows]

    async def revoke_key(self, key_id: str, tenant_id: int | None, *, actor: str | None = None) -> bool:
        """Revoke a key, and keep in the audit log who did, if named.

        False if there is none with this id (of this tenant, where one is given).
        """
        async with transaction(self._engine) as connection:
            values = {"id": key_id, "tenant_id": tenant_id}
            revoked = (await connection.execute(REVOKE_KEY, values)).one_or_none()
            if revoked is not None and actor is not None:
                await record_act(
                    connection,
                    tenant_id=revoked.tenant_id,
                    actor=actor,
                    action="key.revoke",
                    reason=None,
                    target={"key_id": key_id},
                )
        return revoked is not None
