"""A curriculum in the shapes in which it is shown."""

from collections import Counter
from collections.abc import Iterable, Iterator

from pipeline.curriculum.entry import PARTS, Kind, entries_of
from pipeline.curriculum.language import description_in, primary, title_in
from pipeline.curriculum.model import Category, Curriculum, Module, Resource, Track
from pipeline.curriculum.order import tracks_of_modules
from pipeline.curriculum.path import Path, Step
from pipeline.curriculum.standing import Standings, missing_prerequisites
from pipeline.curriculum.wording import summary, why
from pipeline.ports import Saved
from pipeline.ports.curriculum import SavedCurriculum
from pipeline.service.curriculum_view import (
    CategoryShown,
    Changes,
    ImportedCurriculum,
    ModuleShown,
    ModuleWithResources,
    Named,
    PathShown,
    ResourceShown,
    StandingShown,
    StepShown,
    TrackShown,
)


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
