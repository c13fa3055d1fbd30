"""How learners are spread over career paths, and how far they are."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Final

import msgspec

from pipeline.curriculum.model import Category, Curriculum
from pipeline.ports.analytics import Assessed, GoalSums, RiskStore
from pipeline.service.access import Principal
from pipeline.service.at_risk import AtRisk
from pipeline.service.completion import Taught
from pipeline.service.ranking import Basis

MOST_TOP: Final = 5
MOST_OTHERS: Final = 50
"""Goals that are no known career path are labels of clients: the most frequent ones are shown."""
FIFTHS: Final = 5
DECIMALS: Final = 4


class TopLearner(msgspec.Struct, frozen=True):
    """One of the furthest: the opaque id and the share of the path's modules mastered."""

    learner_id: str
    progress: float


class Career(msgspec.Struct, frozen=True):
    """A career path and its learners.

    `category` is null for learners without a career goal; `known` is false for a goal that is no path of the
    curriculum, and then `measured` is 0 and progress is null. `share` is that of all learners looked at.
    `mean_progress` and `completion_rate` are over the `measured` learners; `progress_fifths` counts them by fifths of
    the path. Active is who handed in within the last 7 or 28 days.
    """

    category: str | None
    title: str | None
    known: bool
    learners: int
    share: float
    measured: int
    mean_progress: float | None
    completed: int
    completion_rate: float | None
    progress_fifths: tuple[int, ...]
    active_7_days: int
    active_28_days: int
    top: tuple[TopLearner, ...]


class CareerList(msgspec.Struct, frozen=True):
    """All careers, as of now or as of the night of `day`; `learners` is how many were looked at."""

    careers: tuple[Career, ...]
    learners: int
    basis: Basis
    day: date


class Careers:
    """Sums up learners by their career goals."""

    def __init__(self, at_risk: AtRisk, store: RiskStore, curricula: Taught) -> None:
        self._at_risk = at_risk
        self._store = store
        self._curricula = curricula

    async def show(self, principal: Principal, group_id: str | None, locale: str) -> CareerList:
        """Every career path with its learners, then other goals, then who has none; raises `NotFound`."""
        curriculum = await self._curricula.current(principal.tenant_id)
        scope = await self._at_risk.scope(principal, group_id)
        if scope.assessed is None:
            sums = await self._store.sums_by_goal(principal.tenant_id, scope.day, most_top=MOST_TOP)
            return career_list(curriculum, sums, locale, Basis.NIGHT, scope.day)
        return career_list(curriculum, sums_by_goal(scope.assessed, scope.day), locale, Basis.NOW, scope.day)


def sums_by_goal(assessed: Iterable[Assessed], today: date) -> list[GoalSums]:
    """Assessments summed up by career goal, as the store does it for a night."""
    by_goal: dict[str | None, list[Assessed]] = {}
    for one in assessed:
        by_goal.setdefault(one.career_goal, []).append(one)
    return [sums_of(goal, learners, today) for goal, learners in by_goal.items()]


def sums_of(goal: str | None, learners: Sequence[Assessed], today: date) -> GoalSums:
    shares = {one.learner_id: c.mastered / c.modules for one in learners if (c := one.completion)}
    measured = [one.completion for one in learners if one.completion]
    fifths = [min(FIFTHS * one.mastered // one.modules, FIFTHS - 1) for one in measured]
    furthest = sorted(((id_, share) for id_, share in shares.items() if share), key=lambda one: (-one[1], one[0]))
    return GoalSums(
        career_goal=goal,
        learners=len(learners),
        measured=len(measured),
        progress_sum=sum(shares.values()),
        completed=sum(one.mastered == one.modules for one in measured),
        active_7_days=active_within(learners, today, 7),
        active_28_days=active_within(learners, today, 28),
        spread=tuple(fifths.count(fifth) for fifth in range(FIFTHS)),
        top=tuple(furthest[:MOST_TOP]),
    )


def active_within(learners: Sequence[Assessed], today: date, days: int) -> int:
    first = today - timedelta(days=days - 1)
    return sum(1 for one in learners if one.last_day is not None and one.last_day >= first)


def career_list(curriculum: Curriculum, sums: Sequence[GoalSums], locale: str, basis: Basis, day: date) -> CareerList:
    """The sums as they are shown: known paths in the curriculum's order, then other goals, then none."""
    by_goal = {one.career_goal: one for one in sums}
    total = sum(one.learners for one in sums)
    known = [
        career(by_goal.get(id_) or NOBODY, id_, total, title=title_of(category, locale))
        for id_, category in curriculum.categories.items()
    ]
    labels = [goal for goal in by_goal if goal is not None and goal not in curriculum.categories]
    labels.sort(key=lambda goal: (-by_goal[goal].learners, goal))
    others = [career(by_goal[goal], goal, total) for goal in labels[:MOST_OTHERS]]
    without = [career(by_goal[None], None, total)] if None in by_goal else []
    return CareerList((*known, *others, *without), total, basis, day)


NOBODY: Final = GoalSums(None, 0, 0, 0.0, 0, 0, 0, (0,) * FIFTHS, ())


def career(sums: GoalSums, category: str | None, total: int, *, title: str | None = None) -> Career:
    return Career(
        category=category,
        title=title,
        known=title is not None,
        learners=sums.learners,
        share=round(sums.learners / total, DECIMALS) if total else 0.0,
        measured=sums.measured,
        mean_progress=round(sums.progress_sum / sums.measured, DECIMALS) if sums.measured else None,
        completed=sums.completed,
        completion_rate=round(sums.completed / sums.measured, DECIMALS) if sums.measured else None,
        progress_fifths=sums.spread,
        active_7_days=sums.active_7_days,
        active_28_days=sums.active_28_days,
        top=tuple(TopLearner(id_, round(share, DECIMALS)) for id_, share in sums.top),
    )


def title_of(category: Category, locale: str) -> str:
    """The path's title in a language, else as it was written."""
    return category.translations.get(locale, {}).get("title") or category.title
