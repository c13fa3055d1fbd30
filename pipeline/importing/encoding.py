"""Bytes to text: byte order marks, UTF-8, and UTF-16 that has no mark."""

import codecs
from typing import Final

from pipeline.importing.item import Unreadable

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE_BYTES: Final = 512


def text_of(data: bytes) -> str:
    """The text; raises `Unreadable` where it is neither UTF-8 nor UTF-16."""
    encoding = encoding_of(data)
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise Unreadable(f"the file is no text in {encoding.upper()}: wrong at byte {error.start:,}") from None


def start_of(data: bytes, most: int) -> str:
    """The first characters, at most `most`, for a look: what is no text is replaced."""
    return data[: 4 * most].decode(encoding_of(data), errors="replace")[:most]


def encoding_of(data: bytes) -> str:
    """By the mark, else by where the zero bytes stand: Latin script in UTF-16 has one in every pair."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return encoding
    sample = data[:_SAMPLE_BYTES]
    pairs = len(sample) // 2
    if pairs and sample[1::2].count(0) * 2 > pairs:
        return "utf-16-le"
    if pairs and sample[0::2].count(0) * 2 > pairs:
        return "utf-16-be"
    return "utf-8"
