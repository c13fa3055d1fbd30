"""Tables as CSV that spreadsheets open as they are: UTF-8 with a mark, and no cell that they would calculate."""

import csv
import io
import re
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import date, datetime
from typing import Final

from litestar.response import Stream

from api.caller import AnyRequest
from api.description import CSV, JSON

BYTE_ORDER_MARK: Final = "\ufeff"
"""Without it Excel takes UTF-8 for the encoding of the country."""

FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF100
"""What a spreadsheet may take for a formula (OWASP, "CSV Injection"), full-width signs included."""

INNER_FORMULA: Final = re.compile(r"(?<=[;\t])(?= *[=+\-@＝＋－＠])")
"""Where a cell would begin with a formula for a spreadsheet that parts cells elsewhere: `;` does in half of Europe."""

Cell = str | int | float | bool | date | datetime | None
Row = Sequence[Cell]


def wants_csv(request: AnyRequest, asked: str | None) -> bool:
    """Whether the answer is to be a table: by `format`, else by `Accept`."""
    if asked is not None:
        return asked == "csv"
    return request.accept.best_match([JSON, CSV]) == CSV


async def table(name: str, header: Sequence[str], parts: AsyncIterator[Iterable[Row]]) -> Stream:
    """The rows as a file to save, sent part by part.

    The first part is fetched before anything is sent, so that what can be refused is refused with a problem document.
    """
    first = await anext(parts)
    return Stream(
        written(header, first, parts),
        media_type=CSV,
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"', "X-Content-Type-Options": "nosniff"},
    )


async def written(
    header: Sequence[str], first: Iterable[Row], rest: AsyncIterator[Iterable[Row]]
) -> AsyncIterator[bytes]:
    yield (BYTE_ORDER_MARK + lines([header, *first])).encode()
    async for part in rest:
        yield lines(part).encode()


def lines(rows: Iterable[Row]) -> str:
    """Rows as CSV (RFC 4180)."""
    written_to = io.StringIO()
    csv.writer(written_to).writerows([defused(cell) for cell in row] for row in rows)
    return written_to.getvalue()


def defused(cell: Cell) -> Cell:
    """A text with a `'` before whatever in it a spreadsheet would take for a formula; numbers are numbers."""
    if isinstance(cell, str):
        told = INNER_FORMULA.sub("'", cell)
        return f"'{told}" if told.startswith(FORMULA_STARTS) else told
    if isinstance(cell, bool):
        return str(cell).lower()
    return cell
