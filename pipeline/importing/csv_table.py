"""Tables: a heading names the columns, every further line is a question. docs/questions.md has the columns.

Several values in one cell are separated by `|`.
"""

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from pipeline.importing.item import Document, Found, Left, NotTakenError, Unreadable
from pipeline.importing.key import (
    Choice,
    Range,
    Side,
    Wording,
    choice_key,
    essay_key,
    matching_key,
    number_key,
    number_of,
    option_id,
    ordering_key,
    text_key,
    true_false_key,
)
from pipeline.importing.placing import category_parts, placed

DELIMITERS: Final = ",;\t"
NEEDED: Final = frozenset({"type", "prompt", "answer"})
_TEXTS: Final = ("prompt", "explanation", "language", "industry")
_KNOWN: Final = NEEDED | {
    "id", "options", "tolerance", "unit", "points", "difficulty", "topics", "module", "explanation", "language",
    "industry", "tags",
}  # fmt: skip
_TRUTHS: Final = {"true": True, "t": True, "yes": True, "1": True, "false": False, "f": False, "no": False, "0": False}

Row = Mapping[str, str]


def heading_of(line: str) -> tuple[str, list[str]] | None:
    """The delimiter and the names of the columns, or None where the line is no heading of ours."""
    for delimiter in DELIMITERS:
        names = [name.strip().strip('"').lower() for name in line.strip("\r\n").split(delimiter)]
        if set(names) >= NEEDED:
            return delimiter, names
    return None


def read_csv(text: str) -> Iterator[Found | Left]:
    """Every line with something in it; raises `Unreadable` without a heading."""
    heading = heading_of(text.partition("\n")[0])
    if heading is None:
        raise Unreadable(f"the table has no heading with the columns {', '.join(sorted(NEEDED))}")
    delimiter, names = heading
    ignored = sorted(set(names) - _KNOWN - {""})
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for cells in lines:
            if lines.line_num > 1 and any(cell.strip() for cell in cells):
                row = {name: cell.strip() for name, cell in zip(names, cells, strict=False)}
                yield _item(f"line {lines.line_num}", row, ignored)
    except csv.Error as error:
        yield Left(f"line {lines.line_num}", f"the table is broken from here on: {error}")


def _item(where: str, row: Row, ignored: list[str]) -> Found | Left:
    notes = [f"the column {name[:40]} was not taken" for name in ignored]
    try:
        fields = _question(row, notes)
    except NotTakenError as reason:
        return Left(where, str(reason))
    return Found(where, fields, tuple(notes), row.get("id", ""))


def _question(row: Row, notes: list[str]) -> Document:
    kind = row.get("type", "").lower()
    if kind not in _READERS:
        raise NotTakenError(f"the type {kind[:40]!r} is none of {', '.join(_READERS)}")
    fields: Document = {**_READERS[kind](row, notes), **{name: row.get(name, "") for name in _TEXTS}}
    for name in ("points", "difficulty"):
        if row.get(name):
            fields[name] = number_of(row[name])
    fields["tags"] = _values(row, "tags")
    return placed(fields, category_parts(row.get("module", "")), _values(row, "topics"), notes)


def _values(row: Row, column: str) -> list[str]:
    return [value.strip() for value in row.get(column, "").split("|") if value.strip()]


def _choices(row: Row) -> list[Choice]:
    """Options, right where the answer has their text, or else their letter."""
    options, answers = _values(row, "options"), _values(row, "answer")
    letters = {option_id(index): text for index, text in enumerate(options)}
    right = {answer if answer in options else letters.get(answer.lower(), "") for answer in answers}
    if "" in right:
        raise NotTakenError("its answer names what is none of the options")
    each = 1 / max(1, len(right))
    return [Choice(text, each if text in right else -each) for text in options]


def _single_choice(row: Row, notes: list[str]) -> Document:
    return choice_key(_choices(row), notes, several=False)


def _multiple_choice(row: Row, notes: list[str]) -> Document:
    return choice_key(_choices(row), notes, several=True)


def _true_false(row: Row, _notes: list[str]) -> Document:
    value = row.get("answer", "").lower()
    if value not in _TRUTHS:
        raise NotTakenError(f"the answer {value[:40]!r} is neither true nor false")
    return true_false_key(_TRUTHS[value])


def _numeric(row: Row, notes: list[str]) -> Document:
    tolerance = abs(number_of(row.get("tolerance") or "0"))
    return number_key([Range(number_of(row.get("answer", "")), tolerance)], notes, row.get("unit", ""))


def _short_text(row: Row, notes: list[str]) -> Document:
    wordings = [Wording(text) for text in _values(row, "answer")]
    return text_key(wordings, notes, case_sensitive=False, wildcards=False)


def _cloze(row: Row, _notes: list[str]) -> Document:
    blanks = [[text.strip() for text in blank.split(";")] for blank in _values(row, "answer")]
    return {"type": "cloze", "answer": {"blanks": [{"accepted": accepted} for accepted in blanks]}}


def _ordering(row: Row, _notes: list[str]) -> Document:
    return ordering_key(_values(row, "answer"))


def _matching(row: Row, notes: list[str]) -> Document:
    sides = [(left.strip(), right.strip()) for left, _, right in (x.partition("=") for x in _values(row, "answer"))]
    spare = [Side("", text) for text in _values(row, "options")]
    return matching_key([(left, Side("", right)) for left, right in sides], spare, notes)


def _essay(row: Row, _notes: list[str]) -> Document:
    return essay_key(row.get("answer", ""))


_READERS: Final[Mapping[str, Callable[[Row, list[str]], Document]]] = MappingProxyType(
    {
        "single_choice": _single_choice,
        "multiple_choice": _multiple_choice,
        "true_false": _true_false,
        "numeric": _numeric,
        "short_text": _short_text,
        "cloze": _cloze,
        "ordering": _ordering,
        "matching": _matching,
        "essay": _essay,
    }
)
