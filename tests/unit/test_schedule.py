"""When periodic work is due."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from pipeline.errors import SettingsError
from pipeline.schedule import read_schedule
from pipeline.settings import read_settings

MONDAY = datetime(2026, 11, 16, 4, tzinfo=UTC)


def test_a_time_comes_once_and_not_again_at_the_same_moment() -> None:
    nightly = read_schedule("X", "0 3 * * *")
    first = nightly.after(datetime(2026, 11, 20, 2, 59, 59, 999_999, tzinfo=UTC))
    assert first == datetime(2026, 11, 20, 3, tzinfo=UTC)
    assert nightly.after(first) == datetime(2026, 11, 21, 3, tzinfo=UTC)


def test_the_times_between_two_moments_include_the_later_and_not_the_earlier() -> None:
    weekly = read_schedule("X", "0 4 * * mon")
    found = list(weekly.between(MONDAY, MONDAY + timedelta(weeks=2)))
    assert found == [MONDAY + timedelta(weeks=1), MONDAY + timedelta(weeks=2)]


def test_a_line_is_read_in_utc_wherever_the_moment_was_told() -> None:
    in_seoul = datetime(2026, 11, 20, 11, 30, tzinfo=timezone(timedelta(hours=9)))
    assert read_schedule("X", "0 3 * * *").after(in_seoul) == datetime(2026, 11, 20, 3, tzinfo=UTC)


def test_a_day_that_some_months_lack_waits_for_one_that_has_it() -> None:
    monthly = read_schedule("X", "30 5 31 * *")
    assert monthly.after(datetime(2026, 11, 1, tzinfo=UTC)) == datetime(2026, 12, 31, 5, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("0 3 * *", "has 4 fields"),
        ("0 25 * * *", "cannot be read"),
        ("0 3 * * moon", "cannot be read"),
        ("0 3 * * 1", "by letters"),
        ("* 3 * * *", "one minute"),
        ("*/5 3 * * *", "one minute"),
        ("0 3 1 * mon", "both a day of the month and days of the week"),
        ("0 3 30 2 *", "never comes"),
        ("nightly", "has 1 fields"),
    ],
)
def test_a_line_that_cannot_be_meant_is_refused_by_its_variables_name(line: str, said: str) -> None:
    with pytest.raises(SettingsError, match=f"^GRADELINE_NIGHTLY .*{said}"):
        read_settings({"GRADELINE_NIGHTLY": line})


def test_the_defaults_can_be_read() -> None:
    settings = read_settings({})
    assert (settings.nightly_schedule.line, settings.weekly_schedule.line) == ("0 3 * * *", "0 4 * * mon")
