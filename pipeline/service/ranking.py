"""Learners by falling risk, part by part: of this moment from memory, of a night from the store."""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import Protocol

from pipeline.ports.analytics import Assessed, RiskFilter, RiskPlace, RiskStore
from pipeline.service.page import place_behind


class Basis(StrEnum):
    """As of when an answer is: this moment, or the night whose `day` it names."""

    NOW = "now"
    NIGHT = "night"


class Ranking(Protocol):
    """Learners by falling risk."""

    basis: Basis
    day: date

    async def part(self, after: RiskPlace | None, most: int) -> Sequence[Assessed]:
        """At most `most` learners from the first behind `after`."""
        ...


class LiveRanking:
    """Learners as of this moment."""

    basis = Basis.NOW

    def __init__(self, assessed: Sequence[Assessed], day: date) -> None:
        self._ranked = sorted(assessed, key=rank)
        self.day = day

    async def part(self, after: RiskPlace | None, most: int) -> Sequence[Assessed]:
        """At most `most` learners from the first behind `after`."""
        if after is None:
            return self._ranked[:most]
        return [one for one in self._ranked if rank(one) > (-after.score, after.learner_id)][:most]


class KeptRanking:
    """Learners as of a night."""

    basis = Basis.NIGHT

    def __init__(self, store: RiskStore, tenant_id: int, day: date, wanted: RiskFilter) -> None:
        self._store = store
        self._tenant_id = tenant_id
        self._wanted = wanted
        self.day = day

    async def part(self, after: RiskPlace | None, most: int) -> Sequence[Assessed]:
        """At most `most` learners from the first behind `after`."""
        return await self._store.kept(self._tenant_id, self.day, self._wanted, after=after, most=most)


def fits(one: Assessed, wanted: RiskFilter) -> bool:
    return one.assessment.score >= wanted.min_score and wanted.career_goal in {None, one.career_goal}


def rank(one: Assessed) -> tuple[float, str]:
    return -one.assessment.score, one.learner_id


def place_of(one: Assessed) -> RiskPlace:
    return RiskPlace(one.assessment.score, one.learner_id)


def cursor_of(one: Assessed) -> str:
    return place_behind(place_of(one))
