"""Our own format: a question in JSON on each line. Questions keep their ids and everything else."""

from collections.abc import Iterator

import msgspec

from pipeline.errors import InvalidInput
from pipeline.importing.item import Item, Left, Taken
from pipeline.scoring.bank import parse_question


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
        raw = msgspec.json.decode(line)
        question = parse_question(raw)
    except RecursionError:
        return Left(where, "nested too deeply")
    except UnicodeEncodeError:
        return Left(where, "holds a lone surrogate, which is no character")
    except msgspec.DecodeError as error:
        return Left(where, f"not valid JSON: {error}")
    except InvalidInput as error:
        return Left(where, "; ".join(f"{problem.pointer} {problem.detail}".strip() for problem in error.problems[:3]))
    if question.id in places:
        return Left(where, f"its id {question.id} is that of {places[question.id]} too")
    return Taken(where, raw)
