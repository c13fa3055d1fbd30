"""Bars and lines over a row of days or weeks: where everything lies. The templates only draw it."""

from collections.abc import Sequence
from itertools import groupby
from typing import Final

import msgspec

from api.pages.geometry import WIDTH, Label, Point, every, nice_ticks, outline, scaled

HEIGHT: Final = 150.0
LEFT: Final = 42.0
RIGHT: Final = 12.0
TOP: Final = 10.0
BOTTOM: Final = 22.0
FILLED: Final = 0.7
"""The part of its place that a bar fills; the rest is the gap to the next one."""
MOST_LABELS: Final = 6
TICK_RAISE: Final = 3.5
"""How far a label stands below the line it belongs to, so that the line hits its middle."""


class Reading(msgspec.Struct, frozen=True):
    """One value of a row: what stands below it, and what it is; None where there is nothing to show."""

    label: str
    value: float | None
    said: str
    """The same in words, for who points at it and for the table."""


class Tick(msgspec.Struct, frozen=True):
    """A line across the chart and what stands beside it."""

    y: float
    label: Label


class Bar(msgspec.Struct, frozen=True):
    """One bar; a value of 0 has a height of 0."""

    x: float
    y: float
    width: float
    height: float
    said: str


class Dot(msgspec.Struct, frozen=True):
    """One point of a line."""

    at: Point
    said: str


class Frame(msgspec.Struct, frozen=True):
    """What bars and lines share: the size, the lines across, and the labels below."""

    width: float
    height: float
    left: float
    right: float
    ticks: tuple[Tick, ...]
    labels: tuple[Label, ...]


class BarChart(msgspec.Struct, frozen=True):
    """A bar for each reading."""

    frame: Frame
    bars: tuple[Bar, ...]


class LineChart(msgspec.Struct, frozen=True):
    """A dot for each reading that has a value; neighbours are joined, across a gap nothing is."""

    frame: Frame
    lines: tuple[str, ...]
    dots: tuple[Dot, ...]


def bar_chart(readings: Sequence[Reading]) -> BarChart:
    """Counts as bars, from 0 to a round number above the largest."""
    values = nice_ticks(max((reading.value or 0.0 for reading in readings), default=0.0))
    floor, top = HEIGHT - BOTTOM, values[-1]
    place = place_width(len(readings))
    bars = []
    for index, reading in enumerate(readings):
        y = scaled(reading.value or 0.0, top, floor, TOP)
        x = LEFT + place * (index + (1 - FILLED) / 2)
        bars.append(Bar(x, y, place * FILLED, floor - y, reading.said))
    labelled = [(value, f"{value:g}") for value in values]
    return BarChart(frame_of(readings, labelled, top), tuple(bars))


def line_chart(readings: Sequence[Reading], ticks: Sequence[tuple[float, str]]) -> LineChart:
    """Values as a line, from 0 to the last of `ticks`: values with their labels, the smallest first."""
    top = ticks[-1][0]
    dots = [(index, dot) for index, reading in enumerate(readings) if (dot := dot_of(index, reading, readings, top))]
    runs = groupby(enumerate(dots), key=lambda one: one[1][0] - one[0])  # an index ahead of its count: a new run
    lines = [[dot.at for _, (_, dot) in run] for _, run in runs]
    return LineChart(
        frame=frame_of(readings, ticks, top),
        lines=tuple(outline(line) for line in lines if len(line) > 1),
        dots=tuple(dot for _, dot in dots),
    )


def dot_of(index: int, reading: Reading, readings: Sequence[Reading], top: float) -> Dot | None:
    if reading.value is None:
        return None
    return Dot(Point(middle(index, len(readings)), scaled(reading.value, top, HEIGHT - BOTTOM, TOP)), reading.said)


def frame_of(readings: Sequence[Reading], ticks: Sequence[tuple[float, str]], top: float) -> Frame:
    """The frame of these readings; of many labels only some are shown, the last one always."""
    last, step = len(readings) - 1, every(len(readings), MOST_LABELS)
    return Frame(
        width=WIDTH,
        height=HEIGHT,
        left=LEFT,
        right=WIDTH - RIGHT,
        ticks=tuple(tick_of(value, name, top) for value, name in ticks),
        labels=tuple(
            Label(middle(index, len(readings)), HEIGHT - 6, (reading.label,))
            for index, reading in enumerate(readings)
            if (last - index) % step == 0
        ),
    )


def tick_of(value: float, name: str, top: float) -> Tick:
    y = scaled(value, top, HEIGHT - BOTTOM, TOP)
    return Tick(y, Label(LEFT - 5, y + TICK_RAISE, (name,), "end"))


def place_width(count: int) -> float:
    """How much room each of `count` readings has from left to right."""
    return (WIDTH - LEFT - RIGHT) / max(count, 1)


def middle(index: int, count: int) -> float:
    """The middle of the place of a reading."""
    return LEFT + place_width(count) * (index + 0.5)
