"""Reads a JSON object field by field and collects everything wrong with it, with pointers."""

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from pipeline.errors import FieldProblem
from pipeline.model import JsonValue
from pipeline.scoring.shape import escape, forbidden_characters
from pipeline.scoring.text import is_blank

MAX_ID_CHARS: Final = 200
MAX_MAGNITUDE: Final = 1e300


class Fields:
    """One JSON object being read. Readers answer None for what is absent or wrong; wrong is noted.

    `problems` is shared with the objects read inside this one, so it ends up holding everything.
    """

    def __init__(self, body: Mapping[str, JsonValue], pointer: str, problems: list[FieldProblem]) -> None:
        self.body = body
        self.pointer = pointer
        self.problems = problems

    def refuse(self, name: str, detail: str) -> None:
        """Notes a problem with the field `name`, or with an item in it ("options/2/id")."""
        self.problems.append(FieldProblem(f"{self.pointer}/{name}" if name else self.pointer, detail))

    def refuse_unknown(self, known: Collection[str]) -> None:
        for name in self.body:
            if name not in known:
                self.refuse(escape(str(name)), "is not a field here")

    def has(self, name: str) -> bool:
        return self.body.get(name) is not None

    def text(self, name: str, limit: int, *, required: bool = False) -> str | None:
        """A text with something visible in it; null counts as absent."""
        value = self._present(name, required=required)
        if value is None:
            return None
        return value if self._is_text(name, value, limit) else None

    def identifier(self, name: str, *, required: bool = True) -> str | None:
        value = self._present(name, required=required)
        if value is None:
            return None
        return value if self.is_identifier(name, value) else None

    def identifiers(self, name: str, limit: int, *, least: int = 1) -> tuple[str, ...] | None:
        """A list of different ids, at least `least`."""
        values = self.items(name, limit, least=least)
        if values is None:
            return None
        fitting = [self.is_identifier(f"{name}/{index}", value) for index, value in enumerate(values)]
        if not all(fitting):
            return None
        for index in _repeated(values):
            self.refuse(f"{name}/{index}", "stands in the list before")
        return tuple(values)

    def texts(self, name: str, count: int, limit: int, *, least: int = 0) -> tuple[str, ...] | None:
        """A list of texts with something visible in each."""
        values = self.items(name, count, least=least)
        if values is None:
            return None
        fitting = [self._is_text(f"{name}/{index}", value, limit) for index, value in enumerate(values)]
        return tuple(values) if all(fitting) else None

    def items(self, name: str, limit: int, *, least: int = 0) -> list[JsonValue] | None:
        """A list of anything; absent is empty, which is wrong where `least` asks for more."""
        value = self.body.get(name)
        if value is None:
            value = []
        if not isinstance(value, list | tuple):
            self.refuse(name, "must be a list")
        elif len(value) < least:
            self.refuse(name, f"must have at least {least} item{'s' * (least > 1)}")
        elif len(value) > limit:
            self.refuse(name, f"has more than {limit} items")
        else:
            return list(value)
        return None

    def number(self, name: str, *, least: float | None = None, required: bool = False) -> float | None:
        """A finite number, not below `least`."""
        value = self._present(name, required=required)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.refuse(name, "must be a number")
        elif not -MAX_MAGNITUDE <= value <= MAX_MAGNITUDE:  # NaN and infinities too
            self.refuse(name, "must be a finite number")
        elif least is not None and value < least:
            self.refuse(name, f"must not be below {least:g}")
        else:
            return value
        return None

    def flag(self, name: str, *, required: bool = False) -> bool | None:
        value = self._present(name, required=required)
        if value is None:
            return None
        if isinstance(value, bool):
            return value
        self.refuse(name, "must be true or false")
        return None

    def one_of(self, name: str, known: Collection[str], *, required: bool = False) -> str | None:
        value = self._present(name, required=required)
        if value is None:
            return None
        if isinstance(value, str) and value in known:
            return value
        self.refuse(name, f"must be one of {', '.join(known)}")
        return None

    def object(self, name: str) -> "Fields | None":
        """The object at `name`, which is required, as `Fields` that note into the same problems."""
        value = self._present(name, required=True)
        return None if value is None else self.inside(name, value)

    def inside(self, name: str, value: JsonValue) -> "Fields | None":
        if isinstance(value, Mapping):
            return Fields(value, f"{self.pointer}/{name}", self.problems)
        self.refuse(name, "must be an object")
        return None

    def _present(self, name: str, *, required: bool) -> JsonValue:
        """The value at `name`; null is noted where the field is required."""
        value = self.body.get(name)
        if value is None and required:
            self.refuse(name, "is required")
        return value

    def _is_text(self, name: str, value: JsonValue, limit: int) -> bool:
        if not isinstance(value, str):
            self.refuse(name, "must be a string")
        elif len(value) > limit:
            self.refuse(name, f"is longer than {limit:,} characters")
        elif is_blank(value):
            self.refuse(name, "must not be blank")
        else:
            return True
        return False

    def is_identifier(self, name: str, value: JsonValue) -> bool:
        """Whether `value` is an id: printable, at most `MAX_ID_CHARS`, no blanks around; notes why not."""
        if not self._is_text(name, value, MAX_ID_CHARS):
            return False
        if value.isprintable() and value == value.strip():
            return True
        if forbidden_characters(value) is None:  # those are noted for the whole document
            self.refuse(name, "must be printable characters, without blanks around them")
        return False


def _repeated(values: list[str]) -> Iterator[int]:
    seen: set[str] = set()
    for index, value in enumerate(values):
        if value in seen:
            yield index
        seen.add(value)


def forbidden_text(document: JsonValue, pointer: str = "") -> Iterator[FieldProblem]:
    """A problem for each text or key in `document` that holds a character no text may hold.

    Walks with a stack of its own, so that depth is no danger.
    """
    waiting = [(pointer, document)]
    while waiting:
        place, value = waiting.pop()
        if isinstance(value, str) and (reason := forbidden_characters(value)) is not None:
            yield FieldProblem(place, reason)
        elif isinstance(value, Mapping):
            if any(isinstance(key, str) and forbidden_characters(key) for key in value):
                yield FieldProblem(place, "has a field name with a NUL character or a lone surrogate")
            waiting.extend((f"{place}/{escape(str(key))}", item) for key, item in value.items())
        elif isinstance(value, list | tuple):
            waiting.extend((f"{place}/{index}", item) for index, item in enumerate(value))
