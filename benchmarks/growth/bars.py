"""Bars as SVG: one value for each of some names."""

from collections.abc import Sequence
from html import escape
from typing import Final, NamedTuple

from benchmarks.growth.chart import LEFT, RIGHT, STYLE, WIDTH, short, words

NAMES: Final = LEFT + 60
TOP: Final = 44
ROW: Final = 36
VALUE: Final = 70


class Bar(NamedTuple):
    """A name and its value."""

    name: str
    value: float


class Bars(NamedTuple):
    """Bars below each other, from 0, each with its value at its end."""

    title: str
    bars: Sequence[Bar]


def drawn_bars(chart: Bars) -> str:
    """The bars as an SVG document."""
    height = TOP + ROW * len(chart.bars)
    longest = max(bar.value for bar in chart.bars)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>{escape(chart.title)}</title>",
        STYLE,
        words(8, 22, chart.title, "title"),
    ]
    for number, bar in enumerate(chart.bars):
        y = TOP + ROW * number
        width = bar.value / longest * (WIDTH - NAMES - RIGHT - VALUE)
        parts += [
            words(NAMES - 10, y + 16, bar.name, anchor="end"),
            f'<rect class="p0" x="{NAMES}" y="{y}" width="{width:.1f}" height="24" rx="3"/>',
            words(NAMES + width + 8, y + 16, short(bar.value), "value"),
        ]
    return "\n".join([*parts, "</svg>"]) + "\n"
