"""The shapes in which a curriculum is shown, and what they are made from."""

from collections import Counter
from collections.abc import Iterable, Iterator

import msgspec

from pipeline.curriculum.entry import PARTS, Kind, entries_of
from pipeline.curriculum.language import description_in, primary, title_in
from pipeline.curriculum.model import Category, Curriculum, Module, Resource, ResourceKind, Track
from pipeline.curriculum.order import tracks_of_modules
from pipeline.curriculum.path import Path, Step
from pipeline.curriculum.reason import Reason
from pipeline.curriculum.standing import Standings, missing_prerequisites
from pipeline.curriculum.wording import summary, why
from pipeline.ports import Saved
from pipeline.ports.curriculum import SavedCurriculum


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
    reasons: tuple[Reason, ...]
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


def category_shown(category: Category, curriculum: Curriculum, locale: str | None) -> CategoryShown:
    modules = modules_of(curriculum, category.tracks)
    return CategoryShown(
        id=category.id,
        title=title_in(category, locale),
        description=description_in(category, locale),
        months=category.months,
        tracks=category.tracks,
        specialisations=category.specialisations,
        modules=len(modules),
        hours=rounded(sum(module.hours for module in modules)),
    )


def track_shown(track: Track, category: Category, curriculum: Curriculum, locale: str | None) -> TrackShown:
    return TrackShown(
        id=track.id,
        title=title_in(track, locale),
        description=description_in(track, locale),
        specialisation=track.id in category.specialisations,
        modules=track.modules,
        hours=rounded(sum(module.hours for module in modules_of(curriculum, [track.id]))),
    )


def module_shown(
    module: Module, curriculum: Curriculum, standings: Standings | None, locale: str | None
) -> ModuleShown:
    return ModuleShown(
        id=module.id,
        title=title_in(module, locale),
        description=description_in(module, locale),
        difficulty=module.difficulty,
        hours=module.hours,
        topics=module.topics,
        prerequisites=module.prerequisites,
        tags=module.tags,
        industries=module.industries,
        standing=None if standings is None else standing_shown(module, curriculum, standings, locale),
    )


def standing_shown(module: Module, curriculum: Curriculum, standings: Standings, locale: str | None) -> StandingShown:
    standing, missing = standings(module.id), missing_prerequisites(module, standings)
    return StandingShown(
        mastery=rounded(standing.mastery),
        mastered=standing.is_mastered,
        begun=standing.is_begun,
        open=not missing,
        missing=modules_named(missing, curriculum, locale),
    )


def module_with_resources(
    module: Module, curriculum: Curriculum, standings: Standings | None, locale: str | None
) -> ModuleWithResources:
    shown = module_shown(module, curriculum, standings, locale)
    tracks = (track for track in curriculum.tracks.values() if module.id in track.modules)
    opened = (other.id for other in curriculum.modules.values() if module.id in other.prerequisites)
    return ModuleWithResources(
        **{name: getattr(shown, name) for name in ModuleShown.__struct_fields__},
        tracks=tuple(Named(track.id, title_in(track, locale)) for track in tracks),
        opens=modules_named(opened, curriculum, locale),
        resources=tuple(resource_shown(one, locale) for one in resources_for(module, curriculum, locale)),
    )


def resource_shown(resource: Resource, locale: str | None) -> ResourceShown:
    return ResourceShown(
        id=resource.id,
        title=title_in(resource, locale),
        kind=resource.kind,
        url=resource.url,
        topics=resource.topics,
        difficulty=resource.difficulty,
        minutes=resource.minutes,
        language=resource.language,
    )


def resources_for(module: Module, curriculum: Curriculum, locale: str | None, most: int = 50) -> list[Resource]:
    """What helps with a module: what names it or one of its topics.

    First what names it, then what is in the reader's language, then what is about as hard.
    """
    topics, language = set(module.measured_by), primary(locale) or "en"
    helpful = [
        resource
        for resource in curriculum.resources.values()
        if module.id in resource.modules or not topics.isdisjoint(resource.topics)
    ]
    helpful.sort(
        key=lambda one: (
            module.id not in one.modules,
            primary(one.language) != language,
            abs(one.difficulty - module.difficulty),
        )
    )
    return helpful[:most]


def path_shown(path: Path, curriculum: Curriculum, locale: str | None) -> PathShown:
    return PathShown(
        category=Named(path.category.id, title_in(path.category, locale)),
        usual_months=path.category.months,
        industry=path.industry,
        specialisations=tuple(Named(id_, title_in(curriculum.tracks[id_], locale)) for id_ in path.specialisations),
        hours_per_week=path.hours_per_week,
        hours=rounded(path.hours),
        months=rounded(path.months),
        steps=tuple(step_shown(number, step, curriculum, locale) for number, step in enumerate(path.steps, start=1)),
        mastered=modules_named(path.mastered, curriculum, locale),
        summary=summary(path, locale),
    )


def step_shown(position: int, step: Step, curriculum: Curriculum, locale: str | None) -> StepShown:
    def title_of(id_: str) -> str:
        return title_in(curriculum.modules[id_], locale)

    return StepShown(
        position=position,
        id=step.module.id,
        title=title_of(step.module.id),
        track=step.track,
        difficulty=step.module.difficulty,
        hours=step.module.hours,
        starts_at_months=rounded(step.starts_at_months),
        ends_at_months=rounded(step.ends_at_months),
        open=step.is_open,
        mastery=rounded(step.standing.mastery),
        reasons=step.reasons,
        why=why(step.reasons, title_of, locale),
    )


def imported(given: Curriculum, saved: SavedCurriculum) -> ImportedCurriculum:
    """What became of the things given in a file."""
    return ImportedCurriculum(
        version=saved.after.version,
        questions=_changes(_of_question(one) for one in saved.questions),
        **{PARTS[kind]: _changes(_of_entries(kind, given, saved.before)) for kind in Kind},
    )


def _of_entries(kind: Kind, given: Curriculum, before: Curriculum) -> Iterator[str]:
    there = entries_of(before, kind)
    for id_, entry in entries_of(given, kind).items():
        yield "added" if id_ not in there else "unchanged" if there[id_] == entry else "changed"


def _of_question(saved: Saved) -> str:
    if not saved.changed:
        return "unchanged"
    return "added" if saved.version == 1 else "changed"


def _changes(words: Iterable[str]) -> Changes:
    return Changes(**Counter(words))


def modules_of(curriculum: Curriculum, tracks: Iterable[str]) -> list[Module]:
    """The modules of these tracks, each once."""
    return [curriculum.modules[id_] for id_ in tracks_of_modules(curriculum, tracks)]


def modules_named(ids: Iterable[str], curriculum: Curriculum, locale: str | None) -> tuple[Named, ...]:
    return tuple(Named(id_, title_in(curriculum.modules[id_], locale)) for id_ in ids)


def rounded(number: float) -> float:
    """Two decimals: hours, months and shares are estimates."""
    return round(number, 2)
