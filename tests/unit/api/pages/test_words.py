"""The words of pages: complete in every language, and chosen as the visitor wants."""

from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.pages.words import LANGUAGES, TABLE, Words, by_preference, language_of


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


DATES = {"full_day"}
"""Only English needs a month's name."""


def test_every_entry_says_the_same_in_every_language() -> None:
    for name, said in TABLE.items():
        if name in DATES:
            continue
        texts = [getattr(said, language) for language in LANGUAGES]
        assert all(texts), name
        assert len({frozenset(fields(text)) for text in texts}) == 1, name


def test_the_singular_is_for_english_and_leaves_out_nothing_but_the_count() -> None:
    for name, said in TABLE.items():
        if said.one is not None:
            assert fields(said.en) & {"count", "points"}, name
            assert fields(said.en) - fields(said.one) <= {"count", "reached"}, name


@pytest.mark.parametrize(
    ("locale", "accepted", "language"),
    [
        ("ko-KR", "ja", "ko"),
        ("fr", "ko", "en"),
        (None, "ja,en;q=0.8", "ja"),
        (None, "fr, ko;q=0.5, en;q=0.4", "ko"),
        (None, "zh-TW;q=0.9, en;q=0.1", "zh"),
        (None, "en-GB, ko", "en"),
        (None, "de", "en"),
        (None, None, "en"),
        (None, "ko;q=0, en;q=x, ;;,", "en"),
    ],
)
def test_the_language_is_the_one_asked_for_else_the_best_of_the_browsers(
    locale: str | None, accepted: str | None, language: str
) -> None:
    assert language_of(locale, accepted) == language


@given(st.text())
def test_any_header_is_understood_somehow(accepted: str) -> None:
    assert language_of(None, accepted) in LANGUAGES
    assert len(by_preference(accepted)) <= 50


def test_a_difference_is_that_of_the_shares_as_they_are_told() -> None:
    """80 % after 91 % is 11 points less, though 0.8043 and 0.9074 are 10.3 apart."""
    say = Words("ko")
    assert [say.points(0.8043, 0.9074), say.points(0.5, 0.25), say.points(0.501, 0.5)] == ["−11", "+25", "0"]
    assert say.points(None, 0.5) == say.points(0.5, None) == "–"


def test_a_share_is_told_in_whole_percent() -> None:
    say = Words("en")
    assert (say.percent(0.8333), say.percent(None)) == ("83\N{NO-BREAK SPACE}%", "–")
