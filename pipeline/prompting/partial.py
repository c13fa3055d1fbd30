"""Reading a reply while it is still being written: one flat JSON object, piece by piece.

It tells each section as soon as its string is complete. What is told here is never believed: the whole reply is read
and judged again at its end, by a parser that knows all of JSON. So this one only has to be quiet where it is unsure.
"""

import json
import re
from enum import Enum, auto
from typing import Final

Section = tuple[str, str]
"""A field and its text; null is an empty one."""

WHITESPACE: Final = " \t\n\r"
MOST_OPENING: Final = 100
"""How much may come before the object; a reply that opens with more is an essay."""
OPENING: Final = re.compile(r"\ufeff?\s*(?:```\w*\s*)?")
STRETCH: Final = re.compile(r'[^"\\]*')
"""What in a string needs no second look."""
NULL: Final = "null"
DECODER: Final = json.JSONDecoder(strict=False)


class Place(Enum):
    """Where in the object the next character stands."""

    OPENING = auto()
    BEFORE_NAME = auto()
    IN_NAME = auto()
    BEFORE_COLON = auto()
    BEFORE_VALUE = auto()
    IN_VALUE = auto()
    IN_NULL = auto()
    BEFORE_COMMA = auto()
    OVER = auto()


TURNS: Final = {
    (Place.BEFORE_NAME, '"'): Place.IN_NAME,
    (Place.BEFORE_COLON, ":"): Place.BEFORE_VALUE,
    (Place.BEFORE_VALUE, '"'): Place.IN_VALUE,
    (Place.BEFORE_COMMA, ","): Place.BEFORE_NAME,
}
"""What leads on between strings; anything else but white space is the end of what we can read."""


class PartialReply:
    """One reply under way. Each character is looked at once, however the reply is cut into pieces."""

    def __init__(self) -> None:
        self._place = Place.OPENING
        self._parts: list[str] = []
        self._escaped = False
        self._name = ""
        self._names: set[str] = set()
        self._sections: list[Section] = []

    @property
    def over(self) -> bool:
        """Whether nothing more will be told: the object has ended, or is none that we can read."""
        return self._place is Place.OVER

    def feed(self, piece: str) -> list[Section]:
        """The sections that this piece completes, in the order they stand in."""
        self._sections = []
        position = 0
        while position < len(piece) and not self.over:
            position = self._step(piece, position)
        return self._sections

    def _step(self, piece: str, position: int) -> int:
        match self._place:
            case Place.OPENING:
                return self._open(piece, position)
            case Place.IN_NAME | Place.IN_VALUE:
                return self._read_string(piece, position)
            case Place.IN_NULL:
                return self._read_null(piece, position)
            case _:
                return self._turn(piece, position)

    def _open(self, piece: str, position: int) -> int:
        """Up to the brace: white space, or the fence that models like to put around JSON."""
        brace = piece.find("{", position)
        self._parts.append(piece[position:] if brace < 0 else piece[position:brace])
        opening = "".join(self._parts)
        if len(opening) > MOST_OPENING or (brace >= 0 and not OPENING.fullmatch(opening)):
            self._place = Place.OVER
        elif brace >= 0:
            self._go(Place.BEFORE_NAME)
        return len(piece) if brace < 0 else brace + 1

    def _turn(self, piece: str, position: int) -> int:
        character = piece[position]
        if character in WHITESPACE:
            return position + 1
        if self._place is Place.BEFORE_VALUE and character == NULL[0]:
            self._go(Place.IN_NULL)
            return position
        self._go(TURNS.get((self._place, character), Place.OVER))
        return position + 1

    def _read_string(self, piece: str, position: int) -> int:
        if self._escaped:
            self._parts.append(piece[position])
            self._escaped = False
            return position + 1
        end = STRETCH.match(piece, position).end()  # type: ignore[union-attr] # it matches nothing, too
        self._parts.append(piece[position:end])
        if end == len(piece):
            return end
        if piece[end] == '"':
            self._end_string()
        else:
            self._parts.append("\\")
            self._escaped = True
        return end + 1

    def _end_string(self) -> None:
        text = decoded("".join(self._parts))
        if text is None:
            self._place = Place.OVER
        elif self._place is Place.IN_VALUE:
            self._tell(text)
        elif text in self._names:  # the parser of the whole takes the last one, and we have told the first
            self._place = Place.OVER
        else:
            self._name = text
            self._names.add(text)
            self._go(Place.BEFORE_COLON)

    def _read_null(self, piece: str, position: int) -> int:
        self._parts.append(piece[position])
        word = "".join(self._parts)
        if word == NULL:
            self._tell("")
        elif not NULL.startswith(word):
            self._place = Place.OVER
        return position + 1

    def _tell(self, text: str) -> None:
        self._sections.append((self._name, text))
        self._go(Place.BEFORE_COMMA)

    def _go(self, place: Place) -> None:
        self._place = place
        self._parts = []


def decoded(raw: str) -> str | None:
    """What stands between a string's quotes, with its escapes undone; None where it is no text.

    Line breaks may stand in it as they are: models write them so, and the reader of the whole lets them pass.
    """
    try:
        text = str(DECODER.decode(f'"{raw}"'))
        text.encode()  # half a surrogate pair can't be shown
    except ValueError:
        return None
    return text
