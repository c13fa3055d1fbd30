"""Drafts of questions that a model wrote: what a reply looks like, and which of them are questions at all.

A draft is a question of the bank before anybody has accepted it, so it must pass what every question passes
(`pipeline.scoring.bank`). What does not is dropped, counted, and said why; nothing is repaired by guessing.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import blake2b
from types import MappingProxyType
from typing import Any, Final

import msgspec

from pipeline.errors import FieldProblem, InvalidInput
from pipeline.exchange import JsonSchema
from pipeline.generation.assignment import Judged
from pipeline.generation.reading import json_object
from pipeline.model import JsonValue
from pipeline.prompting.generating import Form, QuestionsFacts
from pipeline.prompting.harm import imitates_fence, leads_away
from pipeline.prompting.visible import folded, visible
from pipeline.scoring.answer_key import QUESTION_TYPES
from pipeline.scoring.bank import parse_question, question_document

REASONS: Final = 5
"""So many reasons are given for one dropped draft."""
TOPICS: Final = 5
SOURCE_CHARS: Final = 500
DIFFICULTIES: Final = range(1, 6)

BLANK: Final = re.compile("_{3,}")

_TEXTS: Final = {"type": "array", "items": {"type": "string"}}


def _object(**fields: object) -> dict[str, object]:
    return {"type": "object", "properties": fields, "required": [*fields], "additionalProperties": False}


SCHEMA: Final[JsonSchema] = MappingProxyType(
    _object(
        questions={
            "type": "array",
            "items": _object(
                type={"type": "string", "enum": [*QUESTION_TYPES]},
                prompt={"type": "string"},
                options={"type": "array", "items": _object(id={"type": "string"}, text={"type": "string"})},
                right=_TEXTS,
                pairs={"type": "array", "items": _object(left={"type": "string"}, right={"type": "string"})},
                tolerance={"type": "number"},
                explanation={"type": "string"},
                topics=_TEXTS,
                difficulty={"type": "integer"},
                source={"type": "string"},
            ),
        }
    )
)
"""In the subset that all providers enforce: every field required, no maps; an answer key is made of `right`."""
FORM: Final = Form("questions_reply", SCHEMA)


class OptionIn(msgspec.Struct, frozen=True):
    id: str
    text: str


class PairIn(msgspec.Struct, frozen=True):
    left: str
    right: str


class QuestionIn(msgspec.Struct, frozen=True):
    """One question as a model writes it."""

    type: str
    prompt: str
    options: tuple[OptionIn, ...] = ()
    right: tuple[str, ...] = ()
    pairs: tuple[PairIn, ...] = ()
    tolerance: float = 0.0
    explanation: str = ""
    topics: tuple[str, ...] = ()
    difficulty: int = 3
    source: str = ""


class Draft(msgspec.Struct, frozen=True):
    """A sound question that nobody has accepted yet.

    `source` are the words of the text that it rests on, None where those given do not stand there.
    """

    question: Mapping[str, JsonValue]
    source: str | None


class Dropped(msgspec.Struct, frozen=True):
    """The `position`-th question of a reply (1 is the first), and why it is none."""

    position: int
    reasons: tuple[FieldProblem, ...]


class Drafts(msgspec.Struct, frozen=True):
    """What a reply comes to."""

    drafts: tuple[Draft, ...]
    dropped: tuple[Dropped, ...]


def accept(reply: str, facts: QuestionsFacts) -> Drafts | str:
    """The drafts in a reply; or why there is none, in words for the model that quote nobody."""
    found = json_object(reply)
    listed = found.get("questions") if found else None
    if not isinstance(listed, list) or not listed:
        return "It is not one JSON object with a list of questions."
    drafts, dropped = list[Draft](), list[Dropped]()
    for position, raw in enumerate(listed, start=1):
        draft = read(raw, facts, drafts)
        if isinstance(draft, Draft):
            drafts.append(draft)
        else:
            dropped.append(Dropped(position, tuple(draft[:REASONS])))
    if not drafts:
        reasons = dict.fromkeys(reason.detail for one in dropped for reason in one.reasons)
        return f"None of the questions has the right form. {' '.join([*reasons][:REASONS])}"
    return Drafts(tuple(drafts), tuple(dropped))


def judge(reply: str, facts: QuestionsFacts) -> Judged:
    """Whether a reply will do: at least one of its questions does."""
    accepted = accept(reply, facts)
    return Judged(accepted) if isinstance(accepted, str) else Judged()


def read(raw: JsonValue, facts: QuestionsFacts, before: Sequence[Draft]) -> Draft | list[FieldProblem]:
    """One draft, or everything that is wrong with it."""
    try:
        written = seen(msgspec.convert(raw, QuestionIn))
    except msgspec.ValidationError:
        return [FieldProblem("", "Its fields are not those that were asked for.")]
    if problems := [*unwanted(written, facts, before)]:
        return problems
    try:
        key = KEYS[written.type](written)
        question = parse_question(body_of(written, key, facts), question_id="draft")
    except InvalidInput as error:
        return list(error.problems)
    shown = {name: value for name, value in question_document(question).items() if name not in {"id", "version"}}
    return Draft(shown, source_of(written, facts))


def seen(written: QuestionIn) -> QuestionIn:
    """The same without characters that nobody sees."""
    cleaned: QuestionIn = msgspec.convert(_cleaned(msgspec.to_builtins(written)), QuestionIn)
    return cleaned


def _cleaned(value: Any) -> Any:
    match value:
        case str():
            return visible(value).strip()
        case list() | tuple():
            return [_cleaned(item) for item in value]
        case dict():
            return {name: _cleaned(item) for name, item in value.items()}
        case _:
            return value


def unwanted(written: QuestionIn, facts: QuestionsFacts, before: Sequence[Draft]) -> Iterator[FieldProblem]:
    """Why a draft is not wanted, whatever its form."""
    if written.type not in facts.types:
        yield FieldProblem("/type", "is none of the types that were asked for")
    if len(before) >= facts.count:
        yield FieldProblem("", "There are more questions than were asked for.")
    if any(folded(str(draft.question["prompt"])) == folded(written.prompt) for draft in before):
        yield FieldProblem("/prompt", "asks the same as a question before it")
    texts = (written.prompt, written.explanation, *(option.text for option in written.options), *written.right)
    if written.type == "cloze" and len(BLANK.findall(written.prompt)) != len(written.right):
        yield FieldProblem("/prompt", "has not as many blanks (___) as there are right answers")
    if any(leads_away(text) for text in texts):
        yield FieldProblem("", "It holds a web or e-mail address.")
    if any(imitates_fence(text) for text in texts):
        yield FieldProblem("", "It repeats lines that surround the data.")


def body_of(written: QuestionIn, key: Mapping[str, JsonValue], facts: QuestionsFacts) -> dict[str, JsonValue]:
    """The draft as a question that a teacher might send."""
    options = [{"id": option.id, "text": option.text} for option in written.options]
    if written.type == "ordering":  # models list them in the right order
        options.sort(key=lambda option: blake2b(option["text"].encode()).digest())
    difficulty = facts.difficulty or written.difficulty
    return {
        "type": written.type,
        "prompt": written.prompt,
        "options": options,
        "answer": key,
        "difficulty": difficulty if difficulty in DIFFICULTIES else 3,
        "topics": topics_of(written, facts),
        "language": facts.language,
        "explanation": written.explanation or None,
    }


def topics_of(written: QuestionIn, facts: QuestionsFacts) -> list[str]:
    """Those of the topics asked for that the draft names; where none were asked for, the model's own."""
    named = [topic for topic in dict.fromkeys(written.topics) if topic][:TOPICS]
    return [topic for topic in named if topic in facts.topics] if facts.topics else named


def source_of(written: QuestionIn, facts: QuestionsFacts) -> str | None:
    """The words that the draft rests on, if they stand in the text."""
    words = written.source[:SOURCE_CHARS]
    return words if words and folded(words) in folded(facts.text) else None


def _one(written: QuestionIn) -> str:
    if len(written.right) != 1:
        raise InvalidInput([FieldProblem("/answer", f"needs exactly one right answer for {written.type}")])
    return written.right[0]


def _truth(written: QuestionIn) -> Mapping[str, JsonValue]:
    said = _one(written).lower()
    if said not in {"true", "false"}:
        raise InvalidInput([FieldProblem("/answer/value", "must be true or false")])
    return {"value": said == "true"}


def _number(written: QuestionIn) -> Mapping[str, JsonValue]:
    try:
        value = float(_one(written))
    except ValueError:
        raise InvalidInput([FieldProblem("/answer/value", "must be a number")]) from None
    return {"value": value, **({"tolerance": written.tolerance} if written.tolerance else {})}


def _pairs(written: QuestionIn) -> Mapping[str, JsonValue]:
    pairs = {pair.left: pair.right for pair in written.pairs}
    if len(pairs) != len(written.pairs):
        raise InvalidInput([FieldProblem("/answer/pairs", "name the same thing twice on the left")])
    return {"pairs": pairs}


KEYS: Final[Mapping[str, Callable[[QuestionIn], Mapping[str, JsonValue]]]] = MappingProxyType(
    {
        "single_choice": lambda written: {"option": _one(written)},
        "multiple_choice": lambda written: {"options": [*written.right]},
        "true_false": _truth,
        "numeric": _number,
        "short_text": lambda written: {"accepted": [*written.right]},
        "cloze": lambda written: {"blanks": [{"accepted": [word]} for word in written.right]},
        "ordering": lambda written: {"sequence": [*written.right]},
        "matching": _pairs,
        "essay": lambda written: {"reference": written.right[0]} if written.right else {},
    }
)
"""From what a model says is right to the answer key of each type; raises `InvalidInput`."""
