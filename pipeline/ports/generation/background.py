"""What feedback on a submission is written with, beside its answers."""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import msgspec

from pipeline.model import JsonValue
from pipeline.prompting.feedback import LearnerPicture


class Learning(msgspec.Struct, frozen=True):
    """Whose feedback it is: a submission and its learner."""

    tenant_id: int
    submission_id: str
    learner_id: str


class Background(msgspec.Struct, frozen=True):
    """What feedback on a submission is written with, beside its answers.

    `picture` is the learner as known when feedback was first begun, so that a stage that is repeated asks for the very
    same. `metadata` is the client's, for the names that may stand in it; `secret` makes hashes that are the tenant's.
    """

    picture: LearnerPicture
    metadata: Mapping[str, JsonValue]
    secret: str
    priority: str = "normal"
    retry_feedback: bool = False


@runtime_checkable
class Backgrounds(Protocol):
    """What is known around a submission."""

    async def of(self, learning: Learning) -> Background | None:
        """A submission's background; None where it was erased. Raises `Unavailable`."""
        ...
