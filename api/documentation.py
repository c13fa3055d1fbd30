"""The OpenAPI document at /schema/openapi.json, and a page for people at /schema."""

from typing import Any, Final

import msgspec
from litestar import Litestar, Response, get
from litestar.response import Redirect
from litestar.status_codes import HTTP_303_SEE_OTHER

from api.caller import AnyRequest
from api.description import HTML, JSON, Answer, described
from api.handbook import Handbook, handbook_of
from api.openapi import openapi_document

TAG: Final = "Documentation"
PAGE: Final = "/schema"
CACHE: Final = {"Cache-Control": "public, max-age=300"}


class Documentation(msgspec.Struct, frozen=True):
    """What is served: the document as JSON, and its page."""

    document: bytes
    handbook: Handbook


def documentation_of(app: Litestar) -> Documentation:
    """Both, written once when the application is made."""
    document = openapi_document(app)
    return Documentation(msgspec.json.encode(document), handbook_of(document))


def given_in(request: AnyRequest) -> Documentation:
    found: Documentation = request.app.state.documentation
    return found


@get(
    "/",
    opt=described(TAG, {303: Answer("The page is there.", headers={"Location": "`/schema`."})}, permission=None),
    sync_to_thread=False,
)
def lead_to_handbook() -> Redirect:
    """Lead whoever opens the bare address to this page."""
    return Redirect(PAGE, status_code=HTTP_303_SEE_OTHER)


@get(
    "/schema/openapi.json",
    opt=described(TAG, {200: Answer("The document.", dict[str, Any])}, permission=None),
    sync_to_thread=False,
)
def show_openapi(request: AnyRequest) -> Response[bytes]:
    """Show this API as an OpenAPI 3.1 document."""
    return Response(given_in(request).document, media_type=JSON, headers=CACHE)


@get(
    PAGE,
    opt=described(TAG, {200: Answer("The page.", str, media_type=HTML)}, permission=None),
    sync_to_thread=False,
)
def show_handbook(request: AnyRequest) -> Response[str]:
    """Show this API as a page for people."""
    handbook = given_in(request).handbook
    headers = {
        **CACHE,
        "Content-Security-Policy": handbook.policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }
    return Response(handbook.html, media_type=HTML, headers=headers)


def documentation_handlers() -> list[Any]:
    return [lead_to_handbook, show_openapi, show_handbook]
