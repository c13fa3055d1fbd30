"""What msgspec says of a value that is not of its type, in JSON's words and for people."""

import re
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from typing import Any, Final, Literal, get_args, get_origin

EXPECTED: Final[Mapping[str, str]] = {
    "str": "a string",
    "int": "a whole number",
    "float": "a number",
    "bool": "a boolean",
    "null": "null",
    "array": "an array",
    "object": "an object",
    "datetime": "a time",
    "date": "a date",
}
GOT: Final[Mapping[str, str]] = {**EXPECTED, "int": "a number", "float": "a decimal number"}
COUNTED: Final[Mapping[str, str]] = {"str": "character", "array": "item", "object": "field"}
COMPARED: Final[Mapping[str, str]] = {">=": "at least", "<=": "at most", ">": "more than", "<": "less than"}

TIME: Final = "A time such as 2026-01-31T09:00:00Z is expected."
DATE: Final = "A date such as 2026-01-31 is expected."
NO_OFFSET: Final = "The time needs an offset from UTC, such as 2026-01-31T09:00:00Z."


def in_words(message: str, kind: Any) -> str:
    """The sentence for msgspec's `message` about a value that should have been a `kind`.

    "Expected `int`, got `str`" becomes "A whole number is expected, not a string."; a choice lists what it takes.
    """
    if message.startswith("Invalid enum value") and (choices := list(dict.fromkeys(choices_of(kind)))):
        return f"One of {', '.join(choices)} is expected."
    for pattern, worded in SENTENCES:
        if found := pattern.fullmatch(message):
            return worded(found)
    return f"{message}."


def choices_of(kind: Any) -> Iterator[str]:
    """The values of every enumeration in a type."""
    if get_origin(kind) is Literal:
        yield from map(str, get_args(kind))
    elif isinstance(kind, type) and issubclass(kind, Enum):
        yield from (str(member.value) for member in kind)
    else:
        for part in get_args(kind):
            yield from choices_of(part)


def any_of(kinds: str, words: Mapping[str, str]) -> str:
    """`"str | null"` as "a string or null"."""
    named = [words.get(kind, kind) for kind in kinds.split(" | ")]
    return named[0] if len(named) == 1 else f"{', '.join(named[:-1])} or {named[-1]}"


def wrong_kind(found: re.Match[str]) -> str:
    expected, got = any_of(found[1], EXPECTED), any_of(found[2], GOT)
    return f"{expected[0].upper()}{expected[1:]} is expected, not {got}."


def wrong_length(found: re.Match[str]) -> str:
    one = found[3] == "1"
    things = COUNTED.get(found[1], "part") + ("" if one else "s")
    if found[2] == ">=":
        return f"At least {found[3]} {things} {'is' if one else 'are'} needed."
    return f"At most {found[3]} {things} {'is' if one else 'are'} allowed."


SENTENCES: Final[list[tuple[re.Pattern[str], Callable[[re.Match[str]], str]]]] = [
    (re.compile(r"Expected `([^`]+)`, got `([^`]+)`"), wrong_kind),
    (re.compile(r"Expected `(\w+)` of length (>=|<=) (\d+)"), wrong_length),
    (
        re.compile(r"Expected `(?:int|float)` (>=|<=|>|<) (\S+)"),
        lambda m: f"The number must be {COMPARED[m[1]]} {m[2]}.",
    ),
    (
        re.compile(r"Expected `str` matching regex '(.*)'", re.DOTALL),
        lambda m: f"The text must match the pattern `{m[1]}`.",
    ),
    (re.compile(r"Invalid RFC3339 encoded datetime"), lambda _: TIME),
    (re.compile(r"Invalid RFC3339 encoded date"), lambda _: DATE),
    (re.compile(r"Expected `datetime` with a timezone component"), lambda _: NO_OFFSET),
    (re.compile(r"Object missing required field `(.*)`"), lambda m: f"The field `{m[1]}` is required."),
    (re.compile(r"Object contains unknown field `(.*)`", re.DOTALL), lambda m: f"There is no field `{m[1][:100]}`."),
]
