"""The key under which a line is handed in: the same file again has the same keys, so nothing is handed in twice."""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import msgspec

FIELD: Final = "idempotency_key"


class LineKeys:
    """Gives each line of one file its key.

    The key is the SHA-256 of the line as canonical JSON (RFC 8259 text with sorted names and no spaces)
    and of how often the same line came before, so that two equal lines are two hand-ins. A line may
    bring its own key.
    """

    def __init__(self) -> None:
        self._seen: dict[bytes, int] = {}

    def key_of(self, value: Mapping[str, Any]) -> str:
        """The key of the next line of the file."""
        own = value.get(FIELD)
        if own is not None:
            return str(own)
        canonical = hashlib.sha256(msgspec.json.encode(value, order="sorted")).digest()
        before = self._seen.get(canonical, 0)
        self._seen[canonical] = before + 1
        return hashlib.sha256(canonical + str(before).encode()).hexdigest()
