"""Is a response answered, unanswered or malformed? Rules look only at what has the right shape.

Unanswered, whatever the type: null or absent, a text of blanks, an empty list or object, and a cloze
or matching in which every blank or pair is null or blank. Malformed: another JSON type than the
question asks for, options that do not exist, texts over the limit, characters no text may hold, and
numbers that are none. Everything else is an answer, right or wrong: a word for a numeric question is
wrong, a cloze with a blank left out is partly unanswered, an ordering with items left out is incomplete.
"""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from pipeline.errors import FieldProblem
from pipeline.model import JsonValue, Question
from pipeline.scoring.text import is_blank

MAX_RESPONSE_CHARS: Final = 20_000
MAX_BLANK_CHARS: Final = 500
MAX_PICKS: Final = 1_000
"""Options named in one response, duplicates included."""

_FORBIDDEN: Final = re.compile("[\x00\ud800-\udfff]")

Problems = Iterator[FieldProblem]


def check_response(question: Question, response: JsonValue) -> tuple[FieldProblem, ...]:
    """Everything wrong with the shape of a response; nothing for one that is right or unanswered.

    Pointers start at the response ("" is the response itself, "/1" its second item).
    """
    if is_unanswered(question, response):
        return ()
    return tuple(_CHECKS[question.type](question, response))


def is_unanswered(question: Question, response: JsonValue) -> bool:
    """Whether nothing was answered: null, blank, empty, or made of such for cloze and matching."""
    if response is None:
        return True
    if isinstance(response, str):
        return is_blank(response)
    if isinstance(response, list | tuple):
        return not response or (question.type == "cloze" and _all_blank(response[:MAX_PICKS]))
    if isinstance(response, Mapping):
        return not response or (question.type == "matching" and _names_nothing(question, response))
    return False


def forbidden_characters(text: str) -> str | None:
    """Why `text` may not be stored, or None: NUL, which Postgres refuses, or half of a surrogate pair."""
    match = _FORBIDDEN.search(text)
    if match is None:
        return None
    return "contains a NUL character" if match.group() == "\x00" else "contains a lone surrogate, which is no character"


def escape(key: str) -> str:
    """A key as a part of a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")


def _all_blank(values: Iterable[JsonValue]) -> bool:
    return all(value is None or (isinstance(value, str) and is_blank(value)) for value in values)


def _names_nothing(question: Question, response: Mapping[str, JsonValue]) -> bool:
    return (
        len(response) <= MAX_PICKS and set(response) <= set(question.answer["pairs"]) and _all_blank(response.values())
    )


def _text_problems(value: JsonValue, pointer: str, limit: int, expected: str = "a string") -> Problems:
    if not isinstance(value, str):
        yield FieldProblem(pointer, f"must be {expected}")
    elif len(value) > limit:
        yield FieldProblem(pointer, f"is longer than {limit:,} characters")
    elif (reason := forbidden_characters(value)) is not None:
        yield FieldProblem(pointer, reason)


def _check_text(_question: Question, response: JsonValue) -> Problems:
    yield from _text_problems(response, "", MAX_RESPONSE_CHARS)


def _check_option(value: JsonValue, pointer: str, known: Mapping[str, None]) -> Problems:
    if not isinstance(value, str):
        yield FieldProblem(pointer, "must be the id of an option, a string")
    elif value not in known:
        yield FieldProblem(pointer, "is not an option of this question")


def _check_single_choice(question: Question, response: JsonValue) -> Problems:
    yield from _check_option(response, "", _option_ids(question))


def _check_picks(response: JsonValue, known: Mapping[str, None]) -> Problems:
    if not isinstance(response, list | tuple):
        yield FieldProblem("", "must be a list of option ids")
    elif len(response) > MAX_PICKS:
        yield FieldProblem("", f"has more than {MAX_PICKS:,} items")
    else:
        for index, value in enumerate(response):
            yield from _check_option(value, f"/{index}", known)


def _check_multiple_choice(question: Question, response: JsonValue) -> Problems:
    yield from _check_picks(response, _option_ids(question))


def _check_ordering(question: Question, response: JsonValue) -> Problems:
    problems = list(_check_picks(response, dict.fromkeys(question.answer["sequence"])))
    yield from problems
    seen: set[str] = set()
    for index, value in enumerate(() if problems else response):
        if value in seen:
            yield FieldProblem(f"/{index}", "stands in the sequence before")
        seen.add(value)


def _check_true_false(_question: Question, response: JsonValue) -> Problems:
    if not isinstance(response, bool):
        yield FieldProblem("", "must be true or false")


def _check_numeric(_question: Question, response: JsonValue) -> Problems:
    if isinstance(response, int | float) and not isinstance(response, bool):
        if isinstance(response, float) and not math.isfinite(response):
            yield FieldProblem("", "must be a finite number")
        return
    yield from _text_problems(response, "", MAX_RESPONSE_CHARS, "a number or a string")


def _check_cloze(question: Question, response: JsonValue) -> Problems:
    count = len(question.answer["blanks"])
    if not isinstance(response, list | tuple):
        yield FieldProblem("", "must be a list with a string for each blank")
    elif len(response) > count:
        yield FieldProblem("", f"has {len(response):,} items for {count} blanks")
    else:
        for index, value in enumerate(response):
            if value is not None:
                yield from _text_problems(value, f"/{index}", MAX_BLANK_CHARS, "a string or null")


def _check_matching(question: Question, response: JsonValue) -> Problems:
    if not isinstance(response, Mapping):
        yield FieldProblem("", "must be an object from left ids to right ids")
        return
    if len(response) > MAX_PICKS:
        yield FieldProblem("", f"has more than {MAX_PICKS:,} pairs")
        return
    rights = _right_ids(question)
    for left, right in response.items():
        pointer = f"/{escape(str(left))}"
        if left not in question.answer["pairs"]:
            yield FieldProblem(pointer, "is not an item to be matched")
        elif not _all_blank([right]):
            yield from _check_option(right, pointer, rights)


def _option_ids(question: Question) -> dict[str, None]:
    return dict.fromkeys(option["id"] for option in question.options)


def _right_ids(question: Question) -> dict[str, None]:
    return _option_ids(question) or dict.fromkeys(question.answer["pairs"].values())


_CHECKS: Final[Mapping[str, Callable[[Question, JsonValue], Problems]]] = MappingProxyType(
    {
        "single_choice": _check_single_choice,
        "multiple_choice": _check_multiple_choice,
        "true_false": _check_true_false,
        "numeric": _check_numeric,
        "short_text": _check_text,
        "cloze": _check_cloze,
        "ordering": _check_ordering,
        "matching": _check_matching,
        "essay": _check_text,
    }
)
