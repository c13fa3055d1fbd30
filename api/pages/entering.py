"""How a browser gets in: the token leaves the address at once and lives on in a cookie for pages alone."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Final
from urllib.parse import urlencode

import msgspec
from litestar import Response, get, post
from litestar.response import Redirect
from litestar.status_codes import HTTP_303_SEE_OTHER

from api.caller import AnyRequest, allow, parts_of
from api.description import HTML, Answer, Body, described
from api.pages.rendering import look, page
from api.pages.visitor import cookie_for, words_for
from api.patience import Patience
from api.reading import body_of, query_of
from pipeline.errors import FieldProblem, Forbidden, InvalidInput
from pipeline.service.access import TEACHERS_BROWSERS, PageToken, Permission, Role

TAG: Final = "Pages"
TOKEN_SECONDS: Final = 900
CROSS_SITE: Final = "cross-site"


class Door(msgspec.Struct, frozen=True):
    """A page that can be entered: where it is, and whose tokens open it."""

    path: str
    roles: tuple[Role, ...]


DOORS: Final[Mapping[str, Door]] = MappingProxyType(
    {
        "learner": Door("/pages/learner", (Role.LEARNER,)),
        "review": Door("/pages/teacher/review", (Role.REVIEWER,)),
        "teacher": Door("/pages/teacher", TEACHERS_BROWSERS),
    }
)
"""The only places that entering leads to, by the names that `to` takes."""


class EnterQuery(msgspec.Struct, frozen=True):
    """A learner token or a page token, and the name of the page to go to, by default the token's own.

    Language and time zone are for that page.
    """

    token: Annotated[str, msgspec.Meta(max_length=4096)]
    to: str | None = None
    locale: Annotated[str, msgspec.Meta(max_length=35)] | None = None
    timezone: Annotated[str, msgspec.Meta(max_length=64)] | None = None


class PageTokenIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long the token shall be valid, in seconds, by default 15 minutes; one that settles as long as any may be."""

    expires_in: Annotated[int, msgspec.Meta(ge=1)] | None = None
    settle: Annotated[bool, msgspec.Meta(description="Whether it settles answers that need review, too.")] = False


@get(
    "/enter",
    opt=described(
        TAG,
        {
            200: Answer("The page that goes on to the one asked for.", str, media_type=HTML),
            303: Answer("The page asked for.", headers={"Location": "Where it is.", "Set-Cookie": "The token."}),
        },
        permission=None,
        query=EnterQuery,
        problems=(401, 403, 503),
        page=True,
    ),
)
async def enter_page(request: AnyRequest) -> Response[Any]:
    """Enter a page with a token.

    The token moves from the address into a cookie that is sent to `/pages` only, and that no script can read. `to`
    names one of our pages, nothing else: `learner`, `teacher`, `review`. To whoever comes from another site a page is
    sent that goes on by itself, because browsers keep such cookies back on the way from elsewhere.
    """
    query = query_of(request, EnterQuery)
    access = parts_of(request).access
    async with Patience():
        principal = await access.authenticate_browser(query.token)
    target = target_of(query, principal.role)
    cookie = cookie_for(request, query.token, access.seconds_left(query.token))
    if request.headers.get("sec-fetch-site") != CROSS_SITE:
        headers = dict(look().headers)
        return Redirect(target, status_code=HTTP_303_SEE_OTHER, headers=headers, cookies=[cookie])
    answer = page("onward.html.jinja", words_for(request), target=target)
    answer.set_cookie(cookie)
    return answer


def target_of(query: EnterQuery, role: Role) -> str:
    """The address of the page to go to; raises `InvalidInput` for no name of one, `Forbidden` for another's."""
    if query.to is not None and query.to not in DOORS:
        raise InvalidInput([FieldProblem("/to", f"One of {', '.join(DOORS)} is expected.")])
    named = [DOORS[query.to]] if query.to is not None else list(DOORS.values())
    door = next((door for door in named if role in door.roles), None)
    if door is None:
        raise Forbidden("This token opens another page.")
    told = {name: value for name in ("locale", "timezone") if (value := getattr(query, name)) is not None}
    return f"{door.path}?{urlencode(told)}" if told else door.path


TOKEN_EXAMPLES: Final = {"ten minutes": PageTokenIn(600), "to settle answers": PageTokenIn(settle=True)}


@post(
    "/v1/pages/token",
    status_code=201,
    opt=described(
        TAG,
        {201: Answer("The token and when it ends.", PageToken)},
        permission=Permission.TEACH,
        body=Body(PageTokenIn, TOKEN_EXAMPLES, required=False),
    ),
)
async def mint_page_token(request: AnyRequest) -> Response[PageToken]:
    """Mint a short-lived token for a teacher's browser.

    It reads the tenant's analytics, as pages and as calls, and nothing else; with `settle`, it also reads the answers
    that wait for a person, and settles them. Give it to `/pages/enter`. It ends before its time where the key that made
    it is revoked.
    """
    parts, principal = await allow(request, Permission.TEACH)
    given = await body_of(request, PageTokenIn) if await request.body() else PageTokenIn()
    longest = parts.settings.learner_token_seconds
    usual = longest if given.settle else min(TOKEN_SECONDS, longest)
    seconds = usual if given.expires_in is None else given.expires_in
    if seconds > longest:
        raise InvalidInput([FieldProblem("/expires_in", f"A token is valid for at most {longest} seconds.")])
    token = await parts.access.mint_page_token(principal, seconds, settle=given.settle)
    return Response(token, status_code=201, headers={"Cache-Control": "no-store"})
