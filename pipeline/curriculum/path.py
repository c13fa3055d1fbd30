"""The way through a category: which modules, in which order, how long it takes, and why each stands where it does.

The modules are those of the category's tracks and of the specialisations chosen, and from outside of these whatever
they need. What is mastered is left out, and nothing is pulled in for its sake. The order is topological (A. B. Kahn,
"Topological sorting of large networks", Communications of the ACM 5, 1962), with a priority among the modules whose
prerequisites are done:

1. modules of the industry and all they need, before everything else;
2. among these, modules of the industry; then those begun already;
3. the category's own order: its tracks, then the specialisations, each in its own order; a module from outside
   stands where the first one that needs it does.

A month has 52/12 weeks.
"""

from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any, Final

import msgspec

from pipeline.curriculum.model import Category, Curriculum, Module
from pipeline.curriculum.order import (
    in_order,
    leading_to,
    matters_to,
    needed_modules,
    places_of,
    tracks_of_modules,
)
from pipeline.curriculum.reason import StepReason, Surroundings, reasons_for
from pipeline.curriculum.standing import ModuleStanding, Standings, missing_prerequisites

WEEKS_PER_MONTH: Final = 52 / 12


class Step(msgspec.Struct, frozen=True):
    """One module of a path.

    `track` is the one it is taken for; None where it is there only because another module needs it. It is open if all
    its prerequisites are mastered already. Months count from the start of the path.
    """

    module: Module
    track: str | None
    is_open: bool
    standing: ModuleStanding
    starts_at_months: float
    ends_at_months: float
    reasons: tuple[StepReason, ...]


class Path(msgspec.Struct, frozen=True):
    """A way through a category. `mastered` are the modules of its tracks that need not be learnt any more."""

    category: Category
    steps: tuple[Step, ...]
    mastered: tuple[str, ...]
    hours: float
    hours_per_week: float
    months: float
    industry: str | None = None
    specialisations: tuple[str, ...] = ()


def recommend_path(
    curriculum: Curriculum,
    category_id: str,
    standings: Standings,
    *,
    hours_per_week: float,
    industry: str | None = None,
    specialisations: Sequence[str] = (),
) -> Path:
    """The way through a category for a learner with these standings; the same for the same arguments.

    `hours_per_week` is above 0, `specialisations` are tracks. Raises `KeyError` where the category or a track is not
    there.
    """
    category = curriculum.categories[category_id]
    tracks = tracks_of_modules(curriculum, (*category.tracks, *specialisations))
    wanted = needed_modules(curriculum, tracks, standings)
    order = in_order(wanted, _priorities(wanted, list(tracks), standings, industry))
    modules = {name: wanted[name] for name in order}
    steps = _steps(Surroundings(modules, tracks, standings, industry), tracks, hours_per_week)
    hours = sum((module.hours for module in modules.values()), start=0.0)
    return Path(
        category=category,
        steps=steps,
        mastered=tuple(name for name in tracks if standings(name).is_mastered),
        hours=hours,
        hours_per_week=hours_per_week,
        months=months_of(hours, hours_per_week),
        industry=industry,
        specialisations=tuple(specialisations),
    )


def _steps(around: Surroundings, tracks: Mapping[str, str | None], hours_per_week: float) -> tuple[Step, ...]:
    """One after another, each from where the one before ends."""
    modules = [*around.modules.values()]
    ends = accumulate((module.hours for module in modules), initial=0.0)
    return tuple(
        Step(
            module=module,
            track=tracks.get(module.id),
            is_open=not missing_prerequisites(module, around.standings),
            standing=around.standings(module.id),
            starts_at_months=months_of(start, hours_per_week),
            ends_at_months=months_of(end, hours_per_week),
            reasons=reasons_for(module, around),
        )
        for module, (start, end) in zip(modules, pairwise(ends), strict=True)
    )


def months_of(hours: float, hours_per_week: float) -> float:
    """How many months so many hours take."""
    return hours / hours_per_week / WEEKS_PER_MONTH


def _priorities(
    modules: Mapping[str, Module], asked: Sequence[str], standings: Standings, industry: str | None
) -> dict[str, tuple[Any, ...]]:
    """What decides between modules that could both be next; the smallest is."""
    of_industry = {name for name, module in modules.items() if matters_to(module, industry)}
    urgent = leading_to(modules, of_industry)
    places = places_of(modules, asked)
    return {
        name: (name not in urgent, name not in of_industry, not standings(name).is_begun, places[name])
        for name in modules
    }
