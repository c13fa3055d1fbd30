"""The table of docs/llm.md: what was measured, a row for all wires that fare alike."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Final

from tests.failures.cases import FAILURES, WIRES, Expected
from tests.failures.measure import Measured

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "llm.md"
BEGIN: Final = "<!-- failures: begin -->"
END: Final = "<!-- failures: end -->"
HEAD: Final = (
    "| failure of the first provider | wires | requests: first, second | waited | written by | booked for the failed"
    " | if all fail so: requests | waited | said as |\n|---|---|---|---|---|---|---|---|---|\n"
)
WRITERS: Final = {"first": "the first", "second": "the second", "template": "the template, degraded"}


def with_table(page: str, measured: Sequence[Measured]) -> str:
    """The page with this table in its place."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table(measured)}{END}{after}"


def table(measured: Sequence[Measured]) -> str:
    """One row per failure, more where wires differ."""
    rows = (row(title, alike) for title, alike in grouped(measured))
    return HEAD + "".join(rows)


def grouped(measured: Sequence[Measured]) -> list[tuple[str, list[Measured]]]:
    """What was measured by failure, then by outcome, in the order of the list."""
    found = []
    for failure in FAILURES:
        these = sorted((one for one in measured if one.failure == failure.name), key=outcome_of)
        found += [(failure.title, list(alike)) for _, alike in groupby(these, key=outcome_of)]
    return found


def outcome_of(one: Measured) -> str:
    return repr((one.first, one.alone, one.reason))


def row(title: str, alike: Sequence[Measured]) -> str:
    wires = [wire for wire in WIRES if wire in {one.wire for one in alike}]
    first, alone = alike[0].first, alike[0].alone
    cells = [
        title,
        "all" if len(wires) == len(WIRES) else ", ".join(wires),
        requests(first),
        f"{first.rest_seconds:.2f} s",
        WRITERS[first.source],
        first.booked,
        requests(alone),
        f"{alone.rest_seconds:.2f} s",
        f"`{alike[0].reason}`" if alike[0].reason else "–",
    ]
    return "| " + " | ".join(cells) + " |\n"


def requests(of: Expected) -> str:
    return ", ".join(map(str, of.requests))
