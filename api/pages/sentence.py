"""What reports find, as sentences."""

from collections.abc import Mapping
from typing import Any, Final

from api.pages.words import Words
from pipeline.learning.report import Finding

SHARES: Final = frozenset({"accuracy", "before", "share"})


def said(finding: Finding, words: Words, titles: Mapping[str, str] | None = None) -> str:
    """The sentence of a finding or of a next step; `titles` are those of modules in this language, by id."""
    values = {name: worded(name, value, words) for name, value in finding.values.items()}
    if "points" in values:
        values["count"] = values["points"]
    if titles is not None and (module := finding.values.get("module")) in titles:
        values["title"] = titles[str(module)]
    return words(f"say_{finding.code}", **values)


def worded(name: str, value: Any, words: Words) -> Any:
    """A value as it stands in a sentence: shares in percent, several things one after the other."""
    if name in SHARES:
        return words.percent(value)
    return words.listed(value) if isinstance(value, list | tuple) else value
