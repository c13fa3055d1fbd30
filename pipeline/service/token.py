"""Tokens for browsers: what they say, signed by their tenant's secret."""

from datetime import UTC, datetime
from typing import Final

import jwt
import msgspec

from pipeline.errors import Unauthenticated
from pipeline.service.identifier import is_uuid

TOKEN_ALGORITHM: Final = "HS256"  # noqa: S105 - names an algorithm
TOKEN_AUDIENCE: Final = "gradeline:learner"  # noqa: S105 - names an audience
PAGE_AUDIENCE: Final = "gradeline:page"
REVIEW_AUDIENCE: Final = "gradeline:review"
NOT_VALID: Final = "The learner token is not valid, has expired, or was withdrawn."
"""One sentence for all of it: whoever makes up a token learns nothing about keys and learners."""
MOST_TENANTS: Final = 2**31 - 1
"""So large may their numbers be."""


class Claims(msgspec.Struct, frozen=True):
    """What a token says: for whom and which kind of browser, of which tenant, by which key, since when, till when.

    `iat` is by Postgres' clock, to be compared with what Postgres noted; `exp` is by ours.
    """

    sub: str
    aud: str
    tenant: int
    key: str
    iat: float
    exp: int

    @property
    def made_at(self) -> datetime:
        """Since when, to the microsecond."""
        return datetime.fromtimestamp(self.iat, UTC)


def signed(claims: Claims, secret: str) -> str:
    """The token that says so."""
    return jwt.encode(msgspec.to_builtins(claims), secret, algorithm=TOKEN_ALGORITHM)


def claimed(token: str) -> Claims:
    """What a token says, which nobody may believe before it is verified; raises `Unauthenticated`."""
    try:
        claims = msgspec.convert(jwt.decode(token, options={"verify_signature": False}), Claims)
    except (jwt.PyJWTError, msgspec.ValidationError, TypeError, ValueError, OverflowError):
        raise Unauthenticated(NOT_VALID) from None
    if not is_uuid(claims.key) or not 0 < claims.tenant <= MOST_TENANTS:
        raise Unauthenticated(NOT_VALID)
    return claims


def verify(token: str, secret: str, now: float) -> None:
    """Raise `Unauthenticated` unless the token is signed with this secret, of a kind of ours, and not over at `now`."""
    try:
        claims = jwt.decode(
            token,
            secret,
            algorithms=[TOKEN_ALGORITHM],
            audience=[TOKEN_AUDIENCE, PAGE_AUDIENCE, REVIEW_AUDIENCE],
            options={"require": ["exp", "sub", "aud"], "verify_exp": False, "verify_iat": False},
        )
    except (jwt.PyJWTError, TypeError, ValueError, OverflowError):
        raise Unauthenticated(NOT_VALID) from None
    if claims["exp"] <= now:
        raise Unauthenticated(NOT_VALID)
