"""What an answer says, and what it is silent about."""

import pytest

from pipeline.learning.evidence import choices_of, evidence_of, fully_answered, guess_floor, topics_of
from pipeline.model import Outcome
from tests.unit.learning.samples import question, scored


def test_an_essay_without_an_estimate_says_nothing() -> None:
    assert evidence_of(scored(question(kind="essay"), None)) is None


def test_an_unanswered_choice_counts_as_a_blind_guess_for_the_learner_and_not_for_the_question() -> None:
    evidence = evidence_of(scored(question(kind="single_choice", options=4), 0.0, Outcome.UNANSWERED))
    assert evidence is not None
    assert (evidence.outcome, evidence.error) == (0.25, 1.0)
    assert (evidence.learner_weight, evidence.item_weight) == (1.0, 0.0)


def test_an_unanswered_open_question_counts_as_wrong() -> None:
    evidence = evidence_of(scored(question(), 0.0, Outcome.UNANSWERED))
    assert evidence is not None
    assert (evidence.outcome, evidence.error) == (0.0, 1.0)


def test_unanswered_is_evidence_even_where_a_rule_gives_it_no_fraction() -> None:
    evidence = evidence_of(scored(question(kind="essay"), None, Outcome.UNANSWERED))
    assert evidence is not None
    assert evidence.error == 1.0


def test_a_right_answer_in_other_words_is_no_error() -> None:
    """Its fraction is how alike it is; a learner who is right throughout must not be told of errors."""
    evidence = evidence_of(scored(question(), 0.7, Outcome.CORRECT))
    assert evidence is not None
    assert (evidence.outcome, evidence.error, evidence.correct) == (0.7, 0.0, True)


def test_a_provisional_score_counts_half() -> None:
    evidence = evidence_of(scored(question(), 1.0, Outcome.NEEDS_REVIEW))
    assert evidence is not None
    assert (evidence.learner_weight, evidence.item_weight, evidence.correct) == (0.5, 0.5, False)


@pytest.mark.parametrize(
    ("topics", "module", "expected"),
    [
        (("loops", "lists", "loops"), "m1", ("loops", "lists")),
        ((), "m1", ("m1",)),
        ((), None, ("general",)),
    ],
)
def test_every_question_has_a_topic(topics: tuple[str, ...], module: str | None, expected: tuple[str, ...]) -> None:
    assert topics_of(question(topics=topics, module=module)) == expected


@pytest.mark.parametrize(
    ("kind", "options", "floor"),
    [
        ("single_choice", 4, 0.25),
        ("single_choice", 1, 0.0),
        ("true_false", 0, 0.5),
        ("multiple_choice", 4, 0.0),
        ("numeric", 0, 0.0),
    ],
)
def test_only_choosing_one_of_several_can_be_guessed(kind: str, options: int, floor: float) -> None:
    assert guess_floor(choices_of(question(kind=kind, options=options))) == floor


def test_fully_answered_takes_the_whole_score_only() -> None:
    answers = [
        scored(question("right"), 1.0),
        scored(question("nearly"), 0.99),
        scored(question("open"), None),
        scored(question("likely"), 1.0, Outcome.NEEDS_REVIEW),
        scored(question("blank"), 0.0, Outcome.UNANSWERED),
    ]
    assert fully_answered(answers) == {"right", "likely"}
