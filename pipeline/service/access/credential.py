"""Who is calling: API keys by role, learner tokens by learner, page tokens by who minted them."""

import base64
import hashlib
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

import msgspec

from pipeline.batching import Batcher
from pipeline.errors import Forbidden, NotFound, Unauthenticated
from pipeline.model import Grant
from pipeline.ports import AccessStore, KeyInfo, KnownKey
from pipeline.service.access.permission import Principal, Role
from pipeline.service.identifier import is_uuid, learner_hash
from pipeline.service.token import (
    NOT_VALID,
    PAGE_AUDIENCE,
    REVIEW_AUDIENCE,
    TOKEN_AUDIENCE,
    Claims,
    claimed,
    signed,
    verify,
)

KEY_PREFIX: Final = "gl_"
DOTS_IN_TOKEN: Final = 2
MOST_CACHED: Final = 10_000
LOOKED_UP_AT_ONCE: Final = 1_000
NO_KEY: Final = "The API key is unknown or revoked."
PAGE_ROLES: Final = MappingProxyType({PAGE_AUDIENCE: Role.VIEWER, REVIEW_AUDIENCE: Role.REVIEWER})


class CreatedKey(msgspec.Struct, frozen=True):
    """A new API key; `secret` is shown this once and never again."""

    id: str
    secret: str
    role: Role
    name: str


class LearnerToken(msgspec.Struct, frozen=True):
    """A signed token for one learner's browser, valid until `expires_at`."""

    token: str
    expires_at: datetime


class PageToken(msgspec.Struct, frozen=True):
    """A signed token for a teacher's browser, valid until `expires_at`; it reads analytics, and may settle answers."""

    token: str
    expires_at: datetime


def hash_secret(secret: str) -> bytes:
    """What is kept of a key. Keys are 256 random bits, so a plain hash cannot be guessed back."""
    return hashlib.sha256(secret.encode()).digest()


class Access:
    """Verifies credentials and issues them."""

    def __init__(
        self,
        store: AccessStore,
        *,
        cache_seconds: float,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._cache_seconds = cache_seconds
        self._clock = clock
        self._wall_clock = wall_clock
        self._verified: dict[bytes, tuple[float, Principal]] = {}
        self._look_ups: Batcher[bytes, KnownKey | None] = Batcher(self._look_up, most=LOOKED_UP_AT_ONCE)

    def recall(self, authorization: str | None) -> Principal | None:
        """Who sent this header, if its key was verified lately; None where `authenticate` has to be asked."""
        scheme, _, credential = (authorization or "").partition(" ")
        return self._recent(hash_secret(credential)) if scheme.lower() == "bearer" else None

    def _recent(self, hashed: bytes) -> Principal | None:
        cached = self._verified.get(hashed)
        return cached[1] if cached is not None and self._clock() < cached[0] else None

    async def authenticate(self, authorization: str | None) -> Principal:
        """Who sent this `Authorization` header; raises `Unauthenticated`."""
        scheme, _, credential = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not credential:
            raise Unauthenticated("Send an API key as `Authorization: Bearer <key>`.")
        if credential.startswith(KEY_PREFIX):
            return await self._key(credential)
        return await self._token(credential)

    async def authenticate_learner(self, token: str) -> Principal:
        """Whose learner token this is; raises `Unauthenticated`, for API keys too, be they valid or not."""
        principal = await self.authenticate_browser(token)
        if principal.role is not Role.LEARNER:
            raise Unauthenticated("Only a learner token may stand in this address.")
        return principal

    async def authenticate_browser(self, token: str) -> Principal:
        """Whose token this is, a learner's or a page's; raises `Unauthenticated`, for API keys too."""
        if token.startswith(KEY_PREFIX):
            raise Unauthenticated("An API key must not stand in an address; send a learner token there.")
        return await self._token(token)

    def seconds_left(self, token: str) -> int:
        """For how long a token that was verified just now is still valid."""
        return max(0, claimed(token).exp - int(self._wall_clock()))

    async def _key(self, secret: str) -> Principal:
        hashed = hash_secret(secret)
        recent = self._recent(hashed)
        if recent is not None:
            return recent
        known = await self._look_ups.add(hashed)
        if known is None:
            self._verified.pop(hashed, None)
            raise Unauthenticated(NO_KEY)
        principal = principal_of(known)
        if len(self._verified) >= MOST_CACHED:
            self._verified.clear()
        self._verified[hashed] = (self._clock() + self._cache_seconds, principal)
        return principal

    async def _look_up(self, hashes: list[bytes]) -> list[KnownKey | None]:
        """Callers who come with the same key at once share one look-up, and none waits for Postgres by itself."""
        found = await self._store.find_keys(list(set(hashes)))
        return [found.get(hashed) for hashed in hashes]

    async def _token(self, token: str) -> Principal:
        if token.count(".") != DOTS_IN_TOKEN:
            raise Unauthenticated(
                f"This is neither an API key, which begins with {KEY_PREFIX}, nor a valid learner token."
            )
        claims = claimed(token)
        signing = await self._store.signing(claims.tenant, claims.key)
        if signing is None:
            raise Unauthenticated(NOT_VALID)
        verify(token, signing.secret, self._wall_clock())
        bearer = bearer_of(claims)
        if bearer.learner_id is not None and await self._erased(bearer.tenant_id, bearer.learner_id, claims.made_at):
            raise Unauthenticated(NOT_VALID)
        return bearer

    async def _erased(self, tenant_id: int, learner_id: str, since: datetime) -> bool:
        return await self._store.erased_since(tenant_id, learner_hash(learner_id), since)

    async def mint_token(self, principal: Principal, learner_id: str, seconds: int) -> LearnerToken:
        """A token that reads only this learner's things, for `seconds`."""
        return LearnerToken(*await self._minted(principal, TOKEN_AUDIENCE, learner_id, seconds))

    async def mint_page_token(self, principal: Principal, seconds: int, *, settle: bool = False) -> PageToken:
        """A token with which a teacher's browser reads the tenant's analytics, for `seconds`.

        With `settle`, it also reads the answers that a person decides on, and decides.
        """
        audience = REVIEW_AUDIENCE if settle else PAGE_AUDIENCE
        return PageToken(*await self._minted(principal, audience, principal.actor, seconds))

    async def _minted(self, by: Principal, audience: str, subject: str, seconds: int) -> tuple[str, datetime]:
        if by.key_id is None:
            raise Forbidden("Only an API key makes tokens.")
        signing = await self._store.signing(by.tenant_id, by.key_id)
        if signing is None:
            raise Unauthenticated(NO_KEY)
        ends = int(self._wall_clock()) + seconds
        claims = Claims(subject, audience, by.tenant_id, by.key_id, signing.now.timestamp(), ends)
        return signed(claims, signing.secret), datetime.fromtimestamp(ends, UTC)

    async def create_key(self, tenant: str, role: Role, name: str) -> CreatedKey:
        """A new key for a tenant, which is made if it is not there."""
        tenant_id = await self._store.ensure_tenant(
            tenant, token_secret=secrets.token_hex(32), callback_secret=new_signing_secret()
        )
        return await self.create_key_in(tenant_id, role, name)

    async def create_key_in(self, tenant_id: int, role: Role, name: str, *, actor: str | None = None) -> CreatedKey:
        """A new key of a tenant; where an `actor` is named, the audit log remembers it."""
        secret = KEY_PREFIX + secrets.token_urlsafe(32)
        key_id = await self._store.add_key(
            tenant_id, name=name, role=role, secret_hash=hash_secret(secret), actor=actor
        )
        return CreatedKey(key_id, secret, role, name)

    async def list_keys(self, tenant_id: int | None = None) -> list[KeyInfo]:
        """A tenant's keys, or everybody's, oldest first; never their secrets."""
        return await self._store.list_keys(tenant_id)

    async def revoke_key(self, key_id: str, tenant_id: int | None = None, *, actor: str | None = None) -> None:
        """Make a key useless; raises `NotFound` if there is none of this id (of this tenant, where one is given)."""
        if not (is_uuid(key_id) and await self._store.revoke_key(key_id, tenant_id, actor=actor)):
            raise NotFound("There is no such key.")
        self._verified.clear()


def bearer_of(claims: Claims) -> Principal:
    """Who comes with a verified token: a learner, or the browser of whoever minted a page token."""
    grant = Grant(claims.key, claims.exp)
    if role := PAGE_ROLES.get(claims.aud):
        return Principal(claims.tenant, role, f"page:{claims.sub}", grant=grant)
    return Principal(claims.tenant, Role.LEARNER, f"learner:{claims.sub}", learner_id=claims.sub, grant=grant)


def principal_of(known: KnownKey) -> Principal:
    return Principal(known.tenant_id, Role(known.role), f"key:{known.id}", key_id=known.id, grant=Grant(known.id))


def new_signing_secret() -> str:
    """A secret for signing webhooks, in the form of the Standard Webhooks spec."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
