"""Counts of things with long names as bars that lie one below the other, each under its name. The templates draw it."""

from collections.abc import Sequence
from typing import Final

import msgspec

from api.pages.charts import Bar
from api.pages.geometry import WIDTH, Label, fitted, scaled

LANE: Final = 34.0
"""What a name, its bar and the gap below take from top to bottom."""
NAME_BASE: Final = 12.0
BAR_TOP: Final = 17.0
BAR_HEIGHT: Final = 10.0
COUNT_ROOM: Final = 68.0
"""What is left beside the longest bar for its count, which may be a million."""
COUNT_GAP: Final = 5.0
NAME_COLUMNS: Final = 46
"""A name has its line for itself; so many letters of the wider sort fit into it."""


class Lane(msgspec.Struct, frozen=True):
    """One thing: its name, its bar, and its count at the bar's end."""

    name: Label
    bar: Bar
    count: Label


class LaneChart(msgspec.Struct, frozen=True):
    """A lane for each thing, in their order from top to bottom."""

    width: float
    height: float
    lanes: tuple[Lane, ...]


class Counted(msgspec.Struct, frozen=True):
    """What a lane shows: a name, a count, and both in words."""

    name: str
    count: int
    said: str


def lane_chart(things: Sequence[Counted]) -> LaneChart:
    """A lane for each; the longest bar is that of the greatest count, and a count of 0 has none."""
    most = float(max((thing.count for thing in things), default=0))
    lanes = tuple(lane_of(index, thing, most) for index, thing in enumerate(things))
    return LaneChart(WIDTH, LANE * max(len(lanes), 1), lanes)


def lane_of(index: int, thing: Counted, most: float) -> Lane:
    top = LANE * index
    length = scaled(float(thing.count), most, 0.0, WIDTH - COUNT_ROOM)
    return Lane(
        name=Label(0.0, top + NAME_BASE, (fitted(thing.name, NAME_COLUMNS),), "start"),
        bar=Bar(0.0, top + BAR_TOP, length, BAR_HEIGHT, thing.said),
        count=Label(length + COUNT_GAP, top + BAR_TOP + BAR_HEIGHT - 1, (f"{thing.count:,}",), "start"),
    )
