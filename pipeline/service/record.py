"""Many JSON documents in one body: a line each (NDJSON), or one array."""

from collections.abc import Iterator
from typing import Final

import msgspec

from pipeline.errors import InvalidInput, TooLarge
from pipeline.service.intake import decode_json

BLANKS: Final = b" \t\r\n"


def records_in(body: bytes, most: int) -> list[tuple[int, bytes]]:
    """The documents in `body` with their numbers from 1: lines, where blank ones count and are left out, or items.

    Raises `TooLarge` for more than `most`, `InvalidInput` for an array that is not JSON. The documents
    themselves are not looked at.
    """
    numbered = list(_items(body) if body.lstrip(BLANKS).startswith(b"[") else _lines(body, most))
    if len(numbered) > most:
        raise TooLarge(f"At most {most:,} lines fit into one request; send them in parts.")
    return numbered


def _items(body: bytes) -> Iterator[tuple[int, bytes]]:
    try:
        items = msgspec.json.decode(body, type=list[msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        decode_json(body)  # says what is wrong
        raise InvalidInput([], "The body is not an array of documents.") from error
    return ((number, bytes(item)) for number, item in enumerate(items, start=1))


def _lines(body: bytes, most: int) -> Iterator[tuple[int, bytes]]:
    """Lines that are not blank; split no further than is needed to see that they are too many."""
    lines = body.split(b"\n", most + 1)
    return ((number, line) for number, line in enumerate(lines, start=1) if line.strip(BLANKS))
