"""The teacher's pages of questions: all of them, and one as of this moment."""

from typing import Final
from urllib.parse import quote

import msgspec
from litestar import Response, get
from litestar.params import FromPath
from litestar.response import Stream

from api.analytics import Cursor, Format, Label, Sort, order_of
from api.analytics_shown import ItemShown, item_shown
from api.analytics_tables import items_table
from api.caller import AnyRequest
from api.description import CSV, HTML, Answer, described
from api.pages.entering import TAG
from api.pages.excerpt import excerpt
from api.pages.rendering import page
from api.pages.teacher_frame import ITEMS_PATH, Locale, looked_at, part_links, places
from api.pages.teacher_view import LONGEST_PROMPT, Link, address, drawn, figure_said, item_map, moment_said
from api.pages.visitor import address_of
from api.pages.words import Words
from api.reading import query_of
from pipeline.learning.item_analysis import Flag
from pipeline.ports.analytics import ItemFilter
from pipeline.service.access import TEACHERS_BROWSERS, Permission, Principal
from pipeline.service.items import ItemPage

SHOWN: Final = 50
ORDERS: Final = {
    "by_id": "question_id",
    "by_facility": "facility",
    "by_discrimination": "discrimination",
    "by_attempts": "-attempts",
}
FIGURES: Final = ("facility", "discrimination", "discrimination_index", "mean_time_ms")


class ItemsPageQuery(msgspec.Struct, frozen=True):
    """Which questions, in which order and language."""

    module: Label | None = None
    topic: Label | None = None
    flag: Flag | None = None
    sort: Sort = "question_id"
    cursor: Cursor | None = None
    format: Format | None = None
    locale: Locale | None = None

    def kept(self, **changes: str | None) -> dict[str, str | None]:
        """The part of the query that a link on the page goes on with."""
        return {"module": self.module, "topic": self.topic, "flag": self.flag, "sort": self.sort, **changes}


class ItemPageQuery(msgspec.Struct, frozen=True):
    """In which language."""

    locale: Locale | None = None


class ItemRow(msgspec.Struct, frozen=True):
    """A question in the list, its figures in words."""

    shown: ItemShown
    href: str
    prompt: str
    facility: str
    discrimination: str
    mean_time: str


@get(
    "/teacher/items",
    opt=described(
        TAG,
        {200: Answer("The page.", str, media_type=HTML, also=(CSV,))},
        permission=Permission.READ_ANALYTICS,
        query=ItemsPageQuery,
        page=True,
        visitors=TEACHERS_BROWSERS,
    ),
)
async def show_items_page(request: AnyRequest) -> Response[str] | Stream:
    """Show a teacher how questions do, by the figures of last night."""
    parts, principal, say = await looked_at(request)
    query = query_of(request, ItemsPageQuery)
    await parts.curricula.require_module(principal.tenant_id, query.module)
    wanted, order = ItemFilter(query.module, query.topic, query.flag), order_of(query.sort)
    if query.format == "csv":
        return await items_table(parts, principal, wanted, order, say.language)
    found = await parts.items.page(principal, wanted, order, cursor=query.cursor, limit=SHOWN)
    return items_page(found, query, say, principal)


def items_page(found: ItemPage, query: ItemsPageQuery, say: Words, principal: Principal) -> Response[str]:
    """The answer with the page of what was found."""
    shown, kept = [item_shown(item, say.language) for item in found.items], query.kept()
    return page(
        "teacher_items.html.jinja",
        say,
        address=address_of(ITEMS_PATH, **kept),
        places=places(ITEMS_PATH, say, principal),
        flags=[
            Link(say("all_questions"), address(ITEMS_PATH, say, **query.kept(flag=None)), current=query.flag is None),
            *(Link(say(one), address(ITEMS_PATH, say, **query.kept(flag=one)), one is query.flag) for one in Flag),
        ],
        orders=[
            Link(say(name), address(ITEMS_PATH, say, **query.kept(sort=sort)), current=sort == query.sort)
            for name, sort in ORDERS.items()
        ],
        narrowed=[
            (name, value, address(ITEMS_PATH, say, **query.kept(**{name: None})))
            for name, value in (("module", query.module), ("topic", query.topic))
            if value is not None
        ],
        chart=item_map(shown, say),
        items=[row_of(item, say) for item in shown],
        parts=part_links(ITEMS_PATH, say, query.cursor, found.next, **kept),
        download=address(ITEMS_PATH, say, **kept, format="csv"),
    )


def row_of(item: ItemShown, say: Words) -> ItemRow:
    return ItemRow(
        shown=item,
        href=address(path_of(item.question_id), say),
        prompt=excerpt(item.prompt, LONGEST_PROMPT),
        facility=figure_listed(item, "facility", say),
        discrimination=figure_listed(item, "discrimination", say),
        mean_time=figure_listed(item, "mean_time_ms", say),
    )


def figure_listed(item: ItemShown, name: str, say: Words) -> str:
    """A figure in the list; of a question that was never analysed a dash, for the row says so once."""
    return say("unknown") if item.computed_at is None else figure_said(item, name, say)


@get(
    "/teacher/items/{question_id:str}",
    opt=described(
        TAG,
        {200: Answer("The page.", str, media_type=HTML)},
        permission=Permission.READ_ANALYTICS,
        query=ItemPageQuery,
        page=True,
        visitors=TEACHERS_BROWSERS,
    ),
)
async def show_item_page(request: AnyRequest, question_id: FromPath[str]) -> Response[str]:
    """Show a teacher how one question does as of now, option by option."""
    parts, principal, say = await looked_at(request)
    query_of(request, ItemPageQuery)
    return item_page(item_shown(await parts.items.one(principal, question_id), say.language), say, principal)


def item_page(item: ItemShown, say: Words, principal: Principal) -> Response[str]:
    """The answer with the page of a question that was computed just now."""
    counts = {f"{choice.id} ✓" if choice.correct else choice.id: choice.count for choice in item.choices}
    said = say.listed([say("count_said", label=name, value=value) for name, value in counts.items()])
    return page(
        "teacher_item.html.jinja",
        say,
        address=address_of(path_of(item.question_id)),
        places=places(path_of(item.question_id), say, principal),
        back=address(ITEMS_PATH, say),
        item=item,
        figures=[
            ("first_attempts", str(item.first_attempts)),
            ("attempts", str(item.attempts)),
            *((name, figure_said(item, name, say)) for name in FIGURES),
        ],
        moment=moment_said(item.computed_at, say) if item.computed_at else say("unknown"),
        of_module=address(ITEMS_PATH, say, module=item.module),
        topics=[(topic, address(ITEMS_PATH, say, topic=topic)) for topic in item.topics],
        chosen=drawn(say("choices"), said or say("nothing_yet"), counts, say),
    )


def path_of(question_id: str) -> str:
    """Where the page of a question is."""
    return f"{ITEMS_PATH}/{quote(question_id, safe='')}"
