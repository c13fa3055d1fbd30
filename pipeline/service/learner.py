"""What is known of one learner, and the shapes in which it is shown."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final

import msgspec

from pipeline.errors import FieldProblem, InvalidInput, NotFound
from pipeline.learning import progress
from pipeline.learning.goal import Goals
from pipeline.learning.mastery import MasteryLevel, level_of, mastery, module_logit, uncertainty
from pipeline.learning.metrics import AnswerSums, LearnerDay
from pipeline.learning.mistake import Mistake
from pipeline.learning.pooling import Estimate, overall
from pipeline.learning.rating import MIDDLE_DIFFICULTY, Skill
from pipeline.learning.recency import fading
from pipeline.learning.weakness import weakness_score
from pipeline.ports import LearnerStore, ReadingStore
from pipeline.ports.report import ReportStore
from pipeline.scoring.shape import forbidden_characters
from pipeline.service.access import NO_LEARNER, Principal
from pipeline.service.course import Course, Courses
from pipeline.service.view import submission_document

DEFAULT_DAYS: Final = 30
MOST_DAYS: Final = 366
EXPORTED_AT_ONCE: Final = 50
DECIMALS: Final = 4


class SkillShown(msgspec.Struct, frozen=True):
    """Standing in one topic.

    `rating` is on the logit scale (0 is average, higher is better) and `uncertainty` the standard deviation of what is
    known of the ability; `mastery` is the chance, 0 to 1, to score on a question of middle difficulty now, without
    guessing, and `level` what that means in a word. `weakness` is 0 to below 1, from the errors of the last seven
    days, higher is weaker; `mistakes` are sums of errors by kind that fade with time, only those there are. The topic
    should be reviewed at `due_at`, null where nothing is known yet. Counts are since the beginning.
    """

    topic: str
    rating: float
    uncertainty: float
    mastery: float
    level: MasteryLevel
    answers: int
    correct: int
    weakness: float
    mistakes: Mapping[Mistake, float]
    due_at: datetime | None
    updated_at: datetime


class Figures(msgspec.Struct, frozen=True):
    """Sums over answers. Accuracy and mean score are 0 to 1, null where no answer has a score yet."""

    submissions: int
    answers: int
    correct: int
    accuracy: float | None
    mean_score: float | None
    mean_response_time_ms: int | None


class DayShown(Figures, frozen=True):
    """One UTC day on which the learner handed in."""

    day: date


class TopicShown(msgspec.Struct, frozen=True):
    """One topic since the beginning; mastery and accuracy are 0 to 1."""

    topic: str
    answers: int
    correct: int
    accuracy: float
    mastery: float
    level: MasteryLevel


class Progress(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """How a learner is getting on: since the beginning, in the range asked for, and day by day in it.

    `current_streak` counts the days in a row with a hand-in, up to today or yesterday (UTC). `topics` are in the order
    of their names, `course` is null where no category of the curriculum is worked towards.
    """

    learner_id: str
    total: Figures
    from_: date
    to: date
    in_range: Figures
    days: tuple[DayShown, ...]
    current_streak: int
    topics: tuple[TopicShown, ...]
    goals: Goals
    course: Course | None


class Learners:
    """Reads what is known of a learner; raises `NotFound` for one the caller does not know or may not see."""

    def __init__(
        self,
        store: LearnerStore,
        reading: ReadingStore,
        reports: ReportStore,
        courses: Courses,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._reading = reading
        self._reports = reports
        self._courses = courses
        self._clock = clock

    async def require(self, principal: Principal, learner_id: str) -> None:
        """Raise `NotFound` unless this learner is there for the caller."""
        await require_learner(self._store, principal, learner_id)

    async def skills(self, principal: Principal, learner_id: str) -> tuple[SkillShown, ...]:
        """The learner's standing per topic, in the order of topics."""
        await self.require(principal, learner_id)
        now = self._clock()
        skills = await self._store.skills(principal.tenant_id, learner_id)
        everywhere = overall({skill.topic: skill for skill in skills})
        return tuple(skill_shown(skill, everywhere, now) for skill in skills)

    async def progress(self, principal: Principal, learner_id: str, first: date | None, last: date | None) -> Progress:
        """Figures in all and from `first` to `last` (the last 30 days by default); raises `InvalidInput`."""
        now = self._clock()
        today = now.astimezone(UTC).date()
        first, last = checked_range(first, last, today)
        await self.require(principal, learner_id)
        days = await self._store.days(principal.tenant_id, learner_id)
        skills = await self._store.skills(principal.tenant_id, learner_id)
        everywhere = overall({skill.topic: skill for skill in skills})
        inside = [day for day in days if first <= day.day <= last]
        return Progress(
            learner_id=learner_id,
            total=figures_of(days),
            from_=first,
            to=last,
            in_range=figures_of(inside),
            days=tuple(DayShown(**msgspec.structs.asdict(figures_of([day])), day=day.day) for day in inside),
            current_streak=progress.current_streak([day.day for day in days], today),
            topics=tuple(topic_shown(skill_shown(skill, everywhere, now)) for skill in skills),
            goals=await self._reports.goals(principal.tenant_id, learner_id),
            course=await self._courses.course(principal.tenant_id, learner_id, skills, now),
        )

    async def days(self, principal: Principal, learner_id: str) -> list[LearnerDay]:
        """The UTC days on which the learner handed in, oldest first."""
        await self.require(principal, learner_id)
        return await self._store.days(principal.tenant_id, learner_id)

    async def export(self, principal: Principal, learner_id: str) -> AsyncIterator[dict[str, Any]]:
        """Everything kept of the learner, as records that say their `kind`; the last one is `end`.

        A reader that finds no `end` has a part only.
        """
        tenant_id = principal.tenant_id
        goals = await self._reports.goals(tenant_id, learner_id)
        yield {"kind": "learner", "learner_id": learner_id, "exported_at": self._clock(), "goals": goals}
        for skill in await self._store.skills(tenant_id, learner_id):
            yield {"kind": "skill", **msgspec.to_builtins(skill)}
        for day in await self._store.days(tenant_id, learner_id):
            yield {"kind": "day", "day": day.day, "submissions": day.submissions, **msgspec.structs.asdict(day.sums)}
        for group in await self._store.groups(tenant_id, learner_id):
            yield {"kind": "group", **msgspec.to_builtins(group)}
        for risk in await self._store.risks(tenant_id, learner_id):
            yield {"kind": "risk", **msgspec.to_builtins(risk)}
        for kept in await self._reports.all_kept(tenant_id, learner_id):
            yield {"kind": "report", "created_at": kept.created_at, **kept.body}
        count, after = 0, None
        while ids := await self._store.submission_ids(tenant_id, learner_id, after=after, most=EXPORTED_AT_ONCE):
            async for record in self._submission_records(tenant_id, ids):
                yield record
                count += 1
            after = ids[-1]
        yield {"kind": "end", "submissions": count}

    async def _submission_records(self, tenant_id: int, ids: Sequence[str]) -> AsyncIterator[dict[str, Any]]:
        keepsakes = await self._store.keepsakes(tenant_id, ids)
        for view in await self._reading.read(tenant_id, ids):
            if kept := keepsakes.get(view.id):
                yield {"kind": "submission", **submission_document(view), **msgspec.structs.asdict(kept)}


def skill_shown(skill: Skill, everywhere: Estimate, now: datetime) -> SkillShown:
    """A skill as it is shown at `now`; `everywhere` is what all the learner's topics tell."""
    mastered = mastery(skill, everywhere, module_logit(MIDDLE_DIFFICULTY), now)
    return SkillShown(
        topic=skill.topic,
        rating=skill.rating,
        uncertainty=round(uncertainty(skill, everywhere), DECIMALS),
        mastery=round(mastered, DECIMALS),
        level=level_of(mastered, skill.answers),
        answers=skill.answers,
        correct=skill.correct,
        weakness=weakness_score(skill, now),
        mistakes=mistakes_of(skill, now),
        due_at=skill.memory.due_at if skill.memory else None,
        updated_at=skill.updated_at,
    )


def topic_shown(skill: SkillShown) -> TopicShown:
    """A topic as progress shows it; a skill has an answer at least."""
    accuracy = round(skill.correct / max(skill.answers, 1), DECIMALS)
    return TopicShown(skill.topic, skill.answers, skill.correct, accuracy, skill.mastery, skill.level)


def mistakes_of(skill: Skill, now: datetime) -> dict[Mistake, float]:
    """The errors in a topic by kind, faded to `now`; kinds that did not happen are left out."""
    left = fading(max(now, skill.updated_at) - skill.updated_at)
    faded = {kind: round(left * amount, DECIMALS) for kind, amount in zip(Mistake, skill.mistakes, strict=False)}
    return {kind: amount for kind, amount in faded.items() if amount}


async def require_learner(store: LearnerStore, principal: Principal, learner_id: str) -> None:
    """Raise `NotFound` unless this learner is there for the caller."""
    visible = principal.may_see(learner_id) and forbidden_characters(learner_id) is None
    if not visible or not await store.known(principal.tenant_id, learner_id):
        raise NotFound(NO_LEARNER)


def figures_of(days: Sequence[LearnerDay]) -> Figures:
    """Some days as they are shown."""
    sums: AnswerSums = progress.total(days)
    return Figures(
        submissions=sum(day.submissions for day in days),
        answers=sums.answers,
        correct=sums.correct,
        accuracy=progress.accuracy(sums),
        mean_score=progress.mean_fraction(sums),
        mean_response_time_ms=progress.mean_response_time_ms(sums),
    )


def checked_range(first: date | None, last: date | None, today: date) -> tuple[date, date]:
    """The days asked for, both included; raises `InvalidInput` for a range that is backwards or too long."""
    last = last or max(today, first or today)
    first = first or date.fromordinal(max(last.toordinal() - DEFAULT_DAYS + 1, 1))
    if first > last:
        raise InvalidInput([FieldProblem("/from", "The range ends before it begins.")])
    if (last - first).days >= MOST_DAYS:
        raise InvalidInput([FieldProblem("/from", f"At most {MOST_DAYS} days fit into one answer.")])
    return first, last
