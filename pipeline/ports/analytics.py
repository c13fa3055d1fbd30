"""What teachers look at: groups of learners, who is at risk, and how questions do."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Final, Protocol, runtime_checkable

import msgspec

from pipeline.learning.item_analysis import ItemAnalysis
from pipeline.learning.metrics import AnswerSums
from pipeline.learning.rating import Skill
from pipeline.learning.risk import Assessment, Completion
from pipeline.model import Question

AT_RISK_JOB: Final = "at-risk"
"""The periodic job that assesses learners every night."""


class Group(msgspec.Struct, frozen=True):
    """Learners whom a teacher looks at together; `members` is how many they are."""

    id: str
    name: str
    members: int
    created_at: datetime
    updated_at: datetime


class MembersChanged(msgspec.Struct, frozen=True):
    """What a change of members did: how many came, how many went, and how many there are now."""

    added: int
    removed: int
    members: int


@runtime_checkable
class GroupStore(Protocol):
    """Groups of learners of a tenant."""

    async def put(self, tenant_id: int, group_id: str, name: str, *, most: int) -> tuple[Group, bool] | None:
        """Make or rename a group; True where it is new, None where the tenant has `most` groups already."""
        ...

    async def get(self, tenant_id: int, group_id: str) -> Group | None:
        """One group."""
        ...

    async def browse(self, tenant_id: int, *, after: str, most: int) -> list[Group]:
        """Groups in the order of their ids, from the first behind `after`."""
        ...

    async def delete(self, tenant_id: int, group_id: str) -> bool:
        """Delete a group and nothing of its learners; False where there is none."""
        ...

    async def members(self, tenant_id: int, group_id: str, *, after: str, most: int) -> list[str]:
        """Learners of a group in the order of their ids, from the first behind `after`."""
        ...

    async def add(
        self, tenant_id: int, group_id: str, learner_ids: Collection[str], *, replace: bool, most: int
    ) -> MembersChanged | None:
        """Make these learners members, and with `replace` nobody else; None where there is no such group.

        Raises `Conflict` where the group would have more than `most` members; then nothing is changed.
        """
        ...

    async def remove(self, tenant_id: int, group_id: str, learner_ids: Collection[str]) -> MembersChanged | None:
        """Take these learners out, those who are in it; None where there is no such group."""
        ...


class LearnerFacts(msgspec.Struct, frozen=True):
    """What is known of a learner up to a day, and the newest career goal that a submission named."""

    learner_id: str
    recent: AnswerSums
    ever: AnswerSums
    last_day: date | None
    career_goal: str | None
    skills: Mapping[str, Skill]


class Assessed(msgspec.Struct, frozen=True):
    """A learner's assessment of a day."""

    learner_id: str
    assessment: Assessment
    career_goal: str | None
    completion: Completion | None
    last_day: date | None


class PastScore(msgspec.Struct, frozen=True):
    """The risk score of an earlier day."""

    day: date
    score: float


class RiskFilter(msgspec.Struct, frozen=True):
    """Whose assessments are wanted: from this score on, of this career goal."""

    min_score: float = 0.0
    career_goal: str | None = None


class RiskPlace(msgspec.Struct, frozen=True):
    """A place in a list that is sorted by falling score, then by learner."""

    score: float
    learner_id: str


class RiskSums(msgspec.Struct, frozen=True):
    """Assessments summed up: by tenths of the score (0, 0.1 … 1) and by sign, in the order of `Sign`."""

    learners: int
    flagged: int
    by_tenth: tuple[int, ...]
    by_sign: tuple[int, ...]


class GoalSums(msgspec.Struct, frozen=True):
    """Learners of one career goal (None: without one) as they were assessed.

    `progress_sum` is over the `measured` learners, those whose progress is known; `spread` counts them by fifths of
    the path; `top` are the furthest, each with the share.
    """

    career_goal: str | None
    learners: int
    measured: int
    progress_sum: float
    completed: int
    active_7_days: int
    active_28_days: int
    spread: tuple[int, ...]
    top: tuple[tuple[str, float], ...]


@runtime_checkable
class RiskStore(Protocol):
    """What learners' risk is told from, and the assessments of each night."""

    async def learner_ids(self, tenant_id: int, *, after: str, most: int) -> list[str]:
        """At most `most` of the tenant's learners in the order of their ids, from the first behind `after`."""
        ...

    async def facts(self, tenant_id: int, learner_ids: Sequence[str], today: date) -> list[LearnerFacts]:
        """What is known of these learners up to `today`, in the order asked for; nothing counts as nothing done."""
        ...

    async def save(self, tenant_id: int, day: date, assessed: Sequence[Assessed]) -> None:
        """Keep the assessments of a day, instead of those of the same day and learners."""
        ...

    async def complete(self, tenant_id: int, day: date) -> None:
        """Note that all learners of the tenant are assessed as of this day."""
        ...

    async def latest_day(self, tenant_id: int) -> date | None:
        """The newest day as of which all learners of the tenant were assessed."""
        ...

    async def kept(
        self, tenant_id: int, day: date, wanted: RiskFilter, *, after: RiskPlace | None, most: int
    ) -> list[Assessed]:
        """The assessments of a day that fit, by falling score."""
        ...

    async def past_scores(
        self, tenant_id: int, learner_ids: Sequence[str], first: date, last: date
    ) -> Mapping[str, PastScore]:
        """The newest kept score of each learner from `first` to `last`."""
        ...

    async def sums(self, tenant_id: int, day: date, wanted: RiskFilter) -> RiskSums:
        """A day's assessments that fit, summed up."""
        ...

    async def sums_by_goal(self, tenant_id: int, day: date, *, most_top: int) -> list[GoalSums]:
        """A day's assessments summed up by career goal."""
        ...


class ItemFilter(msgspec.Struct, frozen=True):
    """Which questions: None does not narrow."""

    module: str | None = None
    topic: str | None = None
    flag: str | None = None


class AnalysedItem(msgspec.Struct, frozen=True):
    """A question in its current version with its figures; `attempts` are all answers ever, of erased learners too.

    `computed_at` is None where the question was never analysed.
    """

    question: Question
    attempts: int
    analysis: ItemAnalysis
    computed_at: datetime | None


class ItemPlace(msgspec.Struct, frozen=True):
    """A place in a sorted list of questions; questions without the figure come last."""

    figure: float | None
    question_id: str


@runtime_checkable
class ItemStore(Protocol):
    """How questions do."""

    async def stand_next(self, tenant_id: int, after_learner: str, most: int) -> str | None:
        """Work out where the next at most `most` learners stand; the id of the last, None at the end.

        The figures of questions compare learners by it. Whom it knows too little of is looked at anew.
        """
        ...

    async def analyse_next(self, tenant_id: int, after_question: str, most: int) -> str | None:
        """Analyse the next at most `most` questions, in the order of their ids; the id of the last, None at the end."""
        ...

    async def analyse_now(self, tenant_id: int, question_id: str) -> AnalysedItem | None:
        """The figures of one question as of now, not kept; None where there is no such question."""
        ...

    async def browse(
        self, tenant_id: int, wanted: ItemFilter, *, sort: str, descending: bool, after: ItemPlace | None, most: int
    ) -> list[AnalysedItem]:
        """Questions with their kept figures, sorted by `question_id` or a figure, from the first behind `after`."""
        ...
