"""Questions in their smallest form, one of each type, for the tests of scoring."""

from collections.abc import Callable, Mapping
from typing import Any

from pipeline.model import Question
from pipeline.scoring.bank import parse_question

OPTIONS = [{"id": letter, "text": f"Option {letter}"} for letter in "abcd"]

ANSWERS: Mapping[str, dict[str, Any]] = {
    "single_choice": {"option": "b"},
    "multiple_choice": {"options": ["a", "c"]},
    "true_false": {"value": True},
    "numeric": {"value": 3.14, "tolerance": 0.01},
    "short_text": {"accepted": ["a linked list", "linked list"]},
    "cloze": {"blanks": [{"accepted": ["len"]}, {"accepted": ["range"]}]},
    "ordering": {"sequence": ["d", "b", "a", "c"]},
    "matching": {"pairs": {"a": "1", "b": "2"}},
    "essay": {"reference": "It depends.", "rubric": [{"id": "r1", "description": "Says so", "points": 2}]},
}

WITH_OPTIONS = frozenset({"single_choice", "multiple_choice", "ordering"})


def document(question_type: str, **changes: Any) -> dict[str, Any]:
    """The JSON of a small valid question of this type."""
    options = {"options": OPTIONS} if question_type in WITH_OPTIONS else {}
    return {
        "id": "q",
        "type": question_type,
        "prompt": "Why?",
        "answer": ANSWERS[question_type],
        **options,
        **changes,
    }


def question(question_type: str, **changes: Any) -> Question:
    return parse_question(document(question_type, **changes))


def keyed(question_type: str, **answer: Any) -> Question:
    """A question of this type whose key is exactly `answer`."""
    return question(question_type, answer=answer)


def key_response(asked: Question) -> Any:
    """The response that says exactly what the key says."""
    return _KEY_RESPONSES[asked.type](asked.answer)


_KEY_RESPONSES: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "single_choice": lambda answer: answer["option"],
    "multiple_choice": lambda answer: list(answer["options"]),
    "true_false": lambda answer: answer["value"],
    "numeric": lambda answer: answer["value"],
    "short_text": lambda answer: answer["accepted"][0],
    "cloze": lambda answer: [blank["accepted"][0] for blank in answer["blanks"]],
    "ordering": lambda answer: list(answer["sequence"]),
    "matching": lambda answer: dict(answer["pairs"]),
}
