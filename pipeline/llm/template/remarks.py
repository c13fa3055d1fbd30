"""Decides what to say of an answer, from its outcome, its question and its response.

The outcome is the rule's and is never judged again. `verdict` says it, `details` show it in the response,
and `lesson` and `open_question` hold what a question has to say whatever the response. Where a question
hides its solution, details tell how much and in which direction, never which.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from pipeline.llm.template.arrangement import matching_details, order_solution, ordering_details
from pipeline.llm.template.choice import (
    option_details,
    option_solution,
    options_details,
    statement_details,
    statement_solution,
)
from pipeline.llm.template.entry import (
    accepted_solution,
    cloze_details,
    given_details,
    number_solution,
    numeric_details,
    review_points,
)
from pipeline.model import Answer, AnswerScore, Outcome, Question, ScoredAnswer
from pipeline.prompting.plain import plain, points_text, quotable
from pipeline.prompting.wording import Remark

Paragraphs = tuple[tuple[Remark, ...], ...]

EXPLANATION_LIMIT: Final = 1_500
"""Characters of a teacher's explanation that are passed on."""
TOPIC_LIMIT: Final = 5
"""Topics named at once."""

_DETAILS: Final[Mapping[str, Callable[[Answer], tuple[Remark, ...]]]] = MappingProxyType(
    {
        "single_choice": option_details,
        "multiple_choice": options_details,
        "true_false": statement_details,
        "numeric": numeric_details,
        "short_text": given_details,
        "cloze": cloze_details,
        "ordering": ordering_details,
        "matching": matching_details,
        "essay": lambda _answer: (),
    }
)

# Types not listed show what would have been right among their details.
_SOLUTIONS: Final[Mapping[str, Callable[[Question], tuple[Remark, ...]]]] = MappingProxyType(
    {
        "single_choice": option_solution,
        "true_false": statement_solution,
        "numeric": number_solution,
        "short_text": accepted_solution,
        "ordering": order_solution,
    }
)


def verdict(score: AnswerScore) -> Remark:
    """The outcome in a sentence, with points where the outcome alone does not tell them."""
    match score.outcome:
        case Outcome.UNANSWERED:
            return Remark(score.outcome)
        case Outcome.CORRECT | Outcome.INCORRECT if score.points in {None, 0.0, score.max_points}:
            return Remark(score.outcome, {"points": "", "max_points": ""})
        case _:
            return Remark(score.outcome, _points(score))


def details(scored: ScoredAnswer) -> tuple[Remark, ...]:
    """What in the response led to the outcome; nothing to say of a correct or missing one."""
    if scored.score.outcome in {Outcome.CORRECT, Outcome.UNANSWERED}:
        return ()
    return _DETAILS[scored.answer.question.type](scored.answer)


def solution(question: Question) -> tuple[Remark, ...]:
    """What would have been right, unless the question hides it or its details show it already."""
    if question.hide_solution or question.type not in _SOLUTIONS:
        return ()
    return _SOLUTIONS[question.type](question)


def lesson(question: Question, outcome: Outcome) -> Paragraphs:
    """The paragraphs after the first one, which the response has no part in: why, and what to do next."""
    why = _explanation(question)
    match outcome:
        case Outcome.UNANSWERED:
            return ((_hint(question), *_look_again(question)),)
        case Outcome.CORRECT:
            return (why,)
        case Outcome.NEEDS_REVIEW:
            return (review_points(question), why) if question.type == "essay" else (why,)
        case _:
            hint = (_hint(question),) if question.hide_solution else ()
            return (why, (*hint, *_look_again(question)))


def topics_text(topics: Sequence[str]) -> dict[str, object]:
    """The facts of a list of topics, the first few of them."""
    return {"topics": tuple(quotable(topic) for topic in topics[:TOPIC_LIMIT])}


def _points(score: AnswerScore) -> dict[str, object]:
    points = "" if score.points is None else points_text(score.points)
    return {"points": points, "max_points": points_text(score.max_points)}


def _explanation(question: Question) -> tuple[Remark, ...]:
    if question.hide_solution or not question.explanation:
        return ()
    return (Remark("explanation", {"text": plain(question.explanation, EXPLANATION_LIMIT)}),)


def _hint(question: Question) -> Remark:
    return Remark(f"hint_{question.type}")


def _look_again(question: Question) -> tuple[Remark, ...]:
    return (Remark("look_again", topics_text(question.topics)),) if question.topics else ()
