"""A curriculum put together from what is there and what is given, and checked as a whole."""

from collections.abc import Collection, Iterator, Mapping
from itertools import chain
from types import MappingProxyType
from typing import Final

import msgspec

from pipeline.curriculum.cycle import circles
from pipeline.curriculum.entry import MOST, PARTS, Entry, Kind, curriculum_of, entries_of
from pipeline.curriculum.model import NO_CURRICULUM, Category, Curriculum


class Fault(msgspec.Struct, frozen=True):
    """One thing wrong with the whole: the entry at fault, the place in it as a JSON pointer, and what it is.

    `ids` are the entries it may be put down to, in this order; none where there are too many of a kind.
    """

    kind: Kind
    ids: tuple[str, ...]
    pointer: str
    detail: str


Named = Mapping[Kind, Collection[str]]
"""Ids by kind."""

NOTHING_NAMED: Final[Named] = MappingProxyType({})

REFERENCES: Final[Mapping[Kind, Mapping[str, Kind]]] = MappingProxyType(
    {
        Kind.CATEGORY: {"tracks": Kind.TRACK, "specialisations": Kind.TRACK},
        Kind.TRACK: {"modules": Kind.MODULE},
        Kind.MODULE: {"prerequisites": Kind.MODULE},
        Kind.RESOURCE: {"modules": Kind.MODULE},
        Kind.PROJECT: {"categories": Kind.CATEGORY},
    }
)
"""The fields that name other entries, and of which kind."""


def merged(base: Curriculum, given: Curriculum) -> Curriculum:
    """`base` with the entries of `given` in the places of those of the same kind and id, or behind all others."""
    parts = {kind: {**entries_of(base, kind), **entries_of(given, kind)} for kind in Kind}
    return curriculum_of(parts, base.version)


def faults_in(whole: Curriculum, *, given: Curriculum = NO_CURRICULUM, also: Named = NOTHING_NAMED) -> Iterator[Fault]:
    """Everything wrong with the whole: too many entries, names of what is not there, prerequisites in a circle.

    Where entries of `given` take part in a fault, it is put down to them. Ids in `also` count as there.
    """
    return chain(_too_many(whole), _unknown(whole, also), _twice(whole), circular(whole, given))


def _too_many(whole: Curriculum) -> Iterator[Fault]:
    for kind, most in MOST.items():
        if (count := len(entries_of(whole, kind))) > most:
            yield Fault(
                kind, (), "", f"with these there would be {count:,} {PARTS[kind]}; at most {most:,} are allowed"
            )


def _unknown(whole: Curriculum, also: Named) -> Iterator[Fault]:
    for kind, fields in REFERENCES.items():
        for entry in entries_of(whole, kind).values():
            for field, wanted in fields.items():
                yield from _unknown_in(entry, kind, field, wanted, whole, also)


def _unknown_in(entry: Entry, kind: Kind, field: str, wanted: Kind, whole: Curriculum, also: Named) -> Iterator[Fault]:
    known, named = entries_of(whole, wanted), also.get(wanted, ())
    for index, name in enumerate(getattr(entry, field)):
        if name not in known and name not in named:
            detail = f"refers to the {wanted} {quoted(name)}, which does not exist"
            yield Fault(kind, (entry.id,), f"/{field}/{index}", detail)


def _twice(whole: Curriculum) -> Iterator[Fault]:
    """A track is of the path or a choice, not both."""
    for category in whole.categories.values():
        for index, track in enumerate(category.specialisations):
            if track in category.tracks:
                yield _both(category, index, track)


def _both(category: Category, index: int, track: str) -> Fault:
    detail = f"the track {quoted(track)} is one of the category's tracks already, so it cannot be chosen"
    return Fault(Kind.CATEGORY, (category.id,), f"/specialisations/{index}", detail)


def circular(whole: Curriculum, given: Curriculum) -> Iterator[Fault]:
    """Prerequisites in a circle, put down to a module of `given` that takes part."""
    needed = {module.id: module.prerequisites for module in whole.modules.values()}
    for circle in circles(needed):
        members = circle[:-1]
        new = [name for name in members if name in given.modules]
        ids = (*new, *(name for name in members if name not in given.modules))
        path = " → ".join(circle)
        yield Fault(Kind.MODULE, ids, "/prerequisites", f"prerequisites go in a circle, each needs the next: {path}")


def quoted(name: str) -> str:
    """An id in a sentence."""
    return f'"{name}"'
