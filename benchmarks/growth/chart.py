"""Line charts as SVG: the same values give the same bytes, and they read on light and on dark pages."""

from collections.abc import Iterator, Sequence
from html import escape
from math import ceil, floor, log10
from typing import Final, NamedTuple

WIDTH, HEIGHT = 680, 340
LEFT, RIGHT, TOP, BOTTOM = 72, 24, 70, 48
HEADROOM: Final = 1.08
MOST_STEPS: Final = 6

# Text and lines follow the reader's colour scheme; the series' colours keep their order in both.
STYLE: Final = """\
<style>
text { font: 12px system-ui, sans-serif; fill: #57606a } .title { font-size: 15px; font-weight: 600; fill: #1f2328 }
.value { fill: #1f2328 } .grid { stroke: #d0d7de; stroke-width: 1 } .line { fill: none; stroke-width: 2.5 }
.l0 { stroke: #0969da } .l1 { stroke: #bc4c00 } .l2 { stroke: #1a7f37 } .l3 { stroke: #8250df }
.p0 { fill: #0969da } .p1 { fill: #bc4c00 } .p2 { fill: #1a7f37 } .p3 { fill: #8250df }
@media (prefers-color-scheme: dark) {
text { fill: #9198a1 } .title, .value { fill: #f0f6fc } .grid { stroke: #3d444d }
.l0 { stroke: #4493f8 } .l1 { stroke: #f0883e } .l2 { stroke: #3fb950 } .l3 { stroke: #ab7df8 }
.p0 { fill: #4493f8 } .p1 { fill: #f0883e } .p2 { fill: #3fb950 } .p3 { fill: #ab7df8 }
}
</style>"""


class Series(NamedTuple):
    """A line: its name and its points (x, y), in order of x."""

    name: str
    points: Sequence[tuple[float, float]]


class Chart(NamedTuple):
    """What is to be drawn. Every x of any series is marked on the x axis; the y axis begins at 0.

    `log_x` spaces x by its logarithm; it must then be above 0.
    """

    title: str
    x_label: str
    y_label: str
    series: Sequence[Series]
    log_x: bool = False


class Frame(NamedTuple):
    """From values to places on the page."""

    xs: Sequence[float]
    top: float
    log_x: bool

    def x(self, value: float) -> float:
        """Where a value lies from left to right."""
        low, high, at = (log10(v) if self.log_x else v for v in (self.xs[0], self.xs[-1], value))
        share = 0.5 if high == low else (at - low) / (high - low)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        """Where a value lies from top to bottom."""
        return HEIGHT - BOTTOM - value / self.top * (HEIGHT - TOP - BOTTOM)


def drawn(chart: Chart) -> str:
    """The chart as an SVG document."""
    xs = sorted({x for series in chart.series for x, _ in series.points})
    steps = steps_up_to(HEADROOM * max(y for series in chart.series for _, y in series.points))
    frame = Frame(xs, steps[-1], chart.log_x)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{escape(chart.title)}</title>",
        STYLE,
        words(LEFT, 22, chart.title, "title"),
        words(LEFT, TOP - 10, chart.y_label),
        words((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, chart.x_label, anchor="middle"),
        *axes(frame, steps),
        *lines(chart, frame),
        *legend(chart),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def axes(frame: Frame, steps: Sequence[float]) -> Iterator[str]:
    """Lines across at round values, and every measured x."""
    for step in steps:
        y = frame.y(step)
        yield f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}"/>'
        yield words(LEFT - 8, y + 4, short(step), anchor="end")
    for x in frame.xs:
        yield words(frame.x(x), HEIGHT - BOTTOM + 18, short(x), anchor="middle")


def lines(chart: Chart, frame: Frame) -> Iterator[str]:
    """Each series; a value stands beside each point of a single one, else beside the last."""
    for number, series in enumerate(chart.series):
        places = [(frame.x(x), frame.y(y), y) for x, y in series.points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in places)
        yield f'<polyline class="line l{number}" points="{path}"/>'
        for x, y, _ in places:
            yield f'<circle class="p{number}" cx="{x:.1f}" cy="{y:.1f}" r="4"/>'
        for x, y, value in places if len(chart.series) == 1 else places[-1:]:
            yield words(min(x, WIDTH - RIGHT - 4), y - 10, short(value), "value", anchor="end" if x > LEFT else "start")


def legend(chart: Chart) -> Iterator[str]:
    """Names of the series, in their colours; a single one needs none."""
    if len(chart.series) == 1:
        return
    at = LEFT
    for number, series in enumerate(chart.series):
        yield f'<circle class="p{number}" cx="{at + 5}" cy="36" r="4"/>'
        yield words(at + 14, 40, series.name)
        at += 30 + 7 * len(series.name)


def words(x: float, y: float, text: str, style: str = "", anchor: str = "start") -> str:
    """A piece of text."""
    kind = f' class="{style}"' if style else ""
    return f'<text{kind} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def steps_up_to(most: float) -> list[float]:
    """Round values from 0 on, the last of which is at least `most`."""
    size = 10.0 ** floor(log10(most)) / 10
    step = next(size * factor for factor in (1, 2, 5, 10, 20, 50) if most / (size * factor) <= MOST_STEPS)
    return [step * number for number in range(ceil(round(most / step, 6)) + 1)]


def short(value: float) -> str:
    """A number as people read it: 1 M, 100 k, 1,234, 12, 1.2."""
    for size, unit in ((1_000_000, " M"), (1_000, " k")):
        if value >= size * (1 if unit == " M" else 10) and value % (size / 10) == 0:
            return f"{value / size:g}{unit}"
    if value >= 100 or value == int(value):  # noqa: PLR2004 - three digits say enough
        return f"{value:,.0f}"
    return f"{value:.3g}"
