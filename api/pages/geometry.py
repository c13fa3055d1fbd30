"""What all charts measure with: scales, steps, numbers as SVG writes them, names that fit. Plain functions."""

from collections.abc import Iterable, Iterator
from math import ceil, floor, log10
from typing import Final
from unicodedata import east_asian_width

import msgspec

WIDTH: Final = 320.0
"""All charts are about as wide as a phone, in the units of their view box, so that letters stay readable there."""

STEPS: Final = (1.0, 2.0, 5.0, 10.0)
SEPARATORS: Final = " ._-/:·"
ELLIPSIS: Final = "…"


class Point(msgspec.Struct, frozen=True):
    """A place in a chart: right and down from its upper left corner."""

    x: float
    y: float


class Label(msgspec.Struct, frozen=True):
    """Words at a place: `anchor` is SVG's start, middle or end; each further line goes below the one before."""

    x: float
    y: float
    lines: tuple[str, ...]
    anchor: str = "middle"


def tidy(number: float) -> str:
    """A number as SVG is given it: at most one decimal, and no minus before a zero."""
    return f"{round(number, 1) + 0.0:g}"


def outline(points: Iterable[Point]) -> str:
    """Points as the `points` of a polygon or a line."""
    return " ".join(f"{tidy(point.x)},{tidy(point.y)}" for point in points)


def scaled(value: float, top: float, low: float, high: float) -> float:
    """Where `value` lies between `low` (for 0) and `high` (for `top`); what is beyond goes to the nearer end."""
    share = min(max(value / top, 0.0), 1.0) if top > 0 else 0.0
    return low + share * (high - low)


def nice_step(most: float, count: int) -> float:
    """The smallest step of 1, 2 or 5 times a power of ten, at least 1, with which `count` steps reach `most`."""
    least = max(most / count, 1.0)
    power = 10.0 ** floor(log10(least))
    return next(step * power for step in STEPS if step * power >= least * (1 - 1e-9))


def nice_ticks(most: float, count: int = 4) -> tuple[float, ...]:
    """Round numbers from 0 to at least `most`, at most `count` steps; never none, even where all is 0."""
    step = nice_step(most, count)
    return tuple(step * index for index in range(max(1, ceil(most / step - 1e-9)) + 1))


def every(count: int, most: int) -> int:
    """Of `count` labels every how manieth is shown, so that there are at most `most`."""
    return max(1, ceil(count / most))


def columns(text: str) -> int:
    """How wide a text is in columns: Korean, Japanese, Chinese and emoji take two each."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


def fitted(text: str, most: int) -> str:
    """`text`, or its beginning and an ellipsis where it is wider than `most` columns."""
    if columns(text) <= most:
        return text
    return head(text, most - 1) + ELLIPSIS


def head(text: str, most: int) -> str:
    """The longest beginning of `text` that is at most `most` columns wide."""
    width = 0
    for index, character in enumerate(text):
        width += columns(character)
        if width > most:
            return text[:index]
    return text


def wrapped(text: str, most: int) -> tuple[str, ...]:
    """`text` on one line or two, each at most `most` columns wide, broken where a word or a part of a name ends."""
    if columns(text) <= most:
        return (text,)
    first = max(breaks(text, most), default=head(text, most), key=len)
    return first.rstrip(), fitted(text[len(first) :].lstrip(), most)


def breaks(text: str, most: int) -> Iterator[str]:
    """The beginnings of `text` that end with a separator and fit into `most` columns."""
    for index, character in enumerate(text[:-1]):
        if character in SEPARATORS and index > 0 and columns(text[: index + 1].rstrip()) <= most:
            yield text[: index + 1]
