"""A radar of shares: where its axes, rings, shape and names lie."""

from collections.abc import Sequence
from math import cos, pi, sin
from typing import Final

import msgspec

from api.pages.geometry import WIDTH, Label, Point, outline, wrapped

HEIGHT: Final = 220.0
CENTRE: Final = Point(WIDTH / 2, HEIGHT / 2)
RADIUS: Final = 76.0
NAME_GAP: Final = 10.0
NAME_COLUMNS: Final = 11
LINE_HEIGHT: Final = 12.0
RINGS: Final = (0.25, 0.5, 0.75, 1.0)
LEAST_AXES: Final = 3
MOST_AXES: Final = 8
UPRIGHT: Final = 0.3
"""How far from the middle, as a share of the radius, a name stands beside its axis rather than above or below it."""


class Spoke(msgspec.Struct, frozen=True):
    """One axis: its outer end, where its value lies on it, its name, and what it says."""

    end: Point
    value: Point
    label: Label
    said: str


class Radar(msgspec.Struct, frozen=True):
    """A radar; `shape` joins the values, `rings` stand at a quarter, half, three quarters and the whole."""

    width: float
    height: float
    centre: Point
    rings: tuple[str, ...]
    spokes: tuple[Spoke, ...]
    shape: str


class Axis(msgspec.Struct, frozen=True):
    """What to show: a name and a share of 0 to 1."""

    name: str
    share: float
    said: str


def radar(axes: Sequence[Axis]) -> Radar:
    """A radar of at least `LEAST_AXES` axes, the first upright, the others clockwise."""
    count = len(axes)
    if count < LEAST_AXES:
        raise ValueError("two axes and fewer enclose nothing")
    return Radar(
        width=WIDTH,
        height=HEIGHT,
        centre=CENTRE,
        rings=tuple(outline(at(index, count, ring) for index in range(count)) for ring in RINGS),
        spokes=tuple(spoke_of(index, count, axis) for index, axis in enumerate(axes)),
        shape=outline(at(index, count, held(axis.share)) for index, axis in enumerate(axes)),
    )


def held(share: float) -> float:
    return min(max(share, 0.0), 1.0)


def at(index: int, count: int, share: float) -> Point:
    """The place on an axis, `share` of the way from the centre to its end."""
    angle = 2 * pi * index / count
    return Point(CENTRE.x + RADIUS * share * sin(angle), CENTRE.y - RADIUS * share * cos(angle))


def spoke_of(index: int, count: int, axis: Axis) -> Spoke:
    end = at(index, count, 1.0)
    return Spoke(end, at(index, count, held(axis.share)), name_at(index, count, axis.name), axis.said)


def name_at(index: int, count: int, name: str) -> Label:
    """Beyond the end of an axis, growing away from the centre, so that it covers nothing."""
    end = at(index, count, 1 + NAME_GAP / RADIUS)
    lines = wrapped(name, NAME_COLUMNS)
    aside = (end.x - CENTRE.x) / RADIUS
    down = (end.y - CENTRE.y) / RADIUS
    if abs(aside) < UPRIGHT:
        y = end.y + LINE_HEIGHT / 2 if down > 0 else end.y - LINE_HEIGHT * (len(lines) - 1)
        return Label(end.x, y, lines)
    y = end.y + LINE_HEIGHT / 3 - LINE_HEIGHT / 2 * (len(lines) - 1)
    return Label(end.x, y, lines, "start" if aside > 0 else "end")
