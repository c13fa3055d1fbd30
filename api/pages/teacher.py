"""The teacher's pages of learners: who is falling behind, and career paths."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from litestar import Response, get
from litestar.response import Stream

from api.analytics import Cursor, Format, Label
from api.analytics_shown import at_risk_shown
from api.analytics_tables import at_risk_table, careers_table
from api.caller import AnyRequest
from api.description import CSV, HTML, Answer, described
from api.pages.entering import TAG
from api.pages.rendering import page
from api.pages.review import REVIEW_PAGES
from api.pages.teacher_frame import CAREERS_PATH, RISK_PATH, Locale, groups_of, looked_at, part_links, places
from api.pages.teacher_items import show_item_page, show_items_page
from api.pages.teacher_view import (
    InLanes,
    Link,
    address,
    by_score,
    by_sign,
    careers_chart,
    group_links,
    name_of,
    risk_row,
    spread_chart,
)
from api.pages.visitor import address_of
from api.pages.words import Words
from api.reading import query_of
from pipeline.learning.risk import FLAGGED_FROM
from pipeline.ports.analytics import Group, RiskFilter
from pipeline.service.access import TEACHERS_BROWSERS, Permission, Principal
from pipeline.service.at_risk import Overview
from pipeline.service.careers import Career, CareerList
from pipeline.service.ranking import Basis

SHOWN: Final = 50


class RiskPageQuery(msgspec.Struct, frozen=True):
    """Whose risk, in which language; with `all=true` also learners who are not at risk."""

    group: Label | None = None
    category: Label | None = None
    all: bool = False
    cursor: Cursor | None = None
    format: Format | None = None
    locale: Locale | None = None

    @property
    def wanted(self) -> RiskFilter:
        return RiskFilter(0.0 if self.all else FLAGGED_FROM, self.category)

    def kept(self, **changes: str | None) -> dict[str, str | None]:
        """The part of the query that a link on the page goes on with."""
        return {"group": self.group, "category": self.category, "all": "true" if self.all else None, **changes}


class CareersPageQuery(msgspec.Struct, frozen=True):
    """Whose careers, in which language."""

    group: Label | None = None
    format: Format | None = None
    locale: Locale | None = None


class CareerCard(msgspec.Struct, frozen=True):
    """A career path on its page; `at_risk` leads to its learners."""

    name: str
    career: Career
    spread: InLanes | None
    at_risk: str | None


@get(
    "/teacher",
    opt=described(
        TAG,
        {200: Answer("The page.", str, media_type=HTML, also=(CSV,))},
        permission=Permission.READ_ANALYTICS,
        query=RiskPageQuery,
        problems=(404, 409),
        page=True,
        visitors=TEACHERS_BROWSERS,
    ),
)
async def show_teacher_page(request: AnyRequest) -> Response[str] | Stream:
    """Show a teacher who is falling behind, why, and what to do.

    Browsers come to it by `/pages/enter` with a page token. With `format=csv` it is a table to save.
    """
    parts, principal, say = await looked_at(request)
    query = query_of(request, RiskPageQuery)
    if query.format == "csv":
        return await at_risk_table(parts, principal, query.group, query.wanted, say.language)
    overview = await parts.at_risk.overview(principal, query.group, query.wanted, cursor=query.cursor, limit=SHOWN)
    return risk_page(overview, await groups_of(parts, principal), query, say, principal)


def risk_page(
    overview: Overview, groups: Sequence[Group], query: RiskPageQuery, say: Words, principal: Principal
) -> Response[str]:
    """The answer with the page of what was found."""
    found, kept = overview.page, query.kept()
    return page(
        "teacher_risk.html.jinja",
        say,
        address=address_of(RISK_PATH, **kept),
        places=places(RISK_PATH, say, principal, query.group),
        groups=group_links(groups, RISK_PATH, query.group, say, category=query.category),
        views=[
            Link(say("only_flagged"), address(RISK_PATH, say, **query.kept(all=None)), current=not query.all),
            Link(say("show_all"), address(RISK_PATH, say, **query.kept(all="true")), current=query.all),
        ],
        sums=overview.sums,
        career=query.category,
        moment=say("as_of_now" if found.basis is Basis.NOW else "as_of_night", day=found.day),
        by_score=by_score(overview.sums, say),
        by_sign=by_sign(overview.sums, say),
        rows=[risk_row(one, say) for one in at_risk_shown(found, say.language).items],
        parts=part_links(RISK_PATH, say, query.cursor, found.next, **kept),
        download=address(RISK_PATH, say, **kept, format="csv"),
    )


@get(
    "/teacher/careers",
    opt=described(
        TAG,
        {200: Answer("The page.", str, media_type=HTML, also=(CSV,))},
        permission=Permission.READ_ANALYTICS,
        query=CareersPageQuery,
        problems=(404, 409),
        page=True,
        visitors=TEACHERS_BROWSERS,
    ),
)
async def show_careers_page(request: AnyRequest) -> Response[str] | Stream:
    """Show a teacher how learners are spread over career paths, and how far they are."""
    parts, principal, say = await looked_at(request)
    query = query_of(request, CareersPageQuery)
    found = await parts.careers.show(principal, query.group, say.language)
    if query.format == "csv":
        return await careers_table(found)
    return careers_page(found, await groups_of(parts, principal), query, say, principal)


def careers_page(
    found: CareerList, groups: Sequence[Group], query: CareersPageQuery, say: Words, principal: Principal
) -> Response[str]:
    """The answer with the page of what was found."""
    return page(
        "teacher_careers.html.jinja",
        say,
        address=address_of(CAREERS_PATH, group=query.group),
        places=places(CAREERS_PATH, say, principal, query.group),
        groups=group_links(groups, CAREERS_PATH, query.group, say),
        moment=say("as_of_now" if found.basis is Basis.NOW else "as_of_night", day=found.day),
        by_career=careers_chart(found.careers, say),
        careers=[card_of(career, query.group, say) for career in found.careers],
        download=address(CAREERS_PATH, say, group=query.group, format="csv"),
    )


def card_of(career: Career, group: str | None, say: Words) -> CareerCard:
    at_risk = address(RISK_PATH, say, group=group, category=career.category) if career.learners else None
    return CareerCard(
        name_of(career, say), career, spread_chart(career, say), None if career.category is None else at_risk
    )


TEACHER_PAGES: Final[tuple[Any, ...]] = (
    show_teacher_page,
    show_careers_page,
    show_items_page,
    show_item_page,
    *REVIEW_PAGES,
)
