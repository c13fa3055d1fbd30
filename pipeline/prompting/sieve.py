"""Telling in one pass that none of many patterns can be found in a text; pure.

Python's engine tries each pattern, and each alternative of it, at every place. RE2 goes through a text once, however
many there are, but knows no assertions about what stands around a match, and no references back. Without those a
pattern finds what it found before, and more. So what RE2 does not find need not be looked for.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

import re2

_MEMORY_BYTES: Final = 1 << 24
_PART: Final = re.compile(
    r"\\."  # an escape
    r"|\[\^?\]?(?:\\.|[^\]\\])*\]"  # a class
    r"|\(\?<?[=!]"  # an assertion begins
    r"|\(\?P=\w+\)"  # a reference back
    r"|\(\?P<\w+>"  # a named group begins
    r"|.",
    re.DOTALL,
)
_REFERRED: Final = r"[^\n]+"
"""What stands for a reference back: what it refers to may be as long as it likes, such as a number."""


class Sieve:
    """Lets a text pass if any of the patterns might be in it."""

    def __init__(self, patterns: Iterable[re.Pattern[str]]) -> None:
        self._found: Any = compiled("|".join(f"(?:{loosened(pattern.pattern)})" for pattern in patterns))

    def passes(self, text: str) -> bool:
        """Whether one of them might be found; beyond printable ASCII the two engines differ, so there always."""
        plain = text.isascii() and text.replace("\n", "").isprintable()
        return not plain or self._found.search(text) is not None


def compiled(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    options.max_mem = _MEMORY_BYTES
    return re2.compile(pattern, options)


def loosened(pattern: str) -> str:
    """A pattern that finds all that this one finds, and more, in RE2's syntax."""
    return "".join(_loosened(_PART.findall(pattern)))


def _loosened(parts: Iterable[str]) -> Iterator[str]:
    within = 0  # assertions and groups that are open, from the outermost assertion on
    for part in parts:
        if within:
            within += part.startswith("(") - (part == ")")
        elif part in {"(?=", "(?!", "(?<=", "(?<!"}:
            within = 1
        elif part.startswith("(?P="):
            yield _REFERRED
        elif part.startswith("(?P<"):
            yield "(?:"
        else:
            yield part
