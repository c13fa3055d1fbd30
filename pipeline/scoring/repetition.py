"""Fields that a JSON object names twice: two readers may take two different ones for the value.

The decoder keeps the last one and tells nobody. To read each body a second time would cost a hand-in more than
decoding it does, so that is done only where counting leaves a doubt.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from pipeline.errors import FieldProblem
from pipeline.model import JsonValue
from pipeline.scoring.shape import escape

COLON: Final = b":"
TWICE: Final = "The field is given more than once."
TOO_DEEP: Final = "The body is nested too deeply."


class Pairs(tuple[tuple[str, JsonValue], ...]):
    """An object as it was written: every field with its name, in order."""

    __slots__ = ()


class RepeatedFieldError(Exception):
    """An object has two fields of one name."""


def repeated_fields(body: bytes, fields: int) -> Iterator[FieldProblem]:
    """A problem for each field of a JSON text that stands in its object before.

    `fields` is how many were found when it was decoded, in all objects together, or less. Each field has a colon of its
    own: where there are no more colons than fields, none can have been lost.
    """
    if body.count(COLON) <= fields:
        return
    text = body.decode()
    try:
        LOOK.decode(text)
    except RepeatedFieldError:
        yield from repeated_in(AS_WRITTEN.decode(text))
    except RecursionError:
        yield FieldProblem("", TOO_DEEP)


def refuse_repeated(pairs: list[tuple[str, JsonValue]]) -> None:
    """Nothing is kept of an object with different fields; raises `RepeatedFieldError` for any other."""
    if len(dict(pairs)) < len(pairs):
        raise RepeatedFieldError


def reader(of_object: Callable[[list[tuple[str, JsonValue]]], JsonValue]) -> json.JSONDecoder:
    """A reader that minds nothing but fields; what else is wrong was found by the one before."""
    return json.JSONDecoder(object_pairs_hook=of_object, parse_int=str, parse_float=str, strict=False)


LOOK: Final = reader(refuse_repeated)
AS_WRITTEN: Final = reader(Pairs)


def repeated_in(document: JsonValue) -> Iterator[FieldProblem]:
    """A problem for each field that stands in its object before."""
    waiting = [("", document)]
    while waiting:
        pointer, value = waiting.pop()
        if isinstance(value, Pairs):
            names = set[str]()
            for name, inner in value:
                place = f"{pointer}/{escape(name)}"
                if name in names:
                    yield FieldProblem(place, TWICE)
                names.add(name)
                waiting.append((place, inner))
        elif isinstance(value, list):
            waiting.extend((f"{pointer}/{index}", inner) for index, inner in enumerate(value))


def fields_in(document: JsonValue) -> int:
    """How many fields all objects in a decoded document have together."""
    found, waiting = 0, [document]
    while waiting:
        value = waiting.pop()
        inner: Iterable[JsonValue] = ()
        if isinstance(value, Mapping):
            found += len(value)
            inner = value.values()
        elif isinstance(value, list):
            inner = value
        waiting.extend(one for one in inner if isinstance(one, Mapping | list))
    return found
