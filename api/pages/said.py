"""What the tables of words are made of."""

from collections.abc import Mapping
from typing import NamedTuple


class Said(NamedTuple):
    """One thing to say; `{name}` stands for a value. `one` is the English form where `count` is 1."""

    en: str
    ko: str
    ja: str
    zh: str
    one: str | None = None


Table = Mapping[str, Said]
"""Things to say by name."""
