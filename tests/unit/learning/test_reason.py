"""Every reason is told as data and in the learner's words."""

from string import Formatter

import pytest

from pipeline.learning.advice import NUMBERS, Because, Why
from pipeline.learning.mistake import Mistake, MistakeShare
from pipeline.learning.reason import SENTENCES, Reason, reason_for
from pipeline.learning.weakness import Weakness
from tests.unit.learning.samples import NOW

WEAK = (Weakness("loops", 0.5, 3, 1, NOW, (MistakeShare(Mistake.SLIP, 0.7), MistakeShare(Mistake.GAP, 0.3))),)


def test_what_is_stored_without_a_reason_is_for_a_weakness() -> None:
    assert reason_for((), "loops", WEAK, "en") == reason_for((Why.WEAK,), "loops", WEAK, "en")


SAMPLES: dict[Why, Because] = {
    **{why: (why,) for why in Why},
    Why.DUE: (Why.DUE, 3, 0.81),
    Why.UNSEEN: (Why.UNSEEN, 9),
    Why.PROJECT: (Why.PROJECT, 2, 1, 3, True, False),
}


@pytest.mark.parametrize("language", SENTENCES)
@pytest.mark.parametrize("why", Why)
def test_every_language_says_every_reason(language: str, why: Why) -> None:
    reason = reason_for(SAMPLES[why], "loops", WEAK, language)
    assert reason.code is why
    assert reason.text
    assert "{" not in reason.text
    english = reason_for(SAMPLES[why], "loops", WEAK, "en").text
    assert (reason.text == english) == (language == "en")


@pytest.mark.parametrize("language", SENTENCES)
def test_every_language_knows_every_kind_of_mistake_and_names_the_same_things(language: str) -> None:
    said = SENTENCES[language]
    assert set(said.mostly) == set(Mistake)
    for why, sentence in said.reasons.items():
        assert fields(sentence) == fields(SENTENCES["en"].reasons[why])


def fields(sentence: str) -> set[str | None]:
    return {field for _, field, _, _ in Formatter().parse(sentence) if field}


def test_a_weak_topic_comes_with_its_score_and_the_mistakes_that_prevail() -> None:
    assert reason_for((Why.WEAK,), "loops", WEAK, "en") == Reason(
        Why.WEAK,
        "“loops” went wrong in the last seven days, mostly by slips.",
        topic="loops",
        score=0.5,
        mistake=Mistake.SLIP,
    )
    assert reason_for((Why.WEAK,), "lists", WEAK, "en").score is None


def test_a_review_comes_with_the_chance_to_remember() -> None:
    reason = reason_for((Why.DUE, 3, 0.81), "loops", (), "en")
    assert (reason.overdue_days, reason.recall) == (3, 0.81)
    assert reason.text == "“loops” is due for review: the chance to still know it is about 81 %."


def test_a_project_says_what_it_has_to_do_with_the_learner() -> None:
    reason = reason_for((Why.PROJECT, 2, 1, 3, True, True), None, (), "en")
    assert (reason.level, reason.met, reason.topics, reason.for_goal, reason.for_industry) == (2, 1, 3, True, True)
    assert reason.text.endswith("and it belongs to your career goal, and it is from your industry.")


def test_a_topic_with_braces_is_only_text() -> None:
    assert "{0.__class__} {days}" in reason_for((Why.NEW,), "{0.__class__} {days}", (), "en").text


def test_the_names_of_numbers_are_those_of_a_reason() -> None:
    assert {name for names in NUMBERS.values() for name in names} <= set(Reason.__struct_fields__)
    assert set(NUMBERS) == set(Why)
