"""What of a question is found, and what a search looks for."""

import pytest

from pipeline.errors import InvalidInput
from pipeline.model import Question
from pipeline.scoring.search import facet, read_search, searchable


def a_question(prompt: str) -> Question:
    return Question(id="q", version=1, type="true_false", prompt=prompt, answer={"value": True})


@pytest.mark.parametrize(
    ("prompt", "search"),
    [
        ("What does a for loop do?", "LOOP for"),
        ("What does a for loop do?", "oo"),
        ("Ｐｙｔｈｏｎ 全角", "python"),
        ("STRASSE", "straße"),
        ("if (a%b == 0) { x_y(); }", "a%b"),
        ("자료 구조란 무엇인가?", "자료구조"),
        ("자료구조란 무엇인가?", "자료 구조"),
        ("자료구조란 무엇인가?", "란"),
        ("数据结构是什么", "结构 数据"),
        ("データ構造とは", "造"),
        ("ﾃﾞｰﾀ", "データ"),
        ("Python言語の基礎", "python言語"),
        ("Python 言語", "n言"),
        ("Ελληνικά κείμενα", "ΚΕΊΜ"),
        ("C の基礎", "c 基礎"),
        ("e\u0301cole", "\u00e9cole"),
        ("a\u200bb zero width", "ab"),
    ],
)
def test_whatever_is_in_a_text_has_all_the_runs_that_a_search_asks_for(prompt: str, search: str) -> None:
    found, wanted = searchable(1, a_question(prompt)), read_search(search)
    assert all(word in found.content for word in wanted.words)
    assert set(wanted.terms) <= set(found.terms)


@pytest.mark.parametrize("search", ["a", "%", "_", " ", "a b c", "\u200b", "\u00ad", "😀"])
def test_a_search_for_nothing_an_index_knows_is_refused(search: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_search(search)
    assert refused.value.problems[0].pointer == "/q"


def test_a_search_of_very_many_words_is_refused() -> None:
    with pytest.raises(InvalidInput):
        read_search(" ".join(f"word{number}" for number in range(13)))


def test_one_letter_narrows_down_what_a_word_finds() -> None:
    search = read_search("c pointer")
    assert search.words == ("c", "pointer")
    assert "c" not in search.terms


def test_no_text_can_pretend_to_be_a_property() -> None:
    """Or a question that says ` tenant:2` would be found by another tenant."""
    found = searchable(1, a_question(f"{facet('tenant', 2)} tenant:2 \u3000tenant:2"))
    assert [term for term in found.terms if term.startswith(" tenant")] == [facet("tenant", 1)]


def test_what_may_be_asked_is_bounded_for_the_longest_word() -> None:
    assert len(read_search("ab" * 100 + "".join(chr(0x4E00 + n) for n in range(100))).terms) <= 64


def test_a_very_long_text_is_kept_in_part() -> None:
    found = searchable(1, a_question("first " + "x" * 30_000 + " last"))
    assert "first" in found.content
    assert "last" not in found.content
    assert len(found.content) <= 20_000
