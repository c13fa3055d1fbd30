"""The question bank, kept in the memory of each process for a minute, as a team would cache what hardly changes."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import msgspec

from pipeline.learning.candidate import Candidate, CandidateIndex, candidate_of, index_candidates
from pipeline.learning.rating import ItemRating
from pipeline.model import Question
from pipeline.stages.recommend import primary_language

FRESH_SECONDS: Final = 60.0

BankRow = tuple[str, int, Mapping[str, Any], float | None, int | None]
"""Of each question: id, version, body; and its rating with the number of answers behind it, if it has one."""


class Bank(msgspec.Struct, frozen=True):
    """All questions by id, and those to choose from by language."""

    questions: Mapping[str, Question]
    candidates: Mapping[str, CandidateIndex]


class KeptBank:
    """A bank read at most once a minute, and again where a question is missing."""

    def __init__(self, read: Callable[[], Iterable[BankRow]]) -> None:
        self._read = read
        self._bank = Bank({}, {})
        self._fresh_until = 0.0

    def holding(self, question_ids: Iterable[str]) -> Bank:
        """The bank, read anew if it is a minute old or does not know one of these."""
        if time.monotonic() > self._fresh_until or any(id_ not in self._bank.questions for id_ in question_ids):
            self._bank = bank_from(self._read())
            self._fresh_until = time.monotonic() + FRESH_SECONDS
        return self._bank


def bank_from(rows: Iterable[BankRow]) -> Bank:
    """A bank from its rows."""
    questions: dict[str, Question] = {}
    by_language: dict[str, list[Candidate]] = {}
    for id_, version, body, rating, answers in rows:
        question = msgspec.convert({**body, "id": id_, "version": version}, Question)
        questions[id_] = question
        item = None if rating is None else ItemRating(rating, answers or 0)
        by_language.setdefault(primary_language(question.language), []).append(candidate_of(question, item))
    return Bank(questions, {language: index_candidates(found) for language, found in by_language.items()})
