"""The kinds of entries that a curriculum is made of, and where each stands in a document."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from pipeline.curriculum.model import Category, Curriculum, Module, Project, Resource, Track

Entry = Category | Track | Module | Resource | Project


class Kind(StrEnum):
    """What an entry is."""

    CATEGORY = "category"
    TRACK = "track"
    MODULE = "module"
    RESOURCE = "resource"
    PROJECT = "project"


PARTS: Final[Mapping[Kind, str]] = MappingProxyType(
    {
        Kind.CATEGORY: "categories",
        Kind.TRACK: "tracks",
        Kind.MODULE: "modules",
        Kind.RESOURCE: "resources",
        Kind.PROJECT: "projects",
    }
)
"""The field of a curriculum, and of an import file, that holds the entries of a kind."""

TYPES: Final[Mapping[Kind, type[Entry]]] = MappingProxyType(
    {
        Kind.CATEGORY: Category,
        Kind.TRACK: Track,
        Kind.MODULE: Module,
        Kind.RESOURCE: Resource,
        Kind.PROJECT: Project,
    }
)

MOST: Final[Mapping[Kind, int]] = MappingProxyType(
    {Kind.CATEGORY: 500, Kind.TRACK: 2_000, Kind.MODULE: 5_000, Kind.RESOURCE: 20_000, Kind.PROJECT: 5_000}
)
"""How many entries of a kind a tenant may have: a curriculum is kept in memory and checked as a whole."""


def entries_of(curriculum: Curriculum, kind: Kind) -> Mapping[str, Entry]:
    """The entries of one kind by id, in the order in which they are shown."""
    entries: Mapping[str, Entry] = getattr(curriculum, PARTS[kind])
    return entries


def all_entries(curriculum: Curriculum) -> Iterator[tuple[Kind, Entry]]:
    """Every entry with its kind."""
    return ((kind, entry) for kind in Kind for entry in entries_of(curriculum, kind).values())


def curriculum_of(entries: Mapping[Kind, Mapping[str, Entry]], version: int = 0) -> Curriculum:
    """A curriculum of these entries; nobody can change it afterwards."""
    parts = {part: MappingProxyType(dict(entries.get(kind, {}))) for kind, part in PARTS.items()}
    return Curriculum(**parts, version=version)  # type: ignore[arg-type]  # each part has its own type of entry
