"""Every question on the page about questions is valid, and every response there is worth what its row says."""

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pipeline.model import Question
from pipeline.scoring.answer_key import QUESTION_TYPES
from pipeline.scoring.bank import parse_question
from pipeline.scoring.rule import score
from pipeline.scoring.shape import check_response

PAGE = Path(__file__).resolve().parents[3] / "docs" / "questions.md"
EXAMPLE = re.compile(
    r"^```json\n(?P<question>[^`]*)^```\n\n\| response \|.*\n\|[-|]+\|\n(?P<rows>(?:\| .*\n)+)", re.MULTILINE
)
ROW = re.compile(r"\| `(?P<response>.*)` \| (?P<outcome>\w+) \|(?: (?P<fraction>[\w.]+))? \|")


class Row(NamedTuple):
    """A response on the page, and what the page says of it."""

    question: Question
    response: Any
    outcome: str
    fraction: str | None


def examples() -> list[re.Match[str]]:
    return list(EXAMPLE.finditer(PAGE.read_text(encoding="utf-8")))


def question_of(example: re.Match[str]) -> Question:
    return parse_question(json.loads(example["question"]))


def rows_of(example: re.Match[str]) -> list[Row]:
    question = question_of(example)
    found = [ROW.fullmatch(line) for line in example["rows"].splitlines()]
    assert all(found), example["rows"]
    return [Row(question, json.loads(row["response"]), row["outcome"], row["fraction"]) for row in found if row]


ROWS = [row for example in examples() for row in rows_of(example)]


def test_every_type_has_an_example_and_every_example_has_rows() -> None:
    assert {question_of(example).type for example in examples()} == set(QUESTION_TYPES)
    assert PAGE.read_text(encoding="utf-8").count("```json") == len(examples())


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.question.id} {json.dumps(row.response)}")
def test_a_response_is_worth_what_its_row_says(row: Row) -> None:
    malformed = bool(check_response(row.question, row.response))
    assert malformed is (row.outcome == "malformed")
    if malformed:
        return
    given = score(row.question, row.response)
    assert given.outcome == row.outcome
    assert given.fraction == (None if row.fraction == "none" else float(row.fraction or "nan"))
