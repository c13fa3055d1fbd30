"""How questions do: figures of every night, or of this moment for one question."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Final

import msgspec

from pipeline.errors import NotFound
from pipeline.ports.analytics import AnalysedItem, ItemFilter, ItemPlace, ItemStore
from pipeline.scoring.shape import forbidden_characters
from pipeline.service.access import Principal
from pipeline.service.page import place_before, place_behind

AT_ONCE: Final = 200
BY_ID: Final = "question_id"


class ItemOrder(msgspec.Struct, frozen=True):
    """By what questions are sorted: their ids or a figure of theirs."""

    figure: str = BY_ID
    descending: bool = False


class ItemPage(msgspec.Struct, frozen=True):
    """A part of the questions."""

    items: tuple[AnalysedItem, ...]
    next: str | None = None


class Items:
    """Reads and computes questions' figures."""

    def __init__(self, store: ItemStore) -> None:
        self._store = store

    async def compare_learners(self, tenant_id: int, slot: datetime, *, after: str | None, most: int) -> str | None:  # noqa: ARG002 - as of now, whatever the slot
        """Keep where the next at most `most` learners stand, for `analyse_items`; a `TenantStep` of a nightly job."""
        return await self._store.stand_next(tenant_id, after or "", most)

    async def analyse_items(self, tenant_id: int, slot: datetime, *, after: str | None, most: int) -> str | None:  # noqa: ARG002 - figures are as of now, whatever the slot
        """Analyse and keep the next at most `most` questions; a `TenantStep` of a nightly job.

        Doing a piece again computes it again from what is there then.
        """
        return await self._store.analyse_next(tenant_id, after or "", most)

    async def one(self, principal: Principal, question_id: str) -> AnalysedItem:
        """The figures of a question as of this moment; raises `NotFound`."""
        known = forbidden_characters(question_id) is None
        item = await self._store.analyse_now(principal.tenant_id, question_id) if known else None
        if item is None:
            raise NotFound("There is no such question.")
        return item

    async def page(
        self, principal: Principal, wanted: ItemFilter, order: ItemOrder, *, cursor: str | None, limit: int
    ) -> ItemPage:
        """Questions with the figures of last night."""
        after = None if cursor is None else place_before(cursor, ItemPlace)
        found = await self._browse(principal, wanted, order, after, limit + 1)
        next_ = place_behind(place_of(found[limit - 1], order)) if len(found) > limit else None
        return ItemPage(tuple(found[:limit]), next_)

    async def pages(
        self, principal: Principal, wanted: ItemFilter, order: ItemOrder
    ) -> AsyncIterator[Sequence[AnalysedItem]]:
        """All of them in parts, at least one."""
        part = await self._browse(principal, wanted, order, None, AT_ONCE)
        yield part
        while len(part) == AT_ONCE:
            part = await self._browse(principal, wanted, order, place_of(part[-1], order), AT_ONCE)
            yield part

    async def _browse(
        self, principal: Principal, wanted: ItemFilter, order: ItemOrder, after: ItemPlace | None, most: int
    ) -> list[AnalysedItem]:
        return await self._store.browse(
            principal.tenant_id, wanted, sort=order.figure, descending=order.descending, after=after, most=most
        )


def place_of(item: AnalysedItem, order: ItemOrder) -> ItemPlace:
    """Where a question stands in an order."""
    figures = {"attempts": float(item.attempts), "first_attempts": None}
    if item.computed_at is not None:
        figures |= {
            "facility": item.analysis.facility,
            "discrimination": item.analysis.discrimination,
            "mean_time_ms": as_figure(item.analysis.mean_time_ms),
            "first_attempts": float(item.analysis.first_attempts),
        }
    return ItemPlace(figures.get(order.figure), item.question.id)


def as_figure(value: int | None) -> float | None:
    return None if value is None else float(value)
