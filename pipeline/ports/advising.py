"""What advice for one learner goes by."""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import msgspec

from pipeline.learning.rating import Skill
from pipeline.model import LearnerContext
from pipeline.stages.advising import Bank
from pipeline.stages.guide import Guide


class Latest(msgspec.Struct, frozen=True):
    """A learner's latest submission: which questions, in which primary language most of them, and its context.

    Of its context all but the career goal, which the learner may have without it.
    """

    submission_id: str
    question_ids: tuple[str, ...]
    language: str
    context: LearnerContext


class Basis(msgspec.Struct, frozen=True):
    """What is known of a learner, and what there is to choose from.

    `career_goal` is what the learner works towards. `latest` is what was handed in last, None where nothing was.
    """

    skills: Mapping[str, Skill]
    recent_correct: tuple[str, ...]
    career_goal: str | None
    latest: Latest | None
    bank: Bank
    guide: Guide


@runtime_checkable
class AdvisingStore(Protocol):
    """The present state of a learner."""

    async def basis(self, tenant_id: int, learner_id: str) -> Basis:
        """What advice for this learner goes by now; of a learner that is not there, nothing but the bank."""
        ...
