"""Who calls, and whether they may: the first line of every handler."""

from typing import Any, cast

from litestar import Request

from api.patience import ANSWER_SECONDS, within
from pipeline.bootstrap import ApiParts
from pipeline.service.access import Permission, Principal

AnyRequest = Request[Any, Any, Any]


def parts_of(request: AnyRequest) -> ApiParts:
    """The parts that this application was built with."""
    return cast("ApiParts", request.app.state.parts)


async def allow(request: AnyRequest, permission: Permission) -> tuple[ApiParts, Principal]:
    """The parts and the verified caller; raises `Unauthenticated` or `Forbidden`."""
    parts = parts_of(request)
    async with within(ANSWER_SECONDS):
        principal = await parts.access.authenticate(request.headers.get("authorization"))
    principal.require(permission)
    return parts, principal
