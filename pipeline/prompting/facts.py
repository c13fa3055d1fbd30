"""Everything about one answer that matters for the feedback on it: what a prompt is made of and a reply checked by.

Bounded and harmless already, but not redacted. Whoever redacts, does it here, with `with_response`, before the
prompt is rendered, the key is computed and the reply is checked: all three must speak of the same text.
"""

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from pipeline.model import Answer, JsonValue, Outcome, Question, ScoredAnswer
from pipeline.prompting.disclosure import Secret, secret_of
from pipeline.prompting.language import select_tongue
from pipeline.prompting.picture import Bucket
from pipeline.prompting.plain import number_text
from pipeline.prompting.visible import bounded

QUESTION_CHARS: Final = 6_000
OPTION_CHARS: Final = 400
OPTIONS: Final = 30
"""Options, blanks or pairs that are shown; of more the rest is left out and counted."""
RESPONSE_CHARS: Final = 8_000
SOLUTION_CHARS: Final = 2_000
EXPLANATION_CHARS: Final = 1_500
FINDING_CHARS: Final = 600
NOTHING: Final = "(nothing)"


class AnswerFacts(msgspec.Struct, frozen=True):
    """What is known of one answer. Texts are bounded and hold nothing unseen.

    `options`, `solution` and `explanation` are as a prompt shows them; the latter two are "" where the solution is
    hidden, and `secret` then says what a reply must not tell. `finding` is what the rule saw, in a sentence.
    `language` is a tag of `TONGUES`. Equal facts get equal feedback, whoever answered.
    """

    type: str
    question: str
    options: str
    solution: str
    explanation: str
    response: str
    outcome: Outcome
    fraction: float | None
    finding: str
    language: str
    learner: Bucket = Bucket()
    secret: Secret | None = None

    @property
    def teaching(self) -> str:
        """All that the teacher wrote and the learner may see: what a reply may well speak of."""
        return f"{self.question}\n{self.options}\n{self.solution}\n{self.explanation}"


def facts_of(scored: ScoredAnswer, *, locale: str, learner: Bucket | None = None, finding: str = "") -> AnswerFacts:
    """The facts of a scored answer, for feedback in the language that serves `locale` best.

    `finding` is what the rule saw in the answer, in words that keep a hidden solution hidden.
    """
    answer, question = scored.answer, scored.answer.question
    hidden = question.hide_solution
    return AnswerFacts(
        type=question.type,
        question=bounded(question.prompt, QUESTION_CHARS),
        options=_lines([option_text(question, option["id"]) for option in question.options]),
        solution="" if hidden else bounded(solution_text(question), SOLUTION_CHARS),
        explanation="" if hidden else bounded(question.explanation or "", EXPLANATION_CHARS),
        response=bounded(response_text(answer), RESPONSE_CHARS),
        outcome=scored.score.outcome,
        fraction=scored.score.fraction,
        finding=bounded(finding, FINDING_CHARS),
        language=select_tongue(locale),
        learner=learner or Bucket(),
        secret=secret_of(question) if hidden else None,
    )


def with_response(facts: AnswerFacts, response: str) -> AnswerFacts:
    """The same facts with another text of the answer: the redacted one."""
    return msgspec.structs.replace(facts, response=bounded(response, RESPONSE_CHARS))


def response_text(answer: Answer) -> str:
    """A response as text: options with their words, blanks and places numbered, pairs with an arrow."""
    question, response = answer.question, answer.response
    match response:
        case str():
            return option_text(question, response) if question.type == "single_choice" else response
        case list() | tuple():
            return _items_text(question, response)
        case dict():
            return _pairs_text(question, response)
        case float():
            return number_text(response)
        case _:
            return "" if response is None else json.dumps(response, ensure_ascii=False)


def option_text(question: Question, option_id: str) -> str:
    """`b) its text`, or the id alone where it has none."""
    text = next((option.get("text", "") for option in question.options if option["id"] == option_id), "")
    return bounded(f"{option_id}) {text}" if text else option_id, OPTION_CHARS)


def solution_text(question: Question) -> str:
    """What would have been right, a line each; "" where the key does not say."""
    return _SOLUTIONS[question.type](question, question.answer)


def _items_text(question: Question, items: JsonValue) -> str:
    shown = [_item(question, item) for item in items]
    if question.type in {"cloze", "ordering"}:
        shown = [f"{place}. {item}" for place, item in enumerate(shown, start=1)]
    return _lines(shown)


def _item(question: Question, item: JsonValue) -> str:
    if isinstance(item, str):
        return (bounded(item, OPTION_CHARS) if question.type == "cloze" else option_text(question, item)) or NOTHING
    return NOTHING if item is None else bounded(json.dumps(item, ensure_ascii=False), OPTION_CHARS)


def _pairs_text(question: Question, pairs: Mapping[str, JsonValue]) -> str:
    return _lines([f"{option_text(question, left)} → {_item(question, right)}" for left, right in pairs.items()])


def _lines(lines: list[str]) -> str:
    more = len(lines) - OPTIONS
    return "\n".join([*lines[:OPTIONS], *([f"(and {more} more)"] if more > 0 else [])])


def _number_solution(_question: Question, key: Mapping[str, JsonValue]) -> str:
    parts = [number_text(key["value"]), key.get("unit") or ""]
    if key.get("tolerance"):
        parts.append(f"± {number_text(key['tolerance'])}")
    if key.get("relative_tolerance"):
        parts.append(f"± {number_text(100 * key['relative_tolerance'])} %")
    return " ".join(filter(None, parts))


def _text_solution(_question: Question, key: Mapping[str, JsonValue]) -> str:
    return _lines([bounded(text, OPTION_CHARS) for text in key.get("accepted", ())])


def _essay_solution(_question: Question, key: Mapping[str, JsonValue]) -> str:
    criteria = [f"- {bounded(criterion['description'], OPTION_CHARS)}" for criterion in key.get("rubric", ())]
    return "\n".join(filter(None, [key.get("reference") or "", _lines(criteria)]))


_SOLUTIONS: Final[Mapping[str, Callable[[Question, Mapping[str, JsonValue]], str]]] = MappingProxyType(
    {
        "single_choice": lambda question, key: option_text(question, key["option"]),
        "multiple_choice": lambda question, key: _items_text(question, key["options"]),
        "true_false": lambda _question, key: str(key["value"]).lower(),
        "numeric": _number_solution,
        "short_text": _text_solution,
        "cloze": lambda _question, key: _lines(
            [f"{place}. {' / '.join(blank.get('accepted', ())[:3])}" for place, blank in enumerate(key["blanks"], 1)]
        ),
        "ordering": lambda question, key: _items_text(question, key["sequence"]),
        "matching": lambda question, key: _pairs_text(question, key["pairs"]),
        "essay": _essay_solution,
    }
)
