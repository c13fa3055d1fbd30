"""The teacher's view over HTTP: who is at risk, how careers go, how questions do; as JSON or as a table."""

from typing import Annotated, Any, Final, Literal

import msgspec
from litestar import Response, get
from litestar.params import FromPath
from litestar.response import Stream

from api.analytics_shown import AtRiskShown, CareersShown, ItemShown, at_risk_shown, careers_shown, item_shown
from api.analytics_tables import at_risk_table, careers_table, items_table
from api.caller import AnyRequest, allow
from api.description import CSV, Answer, Page, described
from api.patience import Patience
from api.reading import query_of
from api.spreadsheet import wants_csv
from pipeline.learning.item_analysis import Flag
from pipeline.learning.risk import FLAGGED_FROM
from pipeline.ports.analytics import ItemFilter, RiskFilter
from pipeline.prompting.language import DEFAULT_LANGUAGE, select_language
from pipeline.service.access import Permission
from pipeline.service.items import ItemOrder
from pipeline.service.page import MOST_ITEMS

TAG: Final = "Analytics"

Label = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Locale = Annotated[str, msgspec.Meta(min_length=1, max_length=35)]
Cursor = Annotated[str, msgspec.Meta(max_length=2000)]
Limit = Annotated[int, msgspec.Meta(ge=1, le=MOST_ITEMS)]
Format = Literal["json", "csv"]
Sort = Literal[
    "question_id",
    "-question_id",
    "facility",
    "-facility",
    "discrimination",
    "-discrimination",
    "mean_time_ms",
    "-mean_time_ms",
    "attempts",
    "-attempts",
    "first_attempts",
    "-first_attempts",
]


class AtRiskQuery(msgspec.Struct, frozen=True):
    """Whose risk: of a group, of a career path, from a score on. With `min_score=0` everybody is listed."""

    group: Label | None = None
    category: Label | None = None
    min_score: Annotated[float, msgspec.Meta(ge=0, le=1)] = FLAGGED_FROM
    locale: Locale = DEFAULT_LANGUAGE
    format: Format | None = None
    cursor: Cursor | None = None
    limit: Limit = 50


class CareersQuery(msgspec.Struct, frozen=True):
    """Of which group; of everybody by default."""

    group: Label | None = None
    locale: Locale = DEFAULT_LANGUAGE
    format: Format | None = None


class ItemsQuery(msgspec.Struct, frozen=True):
    """Which questions, in which order; `-` before a figure begins with the greatest."""

    module: Label | None = None
    topic: Label | None = None
    flag: Flag | None = None
    sort: Sort = "question_id"
    locale: Locale = DEFAULT_LANGUAGE
    format: Format | None = None
    cursor: Cursor | None = None
    limit: Limit = 50


class LocaleQuery(msgspec.Struct, frozen=True):
    """In which language actions are worded: en, ko, ja or zh; others get English."""

    locale: Locale = DEFAULT_LANGUAGE


def order_of(sort: str) -> ItemOrder:
    return ItemOrder(sort.removeprefix("-"), descending=sort.startswith("-"))


@get(
    "/v1/analytics/at-risk",
    opt=described(
        TAG,
        {200: Answer("Learners by falling risk.", AtRiskShown, also=(CSV,))},
        permission=Permission.READ_ANALYTICS,
        query=AtRiskQuery,
        problems=(404, 409),
    ),
)
async def show_at_risk(request: AnyRequest) -> Response[Any] | Stream:
    """Show who is falling behind, why, and what to do.

    A group, and a tenant of up to 5,000 learners, is looked at as of now; a larger tenant as of last night. The table
    has everybody who fits, whatever `limit` says.
    """
    parts, principal = await allow(request, Permission.READ_ANALYTICS)
    query = query_of(request, AtRiskQuery)
    wanted = RiskFilter(query.min_score, query.category)
    if wants_csv(request, query.format):
        return await at_risk_table(parts, principal, query.group, wanted, query.locale)
    page = await parts.at_risk.page(principal, query.group, wanted, cursor=query.cursor, limit=query.limit)
    return Response(at_risk_shown(page, query.locale))


@get(
    "/v1/analytics/careers",
    opt=described(
        TAG,
        {200: Answer("Every career path, then other goals, then learners without one.", CareersShown, also=(CSV,))},
        permission=Permission.READ_ANALYTICS,
        query=CareersQuery,
        problems=(404, 409),
    ),
)
async def show_careers(request: AnyRequest) -> Response[Any] | Stream:
    """Show how learners are spread over career paths, and how far they are."""
    parts, principal = await allow(request, Permission.READ_ANALYTICS)
    query = query_of(request, CareersQuery)
    found = await parts.careers.show(principal, query.group, select_language(query.locale))
    if wants_csv(request, query.format):
        return await careers_table(found)
    return Response(careers_shown(found))


@get(
    "/v1/analytics/items",
    opt=described(
        TAG,
        {200: Answer("Questions with the figures of last night.", Page[ItemShown], also=(CSV,))},
        permission=Permission.READ_ANALYTICS,
        query=ItemsQuery,
    ),
)
async def list_items(request: AnyRequest) -> Response[Any] | Stream:
    """Show how questions do: how hard they are, what they tell apart, and what is wrong with them.

    Figures are of learners' first attempts, computed at night; one question's figures of this moment are at
    `/v1/analytics/items/{question_id}`. The table has all questions that fit, whatever `limit` says.
    """
    parts, principal = await allow(request, Permission.READ_ANALYTICS)
    query = query_of(request, ItemsQuery)
    await parts.curricula.require_module(principal.tenant_id, query.module)
    wanted, order = ItemFilter(query.module, query.topic, query.flag), order_of(query.sort)
    if wants_csv(request, query.format):
        return await items_table(parts, principal, wanted, order, query.locale)
    page = await parts.items.page(principal, wanted, order, cursor=query.cursor, limit=query.limit)
    return Response(Page([item_shown(item, query.locale) for item in page.items], page.next))


@get(
    "/v1/analytics/items/{question_id:str}",
    opt=described(
        TAG,
        {200: Answer("The question with its figures of this moment.", ItemShown)},
        permission=Permission.READ_ANALYTICS,
        query=LocaleQuery,
    ),
)
async def show_item(request: AnyRequest, question_id: FromPath[str]) -> Response[ItemShown]:
    """Show how a question does as of now.

    It is computed for this call, from all answers there are, and not kept: the list goes on showing last night's.
    """
    parts, principal = await allow(request, Permission.READ_ANALYTICS)
    query = query_of(request, LocaleQuery)
    async with Patience():  # that it is there is told in time; its figures may take longer
        await parts.questions.get(principal.tenant_id, question_id, None)
    return Response(item_shown(await parts.items.one(principal, question_id), query.locale))


def analytics_handlers() -> list[Any]:
    return [show_at_risk, show_careers, list_items, show_item]
