"""The page that shows what was found: each measure owns what stands between its two marks, and its charts."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.growth.bars import Bars, drawn_bars
from benchmarks.growth.chart import Chart, drawn

CHARTS: Final = "charts"


class Section(NamedTuple):
    """One measure's part of the page.

    `charts` by file name without ending, shown in that order below `text`; `broken` names each promise that
    did not hold.
    """

    heading: str
    text: str
    charts: Mapping[str, Chart | Bars]
    table: str
    broken: Sequence[str] = ()


Measure = Callable[[float, Callable[[str], None]], Section]
"""Measures at a scale (1: as published), saying how it goes."""


def markdown(section: Section) -> str:
    """The section as it stands on the page."""
    pictures = [f"![{chart.title}]({CHARTS}/{name}.svg)" for name, chart in section.charts.items()]
    broken = [f"**Not held:** {promise}" for promise in section.broken]
    return "\n\n".join([f"### {section.heading}", section.text, *pictures, section.table, *broken])


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; all columns but the first are numbers."""
    rule = "|---|" + "---:|" * (len(head) - 1)
    return "\n".join(["| " + " | ".join(head) + " |", rule, *("| " + " | ".join(row) + " |" for row in rows)])


def write(page: Path, name: str, section: Section) -> None:
    """Put a section between its marks (at the end where it has none yet), and its charts beside the page."""
    charts = page.parent / CHARTS
    charts.mkdir(parents=True, exist_ok=True)
    for file_name, chart in section.charts.items():
        (charts / f"{file_name}.svg").write_text(drawn(chart) if isinstance(chart, Chart) else drawn_bars(chart))
    page.write_text(replaced(page.read_text(), name, markdown(section)))


def replaced(text: str, name: str, new: str) -> str:
    """The page's text with this measure's part exchanged."""
    begin, end = f"<!-- growth:{name} -->", f"<!-- /growth:{name} -->"
    if begin not in text:
        return f"{text.rstrip()}\n\n{begin}\n{new}\n{end}\n"
    before, _, rest = text.partition(begin)
    return f"{before}{begin}\n{new}\n{end}{rest.partition(end)[2]}"
