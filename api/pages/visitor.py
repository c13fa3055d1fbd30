"""Who looks at a page: a browser brings its token once in an address, then in a cookie that only pages get."""

from collections.abc import Collection
from typing import Final
from urllib.parse import urlencode

from litestar.datastructures import Cookie

from api.caller import AnyRequest, parts_of
from api.description import PAGE_COOKIE
from api.pages.words import Words, language_of
from api.patience import Patience
from pipeline.bootstrap import ApiParts
from pipeline.errors import Forbidden, Unauthenticated
from pipeline.service.access import Permission, Principal, Role

PAGES: Final = "/pages"
HTTPS: Final = "https"


async def visitor(request: AnyRequest, roles: Collection[Role], permission: Permission) -> tuple[ApiParts, Principal]:
    """The parts, and whose browser this is; raises `Unauthenticated`, or `Forbidden` for a token of another kind.

    The token is verified with every page: the cookie stands for nothing else and is kept nowhere here.
    """
    parts = parts_of(request)
    token = request.cookies.get(PAGE_COOKIE)
    if token is None:
        raise Unauthenticated("No page was entered in this browser, or it was too long ago.")
    async with Patience():
        principal = await parts.access.authenticate_browser(token)
    if principal.role not in roles:
        raise Forbidden("This token opens another page.")
    principal.require(permission)
    return parts, principal


def cookie_for(request: AnyRequest, token: str, seconds: int) -> Cookie:
    """The cookie that carries `token` for as long as it is valid, to pages alone and unseen by any script.

    Browsers send it over https only where it was set over https; behind a proxy the proxy says what was used.
    """
    return Cookie(
        key=PAGE_COOKIE,
        value=token,
        path=PAGES,
        max_age=seconds,
        httponly=True,
        samesite="strict",
        secure=scheme_of(request) == HTTPS,
    )


def scheme_of(request: AnyRequest) -> str:
    """`http` or `https`, as the browser sees it. A lie about it only costs the liar his own cookie."""
    forwarded = request.headers.get("x-forwarded-proto", "").split(",")[0].strip().lower()
    return forwarded or request.url.scheme


def words_for(request: AnyRequest) -> Words:
    """The words in the visitor's language: as `?locale=` says, else as the browser is set."""
    return Words(language_of(request.query_params.get("locale"), request.headers.get("accept-language")))


def address_of(path: str, **query: str | None) -> str:
    """A page's own address with what of its query is given, ready for one more parameter behind it."""
    given = urlencode({name: value for name, value in query.items() if value is not None})
    return f"{path}?{given}&" if given else f"{path}?"
