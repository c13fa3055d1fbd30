"""What a learner did week by week: hand-ins to count, reports that are kept, goals."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Protocol, runtime_checkable

import msgspec

from pipeline.learning.goal import Goals
from pipeline.learning.rating import Skill
from pipeline.learning.session import HandIn
from pipeline.model import JsonValue


class HandInsFound(msgspec.Struct, frozen=True):
    """Hand-ins of a range in no order; `clipped` where there are more than were asked for, which are the latest."""

    hand_ins: tuple[HandIn, ...]
    clipped: bool = False


class Active(msgspec.Struct, frozen=True):
    """A learner who handed in, and about how often: as far as it is counted."""

    learner_id: str
    hand_ins: int


class LearnersFound(msgspec.Struct, frozen=True):
    """The learners found in a piece of all, and after whom the next piece begins; None where this was the last."""

    learners: tuple[Active, ...]
    after: str | None


class WeekFacts(msgspec.Struct, frozen=True):
    """What a learner's report is made of.

    `days` are those on which the learner ever handed in (UTC), `aim` what is worked towards, as `ReportStore.aim` has
    it, and `advised` the topic of each question that was recommended after the latest submission that got as far.
    Skills come in the order of their topics and without the kinds of mistakes.
    """

    learner_id: str
    found: HandInsFound
    days: tuple[date, ...]
    goals: Goals
    aim: str | None
    skills: tuple[Skill, ...]
    advised: tuple[str, ...]


class KeptReport(msgspec.Struct, frozen=True):
    """A report as it was stored, the Monday of its week, and when that was."""

    week: date
    body: Mapping[str, JsonValue]
    created_at: datetime


@runtime_checkable
class ReportStore(Protocol):
    """What weekly reports are made of, and where they are kept."""

    async def facts(
        self, tenant_id: int, learner_ids: Sequence[str], since: datetime, until: datetime, *, most: int
    ) -> Sequence[WeekFacts]:
        """What these learners' reports are made of, in the order asked for; of nobody there is nothing.

        Of each at most `most` hand-ins from `since` to before `until`, with their scores.
        """
        ...

    async def aim(self, tenant_id: int, learner_id: str) -> str | None:
        """What the learner works towards: the target among the goals, else the goal of what was handed in last."""
        ...

    async def goals(self, tenant_id: int, learner_id: str) -> Goals:
        """The learner's goals; none where none were set."""
        ...

    async def set_goals(self, tenant_id: int, learner_id: str, goals: Goals) -> None:
        """Keep these goals in place of earlier ones, of a learner who may be new."""
        ...

    async def kept(self, tenant_id: int, learner_id: str, week: date) -> KeptReport | None:
        """The report that was stored of the week that begins on `week`."""
        ...

    async def all_kept(self, tenant_id: int, learner_id: str) -> Sequence[KeptReport]:
        """All stored reports of a learner, the oldest first."""
        ...

    async def keep(self, tenant_id: int, week: date, bodies: Mapping[str, Mapping[str, JsonValue]]) -> None:
        """Store the reports of a week, by learner, of those who are still there; one that is there already stays."""
        ...

    async def unreported(
        self, tenant_id: int, first: date, last: date, week: date, *, after: str | None, most: int
    ) -> LearnersFound:
        """Who of the next `most` learners behind `after` handed in from `first` to `last`, without those reported.

        Learners come in the order of their ids; days are in UTC, both included. Reported is whoever has a stored report
        of the week that begins on `week`.
        """
        ...
