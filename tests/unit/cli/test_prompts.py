"""`gradeline prompts`: what would be sent, without a server."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli.main import main
from cli.prompts import CHOICES
from pipeline.prompting.picture import PROMPTS
from pipeline.prompting.reply import ANSWER_REPLY
from prompts.catalog import every

QUESTIONS: list[dict[str, Any]] = [
    {
        "id": "range", "type": "single_choice", "prompt": "What does list(range(2, 8, 3)) give?",
        "options": [{"id": "a", "text": "[2, 3, 8]"}, {"id": "b", "text": "[2, 5]"}],
        "answer": {"option": "b"}, "topics": ["loops"], "language": "ko",
    },
    {
        "id": "mutable", "type": "multiple_choice", "prompt": "Which can be changed?",
        "options": [{"id": "a", "text": "a list"}, {"id": "b", "text": "a tuple"}], "answer": {"options": ["a"]},
    },
    {"id": "letter", "type": "essay", "prompt": "Write to your boss.", "answer": {}},
    {"id": "secret", "type": "short_text", "prompt": "Who?", "answer": {"accepted": ["zyzzyva"]},
     "hide_solution": True},
]  # fmt: skip


@pytest.fixture
def bank(tmp_path: Path) -> Path:
    return ndjson(tmp_path / "questions.ndjson", QUESTIONS)


def ndjson(path: Path, lines: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["prompts", *map(str, arguments)])


def rendered(*arguments: object) -> list[dict[str, Any]]:
    result = run("render", *arguments, "--json")
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_prompt_is_shown_with_its_schema_and_its_key(bank: Path) -> None:
    [sent] = rendered(bank, "--question", "range", "--response", "a")

    assert (sent["question_id"], sent["outcome"]) == ("range", "incorrect")
    assert sent["reference"].startswith("feedback/personalized/en@")
    assert (sent["schema_name"], sent["schema"]) == ("answer_reply", dict(ANSWER_REPLY))
    assert "a) [2, 3, 8]" in sent["user"]
    assert "Korean" in sent["user"]
    assert len(bytes.fromhex(sent["key"])) == 32


def test_the_same_answer_has_the_same_key_and_another_fence(bank: Path) -> None:
    [one], [other] = (rendered(bank, "--question", "range", "--response", "a") for _ in range(2))

    assert one["key"] == other["key"]
    assert one["user"] != other["user"]


def test_what_people_see_holds_all_that_would_be_sent(bank: Path) -> None:
    shown = run("render", bank, "--question", "range", "--response", "a").stdout
    [sent] = rendered(bank, "--question", "range", "--response", "a")

    assert sent["system"] in shown
    assert sent["key"] in shown
    assert '"next_step"' in shown


def test_what_is_known_of_the_learner_chooses_the_prompt(bank: Path) -> None:
    asked = (bank, "--question", "range", "--response", "a")

    assert "/weakness_focused/" in rendered(*asked, "--weakness", "loops")[0]["reference"]
    assert "/encouragement/" in rendered(*asked, "--accuracy", "0.2")[0]["reference"]
    assert "/encouragement/" in rendered(*asked, "--prompt", "encouragement")[0]["reference"]
    right = rendered(bank, "--question", "range", "--response", "b", "--career-goal", "data engineer")
    assert "/project_suggestion/" in right[0]["reference"]
    assert "works towards: data engineer" in right[0]["user"]


def test_private_parts_of_an_answer_are_taken_out(bank: Path) -> None:
    [sent] = rendered(bank, "--question", "letter", "--response", "I am Ada, ada@mail.example", "--name", "Ada")

    assert "Ada" not in sent["user"]
    assert "ada@mail.example" not in sent["user"]


def test_a_hidden_solution_is_not_shown(bank: Path) -> None:
    assert "zyzzyva" not in run("render", bank, "--question", "secret", "--response", "x").stdout


def test_a_response_may_be_json(bank: Path) -> None:
    assert rendered(bank, "--question", "mutable", "--response", '["b"]')[0]["outcome"] == "incorrect"


@pytest.mark.parametrize("response", ["z", '["a"]', "{"])
def test_a_response_that_the_question_cannot_have_is_refused(bank: Path, response: str) -> None:
    assert run("render", bank, "--question", "range", "--response", response).exit_code == 2


def test_nothing_is_asked_of_a_model_where_nothing_was_answered(bank: Path) -> None:
    result = run("render", bank, "--question", "letter", "--response", "  ")

    assert result.stdout == ""
    assert "nothing was answered" in result.stderr


def test_submissions_are_shown_answer_by_answer_most_to_learn_first(bank: Path, tmp_path: Path) -> None:
    answers = [
        {"question_id": "range", "response": "b"},
        {"question_id": "letter"},
        {"question_id": "mutable", "response": ["b"]},
    ]
    file = ndjson(tmp_path / "submissions.ndjson", [{"learner_id": "u-17", "locale": "ja", "answers": answers}])

    sent = rendered(bank, "--submissions", file)

    assert [one["question_id"] for one in sent] == ["mutable", "range"]
    assert all("Japanese" in one["user"] and "u-17" not in one["user"] for one in sent)


@pytest.mark.parametrize("line", [{}, {"answers": "a"}, {"answers": [{"response": "a"}]}, {"answers": [1]}])
def test_a_line_that_is_no_submission_is_named(bank: Path, tmp_path: Path, line: dict[str, Any]) -> None:
    result = run("render", bank, "--submissions", ndjson(tmp_path / "submissions.ndjson", [line]))

    assert result.exit_code == 1
    assert "line 1" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((), 2),
        (("--response", "a"), 2),
        (("--question", "nothing", "--response", "a"), 1),
        (("--question", "range", "--response", "a", "--submissions", "-"), 2),
    ],
)
def test_a_request_that_is_not_clear_is_refused(bank: Path, arguments: tuple[str, ...], code: int) -> None:
    assert run("render", bank, *arguments).exit_code == code


def test_a_line_that_is_no_question_is_named(tmp_path: Path) -> None:
    bank = ndjson(tmp_path / "questions.ndjson", [QUESTIONS[0], {"id": "x", "type": "riddle"}])

    result = run("render", bank, "--question", "range", "--response", "a")

    assert result.exit_code == 1
    assert "line 2" in result.stderr


def test_every_text_is_listed_with_its_version() -> None:
    listed = json.loads(run("list", "--json").stdout)

    assert [(one["id"], one["language"], one["version"]) for one in listed] == [
        (text.id, text.language, text.version) for text in every()
    ]


def test_all_prompts_can_be_chosen() -> None:
    assert tuple(f"feedback/{name}" for name in CHOICES) == PROMPTS
