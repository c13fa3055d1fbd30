"""How far a learner is on the way to the career path worked towards."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from pipeline.curriculum.language import title_in
from pipeline.curriculum.model import Curriculum
from pipeline.curriculum.path import Step, months_of, recommend_path
from pipeline.learning.finding import Module
from pipeline.learning.goal import Goals
from pipeline.learning.rating import Skill
from pipeline.ports.report import ReportStore
from pipeline.service.completion import Taught, modules_of
from pipeline.service.curriculum import standings_by
from pipeline.service.mastering import measure_of

HOURS_PER_WEEK: Final = 10.0
"""The pace where the goals name none; that of the path calls."""
NEXT_MODULES: Final = 3
DECIMALS: Final = 4


class NextModule(msgspec.Struct, frozen=True):
    """A module that is open and not mastered yet; `mastery` is 0 to 1."""

    id: str
    title: str
    hours: float
    mastery: float


class Course(msgspec.Struct, frozen=True):
    """How far a learner is in a category of the curriculum.

    `modules` and `mastered` count those of its tracks; hours and months are those of the whole way that is left, at
    `hours_per_week`. `next` are the first modules of that way that are open.
    """

    category: str
    title: str
    modules: int
    mastered: int
    share: float
    hours_left: float
    hours_per_week: float
    months_left: float
    next: tuple[NextModule, ...]


class Courses:
    """Finds out how far learners are."""

    def __init__(self, store: ReportStore, curricula: Taught) -> None:
        self._store = store
        self._curricula = curricula

    async def course(
        self, tenant_id: int, learner_id: str, skills: Sequence[Skill], now: datetime, locale: str | None = None
    ) -> Course | None:
        """The learner's course, titles in the language of `locale`; None where no category is worked towards."""
        curriculum = await self._curricula.current(tenant_id)
        goals = await self._store.goals(tenant_id, learner_id)
        aim = await self._store.aim(tenant_id, learner_id)
        return course_towards(curriculum, aim, goals, skills, now, locale)

    async def is_taught(self, tenant_id: int, category: str) -> bool:
        """Whether there is such a category."""
        return category in (await self._curricula.current(tenant_id)).categories


def course_towards(
    curriculum: Curriculum,
    aim: str | None,
    goals: Goals,
    skills: Sequence[Skill],
    now: datetime,
    locale: str | None = None,
) -> Course | None:
    """The course of a learner who works towards `aim`; None where that is no category of the curriculum."""
    if aim is None or aim not in curriculum.categories:
        return None
    return course_in(curriculum, aim, goals, skills, now, locale)


def course_in(
    curriculum: Curriculum, category_id: str, goals: Goals, skills: Sequence[Skill], now: datetime, locale: str | None
) -> Course:
    """How far a learner with these skills is in a category that is there."""
    pace = goals.hours_per_week or HOURS_PER_WEEK
    standings = standings_by(measure_of(skills, now), curriculum)
    path = recommend_path(curriculum, category_id, standings, hours_per_week=pace)
    modules = modules_of(curriculum, path.category)
    return Course(
        category=category_id,
        title=title_in(path.category, locale),
        modules=len(modules),
        mastered=len(path.mastered),
        share=round(len(path.mastered) / len(modules), DECIMALS) if modules else 0.0,
        hours_left=path.hours,
        hours_per_week=pace,
        months_left=round(months_of(path.hours, pace), 1),
        next=tuple(next_of(step, locale) for step in [step for step in path.steps if step.is_open][:NEXT_MODULES]),
    )


def next_of(step: Step, locale: str | None) -> NextModule:
    module, mastery = step.module, round(step.standing.mastery, DECIMALS)
    return NextModule(module.id, title_in(module, locale), module.hours, mastery)


def next_module(course: Course | None) -> Module | None:
    """The module to go on with; None where there is no course, or nothing left of it."""
    if course is None or not course.next:
        return None
    return Module(course.next[0].id, course.next[0].title, course.category)
