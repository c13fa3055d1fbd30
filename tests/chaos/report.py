"""What a run found: a line per fault for the terminal, a table for docs/reliability.md."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from tests.chaos.fault import Fault
from tests.chaos.run import Outcome

BEGIN: Final = "<!-- measured: begin -->"
END: Final = "<!-- measured: end -->"
HEAD: Final = (
    "| fault | promise | rests on | accepted | lost | doubled | goes on after | drained after "
    "| repeated by clients | slowest 503 | restarted |\n|---|---|---|---|---|---|---|---|---|---|---|\n"
)
VIOLATIONS_SHOWN: Final = 10


def line(outcome: Outcome) -> str:
    """One fault's outcome for the terminal."""
    if outcome.skipped:
        return f"{outcome.name:<26} skipped: {outcome.skipped}"
    verdict = "kept" if outcome.kept else "BROKEN"
    return (
        f"{outcome.name:<26} {verdict:<6} accepted {outcome.accepted:>5}  lost {outcome.lost}"
        f"  doubled {outcome.doubled}  goes on {seconds(outcome.resumed):>7}  drained {seconds(outcome.drained):>7}"
        f"  repeated {outcome.repeated:>6.1%}  slowest 503 {seconds(outcome.slowest_503):>6}"
        f"  restarted {outcome.restarts}"
    )


def complaints(outcome: Outcome) -> list[str]:
    """What was broken, the first few in full."""
    more = len(outcome.violations) - VIOLATIONS_SHOWN
    shown = [f"    {text}" for text in outcome.violations[:VIOLATIONS_SHOWN]]
    return [*shown, f"    … and {more} more"] if more > 0 else shown


def seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f} s"


def row(fault: Fault, outcome: Outcome) -> str:
    """One fault's row of the page."""
    said = [fault.title, fault.promise, fault.rests_on]
    return "| " + " | ".join([*said, *measured(outcome)]) + " |\n"


def measured(outcome: Outcome) -> list[str]:
    if outcome.skipped:
        return [f"not measured: {outcome.skipped}", *["–"] * 7]
    return [
        f"{outcome.accepted:,}",
        str(outcome.lost),
        str(outcome.doubled),
        seconds(outcome.resumed),
        seconds(outcome.drained),
        f"{outcome.repeated:.1%}",
        seconds(outcome.slowest_503),
        str(outcome.restarts),
    ]


def write(page: Path, faults: Sequence[Fault], outcomes: Iterable[Outcome]) -> None:
    """Put what was measured into the page; faults that were not tried this time keep their rows."""
    text = page.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    table, _, after = rest.partition(END)
    rows = rows_of(table) | {
        fault.title: row(fault, outcome) for outcome in outcomes for fault in faults if fault.name == outcome.name
    }
    titles = [fault.title for fault in faults if fault.title in rows]
    page.write_text(f"{before}{BEGIN}\n{HEAD}{''.join(rows[title] for title in titles)}{END}{after}", encoding="utf-8")


def rows_of(table: str) -> dict[str, str]:
    """The rows that a table has, by the title of their fault."""
    lines = [one for one in table.splitlines(keepends=True) if one.startswith("| ")]
    return {one.split("|")[1].strip(): one for one in lines[1:]}
