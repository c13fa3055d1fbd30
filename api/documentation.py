"""The OpenAPI document at /schema/openapi.json, and a page for people at /schema that needs no script."""

from typing import Any, Final

import msgspec
from litestar import Response, get

from api.caller import AnyRequest
from api.description import JSON, Answer, described
from api.openapi import openapi_document

CACHE: Final = "public, max-age=300"


@get(
    "/schema/openapi.json",
    opt=described("Documentation", {200: Answer("The document.", dict[str, Any])}, permission=None),
    sync_to_thread=False,
)
def show_openapi(request: AnyRequest) -> Response[bytes]:
    """This API as an OpenAPI 3.1 document."""
    body = msgspec.json.encode(openapi_document(request.app))
    return Response(body, media_type=JSON, headers={"Cache-Control": CACHE})


def documentation_handlers() -> list[Any]:
    return [show_openapi]
