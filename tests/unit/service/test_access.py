"""Credentials: what is let in, as whom, and for how long. Time is handed in; nothing waits."""

import base64
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import msgspec
import pytest

from pipeline.errors import Forbidden, Unauthenticated
from pipeline.model import Grant
from pipeline.ports import KeyInfo, KnownKey, Signing
from pipeline.service.access import (
    PERMISSIONS,
    Access,
    Permission,
    Principal,
    Role,
    hash_secret,
)
from pipeline.service.identifier import learner_hash
from pipeline.service.token import TOKEN_AUDIENCE

NOW = 1_800_000_000.0
AT = datetime.fromtimestamp(NOW + 0.25, UTC)
"""The same moment by the store's clock, which goes a little ahead."""
KEY_ID = "01890a5d-ac96-774b-bcce-b302099a8057"
SECRETS = {1: "s" * 64, 2: "t" * 64}


class KeptAccess:
    """Tenants 1 and 2, and keys by hash, in memory."""

    def __init__(self) -> None:
        self.keys: dict[bytes, KnownKey] = {}
        self.minting_keys = {(1, KEY_ID), (2, KEY_ID)}
        self.erasures: list[tuple[int, str, datetime]] = []
        self.asked = 0

    async def ensure_tenant(self, name: str, *, token_secret: str, callback_secret: str) -> int:  # noqa: ARG002 - the port's
        return 1

    async def add_key(
        self,
        tenant_id: int,
        *,
        name: str,
        role: str,
        secret_hash: bytes,
        actor: str | None = None,  # noqa: ARG002 - the port's
    ) -> str:
        self.keys[secret_hash] = KnownKey(name, tenant_id, role)
        return name

    async def find_keys(self, hashes: Sequence[bytes]) -> Mapping[bytes, KnownKey]:
        self.asked += 1
        return {hashed: self.keys[hashed] for hashed in hashes if hashed in self.keys}

    async def signing(self, tenant_id: int, key_id: str) -> Signing | None:
        return Signing(SECRETS[tenant_id], AT) if (tenant_id, key_id) in self.minting_keys else None

    async def erased_since(self, tenant_id: int, learner_hash: str, moment: datetime) -> bool:
        return any((tenant_id, learner_hash) == (at[0], at[1]) and at[2] >= moment for at in self.erasures)

    async def list_keys(self, tenant_id: int | None) -> list[KeyInfo]:  # noqa: ARG002 - the port's
        return []

    async def revoke_key(
        self,
        key_id: str,
        tenant_id: int | None,  # noqa: ARG002 - the port's
        *,
        actor: str | None = None,  # noqa: ARG002 - the port's
    ) -> bool:
        hashes = [hashed for hashed, key in self.keys.items() if key.id == key_id]
        return [self.keys.pop(hashed) for hashed in hashes] != []


class Clock:
    """A clock that moves when told to."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def store() -> KeptAccess:
    return KeptAccess()


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def access(store: KeptAccess, clock: Clock) -> Access:
    return Access(store, cache_seconds=2.0, clock=clock, wall_clock=clock)


SUBMITTER = Principal(1, Role.SUBMITTER, f"key:{KEY_ID}", key_id=KEY_ID)


def signed(claims: Mapping[str, Any], secret: str = SECRETS[1], algorithm: str = "HS256") -> str:
    usual = {"sub": "ada", "tenant": 1, "aud": TOKEN_AUDIENCE, "key": KEY_ID, "iat": int(NOW), "exp": int(NOW) + 60}
    return jwt.encode({k: v for k, v in {**usual, **claims}.items() if v is not None}, secret, algorithm=algorithm)


async def test_a_token_names_its_learner_and_tenant(access: Access) -> None:
    minted = await access.mint_token(SUBMITTER, "ada", 60)
    assert minted.expires_at.timestamp() == NOW + 60
    grant = Grant(KEY_ID, NOW + 60)
    known = Principal(1, Role.LEARNER, "learner:ada", "ada", grant=grant)
    assert await access.authenticate(f"Bearer {minted.token}") == known


async def test_a_token_ends_when_it_said(access: Access, clock: Clock) -> None:
    minted = await access.mint_token(SUBMITTER, "ada", 60)
    clock.now = NOW + 59
    assert (await access.authenticate(f"Bearer {minted.token}")).learner_id == "ada"
    clock.now = NOW + 60
    with pytest.raises(Unauthenticated):
        await access.authenticate(f"Bearer {minted.token}")


async def test_a_token_from_a_clock_ahead_of_ours_is_good(access: Access) -> None:
    """API processes on several machines never agree to the second."""
    assert (await access.authenticate(f"Bearer {signed({'iat': int(NOW) + 5})}")).learner_id == "ada"


@pytest.mark.parametrize(
    "token",
    [
        signed({}, secret="u" * 64),
        signed({}, secret=SECRETS[2]),
        signed({"tenant": 2}),
        signed({"tenant": 3}),
        signed({"tenant": "one"}),
        signed({"tenant": 1e400}),
        signed({"tenant": None}),
        signed({"tenant": -1}),
        signed({"tenant": 2**70}),
        signed({"key": None}),
        signed({"key": "nonsense"}),
        signed({"key": KEY_ID.replace("8057", "8058")}),
        signed({"iat": None}),
        signed({"iat": "always"}),
        signed({"aud": "somebody else"}),
        signed({"aud": None}),
        signed({"sub": None}),
        signed({"exp": None}),
        signed({"exp": "never"}),
        signed({"exp": int(NOW) - 1}),
        signed({}, algorithm="HS512"),
        "not.a.token",
        "a" * 100_000,
        "ä.ö.ü",
        "..",
    ],
)
async def test_a_token_that_is_not_ours_is_refused(access: Access, token: str) -> None:
    with pytest.raises(Unauthenticated):
        await access.authenticate(f"Bearer {token}")


async def test_a_token_ends_with_the_key_that_made_it(access: Access, store: KeptAccess) -> None:
    tokens = [
        (await access.mint_token(SUBMITTER, "ada", 60)).token,
        (await access.mint_page_token(SUBMITTER, 60)).token,
    ]
    store.minting_keys.remove((1, KEY_ID))
    for token in tokens:
        with pytest.raises(Unauthenticated):
            await access.authenticate_browser(token)
    with pytest.raises(Unauthenticated):
        await access.mint_token(SUBMITTER, "ada", 60)


async def test_only_a_key_makes_tokens(access: Access) -> None:
    with pytest.raises(Forbidden):
        await access.mint_token(Principal(1, Role.TEACHER, "somebody"), "ada", 60)


@pytest.mark.parametrize(
    ("tenant_id", "learner_id", "later", "good"),
    [
        (1, "ada", 0.0, False),
        (1, "ada", 9.0, False),
        (1, "ada", -1e-6, True),
        (1, "bob", 9.0, True),
        (2, "ada", 9.0, True),
    ],
)
async def test_a_token_ends_with_its_learner_and_no_other(
    access: Access, store: KeptAccess, tenant_id: int, learner_id: str, later: float, *, good: bool
) -> None:
    """An erasure before the token was made is that of somebody else who had the id."""
    token = (await access.mint_token(SUBMITTER, "ada", 60)).token
    store.erasures = [(tenant_id, learner_hash(learner_id), AT + timedelta(seconds=later))]
    if good:
        assert (await access.authenticate_browser(token)).learner_id == "ada"
    else:
        with pytest.raises(Unauthenticated):
            await access.authenticate_browser(token)


async def test_a_forged_token_has_nothing_looked_up_of_learners(access: Access, store: KeptAccess) -> None:
    """It could say that it was made long ago, and so ask for more than a day."""
    looked: list[datetime] = []

    async def look(tenant_id: int, learner_hash: str, moment: datetime) -> bool:  # noqa: ARG001 - the port's
        looked.append(moment)
        return False

    store.erased_since = look  # type: ignore[method-assign]
    with pytest.raises(Unauthenticated):
        await access.authenticate(f"Bearer {signed({'iat': 1}, secret='u' * 64)}")
    assert looked == []


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE"])
async def test_a_token_that_claims_to_need_no_signature_is_refused(access: Access, algorithm: str) -> None:
    _, body, signature = signed({}).split(".")
    head = base64.urlsafe_b64encode(msgspec.json.encode({"alg": algorithm, "typ": "JWT"})).rstrip(b"=").decode()
    for end in ("", signature):
        with pytest.raises(Unauthenticated):
            await access.authenticate(f"Bearer {head}.{body}.{end}")


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic abc", "gl_secret", "Bearer gl_unknown"])
async def test_a_call_without_a_known_credential_is_refused(access: Access, header: str | None) -> None:
    with pytest.raises(Unauthenticated):
        await access.authenticate(header)


async def test_a_key_is_kept_by_its_hash_only(access: Access, store: KeptAccess) -> None:
    created = await access.create_key("school", Role.TEACHER, "ms. lovelace")
    assert list(store.keys) == [hash_secret(created.secret)]
    principal = await access.authenticate(f"Bearer {created.secret}")
    assert (principal.role, principal.learner_id) == (Role.TEACHER, None)


async def test_a_revoked_key_is_refused_within_the_cache_time(access: Access, store: KeptAccess, clock: Clock) -> None:
    created = await access.create_key("school", Role.TEACHER, "ms. lovelace")
    for _ in range(3):
        await access.authenticate(f"Bearer {created.secret}")
    assert store.asked == 1
    assert await store.revoke_key(created.id, None)
    clock.now += 2.0
    with pytest.raises(Unauthenticated):
        await access.authenticate(f"Bearer {created.secret}")


@pytest.mark.parametrize("role", list(Role))
def test_a_role_may_do_what_is_listed_and_nothing_else(role: Role) -> None:
    principal = Principal(1, role, "somebody")
    for permission in Permission:
        if permission in PERMISSIONS[role]:
            principal.require(permission)
        else:
            with pytest.raises(Forbidden):
                principal.require(permission)


def test_only_teachers_teach_and_only_operators_operate() -> None:
    def may(permission: Permission) -> set[Role]:
        return {role for role in Role if permission in PERMISSIONS[role]}

    assert may(Permission.TEACH) == {Role.TEACHER}
    assert may(Permission.OPERATE) == {Role.OPERATOR}
    assert may(Permission.SUBMIT) == may(Permission.MINT_TOKENS) == {Role.SUBMITTER, Role.TEACHER}
    assert may(Permission.READ_LEARNING) == {Role.TEACHER, Role.LEARNER}


def test_a_learner_sees_their_own_things_only() -> None:
    learner = Principal(1, Role.LEARNER, "learner:ada", learner_id="ada")
    assert learner.may_see("ada")
    assert not learner.may_see("bob")
    assert SUBMITTER.may_see("bob")
