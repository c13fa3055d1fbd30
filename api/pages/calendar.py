"""A calendar of weeks: a column for each, a square for each day, darker where more was done."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Final

import msgspec

from api.pages.geometry import WIDTH, Label

LEFT: Final = 28.0
TOP: Final = 16.0
GAP: Final = 2.0
DAYS: Final = 7
DARKEST: Final = 4
MONTH_WEEKS: Final = 3
"""The name of a month needs the room of so many weeks."""


class Cell(msgspec.Struct, frozen=True):
    """One day: `level` is 0 (nothing) to 4; `said` is what it shows, in words."""

    x: float
    y: float
    level: int
    said: str


class Calendar(msgspec.Struct, frozen=True):
    """All of it; `side` is that of a square, `months` and `weekdays` are the names around it."""

    width: float
    height: float
    side: float
    cells: tuple[Cell, ...]
    months: tuple[Label, ...]
    weekdays: tuple[Label, ...]


class Naming(msgspec.Struct, frozen=True):
    """How days are called: the seven weekdays from Monday on, months, and a day with what was done on it."""

    weekdays: tuple[str, ...]
    month: Callable[[date], str]
    said: Callable[[date, int], str]


def calendar(counts: Mapping[date, int], last: date, weeks: int, naming: Naming) -> Calendar:
    """The `weeks` weeks (Monday to Sunday) up to the one of `last`, whose later days are left out."""
    first = monday_of(last) - timedelta(weeks=weeks - 1)
    side = (WIDTH - LEFT) / weeks - GAP
    shown = [first + timedelta(days=offset) for offset in range((last - first).days + 1)]
    most = max((counts.get(day, 0) for day in shown), default=0)
    cells = []
    for day in shown:
        x, y = place_of(day, first, side)
        count = counts.get(day, 0)
        cells.append(Cell(x, y, level_of(count, most), naming.said(day, count)))
    return Calendar(
        width=WIDTH,
        height=TOP + DAYS * (side + GAP),
        side=side,
        cells=tuple(cells),
        months=tuple(month_names(first, weeks, side, naming)),
        weekdays=tuple(
            Label(LEFT - 4, TOP + index * (side + GAP) + side * 0.8, (naming.weekdays[index],), "end")
            for index in range(0, DAYS, 2)
        ),
    )


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def place_of(day: date, first: date, side: float) -> tuple[float, float]:
    week, weekday = divmod((day - first).days, DAYS)
    return LEFT + week * (side + GAP), TOP + weekday * (side + GAP)


def level_of(count: int, most: int) -> int:
    """0 where nothing was done, else 1 to 4: the quarter of the fullest day that it falls into."""
    return 0 if count <= 0 else max(1, -(-DARKEST * count // max(most, 1)))


def month_names(first: date, weeks: int, side: float, naming: Naming) -> list[Label]:
    """A name above the first week that begins in each month, where the next name leaves it room."""
    mondays = [first + timedelta(weeks=week) for week in range(weeks)]
    starts = [week for week in range(weeks) if week == 0 or mondays[week].month != mondays[week - 1].month]
    ends = [*starts[1:], weeks]
    return [
        Label(LEFT + start * (side + GAP), TOP - 5, (naming.month(mondays[start]),), "start")
        for start, end in zip(starts, ends, strict=True)
        if end - start >= MONTH_WEEKS
    ]
