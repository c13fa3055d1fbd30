"""What a learner did week by week: hand-ins to count, reports that are kept, goals."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Protocol, runtime_checkable

import msgspec

from pipeline.learning.goal import Goals
from pipeline.learning.session import HandIn
from pipeline.model import JsonValue


class HandInsFound(msgspec.Struct, frozen=True):
    """Hand-ins of a range in no order; `clipped` where there are more than were asked for, which are the latest."""

    hand_ins: tuple[HandIn, ...]
    clipped: bool = False


class LearnersFound(msgspec.Struct, frozen=True):
    """The learners found in a piece of all, and after whom the next piece begins; None where this was the last."""

    learner_ids: tuple[str, ...]
    after: str | None


class KeptReport(msgspec.Struct, frozen=True):
    """A report as it was stored, the Monday of its week, and when that was."""

    week: date
    body: Mapping[str, JsonValue]
    created_at: datetime


@runtime_checkable
class ReportStore(Protocol):
    """What weekly reports are made of, and where they are kept."""

    async def hand_ins(
        self, tenant_id: int, learner_id: str, since: datetime, until: datetime, *, most: int
    ) -> HandInsFound:
        """At most `most` hand-ins of the learner from `since` to before `until`, with their scores."""
        ...

    async def aim(self, tenant_id: int, learner_id: str) -> str | None:
        """What the learner works towards: the target among the goals, else the goal of what was handed in last."""
        ...

    async def advised_topics(self, tenant_id: int, learner_id: str) -> Sequence[str]:
        """The topic of each question that was recommended after the learner's latest submission that got as far."""
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

    async def keep(self, tenant_id: int, learner_id: str, week: date, body: Mapping[str, JsonValue]) -> None:
        """Store a report of a learner who is still there; where there is one of that week already, it stays."""
        ...

    async def active_learners(
        self, tenant_id: int, first: date, last: date, *, after: str | None, most: int
    ) -> LearnersFound:
        """Who of the next `most` learners behind `after`, in the order of ids, handed in from `first` to `last`.

        Days are in UTC, both included.
        """
        ...
