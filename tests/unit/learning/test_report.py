"""A learner's week in figures."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.learning.goal import Goals
from pipeline.learning.regularity import evenness
from pipeline.learning.report import WeeklyReport, report_of
from pipeline.learning.session import Answered, HandIn
from pipeline.learning.week import Week
from pipeline.model import Outcome

WEEK = Week(date(2026, 11, 9))
MONDAY = datetime(2026, 11, 9, tzinfo=UTC)
AFTER = datetime(2026, 11, 20, tzinfo=UTC)
SEOUL = ZoneInfo("Asia/Seoul")
RIGHT, WRONG, HALF = Outcome.CORRECT, Outcome.INCORRECT, Outcome.PARTIAL
FRACTIONS = {RIGHT: 1.0, WRONG: 0.0, HALF: 0.5, Outcome.NEEDS_REVIEW: None}


def hand_in(day: int, hour: int, *outcomes: Outcome, topics: Sequence[str] = ("loops",)) -> HandIn:
    answers = tuple(Answered(tuple(topics), outcome, FRACTIONS[outcome]) for outcome in outcomes)
    return HandIn(MONDAY + timedelta(days=day, hours=hour), answers)


def reported(*hand_ins: HandIn, now: datetime = AFTER, **more: object) -> WeeklyReport:
    return report_of(hand_ins, WEEK, UTC, "UTC", now=now, **more)  # type: ignore[arg-type]  # passed through


def test_a_week_is_summed_up_beside_the_one_before() -> None:
    essay = hand_in(1, 9, RIGHT, Outcome.NEEDS_REVIEW)
    report = reported(hand_in(-7, 9, RIGHT, WRONG), hand_in(0, 9, RIGHT, HALF), essay)
    total = report.total
    assert (total.submissions, total.answers, total.scored, total.correct, total.active_days) == (2, 4, 3, 2, 2)
    assert (total.accuracy, total.mean_score) == (0.6667, 0.8333)
    assert (report.before.answers, report.before.accuracy) == (2, 0.5)
    assert (report.week, report.from_, report.to) == ("2026-W46", MONDAY.date(), date(2026, 11, 15))
    assert report.complete


def test_what_lies_outside_of_both_weeks_counts_nowhere() -> None:
    report = reported(hand_in(-8, 9, RIGHT), hand_in(7, 0, RIGHT))
    assert report.total.answers == report.before.answers == 0
    assert report.total.accuracy is None


def test_the_week_is_the_learners_own() -> None:
    """Sunday 16:00 in UTC is Monday in Seoul."""
    late = HandIn(datetime(2026, 11, 8, 16, tzinfo=UTC), (Answered(("t",), RIGHT, 1.0),))
    assert report_of([late], WEEK, SEOUL, "Asia/Seoul", now=AFTER).total.answers == 1
    assert report_of([late], WEEK, UTC, "UTC", now=AFTER).total.answers == 0


def test_topics_show_what_changed_where_both_weeks_know() -> None:
    report = reported(
        hand_in(-7, 9, WRONG, WRONG), hand_in(0, 9, RIGHT, WRONG), hand_in(0, 10, RIGHT, topics=["lists", "loops"])
    )
    loops, lists = report.topics
    assert (loops.topic, loops.answers, loops.accuracy, loops.accuracy_before, loops.change) == (
        "loops", 3, 0.6667, 0.0, 0.6667,
    )  # fmt: skip
    assert (lists.accuracy, lists.accuracy_before, lists.change) == (1.0, None, None)


def test_the_busiest_hours_are_two_in_a_row() -> None:
    report = reported(hand_in(0, 9, *[RIGHT] * 4), hand_in(1, 20, *[WRONG] * 5), hand_in(2, 21, *[RIGHT] * 5))
    assert report.peak_hours is not None
    assert (report.peak_hours.from_hour, report.peak_hours.to_hour) == (20, 22)
    assert (report.peak_hours.answers, report.peak_hours.share, report.peak_hours.accuracy) == (10, 0.7143, 0.5)


def test_midnight_is_a_busy_hour_too() -> None:
    report = reported(hand_in(0, 23, *[RIGHT] * 10))
    assert report.peak_hours is not None
    assert (report.peak_hours.from_hour, report.peak_hours.to_hour) == (22, 24)


def test_a_few_answers_make_no_busiest_hours() -> None:
    assert reported(hand_in(0, 9, *[RIGHT] * 9)).peak_hours is None


def test_a_week_under_way_counts_the_days_so_far() -> None:
    report = reported(hand_in(0, 9, RIGHT), hand_in(2, 9, RIGHT), now=MONDAY + timedelta(days=3, hours=1))
    assert not report.complete
    assert (report.consistency.active_days, report.consistency.days, report.consistency.share) == (2, 4, 0.5)
    assert [day.answers for day in report.days] == [1, 0, 1, 0]


def test_a_streak_goes_on_from_before_both_weeks() -> None:
    before = [WEEK.before.monday - timedelta(days=offset) for offset in (1, 2, 3)]
    every_day = [hand_in(offset, 9, RIGHT) for offset in range(-7, 7)]
    assert reported(*every_day, active_days=before).streak == 17
    assert reported(*every_day[:-2], active_days=before).streak == 0


def test_goals_are_met_or_not() -> None:
    goals = Goals(weekly_answers=3, weekly_minutes=30)
    report = reported(hand_in(0, 9, RIGHT, RIGHT), hand_in(0, 9, RIGHT), goals=goals)
    assert [(one.goal, one.wanted, one.reached, one.met) for one in report.goals] == [
        ("weekly_answers", 3, 3, True),
        ("weekly_minutes", 30, 0, False),
    ]


@pytest.mark.parametrize(("counts", "even"), [([5] * 7, 1.0), ([9], 0.0), ([], None), ([3, 3], 0.3562)])
def test_evenness_is_the_entropy_of_the_days(counts: list[int], even: float | None) -> None:
    assert evenness(counts, 7) == even


def test_a_single_day_is_neither_even_nor_not() -> None:
    assert evenness([4], 1) is None


HAND_INS = st.lists(
    st.builds(
        lambda at, outcomes: HandIn(
            MONDAY + timedelta(seconds=at), tuple(Answered(("t",), one, FRACTIONS[one], 9) for one in outcomes)
        ),
        st.integers(-9 * 86_400, 9 * 86_400),
        st.lists(st.sampled_from(list(FRACTIONS)), max_size=5),
    ),
    max_size=30,
)


@given(HAND_INS)
def test_every_report_adds_up_and_comes_back_from_json(hand_ins: list[HandIn]) -> None:
    report = reported(*hand_ins)
    assert sum(day.answers for day in report.days) == report.total.answers
    assert sum(topic.answers for topic in report.topics) == report.total.answers
    assert report.total.correct <= report.total.scored <= report.total.answers
    assert report.consistency.active_days == report.total.active_days <= 7
    assert 0 <= (report.consistency.evenness or 0) <= 1
    assert msgspec.json.decode(msgspec.json.encode(report), type=WeeklyReport) == report


@given(HAND_INS, st.randoms())
def test_the_order_of_hand_ins_changes_nothing(hand_ins: list[HandIn], random: object) -> None:
    shuffled = list(hand_ins)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis' Random
    unordered = reported(*shuffled)
    assert unordered == reported(*hand_ins)
