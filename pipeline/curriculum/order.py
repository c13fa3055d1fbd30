"""Modules in an order in which each comes after what it needs."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from heapq import heapify, heappop, heappush
from typing import Any, Final

from pipeline.curriculum.model import Curriculum, Module
from pipeline.curriculum.standing import Standings

GENERAL: Final = "general"
"""The industry of what matters to everybody."""


def tracks_of_modules(curriculum: Curriculum, tracks: Iterable[str]) -> dict[str, str]:
    """The track for which each module of these tracks is taken, the first that has it; in their order."""
    taken: dict[str, str] = {}
    for track in tracks:
        for module in curriculum.tracks[track].modules:
            taken.setdefault(module, track)
    return taken


def needed_modules(curriculum: Curriculum, asked: Iterable[str], standings: Standings) -> dict[str, Module]:
    """The modules asked for that are not mastered, and all that they need and that is not mastered either.

    What only a mastered module needs is not needed.
    """
    waiting, needed = list(asked)[::-1], dict[str, Module]()
    while waiting:
        name = waiting.pop()
        if name in needed or standings(name).is_mastered:
            continue
        needed[name] = curriculum.modules[name]
        waiting.extend(reversed(needed[name].prerequisites))
    return needed


def matters_to(module: Module, industry: str | None) -> bool:
    """Whether the module is of this industry in particular."""
    wanted = (industry or GENERAL).casefold()
    return wanted != GENERAL and any(name.casefold() == wanted for name in module.industries)


def leading_to(modules: Mapping[str, Module], goals: Iterable[str]) -> set[str]:
    """The goals, and everything among `modules` that they need, directly or not."""
    waiting, found = list(goals), set[str]()
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(other for other in modules[name].prerequisites if other in modules)
    return found


def places_of(modules: Mapping[str, Module], asked: Sequence[str]) -> dict[str, int]:
    """Where each module would like to stand: as asked for, or where the first of those that need it does."""
    places = {name: place for place, name in enumerate(asked) if name in modules}
    seen: set[str] = set()
    for place, name in enumerate(asked):
        waiting = [name]
        while waiting:
            one = waiting.pop()
            if one in modules and one not in seen:
                seen.add(one)
                places.setdefault(one, place)
                waiting.extend(modules[one].prerequisites)
    return places


def in_order(modules: Mapping[str, Module], priorities: Mapping[str, Any]) -> list[str]:
    """A topological order: of those whose prerequisites (among `modules`) are done, the smallest priority is next.

    Kahn's algorithm with a heap in place of his set; modules in a circle, which a checked curriculum has none of,
    are left out.
    """
    left = Counter({name: sum(other in modules for other in module.prerequisites) for name, module in modules.items()})
    opens = opened_by(modules)
    ready = [(priorities[name], name) for name in modules if not left[name]]
    heapify(ready)
    order: list[str] = []
    while ready:
        _, name = heappop(ready)
        order.append(name)
        for other in opens.get(name, ()):
            left[other] -= 1
            if not left[other]:
                heappush(ready, (priorities[other], other))
    return order


def opened_by(modules: Mapping[str, Module]) -> dict[str, Collection[str]]:
    """By module, those among `modules` that name it as a prerequisite."""
    opens: dict[str, list[str]] = {}
    for name, module in modules.items():
        for other in module.prerequisites:
            opens.setdefault(other, []).append(name)
    return {name: tuple(others) for name, others in opens.items()}
