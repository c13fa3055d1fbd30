import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.scoring.text import MAX_GROWTH, MAX_TOKENS, TEXT_CHARS, comparable, fold, is_blank, tokens


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Linked  List\n", "linked list"),
        ("ＬＥＮ（１）", "len(1)"),
        ("STRASSE", "straße"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("ｶﾞｷﾞｸﾞ", "ガギグ"),
        (unicodedata.normalize("NFD", "자료구조"), "자료구조"),
        ("자료 구조", "자료구조"),
        ("データ　構造", "データ構造"),
        ("链表 O(n)", "链表O(n)"),
        ("㈱", "(株)"),
        ("caf\u00e9", "cafe\u0301"),
        ("soft\u00adware", "software"),
        ("\ufeffzero\u200bwidth", "zerowidth"),
    ],
)
def test_texts_that_look_or_mean_the_same_are_equal(one: str, other: str) -> None:
    assert comparable(one) == comparable(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("linked list", "linkedlist"),
        ("ハ", "バ"),
        ("か", "カ"),
        ("語", "语"),
        ("resume", "résumé"),
        ("3", "３.0"),
    ],
)
def test_texts_that_differ_stay_different(one: str, other: str) -> None:
    assert comparable(one) != comparable(other)


def test_case_can_be_kept() -> None:
    assert fold(" NaN ", keep_case=True) == "NaN"


@pytest.mark.parametrize(
    ("text", "blank"), [("", True), (" \u3000\n", True), ("\u200b", True), (".", False), ("\x00", False)]
)
def test_a_text_is_blank_when_nothing_visible_is_written(text: str, blank: bool) -> None:
    assert is_blank(text) is blank


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It doesn't hold twelve 3.5 cm", ["it", "does", "not", "hold", "12", "3.5", "cm"]),
        ("You cannot", ["you", "can", "not"]),
        ("链表O(n)", ["链表", "o", "n"]),
        ("スタックは", ["スタ", "タッ", "ック", "クは"]),
        ("자료 구조는", ["자료", "구조", "조는"]),
        ("树", ["树"]),
        ("संख्या", ["संख्या"]),
        ("ตัวแปร", ["ตั", "ัว", "วแ", "แป", "ปร"]),
        ("snake_case", ["snake", "case"]),
        ("!?", []),
    ],
)
def test_tokens_are_words_or_pairs_of_characters(text: str, expected: list[str]) -> None:
    assert tokens(text) == expected


def test_tokens_are_bounded() -> None:
    assert len(tokens("字" * 20_000)) == MAX_TOKENS


PIECES = (
    "\ufdfa",
    "\ufb03",
    "ｆ",
    "\u1112\u1161\u11ab",
    "각",
    "e\u0301",
    "o\u0316\u0301\u0315",
    "\uff76\uff9e",
    "字",
    "a ",
)


@given(st.lists(st.tuples(st.sampled_from(PIECES), st.integers(1, 400)), min_size=1, max_size=12))
def test_a_text_is_folded_as_if_all_of_it_had_been_normalised(runs: list[tuple[str, int]]) -> None:
    """Though no more is worked out than is kept: where a text grows, and where characters join across a cut."""
    text = "".join(piece * count for piece, count in runs)
    whole = unicodedata.normalize("NFKC", text[:TEXT_CHARS])
    kept = whole[: min(TEXT_CHARS, max(MAX_GROWTH * len(text[:TEXT_CHARS]), 500))]
    assert fold(text, keep_case=True) == " ".join(kept.split())


def test_normalisation_does_not_grow_with_marks_or_ligatures() -> None:
    assert len(fold("\ufdfa" * 20_000)) <= 20_000
    assert len(fold("a" + "\u0316\u0301" * 9_000)) <= 31
    assert len(fold("a" + "\U0001d165\U0001d16d" * 9_000)) <= 31
