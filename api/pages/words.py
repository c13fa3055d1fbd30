"""The words of all pages: one table, each entry in every language that pages speak."""

from collections.abc import Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Any, Final

from api.pages.learner_words import LEARNER
from api.pages.report_words import REPORT
from api.pages.said import Table
from api.pages.shared_words import SHARED
from pipeline.prompting.language import DEFAULT_LANGUAGE, select_language

LANGUAGES: Final[Mapping[str, str]] = MappingProxyType({"en": "English", "ko": "한국어", "ja": "日本語", "zh": "中文"})
"""The languages of pages, each called by its own name."""


MINUS: Final = "−"

TABLE: Final[Table] = MappingProxyType({**SHARED, **REPORT, **LEARNER})
"""Everything that pages say. A page with words of its own adds its table here."""


class Words:
    """The table in one language."""

    def __init__(self, language: str, table: Table = TABLE) -> None:
        self.language = language
        self._table = table

    def __call__(self, name: str, /, **values: Any) -> str:
        """What is said under `name`, with these values in their places; raises KeyError for a name not in the table."""
        said = self._table[name]
        if self.language == DEFAULT_LANGUAGE and said.one is not None and values.get("count") == 1:
            return said.one.format(**values)
        text: str = getattr(said, self.language)
        return text.format(**values)

    def __contains__(self, name: str) -> bool:
        return name in self._table

    def listed(self, things: Sequence[str]) -> str:
        """Some things, one after the other."""
        return self("comma").join(things)

    def percent(self, share: float | None) -> str:
        """A share of 0 to 1 in whole percent; a dash for None."""
        return self("unknown") if share is None else self("percent", value=round(share * 100))

    def short_day(self, day: date) -> str:
        """A day of any year, as short as an axis needs it."""
        return f"{day.month}/{day.day}" if self.language != DEFAULT_LANGUAGE else f"{day.day} {self.month(day)}"

    def day(self, day: date) -> str:
        """A day with its year."""
        return self("full_day", year=day.year, month=day.month, day=day.day, name=self.month(day))

    def month(self, day: date) -> str:
        """The month of a day, short."""
        return self("months").split()[day.month - 1]

    @property
    def weekdays(self) -> tuple[str, ...]:
        """From Monday on, short."""
        return tuple(self("weekdays").split())

    def points(self, now: float | None, before: float | None) -> str:
        """The difference of two shares in whole percentage points, with its sign; a dash where one is not known."""
        if now is None or before is None:
            return self("unknown")
        change = round(now * 100) - round(before * 100)
        return f"{change:+d}".replace("-", MINUS) if change else "0"


def language_of(locale: str | None, accepted: str | None) -> str:
    """The language for a `locale` asked for by name, else for an `Accept-Language` header, else English."""
    if locale:
        return select_language(locale)
    return next((found for tag in by_preference(accepted or "") if (found := known_language(tag))), DEFAULT_LANGUAGE)


def known_language(tag: str) -> str | None:
    """Ours for this tag, or None: `fr` must not become English while `ko` is accepted too."""
    found = select_language(tag)
    return found if found != DEFAULT_LANGUAGE or tag.lower().startswith(DEFAULT_LANGUAGE) else None


def by_preference(accepted: str) -> list[str]:
    """The tags of an `Accept-Language` header (RFC 9110, 12.5.4), the most wanted first; never raises."""
    weighed: list[tuple[float, str]] = []
    for part in accepted.split(",")[:50]:
        tag, _, parameter = part.strip().partition(";")
        weight = weight_of(parameter)
        if tag and weight > 0:
            weighed.append((weight, tag.strip()))
    return [tag for _, tag in sorted(weighed, key=lambda one: -one[0])]


def weight_of(parameter: str) -> float:
    """`q=0.8` as 0.8; 1 where there is none, 0 where it is no number."""
    name, _, value = parameter.strip().partition("=")
    if not name:
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
