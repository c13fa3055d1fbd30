"""Feedback that was less than asked for, and may be better by now."""

from typing import Protocol, runtime_checkable

import msgspec

from pipeline.model import Change
from pipeline.stages.outcome import Body


class Due(msgspec.Struct, frozen=True):
    """Lesser feedback whose turn has come, for the `tries`-th time: until its lease ends it is whose who took it.

    `unheard` is set where it is better already, and perhaps nobody was told.
    """

    submission_id: str
    tenant_id: int
    tries: int
    unheard: Change | None = None


@runtime_checkable
class ImprovementStore(Protocol):
    """Lesser feedback that is to be tried again."""

    async def take(self, *, lease_seconds: float, most: int) -> list[Due]:
        """Take what is due, for so long; what somebody else has, and what cannot be bettered any more, is left out."""
        ...

    async def improve(self, due: Due, body: Body) -> Change | None:
        """Put better feedback in the place of the lesser; None where it is no longer ours, or no longer wanted."""
        ...

    async def postpone(self, due: Due, seconds: float) -> None:
        """Try again after so long."""
        ...

    async def forget(self, due: Due) -> None:
        """Nothing is left to do."""
        ...

    async def give_up(self, *, most: int) -> int:
        """Forget what has been tried for long enough; answers how many."""
        ...
