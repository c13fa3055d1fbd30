"""Working out again what was learnt: history in its order, the live state beside it, and the switch from one to other.

Everything is of one tenant, and comes in parts of bounded size.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol, runtime_checkable

import msgspec

from pipeline.learning.metrics import LearnerDay, QuestionCount
from pipeline.learning.rating import ItemRating, ItemSteps
from pipeline.model import Work
from pipeline.stages.recommend import LearnerState


class Lesson(msgspec.Struct, frozen=True):
    """A submission that was learnt from. `sequence` and `item_steps` are None where they were not kept yet.

    `learnt` is False while its learner is being erased and its steps are kept apart; `counted` tells whether the
    figures count it.
    """

    work: Work
    sequence: int | None
    item_steps: ItemSteps | None
    learnt: bool
    counted: bool


class Decided(msgspec.Struct, frozen=True):
    """The first decision of a person on the answer at `position`, made at `at`; `step` is what is kept of it."""

    work: Work
    sequence: int
    position: int
    fraction: float
    at: datetime
    step: float
    answers: int


class KeptStep(msgspec.Struct, frozen=True):
    """What an answer of an erased learner did to a question; `start` is where the question began if it was the first.

    `answers` is 1 where the answer counted, else 0.
    """

    sequence: int
    question_id: str
    start: float
    step: float
    answers: int


Event = Lesson | Decided | KeptStep


class StepCorrection(msgspec.Struct, frozen=True):
    """What should be kept with a recommend result."""

    submission_id: str
    sequence: int
    item_steps: ItemSteps


class DecisionCorrection(msgspec.Struct, frozen=True):
    """What should be kept with the first decision on an answer."""

    submission_id: str
    position: int
    step: float
    answers: int


Correction = StepCorrection | DecisionCorrection


class Rebuilt(msgspec.Struct, frozen=True):
    """What to put in place of the live state: these learners as a whole, and these questions.

    None stands for a rating that should not be there. Days and counts are what to add to the figures.
    """

    learners: Mapping[str, LearnerState]
    items: Mapping[str, ItemRating | None]
    days: Sequence[LearnerDay]
    counts: Sequence[QuestionCount]
    corrections: Sequence[Correction]


@runtime_checkable
class LearningLook(Protocol):
    """History and live state, as of one and the same moment."""

    async def first_free_sequence(self) -> int:
        """The number from which all that has none can be numbered, and comes before all that has one."""
        ...

    async def starts(self) -> Mapping[str, float]:
        """Where the ratings of questions began, by question, of those that did not begin at their level."""
        ...

    async def kept_steps(self) -> int:
        """How many steps of erased learners are kept: as long as it is the same, nobody was erased."""
        ...

    def events(self) -> AsyncIterator[Sequence[Event]]:
        """What was learnt from, in the order in which it was."""
        ...

    def learners(self) -> AsyncIterator[tuple[str, LearnerState]]:
        """Every learner with all skills."""
        ...

    def items(self) -> AsyncIterator[tuple[str, ItemRating]]:
        """Every question that has a rating."""
        ...

    def days(self) -> AsyncIterator[LearnerDay]:
        """The figures of learners and days."""
        ...

    def counts(self) -> AsyncIterator[QuestionCount]:
        """The figures of questions, less what is kept of erased learners."""
        ...


@runtime_checkable
class LearningSwitch(Protocol):
    """All learners and questions of the tenant under lock: nobody moves any until this is over."""

    async def starts(self) -> Mapping[str, float]:
        """As `LearningLook.starts`, as of now."""
        ...

    async def kept_steps(self) -> int:
        """As `LearningLook.kept_steps`, as of now."""
        ...

    def events(self, seen: Sequence[int]) -> AsyncIterator[Sequence[Event]]:
        """What was learnt from since the numbers in `seen`, ascending, were; in its order."""
        ...

    async def replace(self, rebuilt: Rebuilt) -> None:
        """Put it in the place of the live state; learners and questions that came after the lock are left alone."""
        ...


@runtime_checkable
class RebuildStore(Protocol):
    """Where the learning state is kept together with the history it follows from."""

    async def tenants(self) -> Mapping[str, int]:
        """All tenants' ids by their names, in the order of names."""
        ...

    def look(self, tenant_id: int) -> AbstractAsyncContextManager[LearningLook]:
        """Look at a tenant; raises `Conflict` while another rebuild of it looks."""
        ...

    def switch(self, tenant_id: int) -> AbstractAsyncContextManager[LearningSwitch]:
        """Lock a tenant's learners and questions, in the order in which workers do, and keep what is replaced."""
        ...

    async def correct(self, tenant_id: int, corrections: Sequence[Correction]) -> None:
        """Keep these steps with their results and decisions."""
        ...
