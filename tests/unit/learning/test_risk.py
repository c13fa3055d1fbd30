"""Who is at risk, sign by sign."""

from datetime import date, timedelta
from typing import Any

import pytest

from pipeline.learning.metrics import AnswerSums
from pipeline.learning.risk import Assessment, Completion, FactorBasis, Facts, Sign, assess

TODAY = date(2026, 3, 31)
NO_ANSWERS = AnswerSums()


def answers(correct: int, scored: int) -> AnswerSums:
    return AnswerSums(answers=scored, scored=scored, correct=correct)


def assessed(**known: Any) -> Assessment:
    """A learner about whom all is well, but for what is said."""
    well: dict[str, Any] = {
        "recent": answers(9, 10),
        "ever": answers(90, 100),
        "last_day": TODAY,
        "completion": Completion(mastered=5, modules=10),
        "weaknesses": 0,
    }
    return assess(Facts(**{**well, **known}), TODAY)


def contributions(assessment: Assessment) -> dict[Sign, float]:
    return {factor.sign: factor.contribution for factor in assessment.factors if factor.contribution}


def test_a_learner_who_does_well_has_no_risk() -> None:
    assessment = assessed()
    assert (assessment.score, assessment.flagged, contributions(assessment)) == (0.0, False, {})
    assert [factor.sign for factor in assessment.factors] == list(Sign)


@pytest.mark.parametrize(
    ("known", "sign", "weight"),
    [
        ({"recent": answers(5, 10)}, Sign.ACCURACY, 0.3),
        ({"last_day": TODAY - timedelta(days=8)}, Sign.INACTIVITY, 0.4),
        ({"completion": Completion(2, 10)}, Sign.COMPLETION, 0.2),
        ({"weaknesses": 6}, Sign.WEAKNESSES, 0.1),
    ],
)
def test_each_sign_adds_exactly_its_weight_and_alone_flags_nobody(
    known: dict[str, Any], sign: Sign, weight: float
) -> None:
    assessment = assessed(**known)
    assert contributions(assessment) == {sign: weight}
    assert (assessment.score, assessment.flagged) == (weight, False)


def test_on_the_threshold_nothing_counts_yet() -> None:
    """60 %, seven days, 30 % and five weaknesses are all still well."""
    assessment = assessed(
        recent=answers(6, 10), last_day=TODAY - timedelta(days=7), completion=Completion(3, 10), weaknesses=5
    )
    assert assessment.score == 0.0


def test_all_signs_together_are_a_risk_of_one() -> None:
    assessment = assessed(
        recent=NO_ANSWERS,
        ever=answers(1, 10),
        last_day=TODAY - timedelta(days=30),
        completion=Completion(0, 10),
        weaknesses=9,
    )
    assert (assessment.score, assessment.flagged) == (1.0, True)


@pytest.mark.parametrize(
    ("known", "flagged"),
    [
        ({"recent": answers(5, 10), "last_day": TODAY - timedelta(days=8)}, True),
        ({"last_day": TODAY - timedelta(days=8), "completion": Completion(0, 10)}, True),
        ({"recent": answers(5, 10), "completion": Completion(0, 10), "weaknesses": 6}, True),
        ({"recent": answers(5, 10), "completion": Completion(0, 10)}, False),
        ({"last_day": TODAY - timedelta(days=8), "weaknesses": 6}, False),
    ],
)
def test_a_learner_is_flagged_from_six_tenths_on(known: dict[str, Any], flagged: bool) -> None:
    assert assessed(**known).flagged is flagged


def test_accuracy_is_recent_where_there_are_ten_answers_and_of_all_answers_else() -> None:
    recent = assessed(recent=answers(10, 10), ever=answers(10, 100)).factors[0]
    assert (recent.value, recent.basis, recent.contribution) == (1.0, FactorBasis.RECENT, 0.0)
    everything = assessed(recent=answers(9, 9), ever=answers(10, 100)).factors[0]
    assert (everything.value, everything.basis, everything.contribution) == (0.1, FactorBasis.ALL, 0.3)


def test_what_is_not_known_adds_nothing_and_says_why() -> None:
    assessment = assessed(recent=NO_ANSWERS, ever=NO_ANSWERS, completion=None)
    unknown = {factor.sign: factor.basis for factor in assessment.factors if factor.value is None}
    assert unknown == {Sign.ACCURACY: FactorBasis.NO_ANSWERS, Sign.COMPLETION: FactorBasis.NO_PATH}
    assert assessment.score == 0.0


def test_who_never_handed_in_counts_as_away() -> None:
    away = assessed(recent=NO_ANSWERS, ever=NO_ANSWERS, last_day=None, completion=None).factors[1]
    assert (away.value, away.basis, away.contribution) == (None, FactorBasis.NEVER, 0.4)


def test_who_was_set_a_target_and_has_not_begun_is_not_behind_on_the_way() -> None:
    """Or a whole class would be flagged on the day on which its school sets goals."""
    begins = assessed(recent=NO_ANSWERS, ever=NO_ANSWERS, last_day=None, completion=Completion(0, 10))
    behind = begins.factors[2]
    assert (behind.value, behind.basis, behind.contribution) == (None, FactorBasis.NO_ANSWERS, 0.0)
    assert not begins.flagged
