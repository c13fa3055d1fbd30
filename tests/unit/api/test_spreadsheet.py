"""Tables that spreadsheets open as they are."""

import csv
import io
from collections.abc import AsyncIterator, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.spreadsheet import FORMULA_STARTS, Cell, Row, defused, lines, written


@pytest.mark.parametrize("start", FORMULA_STARTS)
def test_a_text_that_begins_like_a_formula_is_defused(start: str) -> None:
    assert defused(f"{start}cmd|' /C calc'!A0") == f"'{start}cmd|' /C calc'!A0"


@pytest.mark.parametrize(
    ("cell", "written_as"),
    [("u;=1+1;x", "u;'=1+1;x"), ("u; @SUM(A1)", "u;' @SUM(A1)"), ("a\t-2", "a\t'-2"), ("=a;+b", "'=a;'+b")],
)
def test_what_begins_like_a_formula_behind_another_separator_is_defused(cell: str, written_as: str) -> None:
    """Spreadsheets of countries with a decimal comma part cells by semicolons, whatever we meant."""
    assert defused(cell) == written_as


@pytest.mark.parametrize("cell", ["a; b", "a;b=c", -1.5, -3, "a=b", "u-17", "", None, "안녕"])
def test_numbers_and_harmless_texts_stay_as_they_are(cell: Cell) -> None:
    assert defused(cell) == cell


@given(st.lists(st.lists(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\x00")), min_size=1)))
def test_what_is_written_is_read_back_and_no_cell_begins_like_a_formula(rows: list[list[str]]) -> None:
    read = list(csv.reader(io.StringIO(lines(rows), newline="")))
    assert [[cell.replace("'", "") for cell in row] for row in read if row] == [
        [cell.replace("'", "") for cell in row] for row in rows
    ]
    assert not any(cell.startswith(FORMULA_STARTS) for row in read for cell in row)


async def test_a_table_begins_with_the_mark_and_its_header_and_comes_in_parts() -> None:
    async def rest() -> AsyncIterator[Iterable[Row]]:
        yield [("u2", -0.5)]

    parts = [part async for part in written(("learner_id", "score"), [("=u1", True)], rest())]
    assert parts == ["\ufefflearner_id,score\r\n'=u1,true\r\n".encode(), b"u2,-0.5\r\n"]
