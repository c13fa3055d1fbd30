"""Learners: what is known of them, and its erasure."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Protocol, runtime_checkable

import msgspec

from pipeline.learning.metrics import LearnerDay
from pipeline.learning.rating import Skill
from pipeline.model import (
    JsonValue,
)


class Keepsake(msgspec.Struct, frozen=True):
    """What is kept of a submission beyond its document, as JSON.

    Answers as handed in, failed attempts, webhooks, what the learner thought of feedback, experiments with it, and
    requests to models.
    """

    answers: Sequence[Mapping[str, JsonValue]]
    attempts: Sequence[Mapping[str, JsonValue]]
    deliveries: Sequence[Mapping[str, JsonValue]]
    ratings: Sequence[Mapping[str, JsonValue]]
    experiments: Sequence[Mapping[str, JsonValue]]
    model_requests: Sequence[Mapping[str, JsonValue]]


class GroupName(msgspec.Struct, frozen=True):
    """A group that a learner is in."""

    id: str
    name: str


class PastRisk(msgspec.Struct, frozen=True):
    """How a learner was assessed in a night: the score, and the factors as JSON."""

    day: date
    score: float
    assessment: Mapping[str, JsonValue]


@runtime_checkable
class LearnerStore(Protocol):
    """What is known of one learner of a tenant."""

    async def known(self, tenant_id: int, learner_id: str) -> bool:
        """Whether the learner ever handed in, is in a group or has goals, and was not erased since."""
        ...

    async def skills(self, tenant_id: int, learner_id: str) -> list[Skill]:
        """The learner's skills by topic."""
        ...

    async def days(self, tenant_id: int, learner_id: str) -> list[LearnerDay]:
        """The days on which the learner handed in, oldest first."""
        ...

    async def groups(self, tenant_id: int, learner_id: str) -> list[GroupName]:
        """The groups that the learner is in."""
        ...

    async def risks(self, tenant_id: int, learner_id: str) -> list[PastRisk]:
        """How the learner was assessed, night by night, oldest first."""
        ...

    async def submission_ids(self, tenant_id: int, learner_id: str, *, after: str | None, most: int) -> list[str]:
        """The ids of at most `most` of the learner's submissions, oldest first, from the first behind `after`."""
        ...

    async def keepsakes(self, tenant_id: int, submission_ids: Sequence[str]) -> Mapping[str, Keepsake]:
        """The rest of what is kept of these submissions, by id."""
        ...


@runtime_checkable
class Traces(Protocol):
    """What watchers may still see of submissions."""

    async def bury(self, submission_ids: Sequence[str]) -> None:
        """Forget these submissions, and refuse whatever is still to be said of them; raises `Unavailable`."""
        ...


@runtime_checkable
class ErasureStore(Protocol):
    """Forgetting a learner."""

    async def erase_submissions(self, tenant_id: int, submission_ids: Sequence[str]) -> None:
        """Erase these submissions with all that hangs on them; work under way on them can't write any more."""
        ...

    async def erase_learner(
        self, tenant_id: int, learner_id: str, *, actor: str, audit_id: str, learner_hash: str
    ) -> bool:
        """Erase what is left of a learner and note it in the audit log; False where submissions are left."""
        ...
