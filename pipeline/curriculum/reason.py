"""Why a module stands where it stands in a path, as data."""

from collections.abc import Collection, Iterator, Mapping
from enum import StrEnum
from typing import Final

import msgspec

from pipeline.curriculum.model import Module
from pipeline.curriculum.order import matters_to, opened_by
from pipeline.curriculum.standing import Standings

MOST_GOALS: Final = 5
"""How many modules of the industry a reason names."""


class ReasonCode(StrEnum):
    """What a reason says; `modules` of the reason are those it speaks of."""

    START = "start"
    """It needs nothing."""
    PREREQUISITES_MASTERED = "prerequisites_mastered"
    """All that it needs is mastered."""
    FOLLOWS = "follows"
    """It needs these, which come before it in the path."""
    NEEDED = "needed"
    """It is in none of the tracks, but these need it."""
    INDUSTRY = "industry"
    """It matters most to the industry, so it comes as early as it can."""
    LEADS_TO_INDUSTRY = "leads_to_industry"
    """These, which matter most to the industry, need it, directly or not."""
    BEGUN = "begun"
    """It is begun already."""
    OPENS = "opens"
    """It is a prerequisite of these."""


class StepReason(msgspec.Struct, frozen=True, omit_defaults=True):
    """One reason. `mastery` is 0 to 1."""

    code: ReasonCode
    modules: tuple[str, ...] = ()
    industry: str | None = None
    mastery: float | None = None


class Surroundings:
    """What reasons are taken from: the path's modules in its order, those of its tracks, the learner, the industry."""

    def __init__(
        self, modules: Mapping[str, Module], tracks: Collection[str], standings: Standings, industry: str | None
    ) -> None:
        self.modules = modules
        self.tracks = tracks
        self.standings = standings
        self.industry = industry
        self.opens = opened_by(modules)
        self.leads = _industry_behind(modules, industry)


def reasons_for(module: Module, around: Surroundings) -> tuple[StepReason, ...]:
    """All reasons, the most telling ones first: why now, why at all, what for."""
    return (_why_now(module, around), *_why_at_all(module, around), *_what_for(module, around))


def _why_now(module: Module, around: Surroundings) -> StepReason:
    before = tuple(name for name in module.prerequisites if name in around.modules)
    if before:
        return StepReason(ReasonCode.FOLLOWS, before)
    if module.prerequisites:
        return StepReason(ReasonCode.PREREQUISITES_MASTERED, module.prerequisites)
    return StepReason(ReasonCode.START)


def _why_at_all(module: Module, around: Surroundings) -> Iterator[StepReason]:
    standing = around.standings(module.id)
    if standing.is_begun:
        yield StepReason(ReasonCode.BEGUN, mastery=round(standing.mastery, 3))
    if matters_to(module, around.industry):
        yield StepReason(ReasonCode.INDUSTRY, industry=around.industry)
    elif module.id in around.leads:
        yield StepReason(ReasonCode.LEADS_TO_INDUSTRY, around.leads[module.id], industry=around.industry)


def _what_for(module: Module, around: Surroundings) -> Iterator[StepReason]:
    opened = tuple(around.opens.get(module.id, ()))
    if module.id not in around.tracks:
        yield StepReason(ReasonCode.NEEDED, opened)
    elif opened:
        yield StepReason(ReasonCode.OPENS, opened)


def _industry_behind(modules: Mapping[str, Module], industry: str | None) -> dict[str, tuple[str, ...]]:
    """By module, some of the industry that need it, directly or not; `modules` come in the order of the path."""
    behind: dict[str, tuple[str, ...]] = {}
    for name, module in reversed([*modules.items()]):
        goals = (name,) if matters_to(module, industry) else behind.get(name, ())
        for other in module.prerequisites if goals else ():
            behind[other] = tuple(dict.fromkeys((*behind.get(other, ()), *goals)))[:MOST_GOALS]
    return behind
