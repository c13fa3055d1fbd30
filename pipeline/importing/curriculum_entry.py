"""One entry of a curriculum from JSON, with everything wrong in it noted."""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from pipeline.curriculum.address import problem_with
from pipeline.curriculum.entry import Entry, Kind
from pipeline.curriculum.model import Category, Module, Project, Resource, ResourceKind, Track, Translations
from pipeline.scoring.fields import Fields
from pipeline.scoring.shape import escape

MAX_ID_CHARS: Final = 100
MAX_TITLE_CHARS: Final = 300
MAX_DESCRIPTION_CHARS: Final = 10_000
MAX_STEP_CHARS: Final = 1_000
MAX_LABEL_CHARS: Final = 200
MAX_LABELS: Final = 50
MAX_REFERENCES: Final = 300
MAX_LANGUAGES: Final = 20
MAX_HOURS: Final = 1_000
MAX_MONTHS: Final = 120
MAX_MINUTES: Final = 60_000
DIFFICULTIES: Final = range(1, 6)

_ID: Final = re.compile(r"\w[\w.-]*")
_PRIMARY: Final = re.compile(r"[a-z]{2,3}")
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,7}")


def read_entry(kind: Kind, fields: Fields) -> Entry:
    """The entry, complete only where no problem was noted; null counts as left out."""
    known, read = _READERS[kind]
    fields.refuse_unknown(known)
    return read(fields, identity(fields))


def identity(fields: Fields) -> str:
    """The entry's id: up to 100 letters, digits, `_`, `-` and `.`, of any script; empty where it is wrong."""
    value = fields.identifier("id")
    if value is None:
        return ""
    if len(value) > MAX_ID_CHARS:
        fields.refuse("id", f"is longer than {MAX_ID_CHARS} characters")
    elif not _ID.fullmatch(value):
        fields.refuse("id", "may have letters, digits, _ and, but for the first, - and .")
    else:
        return value
    return ""


def _category(fields: Fields, id_: str) -> Category:
    return Category(
        id=id_,
        title=_title(fields),
        months=int(_whole(fields, "months", 1, MAX_MONTHS) or 1),
        tracks=fields.identifiers("tracks", MAX_REFERENCES) or (),
        description=_description(fields),
        specialisations=fields.identifiers("specialisations", MAX_REFERENCES, least=0) or (),
        translations=_translations(fields, described=True),
    )


def _track(fields: Fields, id_: str) -> Track:
    return Track(
        id=id_,
        title=_title(fields),
        modules=fields.identifiers("modules", MAX_REFERENCES) or (),
        description=_description(fields),
        translations=_translations(fields, described=True),
    )


def _module(fields: Fields, id_: str) -> Module:
    return Module(
        id=id_,
        title=_title(fields),
        difficulty=_difficulty(fields, required=True),
        hours=_hours(fields, required=True) or 1.0,
        topics=_labels(fields, "topics"),
        prerequisites=fields.identifiers("prerequisites", MAX_REFERENCES, least=0) or (),
        description=_description(fields),
        tags=_labels(fields, "tags"),
        industries=_labels(fields, "industries"),
        translations=_translations(fields, described=True),
    )


def _resource(fields: Fields, id_: str) -> Resource:
    return Resource(
        id=id_,
        title=_title(fields),
        kind=ResourceKind(fields.one_of("kind", [*ResourceKind], required=True) or ResourceKind.DOCUMENTATION),
        url=_url(fields),
        topics=_labels(fields, "topics", least=1),
        modules=fields.identifiers("modules", MAX_REFERENCES, least=0) or (),
        difficulty=_difficulty(fields),
        minutes=_minutes(fields),
        language=_language(fields),
        translations=_translations(fields, described=False),
    )


def _project(fields: Fields, id_: str) -> Project:
    return Project(
        id=id_,
        title=_title(fields),
        description=fields.text("description", MAX_DESCRIPTION_CHARS, required=True) or "",
        difficulty=_difficulty(fields, required=True),
        topics=_labels(fields, "topics", least=1),
        hours=_hours(fields) or 8.0,
        steps=fields.texts("steps", MAX_LABELS, MAX_STEP_CHARS) or (),
        categories=fields.identifiers("categories", MAX_REFERENCES, least=0) or (),
        industries=_labels(fields, "industries"),
        translations=_translations(fields, described=True),
    )


_READERS: Final[Mapping[Kind, tuple[tuple[str, ...], Callable[[Fields, str], Entry]]]] = MappingProxyType(
    {
        Kind.CATEGORY: (Category.__struct_fields__, _category),
        Kind.TRACK: (Track.__struct_fields__, _track),
        Kind.MODULE: (Module.__struct_fields__, _module),
        Kind.RESOURCE: (Resource.__struct_fields__, _resource),
        Kind.PROJECT: (Project.__struct_fields__, _project),
    }
)


def _title(fields: Fields) -> str:
    return fields.text("title", MAX_TITLE_CHARS, required=True) or ""


def _description(fields: Fields) -> str:
    return fields.text("description", MAX_DESCRIPTION_CHARS) or ""


def _labels(fields: Fields, name: str, *, least: int = 0) -> tuple[str, ...]:
    """Texts that stand for something, each once."""
    return tuple(dict.fromkeys(fields.texts(name, MAX_LABELS, MAX_LABEL_CHARS, least=least) or ()))


def _whole(fields: Fields, name: str, least: int, most: int, *, required: bool = True) -> int | None:
    number = fields.number(name, required=required)
    if number is None:
        return None
    if not (least <= number <= most and number == int(number)):
        fields.refuse(name, f"must be a whole number from {least} to {most:,}")
        return None
    return int(number)


def _difficulty(fields: Fields, *, required: bool = False) -> int:
    return _whole(fields, "difficulty", DIFFICULTIES[0], DIFFICULTIES[-1], required=required) or 3


def _minutes(fields: Fields) -> int | None:
    return _whole(fields, "minutes", 1, MAX_MINUTES, required=False)


def _hours(fields: Fields, *, required: bool = False) -> float | None:
    hours = fields.number("hours", required=required)
    if hours is not None and not 0 < hours <= MAX_HOURS:
        fields.refuse("hours", f"must be above 0 and at most {MAX_HOURS:,}")
    return None if hours is None else float(hours)


def _url(fields: Fields) -> str:
    url = fields.body.get("url")
    if url is None:
        fields.refuse("url", "is required")
    elif not isinstance(url, str):
        fields.refuse("url", "must be a string")
    elif (problem := problem_with(url)) is not None:
        fields.refuse("url", problem)
    else:
        return url
    return ""


def _language(fields: Fields) -> str:
    language = fields.text("language", MAX_LABEL_CHARS)
    if language is not None and not _LANGUAGE.fullmatch(language):
        fields.refuse("language", 'must be a language tag such as "en" or "zh-Hant"')
    return language or "en"


def _translations(fields: Fields, *, described: bool) -> Translations:
    """Titles (and descriptions, where the entry has one) by primary language."""
    if not fields.has("translations"):
        return MappingProxyType({})
    by_language = fields.object("translations")
    if by_language is None:
        return MappingProxyType({})
    if len(by_language.body) > MAX_LANGUAGES:
        by_language.refuse("", f"has more than {MAX_LANGUAGES} languages")
        return MappingProxyType({})
    found = {language: _translation(by_language, language, described=described) for language in by_language.body}
    return MappingProxyType({language: texts for language, texts in found.items() if texts})


def _translation(by_language: Fields, language: str, *, described: bool) -> Mapping[str, str]:
    if not _PRIMARY.fullmatch(language):
        by_language.refuse(escape(language), 'must be a language without region or script, such as "ko" or "zh"')
        return {}
    texts = by_language.inside(language, by_language.body[language])
    if texts is None:
        return {}
    texts.refuse_unknown(("title", "description") if described else ("title",))
    title = texts.text("title", MAX_TITLE_CHARS)
    description = texts.text("description", MAX_DESCRIPTION_CHARS) if described else None
    given = {"title": title, "description": description}
    return {name: text for name, text in given.items() if text is not None}
