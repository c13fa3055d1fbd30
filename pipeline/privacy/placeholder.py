"""Placeholders such as `[email-1]`: how they are written, and how they are found again after a model rewrote them.

A placeholder holds exactly one opening and one closing bracket, at its ends. So none can arise across the edge of
another, and putting the originals back is exact whatever the text around them is.
"""

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What stands behind a placeholder, the surest first: where two overlap, the first names them both."""

    SECRET = "secret"  # noqa: S105 - names a kind
    EMAIL = "email"
    IBAN = "iban"
    CARD = "card"
    PHONE = "phone"
    NAME = "name"


LONGEST: Final = 60
"""No placeholder that is found again is longer, in characters, however it was rewritten."""

# Models write other brackets, dashes, capitals and widths, or escape brackets for Markdown. Bounded, so linear.
_KINDS: Final = "|".join(Kind)
_INSIDE: Final = (
    rf"\s{{0,3}}({_KINDS})\s{{0,3}}[-_:\u2010-\u2015\u2212\uff0d\u30fc]\s{{0,3}}([0-9\uff10-\uff19]{{1,9}})\s{{0,3}}"
)
_PLACEHOLDER: Final = re.compile(
    rf"[\[\uff3b\u3010\u3014]{_INSIDE}[\]\uff3d\u3011\u3015]|\\\[{_INSIDE}\\\]", re.IGNORECASE
)

Place = tuple[str, int]
"""A placeholder by what matters of it: its kind and number."""


def written(place: Place) -> str:
    """A placeholder as we write it."""
    return f"[{place[0]}-{place[1]}]"


def places(text: str) -> Iterator[Place]:
    """The placeholders in a text, as far as they are spelled like ours."""
    return (place_of(match) for match in _PLACEHOLDER.finditer(text))


def place_of(match: re.Match[str]) -> Place:
    kind, number = match[1] or match[3], match[2] or match[4]
    return kind.lower(), int(number)


def replaced(text: str, originals: Mapping[str, str]) -> str:
    """The text with what stands behind each placeholder; those that stand for nothing stay as they are."""
    if not originals:
        return text
    return _PLACEHOLDER.sub(lambda match: originals.get(written(place_of(match)), match[0]), text)
