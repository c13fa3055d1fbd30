"""API keys, for operators of their own tenant."""

from typing import Annotated, Any, Final, Literal

import msgspec
from litestar import Response, delete, get, post
from litestar.params import FromPath

from api.caller import AnyRequest, allow
from api.description import Answer, Body, Page, described
from api.reading import body_of
from pipeline.ports import KeyInfo
from pipeline.service.access import CreatedKey, Permission, Role

TAG: Final = "Keys"


class KeyIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key to make: what it is called, and what it may do."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    role: Literal["submitter", "teacher", "operator"]


KEY_EXAMPLE: Final = CreatedKey("019abc5e-77a1-7c3e-9d5b-2f8a61c04e11", "gl_…", Role.SUBMITTER, "school server")


@post(
    "/v1/keys",
    status_code=201,
    opt=described(
        TAG,
        {201: Answer("The key. Its secret is shown this once.", CreatedKey, KEY_EXAMPLE)},
        permission=Permission.OPERATE,
        body=Body(KeyIn, {"a submitter": {"name": "school server", "role": "submitter"}}),
    ),
)
async def create_key(request: AnyRequest) -> Response[CreatedKey]:
    """Make an API key."""
    parts, principal = await allow(request, Permission.OPERATE)
    given = await body_of(request, KeyIn)
    created = await parts.access.create_key_in(principal.tenant_id, Role(given.role), given.name, actor=principal.actor)
    return Response(created, status_code=201, headers={"Cache-Control": "no-store"})


@get(
    "/v1/keys",
    opt=described(
        TAG,
        {200: Answer("The tenant's keys, the oldest first, without their secrets.", Page[KeyInfo])},
        permission=Permission.OPERATE,
    ),
)
async def list_keys(request: AnyRequest) -> Page[KeyInfo]:
    """List API keys, revoked ones too."""
    parts, principal = await allow(request, Permission.OPERATE)
    return Page(await parts.access.list_keys(principal.tenant_id))


@delete(
    "/v1/keys/{key_id:str}",
    opt=described(TAG, {204: Answer("It is revoked.")}, permission=Permission.OPERATE),
)
async def revoke_key(request: AnyRequest, key_id: FromPath[str]) -> None:
    """Revoke an API key.

    Other API processes may still take it for the seconds that they remember a verified key. Tokens that it made for
    browsers are refused at once. Event streams that it opened, or a token that it made, end within seconds.
    """
    parts, principal = await allow(request, Permission.OPERATE)
    await parts.access.revoke_key(key_id, principal.tenant_id, actor=principal.actor)


def key_handlers() -> list[Any]:
    return [create_key, list_keys, revoke_key]
