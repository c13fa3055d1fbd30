"""Sittings, and how long ones went best."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pipeline.learning.session import Answered, HandIn, Session, compared, sessions_of
from pipeline.model import Outcome

START = datetime(2026, 11, 16, 9, tzinfo=UTC)


def hand_in(minute: float, *outcomes: Outcome, time_ms: int | None = None) -> HandIn:
    answers = [Answered(("t",), one, float(one is Outcome.CORRECT), time_ms) for one in outcomes]
    return HandIn(START + timedelta(minutes=minute), tuple(answers))


def sitting(minutes: float, scored: int, correct: int) -> Session:
    return Session(START, minutes, 1, scored, correct)


def test_half_an_hour_of_silence_ends_a_session() -> None:
    first, second = sessions_of([hand_in(0), hand_in(30), hand_in(60.1)])
    assert (first.hand_ins, first.minutes) == (2, 30)
    assert (second.hand_ins, second.minutes) == (1, 0)


def test_the_first_hand_in_was_worked_on_before_it_came() -> None:
    [session] = sessions_of([hand_in(0, Outcome.CORRECT, Outcome.CORRECT, time_ms=60_000), hand_in(10)])
    assert session.minutes == 12
    assert session.started_at == START - timedelta(minutes=2)
    [forgotten] = sessions_of([hand_in(0, Outcome.CORRECT, time_ms=86_400_000)])
    assert forgotten.minutes == 30


@given(st.permutations([0.0, 5.0, 40.0, 41.0, 90.0]))
def test_the_order_of_arrival_does_not_matter(minutes: list[float]) -> None:
    assert [one.hand_ins for one in sessions_of([hand_in(minute) for minute in minutes])] == [2, 2, 1]


def test_answers_without_a_score_count_for_no_accuracy() -> None:
    essay = HandIn(START, (Answered(("t",), Outcome.NEEDS_REVIEW, None),))
    [session] = sessions_of([essay, hand_in(1, Outcome.CORRECT, Outcome.PARTIAL)])
    assert (session.scored, session.correct) == (2, 1)


def test_few_sessions_tell_nothing_of_their_length() -> None:
    told = compared([sitting(5, 30, 30), sitting(5, 30, 30), sitting(30, 40, 10), sitting(31, 40, 10)])
    assert (told.count, told.enough, told.best) == (4, False, None)
    assert compared([]).mean_minutes is None


def test_the_length_that_went_best_is_found_where_there_is_enough_of_two() -> None:
    told = compared([sitting(5, 20, 10)] * 4 + [sitting(15, 20, 18)] * 4 + [sitting(90, 5, 5)])
    assert told.enough
    assert told.best is not None
    assert (told.best.from_minutes, told.best.to_minutes, told.best.accuracy) == (10, 20, 0.9)


def test_a_small_difference_is_none() -> None:
    told = compared([sitting(5, 20, 14)] * 4 + [sitting(15, 20, 15)] * 4)
    assert (told.enough, told.best) == (True, None)


def test_a_small_group_has_to_be_better_by_more() -> None:
    """Three short sessions with 20 of 20 do not beat a hundred with 94 % where all together have 88."""
    told = compared([sitting(5, 7, 7)] * 3 + [sitting(15, 20, 19)] * 100 + [sitting(30, 20, 8)] * 15)
    assert told.best is not None
    assert told.best.from_minutes == 10


def test_a_limit_belongs_to_the_longer_group() -> None:
    assert [(one.from_minutes, one.to_minutes) for one in compared([sitting(10, 1, 1)]).lengths] == [(10, 20)]
