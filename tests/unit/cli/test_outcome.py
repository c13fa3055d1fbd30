import pytest

from cli.handing_in import HandedIn
from cli.ndjson import BadLine
from cli.outcome import Outcome, answer_rows


def handed_in(number: int, name: str, *, repeated: bool = False) -> HandedIn:
    return HandedIn(number, {"id": name, "status": "pending"}, repeated)


def completed(name: str, fraction: float) -> dict[str, object]:
    return {"id": name, "status": "completed", "score": {"fraction": fraction}}


def test_a_run_is_counted_from_handing_in_to_completion() -> None:
    outcome = Outcome()
    for number, name in enumerate(("a", "b", "c"), start=1):
        assert outcome.kept(handed_in(number, name, repeated=name == "c"))
    outcome.seen({"id": "a", "status": "scoring"})
    assert (outcome.statuses["pending"], outcome.statuses["scoring"], outcome.final) == (2, 1, 0)
    for name, fraction in (("a", 1.0), ("b", 0.5), ("c", 0.0)):
        outcome.seen(completed(name, fraction))
    assert outcome.succeeded(watched=True)
    assert outcome.summary(2.0) == {
        "submissions": 3,
        "new": 2,
        "already_there": 1,
        "refused": 0,
        "statuses": {"completed": 3},
        "mean_fraction": 0.5,
        "seconds": 2.0,
        "rate": 1.5,
        "problems": [],
    }


def test_lines_with_the_same_key_are_one_submission() -> None:
    outcome = Outcome()
    assert outcome.kept(handed_in(1, "a"))
    assert not outcome.kept(handed_in(2, "a", repeated=True))
    summary = outcome.summary(1.0)
    assert (summary["submissions"], summary["new"], summary["already_there"]) == (1, 1, 0)
    assert outcome.decided == 2


def test_a_refused_line_is_a_failure() -> None:
    outcome = Outcome()
    outcome.problems.append(BadLine(3, "not valid JSON"))
    assert not outcome.succeeded(watched=False)
    assert outcome.summary(1.0)["problems"] == [{"number": 3, "detail": "not valid JSON"}]


@pytest.mark.parametrize("status", ["failed", "cancelled", "scoring"])
def test_a_submission_that_is_not_completed_is_a_failure_where_it_was_watched(status: str) -> None:
    outcome = Outcome()
    outcome.kept(handed_in(1, "a"))
    outcome.seen({"id": "a", "status": status})
    assert outcome.succeeded(watched=False)
    assert not outcome.succeeded(watched=True)


def test_results_have_one_row_per_answer() -> None:
    answers = [
        {"question_id": "q1", "outcome": "correct", "fraction": 1.0, "points": 2.0, "rule": "r/1"},
        {"question_id": "q2", "outcome": "needs_review", "fraction": None, "points": None, "rule": "r/1"},
    ]
    document = {
        "id": "s",
        "status": "completed",
        "learner_id": "u",
        "assignment_id": None,
        "score": {"answers": answers},
    }
    rows = list(answer_rows(document, 7))
    assert [(row["line"], row["question_id"], row["fraction"]) for row in rows] == [(7, "q1", 1.0), (7, "q2", None)]
    assert list(answer_rows({"id": "s", "status": "failed"}, 7)) == []
