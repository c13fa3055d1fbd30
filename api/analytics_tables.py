"""The teacher's view as tables to save, complete, whatever part of a list was looked at."""

from collections.abc import AsyncIterator, Iterable

from litestar.response import Stream

from api.analytics_shown import (
    AT_RISK_HEADER,
    CAREER_HEADER,
    ITEM_HEADER,
    at_risk_rows,
    at_risk_shown,
    career_rows,
    item_rows,
    item_shown,
)
from api.spreadsheet import Row, table
from pipeline.bootstrap import ApiParts
from pipeline.ports.analytics import ItemFilter, RiskFilter
from pipeline.service.access import Principal
from pipeline.service.careers import CareerList
from pipeline.service.items import ItemOrder


async def at_risk_table(
    parts: ApiParts, principal: Principal, group_id: str | None, wanted: RiskFilter, locale: str
) -> Stream:
    """Everybody who fits, by falling risk."""
    pages = parts.at_risk.pages(principal, group_id, wanted)
    return await table(
        "at-risk", AT_RISK_HEADER, (list(at_risk_rows(at_risk_shown(page, locale))) async for page in pages)
    )


async def careers_table(found: CareerList) -> Stream:
    """All careers."""
    return await table("careers", CAREER_HEADER, only(career_rows(found.careers)))


async def items_table(
    parts: ApiParts, principal: Principal, wanted: ItemFilter, order: ItemOrder, locale: str
) -> Stream:
    """All questions that fit."""
    found = parts.items.pages(principal, wanted, order)
    rows = (list(item_rows(item_shown(item, locale) for item in part)) async for part in found)
    return await table("items", ITEM_HEADER, rows)


async def only(rows: Iterable[Row]) -> AsyncIterator[Iterable[Row]]:
    """A table that is there at once."""
    yield list(rows)
