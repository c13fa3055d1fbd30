"""Titles in the reader's language, where there is a translation."""

from pipeline.curriculum.entry import Entry


def primary(locale: str | None) -> str:
    """`zh` of the tags `zh-Hant` and `zh_TW`; empty where there is none."""
    return (locale or "").replace("_", "-").partition("-")[0].lower()


def title_in(entry: Entry, locale: str | None) -> str:
    """The title in this language, else as the entry has it."""
    return entry.translations.get(primary(locale), {}).get("title", entry.title)


def description_in(entry: Entry, locale: str | None) -> str:
    """The description in this language, else as the entry has it; resources have none."""
    own: str = getattr(entry, "description", "")
    return entry.translations.get(primary(locale), {}).get("description", own)
