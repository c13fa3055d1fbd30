"""What reports find, as sentences."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from api.pages.words import Words
from pipeline.curriculum.naming import NO_NAMES
from pipeline.learning.report import Finding

SHARES: Final = frozenset({"accuracy", "before", "share"})


def said(
    finding: Finding, words: Words, titles: Mapping[str, str] | None = None, topics: Mapping[str, str] = NO_NAMES
) -> str:
    """The sentence of a finding or of a next step, in one language.

    `titles` are those of modules there, by id, and `topics` the names of those topics that have one.
    """
    named = {name: called(name, value, topics) for name, value in finding.values.items()}
    values = {name: worded(name, value, words) for name, value in named.items()}
    if "points" in values:
        values["count"] = values["points"]
    if titles is not None and (module := finding.values.get("module")) in titles:
        values["title"] = titles[str(module)]
    return words(f"say_{finding.code}", **values)


def called(name: str, value: Any, topics: Mapping[str, str]) -> Any:
    """A value with topics by their names."""
    if name == "topic":
        return topics.get(value, value)
    return [topics.get(topic, topic) for topic in value] if name == "topics" else value


def topics_in(findings: Iterable[Finding]) -> list[str]:
    """Every topic that is spoken of."""
    values = [finding.values for finding in findings]
    alone = [str(one["topic"]) for one in values if "topic" in one]
    return alone + [str(topic) for one in values for topic in listed_in(one.get("topics"))]


def listed_in(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list | tuple) else ()


def worded(name: str, value: Any, words: Words) -> Any:
    """A value as it stands in a sentence: shares in percent, several things one after the other."""
    if name in SHARES:
        return words.percent(value)
    return words.listed(value) if isinstance(value, list | tuple) else value
