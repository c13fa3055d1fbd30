"""Pages written from the code are what the code would write now."""

import re
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from api.errors import PROBLEMS
from docs import cli, errors, fields, settings
from pipeline.learning.goal import Goals
from pipeline.service.hand_in import AnswerIn, SubmissionIn
from pipeline.service.intake import IntakeLimits, problems_in, read_submission
from pipeline.settings import Settings, variable_of

NOW = datetime(2026, 3, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("page", "written"),
    [(settings.PAGE, settings.page), (errors.PAGE, errors.page), (cli.PAGE, cli.page), (fields.PAGE, fields.page)],
    ids=["settings", "errors", "cli", "fields"],
)
def test_the_page_is_current(page: Path, written: object) -> None:
    assert callable(written)
    assert page.read_text(encoding="utf-8") == written(), f"run `python -m docs.{page.stem}`"


def test_every_setting_has_a_row_that_says_what_it_means() -> None:
    rows = {line.split("|")[1].strip(" `"): line.split("|")[3].strip() for line in table(settings.page())}
    for field in msgspec.structs.fields(Settings):
        assert rows[variable_of(field.name)].endswith(".")


def test_every_error_has_a_row_that_says_when() -> None:
    rows = {line.split("|")[2].strip(" `"): line.split("|")[4].strip() for line in table(errors.page(), columns=4)}
    for _, name, _ in PROBLEMS.values():
        assert rows[name].endswith(".")


def test_every_field_of_a_hand_in_and_of_goals_has_a_row_that_says_what_it_means() -> None:
    rows = {line.split("|")[1].strip(" `"): line.split("|")[4].strip() for line in table(fields.page(), columns=4)}
    for kind in (SubmissionIn, AnswerIn, Goals):
        for field in msgspec.structs.fields(kind):
            assert rows[field.name].endswith("."), field.name


def test_the_example_of_a_hand_in_has_every_field_and_is_accepted() -> None:
    [given, *_] = re.findall(r"^```json\n(.*?)^```", fields.PAGE.read_text(), re.MULTILINE | re.DOTALL)
    read = read_submission(given.encode(), IntakeLimits(max_answers=500, max_metadata_bytes=16_384), NOW)
    assert msgspec.json.decode(given).keys() == {field.name for field in msgspec.structs.fields(SubmissionIn)}
    assert read.answers[0].confidence == 4


LIMITED = re.compile(r"^(?:1|up) to ([\d,]+) characters$|^([\d,.]+) to ([\d,]+)$")


def test_the_limits_on_the_page_are_those_that_are_held_to() -> None:
    """One more than a row allows is refused, with a pointer to its field."""
    tried = 0
    for line in table(fields.page(), columns=4):
        name, shape = line.split("|")[1].strip(" `"), line.split("|")[2]
        for part in shape.split(", "):
            if not (found := LIMITED.match(part.strip())):
                continue
            tried += 1
            too_much = "x" * (number(found[1]) + 1) if found[1] else number(found[3]) + 1
            assert f"/{name}" in pointers_of(name, too_much), name
    assert tried >= 10


def pointers_of(name: str, value: object) -> set[str]:
    """The last parts of what is pointed at where this value is handed in, or set as a goal."""
    if name in {field.name for field in msgspec.structs.fields(Goals)}:
        return {problem.pointer for problem in problems_in({name: value}, Goals)}
    of_answer = name in {field.name for field in msgspec.structs.fields(AnswerIn)}
    answer = {**fields.EXAMPLE["answers"][0], **({name: value} if of_answer else {})}
    body = {**fields.EXAMPLE, "answers": [answer], **({} if of_answer else {name: value})}
    return {f"/{problem.pointer.rpartition('/')[2]}" for problem in problems_in(body, SubmissionIn)}


def number(text: str) -> int:
    return int(text.replace(",", ""))


def table(page: str, columns: int = 3) -> list[str]:
    return [line for line in page.splitlines() if line.startswith("| ") and line.count("|") == columns + 1]
