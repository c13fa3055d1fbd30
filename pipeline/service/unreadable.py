"""Why a body is no JSON, with the byte at which it goes wrong."""

import re
from typing import Final

import msgspec

BAD_PAIR: Final = re.compile(r".*utf-16 surrogate pair \(byte (\d+)\)")
HIGH_SURROGATE: Final = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}")
ESCAPE_BYTES: Final = 6
"""Length of an escape such as \\ud800."""


def unreadable(body: bytes, error: msgspec.DecodeError | UnicodeDecodeError | RecursionError) -> str:
    """A sentence for the `error` with which this body could not be decoded."""
    if not body.strip():
        return "A JSON body is expected."
    match error:
        case RecursionError():
            return "The body is nested too deeply."
        case UnicodeDecodeError():  # msgspec counts from the start of the string that it was reading
            return f"The body is not valid UTF-8 at byte {bad_utf8(body)}."
        case msgspec.ValidationError():
            return "The body has a number that is out of range."
    return not_json(body, str(error))


def bad_utf8(body: bytes) -> int:
    """The first byte that is not UTF-8; the length of the body where all are."""
    try:
        return len(body.decode())
    except UnicodeDecodeError as error:
        return error.start


def not_json(body: bytes, message: str) -> str:
    start = half_pair(body, message)
    if start is not None:
        return f"The body has half of a surrogate pair at byte {start}; such a character does not exist."
    if message == "Input data was truncated":
        return "The body is not valid JSON: it ends too early."
    return f"The body is not valid JSON: {message.removeprefix('JSON is malformed: ')}."


def half_pair(body: bytes, message: str) -> int | None:
    """Where the half of a pair begins that msgspec stumbled over; near the end it takes it for a truncated body."""
    if found := BAD_PAIR.fullmatch(message):
        end = int(found[1])
        first = end - 2 * ESCAPE_BYTES
        return first if "invalid" in message and first >= 0 and is_high(body, first) else end - ESCAPE_BYTES
    if message != "Input data was truncated":
        return None
    tail = max(0, len(body) - 2 * ESCAPE_BYTES)
    return next((start for start in range(tail, len(body)) if is_high(body, start)), None)


def is_high(body: bytes, start: int) -> bool:
    """Whether the escape of a pair's first half begins here; after an odd run of backslashes it is plain text."""
    before = body[:start]
    escaped = (len(before) - len(before.rstrip(b"\\"))) % 2
    return HIGH_SURROGATE.match(body, start) is not None and not escaped
