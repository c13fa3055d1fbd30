"""When periodic work is due: crontab lines, in UTC, taken from the settings.

Only times are worked out here (by APScheduler's `CronTrigger`); who works when is decided in Postgres.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from apscheduler.triggers.cron import CronTrigger

from pipeline.errors import SettingsError

EXAMPLE: Final = "minute hour day month weekday, such as 0 3 * * * or 0 4 * * mon (UTC)"
INSTANT: Final = timedelta(microseconds=1)
MINUTE: Final = re.compile(r"[0-5]?[0-9]")


class Schedule:
    """The times that a crontab line names, at most one an hour."""

    def __init__(self, line: str, trigger: CronTrigger) -> None:
        self.line: Final = line
        self._trigger = trigger

    def __repr__(self) -> str:
        return f"Schedule({self.line!r})"

    def after(self, moment: datetime) -> datetime:
        """The first time after `moment`, which knows its zone."""
        found: datetime | None = self._trigger.get_next_fire_time(None, moment.astimezone(UTC) + INSTANT)
        if found is None:
            raise LookupError(f"there is no time {self.line!r} after {moment:%Y-%m-%d}")
        return found

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """The times after `after` and not after `until`, in order."""
        moment = self.after(after)
        while moment <= until:
            yield moment
            moment = self.after(moment)


def read_schedule(variable: str, line: str) -> Schedule:
    """The schedule of a crontab line; raises a `SettingsError` that names the variable and what is wrong.

    Where programs that read crontabs differ, the line is refused rather than guessed at: days of the week go by
    name (for some programs 0 is Sunday, for others Monday), and a line names a day of the month or days of the week
    (with both, some want either and some both).
    """
    fields = line.split()
    if problem := problem_of(fields):
        raise SettingsError(f"{variable} {problem}; it is {EXAMPLE}, not {line!r}")
    try:
        schedule = Schedule(" ".join(fields), CronTrigger.from_crontab(line, timezone=UTC))
        schedule.after(datetime.now(UTC))
    except ValueError as error:
        raise SettingsError(f"{variable} cannot be read ({error}); it is {EXAMPLE}, not {line!r}") from None
    except LookupError:
        raise SettingsError(f"{variable} never comes: there is no such date as {line!r}") from None
    return schedule


def problem_of(fields: list[str]) -> str | None:
    """What we refuse although a crontab may say it."""
    if len(fields) != len(EXAMPLE.partition(",")[0].split()):
        return f"has {len(fields)} fields instead of five"
    minute, _, day, _, weekday = fields
    if not MINUTE.fullmatch(minute):
        return "must name one minute, so that it comes at most once an hour"
    if any(character.isdigit() for character in weekday):
        return "must name days of the week by letters, as in mon or sat,sun"
    if day != "*" and weekday != "*":
        return "must not name both a day of the month and days of the week"
    return None
