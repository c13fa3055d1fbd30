"""The shapes in which a curriculum is shown."""

import msgspec

from pipeline.curriculum.model import ResourceKind
from pipeline.curriculum.reason import StepReason


class Named(msgspec.Struct, frozen=True):
    """An entry by its id and title."""

    id: str
    title: str


class CategoryShown(msgspec.Struct, frozen=True):
    """A career path: `months` at the usual pace; `modules` and `hours` of its tracks, without specialisations."""

    id: str
    title: str
    description: str
    months: int
    tracks: tuple[str, ...]
    specialisations: tuple[str, ...]
    modules: int
    hours: float


class TrackShown(msgspec.Struct, frozen=True):
    """A track of a category; a specialisation is one to choose."""

    id: str
    title: str
    description: str
    specialisation: bool
    modules: tuple[str, ...]
    hours: float


class StandingShown(msgspec.Struct, frozen=True):
    """How far a learner has got with a module: `mastery` is 0 to 1; it is open where no prerequisite is missing."""

    mastery: float
    mastered: bool
    begun: bool
    open: bool
    missing: tuple[Named, ...]


class ModuleShown(msgspec.Struct, frozen=True):
    """A module; `standing` is the learner's, null where none was named."""

    id: str
    title: str
    description: str
    difficulty: int
    hours: float
    topics: tuple[str, ...]
    prerequisites: tuple[str, ...]
    tags: tuple[str, ...]
    industries: tuple[str, ...]
    standing: StandingShown | None = None


class ResourceShown(msgspec.Struct, frozen=True):
    """Something to read, watch or try."""

    id: str
    title: str
    kind: ResourceKind
    url: str
    topics: tuple[str, ...]
    difficulty: int
    minutes: int | None
    language: str


class ModuleWithResources(ModuleShown, frozen=True, kw_only=True):
    """A module with the tracks it is in, the modules it opens, and what helps with it, the closest first."""

    tracks: tuple[Named, ...]
    opens: tuple[Named, ...]
    resources: tuple[ResourceShown, ...]


class StepShown(msgspec.Struct, frozen=True):
    """A module of a path. `why` are its `reasons` in words; months count from the start of the path."""

    position: int
    id: str
    title: str
    track: str | None
    difficulty: int
    hours: float
    starts_at_months: float
    ends_at_months: float
    open: bool
    mastery: float
    reasons: tuple[StepReason, ...]
    why: str


class PathShown(msgspec.Struct, frozen=True):
    """A way through a category: what to learn in which order, and how long it takes at `hours_per_week`."""

    category: Named
    usual_months: int
    industry: str | None
    specialisations: tuple[Named, ...]
    hours_per_week: float
    hours: float
    months: float
    steps: tuple[StepShown, ...]
    mastered: tuple[Named, ...]
    summary: str


class Changes(msgspec.Struct, frozen=True):
    """What became of the things of one kind in an import."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0


class ImportedCurriculum(msgspec.Struct, frozen=True):
    """What an import did; `version` is the curriculum's from now on, and only a change of an entry raises it."""

    version: int
    categories: Changes
    tracks: Changes
    modules: Changes
    resources: Changes
    projects: Changes
    questions: Changes
