"""Questions, facts and replies that the suites of prompting share."""

from typing import Final

import msgspec

from pipeline.model import Answer, AnswerScore, JsonValue, Outcome, Question, ScoredAnswer
from pipeline.prompting.facts import AnswerFacts, facts_of
from pipeline.prompting.picture import Bucket

CHOICE: Final = Question(
    id="py-range",
    version=1,
    type="single_choice",
    prompt="What does list(range(2, 8, 3)) give?",
    answer={"option": "b"},
    options=(
        {"id": "a", "text": "[2, 3, 8]"},
        {"id": "b", "text": "[2, 5]"},
        {"id": "c", "text": "[2, 5, 8]"},
    ),
    topics=("python", "loops"),
    explanation="range starts at 2, goes up by 3 and stops before 8.",
)
SHORT: Final = Question(
    id="py-len",
    version=1,
    type="short_text",
    prompt="Which built-in function tells how many items a list has?",
    answer={"accepted": ["len", "len()"]},
    topics=("python",),
)
ESSAY: Final = Question(
    id="api-essay",
    version=1,
    type="essay",
    prompt="Explain how you would make a payment request safe to send twice.",
    answer={
        "reference": "Give each request an idempotency key; the server answers a repetition with the same outcome.",
        "rubric": [{"id": "key", "description": "Names a unique key per request", "points": 3}],
    },
)

FRACTIONS: Final = {
    Outcome.CORRECT: 1.0,
    Outcome.PARTIAL: 0.5,
    Outcome.INCORRECT: 0.0,
    Outcome.UNANSWERED: 0.0,
    Outcome.NEEDS_REVIEW: None,
}


def scored(
    question: Question = CHOICE,
    response: JsonValue = "a",
    outcome: Outcome = Outcome.INCORRECT,
    *,
    fraction: float | None = None,
    confidence: int | None = None,
) -> ScoredAnswer:
    share = FRACTIONS[outcome] if fraction is None else fraction
    points = None if share is None else share * question.points
    answer = Answer(question, response, confidence=confidence)
    return ScoredAnswer(answer, AnswerScore(outcome, share, points, question.points, "rule/1"))


def hidden(question: Question) -> Question:
    return msgspec.structs.replace(question, hide_solution=True)


def facts(
    question: Question = CHOICE,
    response: JsonValue = "a",
    outcome: Outcome = Outcome.INCORRECT,
    *,
    locale: str = "en",
    learner: Bucket | None = None,
    finding: str = "",
) -> AnswerFacts:
    return facts_of(scored(question, response, outcome), locale=locale, learner=learner, finding=finding)


def reply(
    right: str = "",
    quotation: str = "",
    misconception: str = "The end is not part of a range.",
    next_step: str = "Write down the numbers step by step.",
    summary: str = "Look at where a range ends.",
) -> str:
    """What a well-behaved model writes."""
    fields = {
        "right": right,
        "quotation": quotation,
        "misconception": misconception,
        "next_step": next_step,
        "summary": summary,
    }
    return msgspec.json.encode(fields).decode()
