"""The reasons are told in the learner's language."""

import pytest

from pipeline.learning.candidate import Kind
from pipeline.learning.rationale import WORDS, rationale_for

PICKS = [(Kind.WEAKNESS, "loops")] * 2 + [(Kind.WEAKNESS, "lists"), (Kind.REVIEW, "dicts")]


def test_each_kind_gets_a_sentence_with_its_number_and_topics() -> None:
    assert rationale_for(PICKS) == (
        "3 to practise what went wrong in the last seven days: loops, lists. 1 to keep earlier topics fresh: dicts."
    )


@pytest.mark.parametrize("language", WORDS)
@pytest.mark.parametrize("kind", Kind)
def test_every_language_says_number_and_topic_of_every_kind(language: str, kind: Kind) -> None:
    text = rationale_for([(kind, "Schleifen")] * 4, language)
    assert "4" in text
    assert "Schleifen" in text


@pytest.mark.parametrize(("tag", "language"), [("ko-KR", "ko"), ("zh_Hans", "zh"), ("JA", "ja"), ("fr", "en")])
def test_a_locale_speaks_its_language_and_unknown_ones_english(tag: str, language: str) -> None:
    assert rationale_for(PICKS, tag) == rationale_for(PICKS, language)


def test_languages_differ() -> None:
    assert len({rationale_for(PICKS, language) for language in WORDS}) == len(WORDS)
    assert len({rationale_for([], language) for language in WORDS}) == len(WORDS)


def test_a_topic_with_braces_is_only_text() -> None:
    assert "{count} {0.__class__}" in rationale_for([(Kind.REVIEW, "{count} {0.__class__}")])


def test_no_more_than_three_topics_are_named_the_most_frequent_first() -> None:
    picks = [(Kind.REVIEW, topic) for topic in "abcdd"]
    assert rationale_for(picks).endswith("fresh: d, a, b.")
