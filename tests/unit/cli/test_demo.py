"""The demo's samples are good, and its summary says what is in the documents."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from cli.demo.command import QUESTIONS, SUBMISSIONS
from cli.demo.models import ENABLING, without_models
from cli.demo.summary import digest, find_sample
from cli.main import main
from pipeline.model import Question
from pipeline.scoring.answer_key import QUESTION_TYPES
from pipeline.scoring.bank import parse_question
from pipeline.service.hand_in import SubmissionIn
from pipeline.service.intake import check_answers


def read(path: Path) -> list[dict[str, Any]]:
    return [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]


@pytest.fixture(scope="module")
def questions() -> dict[str, Question]:
    return {raw["id"]: parse_question(raw) for raw in read(QUESTIONS)}


def test_the_questions_are_of_all_types_and_in_four_languages(questions: dict[str, Question]) -> None:
    assert {question.type for question in questions.values()} == set(QUESTION_TYPES)
    assert {question.language for question in questions.values()} == {"en", "ko", "ja", "zh"}


def test_every_submission_fits_the_questions(questions: dict[str, Question]) -> None:
    submissions = [msgspec.convert(raw, SubmissionIn) for raw in read(SUBMISSIONS)]
    for submission in submissions:
        check_answers(submission, questions)
    assert len(submissions) == 60
    assert len({submission.learner_id for submission in submissions}) == 8
    assert {answer.question_id for one in submissions for answer in one.answers} == set(questions)


def document(name: str, learner: str, outcome: str, *, locale: str = "en", status: str = "completed") -> dict[str, Any]:
    return {
        "id": name,
        "status": status,
        "learner_id": learner,
        "locale": locale,
        "created_at": "2026-01-01T00:00:00Z",
        "completed_at": "2026-01-01T00:00:00.250Z",
        "score": {
            "fraction": float(outcome == "correct"),
            "answers": [{"question_id": f"q-{name}", "outcome": outcome}],
        },
        "feedback": {"summary": f"summary of {name}", "answers": [{"text": f"text on {name}", "source": "template"}]},
        "recommendations": {
            "weaknesses": [{"topic": f"topic of {name}"}],
            "questions": [{"question_id": f"after {name}"}],
            "rationale": "because",
        },
    }


def test_a_learners_results_are_counted_and_the_latest_advice_is_shown() -> None:
    found = digest([document("1", "maya", "correct"), document("2", "maya", "incorrect")], [])
    (maya,) = found.learners
    assert (maya.submissions, maya.mean_fraction, maya.outcomes) == (2, 0.5, {"correct": 1, "incorrect": 1})
    assert (maya.weaknesses, maya.next_questions) == (("topic of 2",), ("after 2",))
    assert found.latency is not None
    assert found.latency.p50 == 250.0


def test_samples_teach_something_and_come_in_two_languages() -> None:
    documents = [
        document("1", "maya", "correct"),
        document("2", "maya", "partial"),
        document("3", "jiwoo", "incorrect", locale="ko"),
    ]
    assert [sample.question_id for sample in digest(documents, []).samples] == ["q-2", "q-3"]
    assert find_sample(documents, "ja") is None


def test_the_demo_succeeds_only_if_all_are_completed() -> None:
    assert digest([document("1", "maya", "correct")], []).all_completed
    assert not digest([], []).all_completed
    failed = document("2", "maya", "correct", status="failed") | {"completed_at": None}
    assert not digest([document("1", "maya", "correct"), failed], []).all_completed


def test_without_models_a_demo_finds_no_key() -> None:
    kept = without_models({"OPENAI_API_KEY": "k", "ANTHROPIC_API_KEY": "k", "GRADELINE_AI_CONFIG": "f", "PATH": "p"})
    assert kept == {"PATH": "p"}


def test_asking_for_models_without_any_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ENABLING:
        monkeypatch.delenv(name, raising=False)
    done = CliRunner().invoke(main, ["demo", "--ai"])
    assert done.exit_code == 1
    assert "OPENAI_API_KEY or ANTHROPIC_API_KEY" in done.output
