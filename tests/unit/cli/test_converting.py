import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.converting import Conversion, entry, sentences, unsent
from cli.main import main
from cli.ndjson import BadLine, Line
from pipeline.importing.item import Left, Taken

BANK = "::Sum:: 2 + 2? {=4 ~5#no}\n\n::Said:: words\n\n::Flat:: The earth is flat. {F}\n"
FOUND = Taken("line 1", {"id": "sum", "type": "essay", "prompt": "Why?", "answer": {}}, ("hints were not taken",))
LOST = Left("line 3", "it has no answer in braces")


def dry(file: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["import", "--dry-run", str(file), *arguments])


def test_a_dry_run_reports_every_item_and_needs_no_server(tmp_path: Path) -> None:
    file = tmp_path / "bank.txt"
    file.write_text(BANK)
    done = dry(file)
    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        "line 1: single_choice sum",
        "    feedback on wrong answers was not taken",
        "line 3: refused: it has no answer in braces: a description, not a question",
        "line 5: true_false flat",
        "gift: 2 questions could be imported, 1 refused",
    ]


def test_the_report_as_json_has_one_entry_for_each_item(tmp_path: Path) -> None:
    file = tmp_path / "bank"
    file.write_text(BANK)
    report = json.loads(dry(file, "--json").stdout)
    assert (report["format"], report["dry_run"], report["refused"]) == ("gift", True, 1)
    assert [item["taken"] for item in report["items"]] == [True, False, True]
    assert report["items"][0] == {
        "where": "line 1",
        "taken": True,
        "id": "sum",
        "type": "single_choice",
        "notes": ["feedback on wrong answers was not taken"],
    }


def test_a_file_without_problems_ends_with_0(tmp_path: Path) -> None:
    file = tmp_path / "bank"
    file.write_text("a {T}")
    assert dry(file).exit_code == 0


def test_standard_input_is_read_too() -> None:
    done = CliRunner().invoke(main, ["import", "--dry-run", "-"], input="::a:: a {T}")
    assert done.stdout.splitlines()[0] == "line 1: true_false a"


@pytest.mark.parametrize(
    ("content", "why"),
    [("<!DOCTYPE quiz []><quiz/>", "DOCTYPE"), ("words", "no format that is known"), ("<quiz>", "no element found")],
)
def test_a_file_that_cannot_be_read_fails_in_one_line(tmp_path: Path, content: str, why: str) -> None:
    file = tmp_path / "bank"
    file.write_text(content)
    done = dry(file)
    assert done.exit_code == 1
    assert why in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_only_what_was_taken_is_sent() -> None:
    lines = list(Conversion("gift", [LOST, FOUND]).lines())
    assert lines == [BadLine(1, LOST.reason), Line(2, dict(FOUND.question))]


def test_a_refusal_by_the_server_stands_at_its_item() -> None:
    assert entry(FOUND, "too large") == {"where": "line 1", "taken": False, "reason": "too large"}
    assert sentences(FOUND, "too large") == ["line 1: refused: too large"]


def test_what_a_file_says_cannot_steer_a_terminal() -> None:
    [said] = sentences(Left("line 1", "the type '\x1b[2J' is none"), None)
    assert "\x1b" not in said


def test_what_reading_refused_counts_as_refused() -> None:
    assert unsent(Conversion("gift", [FOUND, LOST])).refused == {2: LOST.reason}
