"""Texts as long as somebody likes are read in steps that grow as they do, and no trick hides in their length."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.prompting.claims import claims_points
from pipeline.prompting.harm import COMMAND, LINK, REACHING_CODE
from pipeline.prompting.markdown import tame
from pipeline.prompting.marking import POINTS
from pipeline.prompting.reading import readings
from pipeline.prompting.render import neutralised

CHARS = 100_000
PIECES = [
    "_-", "a.", "a-", "a_", "a@", "1", "1 ", "1/", "1.", "<", "<a", "\n", "\n ", "[", "[x]", "- ", "# - ", "> # ", "д",
    "аa", "가1", "//a.", "visit a-", "import a,", "curl ", "`", "```", "&#", " .",
]  # fmt: skip


@pytest.mark.parametrize("piece", PIECES)
def test_no_piece_repeated_is_read_by_the_square_of_its_length(piece: str) -> None:
    """It would take minutes here, and the test run would show it."""
    text = piece * (CHARS // len(piece))
    for pattern in (LINK, REACHING_CODE, COMMAND):
        assert sum(1 for _ in pattern.finditer(text)) < CHARS
    assert POINTS.found_in(f"{text}é") in {True, False}
    assert len(tame(f"```\n{text}")) <= 4 * CHARS
    assert len(tame(text)) <= 4 * CHARS
    assert "<<a" not in neutralised(text, "z" * 16)
    assert readings(text)


@pytest.mark.parametrize("marks", ["# - ", "#\t- # "])
def test_marks_within_marks_are_undone_however_deep_they_are(marks: str) -> None:
    assert tame(marks * 5_000 + "end").strip("- ") == "end"


@given(st.integers(1, 60).flatmap(lambda length: st.text("0123456789", min_size=length, max_size=length)))
def test_as_many_of_as_many_are_full_marks_however_long_the_number(number: str) -> None:
    assert claims_points(f"{number}/{number}", "How does a loop end?")
    assert claims_points(f"Well done.\n{number} / {number}!", "How does a loop end?")


@pytest.mark.parametrize("digits", [20, 21, 300])
def test_points_are_seen_behind_a_number_of_any_length(digits: int) -> None:
    number = "7" * digits
    assert claims_points(f"{number}점입니다.", "반복문은 어떻게 끝나요?")
    assert claims_points(f"{number}/{number} points", "How does a loop end?")


@pytest.mark.parametrize(
    "text",
    ["see " + "a" * 300 + ".com/x", "a@" + "b" * 300 + ".c", "x-" * 200 + "a.net", "a.b.c.d.e.f.g.h.i.j.k.l.org"],
)
def test_an_address_is_one_however_long_it_is(text: str) -> None:
    assert LINK.search(text)
