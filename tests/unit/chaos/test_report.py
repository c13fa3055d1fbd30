"""The table of docs/reliability.md."""

import time
from pathlib import Path

from tests.chaos import report
from tests.chaos.fault import Fault, Moment
from tests.chaos.run import Outcome
from tests.chaos.system import System


async def nothing(_: System) -> Moment:
    return time.time()


def a_fault(name: str) -> Fault:
    return Fault(name=name, title=f"the {name}", promise="kept", rests_on="luck", inject=nothing)


def a_page(folder: Path) -> Path:
    page = folder / "page.md"
    page.write_text(f"before\n{report.BEGIN}\n{report.END}\nafter\n", encoding="utf-8")
    return page


def test_a_fault_that_was_not_tried_keeps_its_row(tmp_path: Path) -> None:
    """Only what was measured is written anew, in the order of the faults; text around the table stays."""
    page, faults = a_page(tmp_path), [a_fault("first"), a_fault("second")]
    report.write(page, faults, [Outcome("second", accepted=2)])
    report.write(page, faults, [Outcome("first", accepted=1)])
    text = page.read_text(encoding="utf-8")
    assert [line.split("|")[4].strip() for line in text.splitlines() if line.startswith("| the ")] == ["1", "2"]
    assert text.startswith("before\n")
    assert text.endswith("after\n")


def test_a_fault_that_is_no_more_loses_its_row(tmp_path: Path) -> None:
    page = a_page(tmp_path)
    report.write(page, [a_fault("old")], [Outcome("old")])
    report.write(page, [a_fault("new")], [Outcome("new")])
    assert "the old" not in page.read_text(encoding="utf-8")


def test_a_skipped_fault_says_why_and_is_not_broken() -> None:
    outcome = Outcome("disk", skipped="wants root")
    assert outcome.kept
    assert "not measured: wants root" in report.row(a_fault("disk"), outcome)


def test_a_broken_promise_is_told_with_its_first_violations() -> None:
    outcome = Outcome("kill", violations=tuple(f"lost: {i}" for i in range(12)))
    assert "BROKEN" in report.line(outcome)
    assert [line.strip() for line in report.complaints(outcome)][-2:] == ["lost: 9", "… and 2 more"]
