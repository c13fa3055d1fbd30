"""Patterns of answer keys: regular expressions in RE2's syntax, matched in linear and bounded time."""

from typing import Final

import re2

MAX_PATTERN_CHARS: Final = 500
MAX_PROGRAM_SIZE: Final = 4_000
"""Instructions of the compiled pattern; a Unicode class such as \\pL takes a few hundred."""

MAX_MATCHED_CHARS: Final = 500
"""Longer texts match no pattern: patterns describe short answers.

At worst RE2 takes a step per instruction and byte: 4,000 times 4 x 500, about 30 ms.
"""

_MEMORY_BYTES: Final = 1 << 20


class PatternError(Exception):
    """The pattern does not compile or is too big; the text says which, in words for its author."""


def program_size(pattern: str) -> int:
    """The size of the compiled pattern in instructions; raises `PatternError`."""
    if len(pattern) > MAX_PATTERN_CHARS:
        raise PatternError(f"is longer than {MAX_PATTERN_CHARS} characters")
    try:
        size = int(_compiled(pattern, keep_case=False).programsize)
    except re2.error as error:
        raise PatternError(f"is no regular expression in RE2's syntax: {_reason(error)}") from None
    if size > MAX_PROGRAM_SIZE:
        raise PatternError("is too complex: use fewer or smaller repetitions")
    return size


def full_match(pattern: str, text: str, *, keep_case: bool) -> bool:
    """Whether all of `text` matches a pattern that `program_size` let through."""
    return len(text) <= MAX_MATCHED_CHARS and _compiled(pattern, keep_case=keep_case).fullmatch(text) is not None


def _compiled(pattern: str, *, keep_case: bool) -> "re2._Regexp":
    options = re2.Options()
    options.case_sensitive = keep_case
    options.log_errors = False
    options.max_mem = _MEMORY_BYTES
    options.never_capture = True
    return re2.compile(pattern, options)


def _reason(error: Exception) -> str:
    reason = error.args[0] if error.args else ""
    return reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
