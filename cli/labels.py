"""Answers with what people said of them: questions, hand-ins and labels, from three files."""

import csv
from collections import defaultdict
from collections.abc import Iterator, Mapping
from io import TextIOWrapper
from pathlib import Path
from typing import Any, Final, NamedTuple

from cli.ndjson import BadLine, opened, read_lines
from pipeline.errors import EnvironmentFault, InvalidInput
from pipeline.model import JsonValue, Question
from pipeline.scoring.bank import parse_question

KEY: Final = ("assignment_id", "learner_id", "question_id")
LABELS: Final = ("label", "correct", "is_correct", "label_2way", "score", "points")
WORDS: Final = {
    "correct": True, "right": True, "true": True, "yes": True, "1": True, "1.0": True,
    "incorrect": False, "wrong": False, "false": False, "no": False, "0": False, "0.0": False,
}  # fmt: skip


class Labelled(NamedTuple):
    """An answer and what people said of it."""

    question: Question
    response: JsonValue
    right: bool


class Reader:
    """Reads the three files; what does not fit together is counted and the first of it told."""

    def __init__(self, questions: Path, submissions: Path, labels: Path) -> None:
        self._questions = questions
        self._submissions = submissions
        self._labels = labels
        self.remarks: list[str] = []
        self.left_out = 0

    def answers(self, column: str | None, right_from: float | None) -> Iterator[Labelled]:
        """The labelled answers, in the order of the labels; raises `EnvironmentFault` for a file of another kind."""
        questions = self._read_questions()
        responses = self._read_responses()
        for number, row, label in self._rows(column):
            right = verdict(label, right_from)
            question = questions.get(row.get("question_id") or "")
            waiting = responses.get(place_of(row))
            if right is None:
                self._leave_out(f"{self._labels} line {number}: the label {label!r} is neither right nor wrong")
            elif question is None:
                self._leave_out(f"{self._labels} line {number}: there is no question {row.get('question_id')!r}")
            elif not waiting:
                self._leave_out(f"{self._labels} line {number}: nobody handed in that answer")
            else:
                yield Labelled(question, waiting.pop(0), right)

    def _leave_out(self, remark: str) -> None:
        self.left_out += 1
        self.remarks.append(remark)

    def _objects(self, file: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
        with opened(file) as lines:
            for line in read_lines(lines):
                if isinstance(line, BadLine):
                    self._leave_out(f"{file} line {line.number}: {line.detail}")
                else:
                    yield line.number, line.value

    def _read_questions(self) -> dict[str, Question]:
        found: dict[str, Question] = {}
        for number, value in self._objects(self._questions):
            try:
                question = parse_question(value)
            except InvalidInput as error:
                self._leave_out(f"{self._questions} line {number}: {error.problems[0].detail}")
            else:
                found[question.id] = question
        return found

    def _read_responses(self) -> dict[tuple[str, ...], list[JsonValue]]:
        """What was handed in, by place; a learner who handed in again has several, in order."""
        found: dict[tuple[str, ...], list[JsonValue]] = defaultdict(list)
        for number, value in self._objects(self._submissions):
            answers = value.get("answers")
            if not isinstance(answers, list) or not all(isinstance(one, dict) for one in answers):
                self._leave_out(f"{self._submissions} line {number}: no list of answers")
                continue
            for one in answers:
                place = place_of({**value, "question_id": one.get("question_id")})
                found[place].append(one.get("response"))
        return self._by_what_labels_name(found)

    def _by_what_labels_name(
        self, found: Mapping[tuple[str, ...], list[JsonValue]]
    ) -> dict[tuple[str, ...], list[JsonValue]]:
        """Labels that tell no assignment find the answer by learner and question alone."""
        loose: dict[tuple[str, ...], list[JsonValue]] = defaultdict(list)
        for (_, learner, question), responses in found.items():
            loose["", learner, question] += responses
        return {**loose, **found}

    def _rows(self, column: str | None) -> Iterator[tuple[int, Mapping[str, str], str]]:
        with opened(self._labels) as raw, TextIOWrapper(raw, "utf-8-sig", newline="") as lines:
            rows = csv.DictReader(lines)
            headers = rows.fieldnames or ()
            missing = [name for name in KEY[1:] if name not in headers]
            wanted = column or next((name for name in LABELS if name in headers), None)
            if missing or wanted not in headers:
                raise EnvironmentFault(
                    f"{self._labels} has no column {missing[0] if missing else wanted or 'label'!r}: expected a CSV "
                    "with learner_id, question_id, perhaps assignment_id, and a label (--label names its column)"
                )
            for row in rows:
                yield rows.line_num, row, (row[wanted or ""] or "").strip()


def place_of(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Which answer is meant: assignment ("" where none is named), learner, question."""
    return tuple(str(row.get(name) or "") for name in KEY)


def verdict(label: str, right_from: float | None) -> bool | None:
    """What a label says; None where it says neither. With `right_from`, labels are marks."""
    if right_from is None:
        return WORDS.get(label.lower())
    try:
        return float(label) >= right_from
    except ValueError:
        return None
