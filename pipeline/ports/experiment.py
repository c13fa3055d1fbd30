"""What an experiment leaves behind: who was to write and who did, and what learners thought of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, Protocol, runtime_checkable

import msgspec


class ServedAnswer(msgspec.Struct, frozen=True):
    """Feedback on one answer of a learner who takes part in an experiment: its arm, and who wrote it in the end.

    `provider` and `model` are None where the built-in words served.
    """

    tenant_id: int
    submission_id: str
    question_id: str
    experiment: str
    arm: str
    source: Literal["ai", "template"]
    served_provider: str | None = None
    served_model: str | None = None
    prompt_version: str | None = None


@runtime_checkable
class Assignments(Protocol):
    """Remembers who was assigned what."""

    async def record(self, served: Sequence[ServedAnswer]) -> None:
        """Note them; the same answer again replaces what was noted of it, and what was erased stays so.

        Raises `Unavailable`.
        """
        ...


class Rating(msgspec.Struct, frozen=True):
    """What a learner thinks of the feedback on one answer: 1 is useless, 5 is very helpful."""

    rating: int
    comment: str | None = None


@runtime_checkable
class RatingStore(Protocol):
    """Keeps what learners think of feedback."""

    async def rate(self, tenant_id: int, submission_id: str, question_id: str, rating: Rating) -> datetime | None:
        """Keep a rating in place of an earlier one, with the arm under which the feedback was served.

        Answers since when it is so; None where the submission is gone. Raises `Unavailable`.
        """
        ...
