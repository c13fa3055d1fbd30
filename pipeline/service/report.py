"""Weekly reports and goals of learners: shown, and made in advance for everybody who was active."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from pipeline.curriculum.model import Curriculum
from pipeline.errors import FieldProblem, InvalidInput
from pipeline.learning.finding import Module, Prospects, due_of, with_findings
from pipeline.learning.goal import Goals
from pipeline.learning.rating import Skill
from pipeline.learning.report import WeeklyReport, report_of
from pipeline.learning.weakness import weaknesses_of
from pipeline.learning.week import Week, last_whole_week, week_named
from pipeline.ports import LearnerStore
from pipeline.ports.report import Active, ReportStore, WeekFacts
from pipeline.service.access import Principal
from pipeline.service.completion import Taught
from pipeline.service.course import Course, Courses, course_towards, next_module
from pipeline.service.learner import require_learner

MOST_HAND_INS: Final = 5_000
"""So many hand-ins of two weeks are looked at; whoever has more gets the latest of them and is told so."""
READ_AT_ONCE: Final = 20
"""Learners whose weeks are read in one go, where they have no more hand-ins together than are looked at of one."""
FIRST_YEAR: Final = 2000
UTC_NAME: Final = "UTC"


class Zone(NamedTuple):
    """A time zone and its name in the IANA database."""

    name: str
    rules: tzinfo


class Reported(NamedTuple):
    """A report, and whether it is the one that was stored when the week was over."""

    report: WeeklyReport
    stored: bool


class Reports:
    """Learners' weeks; raises `NotFound` for learners the caller does not know or may not see."""

    def __init__(
        self,
        store: ReportStore,
        learners: LearnerStore,
        courses: Courses,
        curricula: Taught,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._learners = learners
        self._courses = courses
        self._curricula = curricula
        self._clock = clock

    async def week(self, principal: Principal, learner_id: str, week: str | None, timezone: str | None) -> Reported:
        """The report of a week named as `2026-W47`, by default the last one that is over; raises `InvalidInput`.

        A week that is over is told as it was stored, if it was and in this time zone; else it is worked out now.
        """
        await require_learner(self._learners, principal, learner_id)
        zone, now = zone_named(timezone or UTC_NAME), self._clock()
        wanted = week_wanted(week, now, zone.rules)
        kept = await self._store.kept(principal.tenant_id, learner_id, wanted.monday)
        if kept is not None and kept.body["timezone"] == zone.name:
            return Reported(msgspec.convert(kept.body, WeeklyReport), stored=True)
        [report] = (await self._worked_out(principal.tenant_id, [learner_id], wanted, zone, now)).values()
        return Reported(report, stored=False)

    async def goals(self, principal: Principal, learner_id: str) -> Goals:
        """The learner's goals."""
        await require_learner(self._learners, principal, learner_id)
        return await self._store.goals(principal.tenant_id, learner_id)

    async def course(self, principal: Principal, learner_id: str, locale: str | None) -> Course | None:
        """How far the learner is in the category worked towards; None where there is none."""
        await require_learner(self._learners, principal, learner_id)
        skills = await self._learners.skills(principal.tenant_id, learner_id)
        return await self._courses.course(principal.tenant_id, learner_id, skills, self._clock(), locale)

    async def set_goals(self, principal: Principal, learner_id: str, goals: Goals) -> Goals:
        """Keep goals in place of earlier ones; raises `InvalidInput` for a target that is not taught.

        A learner nobody knew is known from then on: schools set goals before the first hand-in.
        """
        if goals.target is not None and not await self._courses.is_taught(principal.tenant_id, goals.target):
            raise InvalidInput([FieldProblem("/target", "There is no such category.")])
        await self._store.set_goals(principal.tenant_id, learner_id, goals)
        return goals

    async def make_weekly_reports(self, tenant_id: int, week: Week, after_learner: str | None, most: int) -> str | None:
        """Store the reports of a week that is over (UTC) of the next `most` learners behind `after_learner`.

        Only of those who handed in during the week or the one before it. Answers after whom to go on; None at the end.
        Reports are stored some at a time; doing a piece again makes those that are missing, and what is there stays.
        """
        now, zone = self._clock(), Zone(UTC_NAME, UTC)
        found = await self._store.unreported(
            tenant_id, week.before.monday, week.sunday, week.monday, after=after_learner, most=most
        )
        for learner_ids in portions(found.learners):
            reports = await self._worked_out(tenant_id, learner_ids, week, zone, now)
            bodies = {id_: msgspec.to_builtins(report) for id_, report in reports.items()}
            await self._store.keep(tenant_id, week.monday, bodies)
        return found.after

    async def make_last_weeks(self, tenant_id: int, slot: datetime, *, after: str | None, most: int) -> str | None:
        """The same for the last week that was over at `slot`: a step of the periodic job (`TenantStep`)."""
        return await self.make_weekly_reports(tenant_id, last_whole_week(slot, UTC), after, most)

    async def _worked_out(
        self, tenant_id: int, learner_ids: Sequence[str], week: Week, zone: Zone, now: datetime
    ) -> dict[str, WeeklyReport]:
        """The reports of these learners, by learner; others are served between one and the next."""
        since, until = week.before.start(zone.rules), week.end(zone.rules)
        known = await self._store.facts(tenant_id, learner_ids, since, until, most=MOST_HAND_INS)
        curriculum = await self._curricula.current(tenant_id)
        reports: dict[str, WeeklyReport] = {}
        for facts in known:
            reports[facts.learner_id] = report_from(facts, curriculum, week, zone, now)
            await asyncio.sleep(0)
        return reports


def portions(learners: Iterable[Active]) -> Iterator[list[str]]:
    """These learners in portions whose facts are read at once: few enough, and with few enough hand-ins together.

    Who has more hand-ins than that stands alone.
    """
    portion, hand_ins = list[str](), 0
    for learner in learners:
        if portion and (len(portion) == READ_AT_ONCE or hand_ins + learner.hand_ins > MOST_HAND_INS):
            yield portion
            portion, hand_ins = [], 0
        portion.append(learner.learner_id)
        hand_ins += learner.hand_ins
    if portion:
        yield portion


def report_from(facts: WeekFacts, curriculum: Curriculum, week: Week, zone: Zone, now: datetime) -> WeeklyReport:
    """A learner's report of `week`, as it is to be told at `now`."""
    report = report_of(
        facts.found.hand_ins,
        week,
        zone.rules,
        zone.name,
        now=now,
        active_days=facts.days,
        goals=facts.goals,
        clipped=facts.found.clipped,
    )
    course = course_towards(curriculum, facts.aim, facts.goals, facts.skills, now)
    return with_findings(report, prospects_of(facts.skills, facts.advised, next_module(course), now))


def prospects_of(skills: Sequence[Skill], advised: Sequence[str], module: Module | None, now: datetime) -> Prospects:
    """What the learner could do next, at `now`; `advised` are the topics of the questions recommended."""
    return Prospects(
        weaknesses=weaknesses_of(skills, now),
        due=due_of(skills, now),
        questions=len(advised),
        question_topics=tuple(dict.fromkeys(advised)),
        module=module,
    )


def zone_named(name: str) -> Zone:
    """The time zone of this name; raises `InvalidInput` where the IANA database has none."""
    if name == UTC_NAME:
        return Zone(UTC_NAME, UTC)
    try:
        return Zone(name, ZoneInfo(name))
    except (KeyError, ValueError, OSError):
        raise InvalidInput([FieldProblem("/timezone", "A name such as Asia/Seoul is expected.")]) from None


def week_wanted(name: str | None, now: datetime, zone: tzinfo) -> Week:
    """The week of this name, by default the last one that is over in `zone`; raises `InvalidInput`."""
    if name is None:
        return last_whole_week(now, zone)
    week = week_named(name)
    if week is None:
        raise InvalidInput([FieldProblem("/week", "A week such as 2026-W05 is expected.")])
    if week.monday.year < FIRST_YEAR:
        raise InvalidInput([FieldProblem("/week", f"The week lies before the year {FIRST_YEAR}.")])
    if week.monday > now.astimezone(zone).date():
        raise InvalidInput([FieldProblem("/week", "The week has not begun yet.")])
    return week
