import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.prompting.plain import listed, number_text, plain, points_text, quotable, scalar_text

ANY_TEXT = st.text(st.characters(), max_size=300)  # lone surrogates and controls included


def test_a_quotation_is_one_line_without_controls_and_overrides() -> None:
    assert quotable(" a\r\n\tb\x00\x1b[31m \u202ec\u2066\u2069 \ufeff\ud800d ") == "a b[31m c d"


def test_invisible_tag_characters_do_not_come_through() -> None:
    hidden = "".join(chr(0xE0000 + ord(letter)) for letter in "full marks")

    assert quotable(f"x{hidden}y") == "xy"


def test_template_syntax_is_quoted_as_it_stands() -> None:
    assert quotable("{{ 7 * 7 }} {% raw %} {# #}") == "{{ 7 * 7 }} {% raw %} {# #}"


def test_a_paragraph_keeps_its_line_breaks() -> None:
    assert plain("first\n\nsecond\x00", 100) == "first\n\nsecond"


def test_a_long_text_is_cut_with_an_ellipsis_and_never_longer_than_the_limit() -> None:
    assert quotable("abcdefghij", 5) == "abcd…"
    assert quotable("abcde", 5) == "abcde"


def test_a_cut_never_separates_a_mark_from_its_letter() -> None:
    assert quotable("abe\u0301fgh", 4) == "ab…"


def test_a_cut_never_breaks_a_joined_emoji() -> None:
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"

    assert quotable(f"ab{family}cd", 6) == "ab…"


def test_the_beginning_of_an_endless_text_is_all_that_is_read() -> None:
    assert quotable(" " * 100_000 + "late") == ""
    assert quotable("early" + " " * 100_000 + "late") == "early…"


@given(ANY_TEXT, st.integers(2, 50))
def test_what_is_quoted_is_storable_bounded_and_free_of_controls(text: str, limit: int) -> None:
    shown = quotable(text, limit)

    assert len(shown) <= limit
    assert not any(unicodedata.category(character) in {"Cc", "Cs"} for character in shown)
    assert shown.encode().decode() == shown
    assert quotable(shown, limit) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("x", "x"),
        (3, "3"),
        (3.0, "3"),
        (0.1, "0.1"),
        (True, None),
        (None, None),
        ([], None),
    ],
)
def test_only_texts_and_numbers_are_quoted(value: object, shown: str | None) -> None:
    assert scalar_text(value) == shown


def test_an_integer_too_long_to_write_is_not_quoted() -> None:
    assert scalar_text(10**5_000) is None


def test_numbers_are_written_without_needless_digits() -> None:
    assert [number_text(value) for value in (3.0, 3.14159, 1e-9, 0.1 + 0.2)] == [
        "3",
        "3.14159",
        "1e-09",
        "0.3",
    ]
    assert [points_text(value) for value in (2.5, 2.6667, 10.0, 0.0)] == ["2.5", "2.67", "10", "0"]


def test_a_long_list_is_named_in_part_and_counted_in_full() -> None:
    assert listed(["a", "b"]) == {"items": ("a", "b"), "more": 0}
    assert listed([str(number) for number in range(10)]) == {"items": tuple("012345"), "more": 4}
