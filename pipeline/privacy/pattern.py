"""Patterns of private things: RE2's syntax, so that no text makes them slow."""

from typing import Any

import re2

_MEMORY_BYTES = 1 << 23


def compiled(pattern: str, *, keep_case: bool = True) -> Any:
    """A pattern to search with; its groups, offsets and flags are as in `re`."""
    options = re2.Options()
    options.case_sensitive = keep_case
    options.log_errors = False
    options.max_mem = _MEMORY_BYTES
    return re2.compile(pattern, options)
