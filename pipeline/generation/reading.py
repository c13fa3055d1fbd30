"""Reading the JSON that models write, which may stand in a code block or among other words."""

import json
from typing import Any, Final

CANDIDATES: Final = 20


def json_object(text: str) -> dict[str, Any] | None:
    """The first JSON object in a text, from each of its first braces on; None where there is none."""
    decoder = json.JSONDecoder(strict=False)
    start = text.find("{")
    for _ in range(CANDIDATES):
        if start < 0:
            return None
        try:
            value, _ = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            start = text.find("{", start + 1)
        else:
            return value if isinstance(value, dict) else None
    return None
