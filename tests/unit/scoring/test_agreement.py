"""Figures of agreement: worked out by hand, and against slow counts of the same."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model import Outcome
from pipeline.scoring.agreement import (
    Judged,
    agreement_of,
    area_under_curve,
    best_threshold,
    folds_of,
    macro_f1,
    token_dice,
)

PAIRS = st.lists(st.tuples(st.booleans(), st.integers(0, 10).map(lambda step: step / 10)), max_size=30)


def judged(question: str, fraction: float, *, right: bool, outcome: Outcome | None = None) -> Judged:
    decided = Outcome.CORRECT if fraction >= 0.6 else Outcome.INCORRECT
    return Judged(question, right, fraction, outcome or decided, 0.6, 0.0)


def test_the_figures_of_four_answers() -> None:
    """One hit, one miss, one false alarm, one answer for a person."""
    found = agreement_of(
        [
            judged("a", 0.9, right=True),
            judged("a", 0.2, right=True),
            judged("b", 0.7, right=False),
            judged("b", 0.5, right=False, outcome=Outcome.NEEDS_REVIEW),
        ]
    )
    assert (found.answers, found.questions, found.right) == (4, 2, 0.5)
    assert found.auc == 0.5  # 0.9 beats both, 0.2 neither
    assert found.accuracy == 0.5
    assert found.macro_f1 == 0.5
    assert found.coverage == 0.75
    assert found.covered_accuracy == pytest.approx(1 / 3)


@given(PAIRS)
def test_the_auc_is_the_share_of_pairs_in_the_right_order(values: list[tuple[bool, float]]) -> None:
    rights = [value for right, value in values if right]
    wrongs = [value for right, value in values if not right]
    pairs = [(one > other) + (one == other) / 2 for one, other in product(rights, wrongs)]
    expected = sum(pairs) / len(pairs) if pairs else None
    assert area_under_curve(values) == (None if expected is None else pytest.approx(expected))


@given(PAIRS)
def test_no_other_threshold_is_better(values: list[tuple[bool, float]]) -> None:
    def reached(limit: float) -> float:
        return macro_f1([(right, value >= limit) for right, value in values])

    best = best_threshold(values)
    assert all(reached(best) >= reached(step / 20) for step in range(21))


@given(st.lists(st.integers(0, 12), min_size=1, max_size=40))
def test_a_question_is_never_in_two_folds_and_no_answer_is_lost(numbers: list[int]) -> None:
    answers = [judged(f"q{number}", 0.5, right=True) for number in numbers]
    folds = folds_of(answers)
    questions = [{one.question_id for one in fold} for fold in folds]
    assert sorted(one.question_id for fold in folds for one in fold) == sorted(one.question_id for one in answers)
    assert sum(len(part) for part in questions) == len(set(numbers))
    assert len(folds) == min(5, len(set(numbers)))


def test_a_threshold_is_chosen_without_the_questions_it_is_tried_on() -> None:
    """A question that is like no other can't be saved by its own labels."""
    usual = [judged(f"q{n}", fraction, right=fraction > 0.5) for n in range(9) for fraction in (0.4, 0.8)]
    odd = [judged("z", 0.1, right=True), judged("z", 0.05, right=False)]
    tuned = agreement_of([*usual, *odd]).tuned
    assert tuned.accuracy == pytest.approx(19 / 20)


def test_dice_is_twice_the_common_words_over_all() -> None:
    assert token_dice("the red cat", ["a red dog", "the cat"]) == pytest.approx(4 / 5)
    assert token_dice("", [""]) == 0.0
