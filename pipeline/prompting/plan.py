"""Which answers of a submission a model writes on. The others keep the template's words, which is no shortcoming."""

from collections.abc import Iterable
from typing import Final, Literal

import msgspec

from pipeline.model import JsonValue, Outcome, ScoredAnswer
from pipeline.prompting.feedback import FeedbackRequest
from pipeline.prompting.visible import visible

_SURE: Final = 4
"""From this confidence of 1 to 5 on, a learner who is wrong does not know it."""
_UNKNOWN_FRACTION: Final = 0.5
_LOOKED_AT_CHARS: Final = 20_000


class Plan(msgspec.Struct, frozen=True):
    """Places in the request's answers: `asked`, the one with most to learn first, and `left`, in order."""

    asked: tuple[int, ...]
    left: tuple[int, ...]


def plan(request: FeedbackRequest, *, on: Literal["all", "mistakes"], most: int) -> Plan:
    """Which answers get a model, at most `most`; never one in which nothing was answered."""
    answers = request.answers
    weak = frozenset(request.learner.weaknesses)
    worth = [place for place, scored in enumerate(answers) if _is_worth_asking(scored, on)]
    asked = tuple(sorted(worth, key=lambda place: _urgency(answers[place], weak), reverse=True)[: max(0, most)])
    return Plan(asked, tuple(place for place in range(len(answers)) if place not in asked))


def _is_worth_asking(scored: ScoredAnswer, on: Literal["all", "mistakes"]) -> bool:
    outcome = scored.score.outcome
    if outcome is Outcome.UNANSWERED or is_blank(scored.answer.response):
        return False
    return on == "all" or outcome is not Outcome.CORRECT


def _urgency(scored: ScoredAnswer, weak: frozenset[str]) -> tuple[bool, float, bool, bool]:
    """How much there is to learn: mistakes first, by what is missing; then those made in good faith, then weak topics.

    Equal ones stay in the order of the submission: sorting in reverse keeps it.
    """
    score, answer = scored.score, scored.answer
    missing = 1 - (_UNKNOWN_FRACTION if score.fraction is None else score.fraction)
    return (
        score.outcome is not Outcome.CORRECT,
        missing,
        missing > 0 and (answer.confidence or 0) >= _SURE,
        not weak.isdisjoint(answer.question.topics),
    )


def is_blank(response: JsonValue) -> bool:
    """Whether a response holds nothing to read: null, blanks, unseen characters, or lists and objects of such."""
    match response:
        case None:
            return True
        case str():
            return len(response) <= _LOOKED_AT_CHARS and not visible(response).strip()
        case dict():
            return _all_blank(response.values())
        case list() | tuple():
            return _all_blank(response)
        case _:
            return False


def _all_blank(values: Iterable[JsonValue]) -> bool:
    return all(value is None or (isinstance(value, str) and is_blank(value)) for value in values)
