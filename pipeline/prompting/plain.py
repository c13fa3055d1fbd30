"""Makes text from outside harmless and short enough to stand inside ours.

Output is plain text: nothing here escapes HTML, so whoever puts it into a page must.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Final

from pipeline.model import JsonValue

QUOTE_LIMIT: Final = 120
"""Characters of an answer, option or label that are quoted."""
ITEM_LIMIT: Final = 6
"""Entries of a list that are named; the rest is counted."""

_WINDOW: Final = 8
"""Characters looked at per character shown: a long text is not read to its end to quote its beginning."""
_LONGEST_INTEGER_BITS: Final = 256

_UNSAFE: Final = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # controls but tab and line feed
    "\u200b\u2060-\u2064\ufeff\u180e"  # invisible, of no use in a quotation
    "\u202a-\u202e\u2066-\u2069"  # bidi embeddings, overrides and isolates reorder what follows them
    "\u2028\u2029\ufff9-\ufffb\ufffe\uffff"
    "\ud800-\udfff"  # lone surrogates cannot be stored
    "\U000e0000-\U000e007f"  # tags: text that people do not see and models read
    "]"
)
_ZERO_WIDTH_JOINER: Final = "\u200d"


def plain(text: str, limit: int) -> str:
    """`text` without control and invisible formatting characters, at most `limit` characters long.

    Line breaks stay; a text that was cut ends in an ellipsis.
    """
    return _cut(_UNSAFE.sub("", text[: limit * _WINDOW]).strip(), limit, len(text) > limit * _WINDOW)


def quotable(text: str, limit: int = QUOTE_LIMIT) -> str:
    """`text` as `plain` leaves it, on one line, with runs of white space made one space."""
    return _cut(" ".join(_UNSAFE.sub("", text[: limit * _WINDOW]).split()), limit, len(text) > limit * _WINDOW)


def scalar_text(value: JsonValue, limit: int = QUOTE_LIMIT) -> str | None:
    """A string or number as it can be quoted; None for any other JSON value."""
    match value:
        case str():
            return quotable(value, limit)
        case bool():
            return None
        case int():
            return str(value) if value.bit_length() <= _LONGEST_INTEGER_BITS else None
        case float():
            return number_text(value)
        case _:
            return None


def number_text(value: float) -> str:
    """A number without trailing zeros or a needless exponent: 3.0 → `3`, 3.14159 → `3.14159`."""
    return f"{value:.15g}"


def points_text(points: float) -> str:
    """Points to two decimals, without trailing zeros: 2.5 → `2.5`, 2.6667 → `2.67`."""
    return f"{points:.2f}".rstrip("0").rstrip(".")


def listed(items: Sequence[str], show: Callable[[str], str] = quotable) -> dict[str, object]:
    """The facts of a list in a sentence: the first `items` as `show` puts them, and how many `more`."""
    return {"items": tuple(map(show, items[:ITEM_LIMIT])), "more": max(0, len(items) - ITEM_LIMIT)}


def _cut(text: str, limit: int, longer: bool) -> str:
    if len(text) <= limit:
        return f"{text}…" if longer and text else text
    return text[: _boundary(text, limit - 1)].rstrip() + "…"


def _boundary(text: str, end: int) -> int:
    """The last place at or before `end` that does not cut marks or joined emoji off their base."""
    place = end
    while place > 0 and (_continues(text[place]) or text[place - 1] == _ZERO_WIDTH_JOINER):
        place -= 1
    return place or end


def _continues(character: str) -> bool:
    return character == _ZERO_WIDTH_JOINER or unicodedata.category(character) in {"Mn", "Me", "Mc"}
