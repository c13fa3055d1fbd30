"""Tenants and their API keys."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

import msgspec


class KnownKey(msgspec.Struct, frozen=True):
    """A valid API key: whose it is and what it may do."""

    id: str
    tenant_id: int
    role: str


class KeyInfo(msgspec.Struct, frozen=True):
    """An API key as operators see it: everything but the secret."""

    id: str
    tenant: str
    name: str
    role: str
    created_at: datetime
    revoked_at: datetime | None


class Signing(msgspec.Struct, frozen=True):
    """What a tenant's tokens are signed with, and what time it is by the store's clock."""

    secret: str
    now: datetime


@runtime_checkable
class AccessStore(Protocol):
    """Tenants and their API keys."""

    async def ensure_tenant(self, name: str, *, token_secret: str, callback_secret: str) -> int:
        """The tenant of this name, made with these secrets if there is none; answers its id."""
        ...

    async def add_key(
        self, tenant_id: int, *, name: str, role: str, secret_hash: bytes, actor: str | None = None
    ) -> str:
        """Keep a new key by its hash, and in the audit log who made it, if named; answers its id."""
        ...

    async def find_keys(self, hashes: Sequence[bytes]) -> Mapping[bytes, KnownKey]:
        """The keys with these hashes; those that are unknown or revoked are absent."""
        ...

    async def signing(self, tenant_id: int, key_id: str) -> Signing | None:
        """How the tokens that a key of the tenant makes are signed; None where it is revoked."""
        ...

    async def erased_since(self, tenant_id: int, learner_hash: str, moment: datetime) -> bool:
        """Whether the tenant's learner of this hash was erased at this moment of the store's clock or later."""
        ...

    async def list_keys(self, tenant_id: int | None) -> list[KeyInfo]:
        """A tenant's keys, or everybody's, oldest first; never their secrets."""
        ...

    async def revoke_key(self, key_id: str, tenant_id: int | None, *, actor: str | None = None) -> bool:
        """Revoke a key, and keep in the audit log who did, if named; False if there is none (of this tenant)."""
        ...
