"""Our own format: a question in JSON on each line. Questions keep their ids and everything else."""

from collections.abc import Iterator
from itertools import islice
from typing import Final

import msgspec

from pipeline.errors import InvalidInput
from pipeline.importing.item import Item, Left, Taken
from pipeline.model import JsonValue
from pipeline.scoring.bank import parse_question
from pipeline.scoring.repetition import fields_in, repeated_fields

MOST_TOLD: Final = 3
"""So many problems of a line are told."""


def read_ndjson(text: str) -> Iterator[Item]:
    """Every line that is not blank; a second line with the same id is left, as the bank would."""
    places: dict[str, str] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            item = _item(f"line {number}", line, places)
            if isinstance(item, Taken):
                places[item.question["id"]] = item.where
            yield item


def _item(where: str, line: str, places: dict[str, str]) -> Item:
    try:
        raw = _document(line)
        question = parse_question(raw)
    except RecursionError:
        return Left(where, "nested too deeply")
    except UnicodeEncodeError:
        return Left(where, "holds a lone surrogate, which is no character")
    except msgspec.DecodeError as error:
        return Left(where, f"not valid JSON: {error}")
    except InvalidInput as error:
        return Left(
            where, "; ".join(f"{problem.pointer} {problem.detail}".strip() for problem in error.problems[:MOST_TOLD])
        )
    if question.id in places:
        return Left(where, f"its id {question.id} is that of {places[question.id]} too")
    return Taken(where, raw)


def _document(line: str) -> JsonValue:
    raw = msgspec.json.decode(line)
    if problems := list(islice(repeated_fields(line.encode(), fields_in(raw)), MOST_TOLD)):
        raise InvalidInput(problems)
    return raw
