"""What a tenant teaches: importing it, showing it, and the way of one learner through it."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Final, TypeVar

import msgspec
from uuid_utils import uuid7

from pipeline.curriculum.entry import Entry, Kind, entries_of
from pipeline.curriculum.model import Curriculum
from pipeline.curriculum.naming import topic_names
from pipeline.curriculum.path import recommend_path
from pipeline.curriculum.shipping import shipped_curriculum
from pipeline.curriculum.standing import (
    NOT_BEGUN,
    SAID_TO_BE_MASTERED,
    Measure,
    ModuleStanding,
    Standings,
    standing_in,
)
from pipeline.curriculum.use import in_use, users_of
from pipeline.errors import Conflict, FieldProblem, InvalidInput, NotFound
from pipeline.importing.curriculum import read_curriculum
from pipeline.learning.rating import Skill
from pipeline.ports import BankStore, LearnerStore, QuestionFilter
from pipeline.ports.bank import BEGINNING
from pipeline.ports.curriculum import CurriculumStore
from pipeline.scoring.shape import forbidden_characters
from pipeline.service.access import NO_LEARNER, Permission, Principal
from pipeline.service.bank import read_question
from pipeline.service.curriculum_showing import (
    category_shown,
    imported,
    module_shown,
    module_with_resources,
    path_shown,
    track_shown,
)
from pipeline.service.curriculum_view import (
    CategoryShown,
    ImportedCurriculum,
    ModuleShown,
    ModuleWithResources,
    PathShown,
    TrackShown,
)
from pipeline.service.intake import first_problems
from pipeline.service.mastering import measure_of

WALKED_AT_ONCE: Final = 300
"""Modules; a way through more would hold up the event loop, so it is looked for in a thread."""

Sought = TypeVar("Sought", bound=Entry)
MeasureOf = Callable[[Sequence[Skill], datetime], Measure]


class NamedInWish(msgspec.Struct, frozen=True):
    """The entries of the curriculum that a path is asked for by name.

    `category` is empty where none could be read; `mastered` are modules that count as mastered whatever answers tell.
    """

    category: str
    mastered: tuple[str, ...] = ()
    specialisations: tuple[str, ...] = ()


class PathWish(msgspec.Struct, frozen=True):
    """What a path is asked for."""

    named: NamedInWish
    hours_per_week: float
    industry: str | None = None


class Curricula:
    """What may be asked of and done with curricula; raises `NotFound` for what the caller's tenant does not have."""

    def __init__(
        self,
        store: CurriculumStore,
        bank: BankStore,
        learners: LearnerStore,
        *,
        measure_of: MeasureOf = measure_of,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._bank = bank
        self._learners = learners
        self._measure_of = measure_of
        self._clock = clock

    async def import_file(self, tenant_id: int, data: bytes) -> ImportedCurriculum:
        """Import a file, all of it or nothing; raises `InvalidInput` with everything wrong in it."""
        try:
            file = await asyncio.to_thread(read_curriculum, data, read_question)
            # Finds what is wrong, and raises it, before anything is locked; beside the event loop, as it may take long.
            await asyncio.to_thread(file.applied_to, await self._store.current(tenant_id))
            saved = await self._store.save(tenant_id, file.applied_to, file.questions)
        except InvalidInput as error:
            raise InvalidInput(first_problems(error.problems), str(error)) from None
        self._bank.forget(tenant_id, [question.id for question in file.questions])
        return imported(file.curriculum, saved)

    async def import_shipped(self, tenant_id: int) -> ImportedCurriculum | None:
        """Import what Gradeline ships with, where nothing was imported yet; None where something was."""
        if (await self._store.current(tenant_id)).version > 0:
            return None
        return await self.import_file(tenant_id, shipped_curriculum())

    async def delete(self, principal: Principal, kind: Kind, entry_id: str) -> None:
        """Delete an entry; raises `NotFound`, and `Conflict` that names who uses it."""
        if forbidden_characters(entry_id) is not None:
            raise NotFound(f"There is no such {kind}.")

        def allow(curriculum: Curriculum, aiming: int) -> None:
            found(entries_of(curriculum, kind).get(entry_id), kind)
            users = users_of(curriculum, kind, entry_id)
            if users or aiming:
                raise Conflict(in_use(kind, entry_id, users, aiming))

        await self._store.delete(
            principal.tenant_id, kind, entry_id, allow=allow, actor=principal.actor, audit_id=str(uuid7())
        )

    async def categories(self, principal: Principal, locale: str | None) -> list[CategoryShown]:
        """All career paths."""
        curriculum = await self._store.current(principal.tenant_id)
        return [category_shown(category, curriculum, locale) for category in curriculum.categories.values()]

    async def topic_names(self, principal: Principal, topics: Iterable[str], locale: str | None) -> Mapping[str, str]:
        """What those of these topics that have a name are called, by topic."""
        return topic_names(await self._store.current(principal.tenant_id), topics, locale)

    async def tracks(self, principal: Principal, category_id: str, locale: str | None) -> list[TrackShown]:
        """The tracks of a career path, then its specialisations."""
        curriculum = await self._store.current(principal.tenant_id)
        category = found(curriculum.categories.get(category_id), Kind.CATEGORY)
        return [
            track_shown(curriculum.tracks[id_], category, curriculum, locale)
            for id_ in (*category.tracks, *category.specialisations)
        ]

    async def modules(
        self, principal: Principal, track_id: str, learner_id: str | None, locale: str | None
    ) -> list[ModuleShown]:
        """The modules of a track, with the learner's standing where there is one."""
        curriculum = await self._store.current(principal.tenant_id)
        track = found(curriculum.tracks.get(track_id), Kind.TRACK)
        standings = await self._standings(principal, learner_id, curriculum)
        return [module_shown(curriculum.modules[id_], curriculum, standings, locale) for id_ in track.modules]

    async def module(
        self, principal: Principal, module_id: str, learner_id: str | None, locale: str | None
    ) -> ModuleWithResources:
        """One module with what helps with it."""
        curriculum = await self._store.current(principal.tenant_id)
        module = found(curriculum.modules.get(module_id), Kind.MODULE)
        standings = await self._standings(principal, learner_id, curriculum)
        return module_with_resources(module, curriculum, standings, locale)

    async def path(self, principal: Principal, wish: PathWish, learner_id: str | None, locale: str | None) -> PathShown:
        """The way through a category; raises `InvalidInput` with everything it names that is not there."""
        curriculum = await self._store.current(principal.tenant_id)
        if problems := unknown_names(wish.named, curriculum):
            raise InvalidInput(first_problems(problems))
        standings = await self._standings(principal, learner_id, curriculum) or nobodys
        if len(curriculum.modules) > WALKED_AT_ONCE:
            return await asyncio.to_thread(walk, wish, curriculum, standings, locale)
        return walk(wish, curriculum, standings, locale)

    async def unknown_in(self, principal: Principal, named: NamedInWish) -> list[FieldProblem]:
        """What is wrong with the names of a wish; none where it names no category."""
        return unknown_names(named, await self._store.current(principal.tenant_id))

    async def require_module(self, tenant_id: int, module_id: str | None) -> None:
        """Raise `InvalidInput` where a list is asked for of a module that nothing has; None is any module.

        Questions may name modules that are not taught, so the bank is asked too.
        """
        if module_id is None or module_id in (await self._store.current(tenant_id)).modules:
            return
        if not await self._bank.browse(tenant_id, QuestionFilter(module=module_id), after=BEGINNING, most=1):
            detail = f'There is no module "{module_id[:100]}": neither the curriculum nor a question has it.'
            raise InvalidInput([FieldProblem("/module", detail)])

    async def _standings(
        self, principal: Principal, learner_id: str | None, curriculum: Curriculum
    ) -> Standings | None:
        """The standings of the learner named, or of the one whose token calls; None where there is neither."""
        learner = learner_id or principal.learner_id
        if learner is None:
            return None
        principal.require(Permission.READ_LEARNING)
        if not principal.may_see(learner) or forbidden_characters(learner) is not None:
            raise NotFound(NO_LEARNER)
        skills = await self._learners.skills(principal.tenant_id, learner)
        # A token may be older than its learner's first hand-in.
        if not skills and principal.learner_id is None and not await self._learners.known(principal.tenant_id, learner):
            raise NotFound(NO_LEARNER)
        return standings_by(self._measure_of(skills, self._clock()), curriculum)


def walk(wish: PathWish, curriculum: Curriculum, standings: Standings, locale: str | None) -> PathShown:
    """The way that was asked for, as it is shown."""
    path = recommend_path(
        curriculum,
        wish.named.category,
        with_mastered(standings, wish.named.mastered),
        hours_per_week=wish.hours_per_week,
        industry=wish.industry,
        specialisations=wish.named.specialisations,
    )
    return path_shown(path, curriculum, locale)


def nobodys(_module_id: str) -> ModuleStanding:
    """The standings of somebody of whom nothing is known."""
    return NOT_BEGUN


def standings_by(measure: Measure, curriculum: Curriculum) -> Standings:
    """The standing in each module, worked out when it is asked for."""

    @cache
    def standing(module_id: str) -> ModuleStanding:
        return standing_in(curriculum.modules[module_id], measure)

    return standing


def with_mastered(standings: Standings, mastered: Iterable[str]) -> Standings:
    """The same standings, but for the modules that are said to be mastered."""
    said = frozenset(mastered)
    return lambda module_id: SAID_TO_BE_MASTERED if module_id in said else standings(module_id)


def unknown_names(named: NamedInWish, curriculum: Curriculum) -> list[FieldProblem]:
    """Everything in a wish that is not there. Where the category is not, a specialisation need only be a track."""
    category = curriculum.categories.get(named.category)
    problems = []
    if named.category and category is None:
        problems.append(FieldProblem("/category", f'There is no category "{named.category[:100]}".'))
    problems += [
        FieldProblem("/mastered", f'There is no module "{id_[:100]}".')
        for id_ in named.mastered
        if id_ not in curriculum.modules
    ]
    return problems + [
        FieldProblem("/specialisations", f'"{id_[:100]}" is no specialisation of this category.')
        for id_ in named.specialisations
        if id_ not in (curriculum.tracks if category is None else category.specialisations)
    ]


def found(entry: Sought | None, kind: Kind) -> Sought:
    """The entry, if it is there; raises `NotFound`."""
    if entry is None:
        raise NotFound(f"There is no such {kind}.")
    return entry
