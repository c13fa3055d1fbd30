"""`gradeline evaluate scoring`: three files become figures, and what does not fit is named."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli.main import main

QUESTION = {
    "id": "cats-1",
    "type": "short_text",
    "prompt": "What do cats drink?",
    "answer": {"accepted": ["cats drink milk"], "match": "similar"},
}
HAND_INS = [
    {"learner_id": "u", "assignment_id": "x", "answers": [{"question_id": "cats-1", "response": "Cats drink milk"}]},
    {"learner_id": "v", "assignment_id": "x", "answers": [{"question_id": "cats-1", "response": "stones"}]},
]
LABELS = "assignment_id,learner_id,question_id,label\nx,u,cats-1,correct\nx,v,cats-1,incorrect\n"


def evaluated(folder: Path, labels: str, *options: str) -> Result:
    files = [folder / name for name in ("questions", "submissions", "labels")]
    files[0].write_text(json.dumps(QUESTION))
    files[1].write_text("\n".join(json.dumps(one) for one in HAND_INS))
    files[2].write_text(labels)
    return CliRunner().invoke(main, ["evaluate", "scoring", *map(str, files), *options])


def figures(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_two_answers_judged_as_people_did(tmp_path: Path) -> None:
    found = figures(evaluated(tmp_path, LABELS, "--json"))
    cats = found["corpora"]["cats"]
    assert (cats["answers"], cats["auc"], cats["accuracy"], cats["coverage"]) == (2, 1.0, 1.0, 1.0)
    assert found["left_out"] == 0
    assert 0 < found["milliseconds"]["mean"] <= found["milliseconds"]["longest"]


def test_people_read_a_table(tmp_path: Path) -> None:
    result = evaluated(tmp_path, LABELS)
    assert "cats: 2 answers to 1 questions, 50% right" in result.stdout
    assert "the rules as they are     1.000     1.000     1.000" in result.stdout


def test_marks_are_right_from_the_one_named(tmp_path: Path) -> None:
    labels = "learner_id,question_id,mark\nu,cats-1,7\nv,cats-1,2.5\n"
    found = figures(evaluated(tmp_path, labels, "--label", "mark", "--right-from", "5", "--json"))
    assert found["corpora"]["cats"]["accuracy"] == 1.0


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("x,u,cats-1,perhaps", "the label 'perhaps' is neither right nor wrong"),
        ("x,u,dogs-1,correct", "there is no question 'dogs-1'"),
        ("x,w,cats-1,correct", "nobody handed in that answer"),
        ("y,u,cats-1,correct", "nobody handed in that answer"),
    ],
)
def test_what_does_not_fit_is_named_and_left_out(tmp_path: Path, row: str, said: str) -> None:
    found = figures(evaluated(tmp_path, f"{LABELS}{row}\n", "--json"))
    assert found["left_out"] == 1
    assert found["remarks"][0].endswith(f"line 4: {said}")


def test_an_answer_counts_once(tmp_path: Path) -> None:
    found = figures(evaluated(tmp_path, f"{LABELS}x,u,cats-1,correct\n", "--json"))
    assert (found["corpora"]["cats"]["answers"], found["left_out"]) == (2, 1)


def test_labels_without_a_needed_column_are_refused(tmp_path: Path) -> None:
    result = evaluated(tmp_path, "learner_id,label\nu,1\n")
    assert result.exit_code == 1
    assert "no column 'question_id'" in result.stderr


def test_real_answers_are_told_apart_clearly_better_than_by_common_words(data_folder: Path) -> None:
    """On the answers of SemEval-2013; the bounds are those of token Dice and what must be above them."""
    folder = data_folder / "semeval"
    if not folder.is_dir():
        pytest.skip("the SemEval answers are not here")
    files = [str(folder / name) for name in ("questions.ndjson", "submissions.ndjson", "labels.csv")]
    found = figures(CliRunner().invoke(main, ["evaluate", "scoring", *files, "--json"]))
    beetle, science = found["corpora"]["beetle"], found["corpora"]["scientsbank"]
    assert (beetle["answers"] + science["answers"], found["left_out"]) == (8910, 0)
    assert beetle["auc"] > 0.84
    assert science["auc"] > 0.74
    for one in (beetle, science):
        assert one["auc"] > one["baseline"]["auc"] + 0.04
        assert one["tuned"]["accuracy"] > one["baseline"]["accuracy"] + 0.02
        assert one["tuned"]["macro_f1"] > one["baseline"]["macro_f1"] + 0.02
