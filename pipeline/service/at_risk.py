"""Who is falling behind, now or as of last night, and why."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

import msgspec

from pipeline.errors import Conflict, FieldProblem, InvalidInput, NotFound
from pipeline.learning.risk import Assessment, Facts, Sign, assess
from pipeline.learning.weakness import weaknesses_of
from pipeline.ports.analytics import (
    Assessed,
    GroupStore,
    LearnerFacts,
    PastScore,
    RiskFilter,
    RiskPlace,
    RiskStore,
    RiskSums,
)
from pipeline.scoring.shape import forbidden_characters
from pipeline.service.access import Principal
from pipeline.service.completion import Paths, Taught
from pipeline.service.groups import MOST_MEMBERS, NO_GROUP
from pipeline.service.page import place_before
from pipeline.service.ranking import Basis, KeptRanking, LiveRanking, Ranking, cursor_of, fits, place_of

MOST_LIVE: Final = 5_000
"""So many learners are looked at anew with each call; a larger tenant as a whole is shown as of last night."""
AT_ONCE: Final = 200
"""Learners in a part of a table."""
ASSESSED_AT_ONCE: Final = 50
"""Learners that are looked at in one go: it keeps a process busy for some 20 ms, and others are served in between."""
WEEK: Final = timedelta(days=7)
OLDEST_WEEK_AGO: Final = timedelta(days=10)
"""Where the night a week ago is missing, one up to three days before it stands in."""


class AtRiskPage(msgspec.Struct, frozen=True):
    """A part of the ranking; `week_ago` has those scores of about a week before `day` that were kept."""

    assessed: tuple[Assessed, ...]
    week_ago: dict[str, PastScore]
    basis: Basis
    day: date
    next: str | None = None


class Scope(msgspec.Struct, frozen=True):
    """Learners as of `day`, or None where they are too many and it is the night of `day` that is read.

    The day is taken once and stays with them: who is assessed before midnight is not shown as of the day after.
    """

    day: date
    assessed: Sequence[Assessed] | None = None


class Overview(msgspec.Struct, frozen=True):
    """Everybody of a scope summed up, and a part of the ranking."""

    sums: RiskSums
    page: AtRiskPage


class AtRisk:
    """Assesses learners and remembers the assessments of each night."""

    def __init__(
        self,
        store: RiskStore,
        groups: GroupStore,
        curricula: Taught,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._groups = groups
        self._curricula = curricula
        self._clock = clock

    async def detect_at_risk(self, tenant_id: int, slot: datetime, *, after: str | None, most: int) -> str | None:
        """Assess the next at most `most` learners as of the slot's day and keep it; a `TenantStep` of a nightly job.

        Doing a piece again gives the same rows. For a day that is over, weaknesses are those of its end, hand-ins
        those up to it, and mastery is that of now: skills keep no history.
        """
        ids = await self._store.learner_ids(tenant_id, after=after or "", most=most)
        day = slot.astimezone(UTC).date()
        if ids:
            await self._store.save(tenant_id, day, await self.assessed(tenant_id, ids, day))
        if len(ids) == most:
            return ids[-1]
        await self._store.complete(tenant_id, day)
        return None

    async def assessed(self, tenant_id: int, learner_ids: Sequence[str], day: date) -> list[Assessed]:
        """These learners as of `day`, in the order asked for."""
        paths = Paths(await self._curricula.current(tenant_id))
        now = min(self._clock(), datetime.combine(day + timedelta(days=1), time(), UTC))
        found: list[Assessed] = []
        async with aclosing(self._facts(tenant_id, learner_ids, day)) as pieces:
            async for facts in pieces:
                found += [assessed_from(one, paths, day, now) for one in facts]
        return found

    async def _facts(
        self, tenant_id: int, learner_ids: Sequence[str], day: date
    ) -> AsyncGenerator[Sequence[LearnerFacts], None]:
        """Facts piece by piece: Postgres reads the next piece while the one before is worked out."""
        ahead: asyncio.Task[list[LearnerFacts]] | None = None
        try:
            for at in range(0, len(learner_ids), ASSESSED_AT_ONCE):
                before, ahead = ahead, None
                facts = await before if before else []
                ahead = asyncio.create_task(self._store.facts(tenant_id, learner_ids[at : at + ASSESSED_AT_ONCE], day))
                await asyncio.sleep(0)
                yield facts
            if ahead is not None:
                yield await ahead
        finally:
            if ahead is not None:
                ahead.cancel()

    async def scope(self, principal: Principal, group_id: str | None) -> Scope:
        """The learners of a group or of the whole tenant as of now; the newest night where they are too many.

        Raises `Conflict` where they are too many and there was no night yet.
        """
        ids = await self._learner_ids(principal.tenant_id, group_id)
        if len(ids) <= MOST_LIVE:
            today = self._clock().astimezone(UTC).date()
            return Scope(today, await self.assessed(principal.tenant_id, ids, today))
        night = await self._store.latest_day(principal.tenant_id)
        if night is None:
            raise Conflict(f"There are more than {MOST_LIVE:,} learners, and no night's assessment yet: name a group.")
        return Scope(night)

    async def page(
        self, principal: Principal, group_id: str | None, wanted: RiskFilter, *, cursor: str | None, limit: int
    ) -> AtRiskPage:
        """A part of the ranking."""
        after = None if cursor is None else place_before(cursor, RiskPlace)
        scope = await self.scope(principal, group_id)
        await self._require_goal(principal.tenant_id, scope, wanted.career_goal)
        return await self._part(principal.tenant_id, scope, wanted, after, limit)

    async def overview(
        self, principal: Principal, group_id: str | None, wanted: RiskFilter, *, cursor: str | None, limit: int
    ) -> Overview:
        """A part of the ranking, and sums over all of the career path, whatever their score."""
        after = None if cursor is None else place_before(cursor, RiskPlace)
        scope = await self.scope(principal, group_id)
        await self._require_goal(principal.tenant_id, scope, wanted.career_goal)
        sums = await self._sums(principal.tenant_id, scope, wanted.career_goal)
        return Overview(sums, await self._part(principal.tenant_id, scope, wanted, after, limit))

    async def pages(self, principal: Principal, group_id: str | None, wanted: RiskFilter) -> AsyncIterator[AtRiskPage]:
        """The whole ranking in parts, at least one."""
        scope = await self.scope(principal, group_id)
        await self._require_goal(principal.tenant_id, scope, wanted.career_goal)
        ranking = self._ranking(principal.tenant_id, scope, wanted)
        part = await ranking.part(None, AT_ONCE)
        yield await self._page(principal.tenant_id, ranking, part, None)
        while len(part) == AT_ONCE:
            part = await ranking.part(place_of(part[-1]), AT_ONCE)
            yield await self._page(principal.tenant_id, ranking, part, None)

    async def _require_goal(self, tenant_id: int, scope: Scope, goal: str | None) -> None:
        """Raise `InvalidInput` for a career path that is neither taught nor worked towards by anybody in the scope."""
        if goal is None or goal in (await self._curricula.current(tenant_id)).categories:
            return
        if not (await self._sums(tenant_id, scope, goal)).learners:
            detail = f'There is no category "{goal[:100]}", and nobody here works towards anything of that name.'
            raise InvalidInput([FieldProblem("/category", detail)])

    async def _sums(self, tenant_id: int, scope: Scope, goal: str | None) -> RiskSums:
        """Everybody of a scope who works towards this, whatever their score; None is anything."""
        everybody = RiskFilter(career_goal=goal)
        if scope.assessed is None:
            return await self._store.sums(tenant_id, scope.day, everybody)
        return risk_sums([one.assessment for one in scope.assessed if fits(one, everybody)])

    def _ranking(self, tenant_id: int, scope: Scope, wanted: RiskFilter) -> Ranking:
        if scope.assessed is None:
            return KeptRanking(self._store, tenant_id, scope.day, wanted)
        return LiveRanking([one for one in scope.assessed if fits(one, wanted)], scope.day)

    async def _part(
        self, tenant_id: int, scope: Scope, wanted: RiskFilter, after: RiskPlace | None, limit: int
    ) -> AtRiskPage:
        ranking = self._ranking(tenant_id, scope, wanted)
        part = await ranking.part(after, limit + 1)
        next_ = cursor_of(part[limit - 1]) if len(part) > limit else None
        return await self._page(tenant_id, ranking, part[:limit], next_)

    async def _page(self, tenant_id: int, ranking: Ranking, part: Sequence[Assessed], next_: str | None) -> AtRiskPage:
        ids, last = [one.learner_id for one in part], ranking.day - WEEK
        past = await self._store.past_scores(tenant_id, ids, ranking.day - OLDEST_WEEK_AGO, last) if ids else {}
        return AtRiskPage(tuple(part), dict(past), ranking.basis, ranking.day, next_)

    async def _learner_ids(self, tenant_id: int, group_id: str | None) -> list[str]:
        """A group's members, or at most one more of the tenant's learners than are looked at anew."""
        if group_id is None:
            return await self._store.learner_ids(tenant_id, after="", most=MOST_LIVE + 1)
        if forbidden_characters(group_id) is not None or await self._groups.get(tenant_id, group_id) is None:
            raise NotFound(NO_GROUP)
        return await self._groups.members(tenant_id, group_id, after="", most=MOST_MEMBERS)


def assessed_from(facts: LearnerFacts, paths: Paths, day: date, now: datetime) -> Assessed:
    """A learner's assessment from what is known."""
    completion = paths.completion(facts.career_goal, facts.skills, now)
    weaknesses = len(weaknesses_of(facts.skills.values(), now))
    known = Facts(facts.recent, facts.ever, facts.last_day, completion, weaknesses)
    return Assessed(facts.learner_id, assess(known, day), facts.career_goal, completion, facts.last_day)


def risk_sums(assessments: Sequence[Assessment]) -> RiskSums:
    """Assessments summed up, as the store does it for a night."""
    tenths = [round(10 * one.score) for one in assessments]
    return RiskSums(
        learners=len(assessments),
        flagged=sum(one.flagged for one in assessments),
        by_tenth=tuple(tenths.count(tenth) for tenth in range(11)),
        by_sign=tuple(sum(one.factors[place].met for one in assessments) for place in range(len(Sign))),
    )
