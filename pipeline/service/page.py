"""Cursors: where the next part of a list begins, in a form that clients only hand back."""

import base64
import binascii
from typing import Final, TypeVar

import msgspec

from pipeline.errors import FieldProblem, InvalidInput
from pipeline.scoring.shape import forbidden_characters

MOST_ITEMS: Final = 200
NOT_OURS: Final = (FieldProblem("/cursor", "This is not a cursor from an earlier answer."),)


def cursor_behind(key: str) -> str:
    """A cursor for what follows the item with this key."""
    return base64.urlsafe_b64encode(msgspec.json.encode([key])).rstrip(b"=").decode()


def key_before(cursor: str) -> str:
    """The key that a cursor was made of; raises `InvalidInput` for one that is not ours."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        key = msgspec.json.decode(raw, type=tuple[str])[0]
    except (binascii.Error, UnicodeError, ValueError, msgspec.MsgspecError):
        raise InvalidInput(NOT_OURS) from None
    if forbidden_characters(key) is not None:
        raise InvalidInput(NOT_OURS)
    return key


Place = TypeVar("Place", bound=msgspec.Struct)


def place_behind(place: msgspec.Struct) -> str:
    """A cursor for what follows this place in a list sorted by more than one key."""
    return cursor_behind(msgspec.json.encode(msgspec.structs.astuple(place)).decode())


def place_before(cursor: str, kind: type[Place]) -> Place:
    """The place that a cursor was made of; raises `InvalidInput` for one that is not ours."""
    fields = msgspec.structs.fields(kind)
    try:
        values = msgspec.json.decode(key_before(cursor), type=tuple[tuple(field.type for field in fields)])  # type: ignore[misc]
    except msgspec.MsgspecError:
        raise InvalidInput(NOT_OURS) from None
    if any(isinstance(value, str) and forbidden_characters(value) is not None for value in values):
        raise InvalidInput(NOT_OURS)
    return kind(*values)
