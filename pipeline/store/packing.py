"""How results are stored: lists of like records as rows of values, without a name beside every value.

In JSONB a name costs its length and four bytes in every record of every submission; together they were a quarter of
all results. What came as plain objects is stored and read as it is.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec

from pipeline.lifecycle import Stage
from pipeline.stages.outcome import Body

ROWS: Final[Mapping[Stage, Mapping[str, tuple[str, ...]]]] = MappingProxyType(
    {
        Stage.SCORE: {"answers": ("outcome", "fraction", "points", "max_points", "rule", "settled")},
        Stage.FEEDBACK: {"answers": ("question_id", "text", "source", "provider", "model", "prompt_version")},
        Stage.RECOMMEND: {
            "questions": ("question_id", "kind", "topic", "expected", "module", "because"),
            "weaknesses": ("topic", "score", "answers", "correct", "last_seen", "mistakes"),
            "resources": ("id", "title", "kind", "url", "topic", "difficulty", "language", "minutes", "because"),
            "projects": ("id", "title", "difficulty", "hours", "because"),
        },
    }
)
"""The fields that are lists of records, and the fields of those in the order of their values. What is stored depends
on this order: new fields go to the end, and none is ever taken out."""

SELDOM: Final = frozenset({"settled"})
"""Fields at the end of such records that are left out where they say nothing."""

NESTED: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({"mistakes": ("kind", "share")})
"""Fields of such records that are lists of records again."""


def packed(stage: Stage, body: Body) -> Any:
    """A result as it is stored."""
    if not isinstance(body, msgspec.Struct):
        return body
    rows = ROWS.get(stage, {})
    fields = msgspec.structs.asdict(body)
    return {
        name: [row_of(record) for record in value] if name in rows else value
        for name, value in fields.items()
        if value is not None  # a field that says nothing is left out, as the documents do
    }


def row_of(record: msgspec.Struct) -> list[Any]:
    """The values of a record in their order, and of the records in it."""
    row = list(msgspec.structs.astuple(record))
    for name in NESTED:
        if name in record.__struct_fields__:
            place = record.__struct_fields__.index(name)
            row[place] = [row_of(one) for one in row[place]]
    return row[:-1] if row[-1] is None and record.__struct_fields__[-1] in SELDOM else row


def unpacked(stage: Stage, stored: Mapping[str, Any]) -> dict[str, Any]:
    """A result as it was before it was stored, as plain JSON."""
    rows = ROWS.get(stage, {})
    return {
        name: [named(row, rows[name]) for row in value] if name in rows else value for name, value in stored.items()
    }


def named(row: Any, names: tuple[str, ...]) -> Any:
    """A row with its names again; it may be older, and so shorter, than they are."""
    if not isinstance(row, list):
        return row
    return {
        name: [named(one, NESTED[name]) for one in value] if name in NESTED else value
        for name, value in zip(names, row, strict=False)
    }
