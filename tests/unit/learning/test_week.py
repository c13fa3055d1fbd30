"""Weeks, wherever the learner is."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.learning.week import Week, last_whole_week, week_named, week_of

SEOUL, NEW_YORK = ZoneInfo("Asia/Seoul"), ZoneInfo("America/New_York")


@given(st.dates(date(1, 1, 8), date(9999, 12, 20)))
def test_every_day_is_in_the_week_that_its_name_names(day: date) -> None:
    week = week_of(day)
    assert week_named(week.name) == week
    assert day in week.days
    assert week.before.after == week


@pytest.mark.parametrize(
    "name", ["2026-W54", "2026-W00", "2026W47", "2026-47", "0000-W01", "", "２０２６-W47", "2025-W53"]
)
def test_what_is_no_week_has_none(name: str) -> None:
    assert week_named(name) is None


def test_a_year_of_53_weeks_has_them_all() -> None:
    assert week_named("2026-W53") == Week(date(2026, 12, 28))


def test_a_week_begins_at_midnight_where_the_learner_is() -> None:
    week = Week(date(2026, 11, 16))
    assert week.start(SEOUL) == datetime(2026, 11, 15, 15, tzinfo=UTC)
    assert week.end(SEOUL) - week.start(SEOUL) == timedelta(days=7)


def test_the_week_in_which_clocks_are_put_back_is_an_hour_longer() -> None:
    week = week_of(date(2026, 11, 1))
    assert week.end(NEW_YORK) - week.start(NEW_YORK) == timedelta(days=7, hours=1)


def test_the_last_whole_week_depends_on_where_it_is_monday_already() -> None:
    now = datetime(2026, 11, 15, 20, tzinfo=UTC)
    assert last_whole_week(now, UTC).name == "2026-W45"
    assert last_whole_week(now, SEOUL).name == "2026-W46"
