"""Figures of a learner's days."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pipeline.learning.metrics import AnswerSums, LearnerDay
from pipeline.learning.progress import accuracy, current_streak, mean_fraction, mean_response_time_ms, total

TODAY = date(2026, 3, 10)


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def test_a_streak_counts_days_in_a_row_up_to_today_or_yesterday() -> None:
    assert current_streak([ago(0), ago(1), ago(2), ago(4)], TODAY) == 3
    assert current_streak([ago(1), ago(2)], TODAY) == 2
    assert current_streak([ago(2), ago(3)], TODAY) == 0
    assert current_streak([], TODAY) == 0


@given(st.sets(st.integers(0, 60)))
def test_a_streak_is_never_longer_than_the_days_there_are(offsets: set[int]) -> None:
    streak = current_streak([ago(offset) for offset in offsets], TODAY)
    first = 0 if 0 in offsets else 1
    assert {first + step for step in range(streak)} <= offsets
    assert first + streak not in offsets


def test_means_are_over_the_answers_that_can_tell() -> None:
    """Four answers, three with a score, two with a time."""
    sums = AnswerSums(4, scored=3, correct=1, fraction_millionths=1_500_000, timed=2, response_time_ms=5_001)
    assert accuracy(sums) == 0.3333
    assert mean_fraction(sums) == 0.5
    assert mean_response_time_ms(sums) == 2500


def test_where_nothing_can_tell_there_is_no_mean() -> None:
    nothing = AnswerSums(answers=2)
    assert accuracy(nothing) is mean_fraction(nothing) is mean_response_time_ms(nothing) is None


def test_days_add_up() -> None:
    days = [LearnerDay(1, "ada", ago(n), 1, AnswerSums(answers=n, correct=1)) for n in (1, 2)]
    assert total(days) == AnswerSums(answers=3, correct=2)
    assert total([]) == AnswerSums()
