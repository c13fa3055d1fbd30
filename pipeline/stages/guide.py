"""A curriculum, arranged once per version so that what helps a learner is found without a search."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, TypeVar

import msgspec

from pipeline.curriculum.model import NO_CURRICULUM, Curriculum, Module, Resource
from pipeline.learning.candidate import primary_language

LEVELS: Final = range(1, 6)
"""The difficulties that resources, projects and modules have."""

Member = TypeVar("Member", Resource, Module)


class Offer(msgspec.Struct, frozen=True):
    """Resources that belong together, in their order, and those among them in each primary language."""

    resources: tuple[Resource, ...] = ()
    by_language: Mapping[str, tuple[Resource, ...]] = MappingProxyType({})


NO_OFFER: Final = Offer()


class Guide(msgspec.Struct, frozen=True):
    """A curriculum, arranged.

    What helps with a topic, belongs to a module, is nearest to a level; the modules that a topic measures; and
    what each module that builds on others needs. `gates` are the modules that others need, by each of their topics.
    """

    curriculum: Curriculum = NO_CURRICULUM
    by_topic: Mapping[str, Offer] = MappingProxyType({})
    by_module: Mapping[str, Offer] = MappingProxyType({})
    by_level: Mapping[int, Offer] = MappingProxyType({})
    teaching: Mapping[str, tuple[Module, ...]] = MappingProxyType({})
    needs: Mapping[str, frozenset[str]] = MappingProxyType({})
    gates: Mapping[str, tuple[Module, ...]] = MappingProxyType({})


NO_GUIDE: Final = Guide()


def guide_of(curriculum: Curriculum) -> Guide:
    """`curriculum`, arranged."""
    resources, modules = curriculum.resources.values(), curriculum.modules
    needs = _needs(modules)
    gates = frozenset[str]().union(*needs.values())
    return Guide(
        curriculum=curriculum,
        by_topic=_offers((topic, resource) for resource in resources for topic in resource.topics),
        by_module=_offers((module, resource) for resource in resources for module in resource.modules),
        by_level={level: _offer(_nearest(resources, level)) for level in LEVELS},
        teaching=_grouped((topic, module) for module in modules.values() for topic in module.measured_by),
        needs=needs,
        gates=_grouped(
            (topic, modules[name]) for name in modules if name in gates for topic in modules[name].measured_by
        ),
    )


def _needs(modules: Mapping[str, Module]) -> dict[str, frozenset[str]]:
    """What each module builds on; a module that is not there holds nobody up."""
    needs = {name: frozenset(modules).intersection(module.prerequisites) for name, module in modules.items()}
    return {name: needed for name, needed in needs.items() if needed}


def _nearest(resources: Iterable[Resource], level: int) -> list[Resource]:
    return sorted(resources, key=lambda resource: abs(resource.difficulty - level))


def _offers(pairs: Iterable[tuple[str, Resource]]) -> Mapping[str, Offer]:
    return MappingProxyType({name: _offer(members) for name, members in _grouped(pairs).items()})


def _offer(resources: Iterable[Resource]) -> Offer:
    members = tuple(resources)
    return Offer(members, _grouped((primary_language(resource.language), resource) for resource in members))


def _grouped(pairs: Iterable[tuple[str, Member]]) -> Mapping[str, tuple[Member, ...]]:
    groups: dict[str, list[Member]] = {}
    for name, member in pairs:
        groups.setdefault(name, []).append(member)
    return MappingProxyType({name: tuple(members) for name, members in groups.items()})
