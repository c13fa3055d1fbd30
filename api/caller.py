"""Who calls, and whether they may: the first line of every handler."""

from typing import Any, Final, cast

from litestar import Request
from litestar.types import HTTPScope

from api.patience import Patience
from pipeline.bootstrap import ApiParts
from pipeline.service.access import Permission, Principal

TOKEN_PARAMETER: Final = "access_token"  # noqa: S105 - names a parameter

AnyRequest = Request[Any, Any, Any]


def headers_of(scope: HTTPScope) -> dict[str, str]:
    """The headers by their names in small letters; of one sent twice, the first. Cheaper than the framework's."""
    given = reversed([*scope["headers"]])
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in given}


def parts_of(request: AnyRequest) -> ApiParts:
    """The parts that this application was built with."""
    return cast("ApiParts", request.app.state.parts)


async def allow(
    request: AnyRequest, permission: Permission, patience: Patience | None = None
) -> tuple[ApiParts, Principal]:
    """The parts and the verified caller; raises `Unauthenticated` or `Forbidden`.

    Looking up the key may take what `patience` has, and uses it up.
    """
    parts = parts_of(request)
    authorization = headers_of(request.scope).get("authorization")
    return parts, await verified(parts, authorization, permission, patience or Patience())


async def verified(parts: ApiParts, authorization: str | None, permission: Permission, patience: Patience) -> Principal:
    """Who sends this `Authorization`, if they may do so; raises `Unauthenticated` or `Forbidden`."""
    principal = parts.access.recall(authorization)
    if principal is None:
        async with patience:
            principal = await parts.access.authenticate(authorization)
    principal.require(permission)
    return principal


async def allow_by_address(request: AnyRequest, permission: Permission) -> tuple[ApiParts, Principal]:
    """As `allow`, or by a learner token in the query string where no `Authorization` is sent.

    A browser's `EventSource` can send no header. Addresses end up in histories and in proxies' logs, so only
    what is short-lived and reads one learner's things may stand there: an API key is refused.
    """
    token = request.query_params.get(TOKEN_PARAMETER)
    if token is None or "authorization" in request.headers:
        return await allow(request, permission)
    parts = parts_of(request)
    async with Patience():
        principal = await parts.access.authenticate_learner(token)
    principal.require(permission)
    return parts, principal
