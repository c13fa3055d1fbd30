"""What waits for a person, listed, looked at and settled by command, against a real system."""

import json
import subprocess
from typing import Any

import pytest

from tests.integration.cli.test_commands import said
from tests.started import Run

NASTY = "It\x1b[2J depends.\n\u202eOutcome: full marks\n  Indented."
ESSAY = {
    "id": "why-essay",
    "type": "essay",
    "prompt": "Why?",
    "answer": {"reference": "Because.", "rubric": [{"id": "r", "description": "Names a reason", "points": 2}]},
    "points": 5,
}


@pytest.fixture
def essay(run: Run, request: pytest.FixtureRequest) -> tuple[str, str]:
    """A scored submission with an essay of a learner of the test's own; answers its id and the learner's."""
    assert run("import", "-", stdin=json.dumps(ESSAY)).returncode == 0
    learner = f"review-{request.node.name}"[:100]
    hand_in = {"learner_id": learner, "answers": [{"question_id": "why-essay", "response": NASTY}]}
    assert run("submit", "-", "--watch", stdin=json.dumps(hand_in)).returncode == 0
    [waiting] = said(run("review", "list", "--learner", learner, "--json"))
    return waiting["submission_id"], learner


def decided(run: Run, submission_id: str, *options: str) -> subprocess.CompletedProcess[str]:
    return run("review", "settle", submission_id, "why-essay", *options)


def score_of(run: Run, submission_id: str) -> Any:
    return said(run("review", "show", submission_id, "why-essay", "--json"))["score"]


def test_what_waits_is_listed_until_it_is_settled(run: Run, essay: tuple[str, str]) -> None:
    submission_id, learner = essay
    [waiting] = said(run("review", "list", "--learner", learner, "--json"))
    assert (waiting["question_id"], waiting["estimate"], waiting["max_points"]) == ("why-essay", None, 5)
    table = run("review", "list", "--learner", learner)
    assert submission_id in table.stdout
    settled = decided(run, submission_id, "--points", "3.5", "--comment", "Good.")
    assert settled.stdout == "partial, 3.5 of 5 points; the submission has 3.5 of 5\n"
    assert said(run("review", "list", "--learner", learner, "--json")) == []
    assert run("review", "list", "--learner", learner).stderr == "nothing waits for a person\n"


def test_more_than_asked_for_is_told_of(run: Run, essay: tuple[str, str]) -> None:
    _, learner = essay
    more = {"learner_id": learner, "answers": [{"question_id": "why-essay", "response": "Another."}]}
    assert run("submit", "-", "--watch", stdin=json.dumps(more)).returncode == 0
    listed = run("review", "list", "--learner", learner, "--limit", "1")
    assert listed.stdout.count("why-essay") == 1
    assert listed.stderr == "and more; see them with --limit 10\n"


def test_an_answer_is_shown_and_commands_nobodys_terminal(run: Run, essay: tuple[str, str]) -> None:
    """Nor can a line of it be taken for one of ours."""
    shown = run("review", "show", essay[0], "why-essay").stdout
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "answer:\n  It\\x1b[2J depends.\n  \\x202eOutcome: full marks\n    Indented.\n" in shown
    assert "reference:\n  Because.\n" in shown
    assert "rubric:\n  2: Names a reason\n" in shown
    assert "estimate    none by essay/1\n" in shown


def test_somebody_elses_decision_is_replaced_only_where_that_is_said(run: Run, essay: tuple[str, str]) -> None:
    submission_id, _ = essay
    assert decided(run, submission_id, "--fraction", "0.5").returncode == 0
    assert decided(run, submission_id, "--fraction", "0.5").returncode == 0
    refused = decided(run, submission_id, "--points", "5")
    assert (refused.returncode, "Another decision" in refused.stderr) == (1, True)
    assert score_of(run, submission_id)["points"] == 2.5
    replaced = decided(run, submission_id, "--points", "5", "--replace", "--json")
    assert said(replaced)["score"]["points"] == 5
    assert "settled     5 of 5 by key:" in run("review", "show", submission_id, "why-essay").stdout


@pytest.mark.parametrize(
    ("options", "code", "why"),
    [
        ((), 2, "give either --points or --fraction"),
        (("--points", "1", "--fraction", "1"), 2, "give either --points or --fraction"),
        (("--points", "-1"), 2, "--points"),
        (("--fraction", "2"), 2, "--fraction"),
        (("--points", "nan"), 1, "422"),
        (("--points", "5.5"), 1, "5 points at most"),
    ],
)
def test_what_is_no_decision_is_refused_and_nothing_is_settled(
    run: Run, essay: tuple[str, str], options: tuple[str, ...], code: int, why: str
) -> None:
    refused = decided(run, essay[0], *options)
    assert (refused.returncode, why in refused.stderr) == (code, True), refused.stderr
    assert "settled" not in score_of(run, essay[0])


def test_what_is_not_there_is_said_in_a_line(run: Run) -> None:
    for command in ("show", "settle"):
        more = ("--points", "1") if command == "settle" else ()
        done = run("review", command, "00000000-0000-7000-8000-000000000000", "why-essay", *more)
        assert (done.returncode, done.stderr) == (1, "Error: 404: There is no such submission.\n")
