"""The parts of a curriculum, as they are after they were checked."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import msgspec

Translations = Mapping[str, Mapping[str, str]]
"""By primary language (`ko`): the `title` and, where there is one, the `description`."""

NO_TRANSLATIONS: Final[Translations] = MappingProxyType({})


class ResourceKind(StrEnum):
    """What a resource is."""

    DOCUMENTATION = "documentation"
    TUTORIAL = "tutorial"
    VIDEO = "video"
    PROJECT = "project"


class Category(msgspec.Struct, frozen=True):
    """A career path: `months` is how long it takes at the usual pace; `specialisations` are tracks to choose from."""

    id: str
    title: str
    months: int
    tracks: tuple[str, ...]
    description: str = ""
    specialisations: tuple[str, ...] = ()
    translations: Translations = NO_TRANSLATIONS


class Track(msgspec.Struct, frozen=True):
    """A subject: modules that belong together, in the order in which they are shown."""

    id: str
    title: str
    modules: tuple[str, ...]
    description: str = ""
    translations: Translations = NO_TRANSLATIONS


class Module(msgspec.Struct, frozen=True):
    """A unit of learning: open once all of `prerequisites` (modules) are mastered, mastered when its `topics` are.

    `difficulty` is 1 to 5; `hours` is the usual time; a module without topics is told by questions that name it.
    `industries` are those it matters most to; `general` or none: everybody.
    """

    id: str
    title: str
    difficulty: int
    hours: float
    topics: tuple[str, ...] = ()
    prerequisites: tuple[str, ...] = ()
    description: str = ""
    tags: tuple[str, ...] = ()
    industries: tuple[str, ...] = ()
    translations: Translations = NO_TRANSLATIONS

    @property
    def measured_by(self) -> tuple[str, ...]:
        """The topics whose skills tell whether the module is mastered; never empty."""
        return self.topics or (self.id,)


class Resource(msgspec.Struct, frozen=True):
    """Something to read, watch or try: an `https` address, the topics it helps with, how hard and how long it is."""

    id: str
    title: str
    kind: ResourceKind
    url: str
    topics: tuple[str, ...]
    modules: tuple[str, ...] = ()
    difficulty: int = 3
    minutes: int | None = None
    language: str = "en"
    translations: Translations = NO_TRANSLATIONS


class Project(msgspec.Struct, frozen=True):
    """Something to build: a template with its steps, for learners of about `difficulty` 1 to 5."""

    id: str
    title: str
    description: str
    difficulty: int
    topics: tuple[str, ...]
    hours: float = 8.0
    steps: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    industries: tuple[str, ...] = ()
    translations: Translations = NO_TRANSLATIONS


class Curriculum(msgspec.Struct, frozen=True):
    """All that a tenant teaches, by id, each kind in the order in which it is shown; checked as a whole."""

    categories: Mapping[str, Category] = MappingProxyType({})
    tracks: Mapping[str, Track] = MappingProxyType({})
    modules: Mapping[str, Module] = MappingProxyType({})
    resources: Mapping[str, Resource] = MappingProxyType({})
    projects: Mapping[str, Project] = MappingProxyType({})
    version: int = 0


NO_CURRICULUM: Final = Curriculum()
