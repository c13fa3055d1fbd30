"""Weeks as ISO 8601 counts them, Monday to Sunday, in a learner's own time zone."""

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final, Self

import msgspec

NAME: Final = re.compile(r"([0-9]{4})-W([0-9]{2})")
ONE_WEEK: Final = timedelta(days=7)
DAYS: Final = 7


class Week(msgspec.Struct, frozen=True):
    """A week by its Monday."""

    monday: date

    @property
    def name(self) -> str:
        """As `2026-W47`."""
        year, week, _ = self.monday.isocalendar()
        return f"{year:04d}-W{week:02d}"

    @property
    def sunday(self) -> date:
        return self.monday + timedelta(days=DAYS - 1)

    @property
    def days(self) -> tuple[date, ...]:
        return tuple(self.monday + timedelta(days=offset) for offset in range(DAYS))

    @property
    def before(self) -> Self:
        """The week before this one."""
        return type(self)(self.monday - ONE_WEEK)

    @property
    def after(self) -> Self:
        """The week behind this one."""
        return type(self)(self.monday + ONE_WEEK)

    def start(self, zone: tzinfo) -> datetime:
        """Its first moment in `zone`, in UTC."""
        return datetime.combine(self.monday, time.min, zone).astimezone(UTC)

    def end(self, zone: tzinfo) -> datetime:
        """The first moment that is no longer part of it; where clocks change it is not 168 hours long."""
        return self.after.start(zone)


def week_named(name: str) -> Week | None:
    """The week of this name; None where there is none, as in a year of 52 weeks `2026-W54`."""
    found = NAME.fullmatch(name)
    try:
        return Week(date.fromisocalendar(int(found[1]), int(found[2]), 1)) if found else None
    except ValueError:
        return None


def week_of(day: date) -> Week:
    """The week that a day belongs to."""
    return Week(day - timedelta(days=day.weekday()))


def last_whole_week(now: datetime, zone: tzinfo) -> Week:
    """The latest week that is over in `zone`."""
    return week_of(now.astimezone(zone).date()).before
