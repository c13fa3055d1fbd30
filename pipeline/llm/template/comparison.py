"""Compares a response with its key closely enough to say where they differ.

Only remarks come of it: outcome and points are the scoring rule's. In doubt, nothing is claimed.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Final

from pipeline.model import JsonValue
from pipeline.prompting.plain import scalar_text

# A comma before exactly three digits may group thousands: such a number is not read at all.
_NUMBER: Final = re.compile(
    r"\s*([-+]?\d{1,30}(?:\.\d{1,30}|,(?!\d{3}(?!\d))\d{1,30})?(?:[eE][-+]?\d{1,2})?)(?![\d.,])"
)
_COMPARED: Final = 2_000
"""Characters of a blank that are compared: far more than any accepted answer has."""
_SLACK: Final = 1e-9
"""Relative slack at the border of a tolerance, for what binary floats cannot hold."""


def number_in(response: JsonValue) -> float | None:
    """The number a response is or begins with; None where it is not plainly one."""
    if isinstance(response, str):
        found = _NUMBER.match(unicodedata.normalize("NFKC", response[:100]).replace("\u2212", "-"))
        return float(found[1].replace(",", ".")) if found else None
    if isinstance(response, bool) or not isinstance(response, int | float):
        return None
    return float(response) if abs(response) < 1e300 else None  # noqa: PLR2004 - beyond it int to float overflows


def is_within(number: float, key: Mapping[str, JsonValue]) -> bool:
    """Whether a number is within a numeric key's absolute or relative tolerance, borders included."""
    value = key["value"]
    allowed = max(key.get("tolerance") or 0.0, abs(value) * (key.get("relative_tolerance") or 0.0))
    return bool(abs(number - value) <= allowed + abs(value) * _SLACK)


def fits_blank(entry: JsonValue, blank: Mapping[str, JsonValue]) -> bool:
    """Whether what stands in a blank equals one of the accepted texts but for width, case and spacing."""
    given = _folded(entry if isinstance(entry, str) else scalar_text(entry) or "")
    accepted: Sequence[str] = blank["accepted"]
    return any(_folded(text) == given for text in accepted)


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text[:_COMPARED]).casefold().split())
