"""Answers of every question type with every outcome, whose feedback is compared to `golden/`.

`python -m tests.unit.llm.cases` writes the golden texts anew; read the difference before committing it.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from pipeline.llm.template import TemplateProvider
from pipeline.model import Answer, AnswerScore, Outcome, Question, ScoredAnswer
from pipeline.prompting.feedback import FeedbackRequest
from prompts.catalog import LANGUAGES

GOLDEN = Path(__file__).with_name("golden")

OPTIONS = tuple(
    {"id": name, "text": text} for name, text in [("a", "a list"), ("b", "a tuple"), ("c", "a set"), ("d", "a dict")]
)


def question(kind: str, answer: dict[str, Any], *, options: Any = ()) -> Question:
    return Question(
        id=f"q-{kind}",
        version=1,
        type=kind,
        prompt="?",
        answer=answer,
        options=options,
        topics=("collections", "mutability"),
        explanation="See the chapter on collections.",
    )


QUESTIONS = {
    asked.type: asked
    for asked in [
        question("single_choice", {"option": "b"}, options=OPTIONS),
        question("multiple_choice", {"options": ["a", "c", "d"], "partial": "net_correct"}, options=OPTIONS),
        question("true_false", {"value": False}),
        question("numeric", {"value": 9.81, "tolerance": 0.05, "unit": "m/s²"}),
        question("short_text", {"accepted": ["immutable sequence", "tuple"], "match": "similar"}),
        question("cloze", {"blanks": [{"accepted": ["len"]}, {"accepted": ["range"]}, {"accepted": ["zip"]}]}),
        question("ordering", {"sequence": ["c", "a", "b", "d"]}, options=OPTIONS),
        question("matching", {"pairs": {"a": "mutable", "b": "immutable", "c": "unordered"}}, options=OPTIONS),
        question(
            "essay",
            {
                "reference": "A tuple never changes.",
                "rubric": [
                    {"id": "r1", "description": "Defines mutability", "points": 1},
                    {"id": "r2", "description": "Gives an example of each", "points": 2},
                ],
            },
        ),
    ]
}

RESPONSES: dict[str, dict[Outcome, Any]] = {
    "single_choice": {Outcome.CORRECT: "b", Outcome.INCORRECT: "c"},
    "multiple_choice": {
        Outcome.CORRECT: ["a", "c", "d"],
        Outcome.PARTIAL: ["a", "b"],
        Outcome.INCORRECT: ["b"],
    },
    "true_false": {Outcome.CORRECT: False, Outcome.INCORRECT: True},
    "numeric": {Outcome.CORRECT: 9.8, Outcome.PARTIAL: "9.8 kg", Outcome.INCORRECT: "98,1 m/s²"},
    "short_text": {
        Outcome.CORRECT: "tuple",
        Outcome.PARTIAL: "sequence",
        Outcome.INCORRECT: "it is {{ magic }}",
        Outcome.NEEDS_REVIEW: "a sequence you can't change",
    },
    "cloze": {
        Outcome.CORRECT: ["len", "range", "zip"],
        Outcome.PARTIAL: ["\uff2c\uff25\uff2e", "rnage"],
        Outcome.INCORRECT: ["x", "", None],
    },
    "ordering": {
        Outcome.CORRECT: ["c", "a", "b", "d"],
        Outcome.PARTIAL: ["a", "b", "d", "c"],
        Outcome.INCORRECT: ["d", "b", "a"],
    },
    "matching": {
        Outcome.CORRECT: {"a": "mutable", "b": "immutable", "c": "unordered"},
        Outcome.PARTIAL: {"a": "mutable", "b": "unordered", "c": "immutable"},
        Outcome.INCORRECT: {"b": "mutable"},
    },
    "essay": {
        Outcome.CORRECT: "An essay.",
        Outcome.PARTIAL: "An essay.",
        Outcome.INCORRECT: "An essay.",
        Outcome.NEEDS_REVIEW: "An essay.",
    },
}

FRACTIONS = {
    Outcome.CORRECT: 1.0,
    Outcome.PARTIAL: 1 / 3,
    Outcome.INCORRECT: 0.0,
    Outcome.NEEDS_REVIEW: 0.6,
    Outcome.UNANSWERED: 0.0,
}


def scored(kind: str, outcome: Outcome, response: Any = None, **changes: Any) -> ScoredAnswer:
    """An answer to the sample question of a type, judged as told; `changes` are of the question."""
    estimate = None if (kind, outcome) == ("essay", Outcome.NEEDS_REVIEW) else FRACTIONS[outcome]
    score = AnswerScore(outcome, estimate, estimate, 1.0, f"{kind}/1")
    return ScoredAnswer(Answer(replace(QUESTIONS[kind], **changes), response), score)


def cases(*, hide_solution: bool = False) -> Iterator[ScoredAnswer]:
    """Every type with every outcome it can have, unanswered included."""
    for kind, responses in RESPONSES.items():
        for outcome, response in {**responses, Outcome.UNANSWERED: None}.items():
            yield scored(kind, outcome, response, hide_solution=hide_solution)


def request(*answers: ScoredAnswer, locale: str = "en") -> FeedbackRequest:
    return FeedbackRequest(1, "s-1", locale, answers)


async def rendered(language: str) -> str:
    """The feedback on all cases as one readable page."""
    provider = TemplateProvider()
    return "\n\n".join([section async for section in _sections(provider, language)]) + "\n"


async def _sections(provider: TemplateProvider, language: str) -> Any:
    for hidden in (False, True):
        answers = tuple(cases(hide_solution=hidden))
        feedback = await provider.write(request(*answers, locale=language))
        for case, written in zip(answers, feedback.answers, strict=True):
            title = f"## {case.answer.question.type}, {case.score.outcome}{', solution hidden' if hidden else ''}"
            yield f"{title}\n\n{written.text}"
    yield f"## summary\n\n{feedback.summary}"


if __name__ == "__main__":
    for tongue in LANGUAGES:
        (GOLDEN / f"{tongue}.md").write_text(asyncio.run(rendered(tongue)), encoding="utf-8")
