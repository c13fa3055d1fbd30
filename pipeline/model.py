"""The frozen values that stages, stores and doors hand to each other."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec

JsonValue = Any  # what json.loads may return: the one place where untyped data is let in


class Outcome(StrEnum):
    """How an answer was judged."""

    CORRECT = "correct"
    PARTIAL = "partial"
    INCORRECT = "incorrect"
    NEEDS_REVIEW = "needs_review"
    UNANSWERED = "unanswered"


class AnswerScore(msgspec.Struct, frozen=True):
    """What a scoring rule says of one answer.

    `fraction` is in [0, 1], or None where the rule cannot estimate one (an essay); `points` is
    `fraction × max_points` rounded to 4 decimals, None with it. `rule` names the rule and its version.
    """

    outcome: Outcome
    fraction: float | None
    points: float | None
    max_points: float
    rule: str


class Question(msgspec.Struct, frozen=True):
    """One version of a question of the bank.

    `answer` is the key in its JSON form, already validated for `type`; `options` are `{"id", "text"}`
    in the order shown; `difficulty` is 1 (easy) to 5 (hard); `language` is a BCP 47 tag.
    """

    id: str
    version: int
    type: str
    prompt: str
    answer: Mapping[str, JsonValue]
    points: float = 1.0
    difficulty: int = 3
    topics: tuple[str, ...] = ()
    options: tuple[Mapping[str, str], ...] = ()
    module: str | None = None
    language: str = "en"
    explanation: str | None = None
    industry: str | None = None
    tags: tuple[str, ...] = ()
    hide_solution: bool = False
    """True where feedback must not reveal the solution."""


class Answer(msgspec.Struct, frozen=True):
    """A learner's answer to one question version, as it was handed in."""

    question: Question
    response: JsonValue = None
    response_time_ms: int | None = None
    confidence: int | None = None


class ScoredAnswer(msgspec.Struct, frozen=True):
    """An answer together with what its rule said of it."""

    answer: Answer
    score: AnswerScore
