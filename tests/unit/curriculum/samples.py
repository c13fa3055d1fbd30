"""Small curricula for tests."""

from collections.abc import Mapping, Sequence

from pipeline.curriculum.entry import Entry, Kind, curriculum_of
from pipeline.curriculum.model import Category, Curriculum, Module, Track
from pipeline.curriculum.standing import NOT_BEGUN, ModuleStanding, Standings

MASTERED = ModuleStanding(mastery=0.9, is_mastered=True, is_begun=True)
BEGUN = ModuleStanding(mastery=0.4, is_begun=True)


def a_module(id_: str, *prerequisites: str, hours: float = 10.0, industries: Sequence[str] = ()) -> Module:
    return Module(
        id=id_,
        title=id_.title(),
        difficulty=2,
        hours=hours,
        prerequisites=prerequisites,
        industries=tuple(industries),
        translations={"ko": {"title": f"{id_} (ko)"}},
    )


def a_curriculum(
    modules: Sequence[Module],
    tracks: Mapping[str, Sequence[str]] | None = None,
    *,
    specialisations: Sequence[str] = (),
) -> Curriculum:
    """The category `path` with these tracks; by default one track `all` of all modules, as given."""
    by_track = tracks or {"all": [module.id for module in modules]}
    chosen = tuple(track for track in by_track if track not in specialisations)
    category = Category("path", "A path", 12, chosen, specialisations=tuple(specialisations))
    entries: dict[Kind, dict[str, Entry]] = {
        Kind.CATEGORY: {"path": category},
        Kind.TRACK: {id_: Track(id_, id_.title(), tuple(names)) for id_, names in by_track.items()},
        Kind.MODULE: {module.id: module for module in modules},
    }
    return curriculum_of(entries, version=1)


def standings(mastered: Sequence[str] = (), begun: Sequence[str] = ()) -> Standings:
    known = dict.fromkeys(begun, BEGUN) | dict.fromkeys(mastered, MASTERED)
    return lambda id_: known.get(id_, NOT_BEGUN)
