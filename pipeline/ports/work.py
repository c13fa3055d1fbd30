"""What runs stages: work handed out and taken back, rings, statuses, upkeep, feedback."""

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol, runtime_checkable

import msgspec

from pipeline.learning.metrics import Increments
from pipeline.lifecycle import Stage
from pipeline.model import (
    Change,
    Claim,
    Held,
    Recorded,
    Work,
)
from pipeline.prompting.feedback import Feedback, FeedbackRequest
from pipeline.stages.recommend import Learned, LearningState
from pipeline.stages.run import Run


@runtime_checkable
class WorkUnit(Protocol):
    """One transaction on a batch of one stage."""

    @property
    def paused(self) -> frozenset[Stage]:
        """The stages that an operator has paused, as of `hold`."""
        ...

    async def hold(self, claims: Sequence[Claim], *, rescored: bool = False) -> list[tuple[Claim, Held]]:
        """Lock the submissions and keep the claims that are still ours; `rescored` where `renewed` is to follow."""
        ...

    async def load(self, claims: Sequence[Claim]) -> list[Work]:
        """What the stage needs to know of each submission, in the order of the claims, erased ones left out."""
        ...

    def renewed(self, works: Sequence[Work]) -> list[Work]:
        """The same submissions, loaded before, as of `hold`: their stages' times, and scores people settled since."""
        ...

    async def hurry(self) -> None:
        """From now on, wait for nobody's lock for long: raises `Contended` instead, and the unit is over."""
        ...

    async def lock_learning(self, works: Sequence[Work]) -> LearningState:
        """What is known of the learners and questions of these submissions, locked until the unit ends."""
        ...

    async def save_learning(self, learned: Learned) -> None:
        """Write back what was learnt of them."""
        ...

    async def add_metrics(self, increments: Increments) -> None:
        """Add to the daily, per-question and per-stage figures."""
        ...

    async def record(self, runs: Sequence[Run]) -> Recorded:
        """Write what each step of each run means; all of it is kept when the unit ends, or none."""
        ...


@runtime_checkable
class WorkStore(Protocol):
    """Handing out work and taking it back."""

    async def claim(
        self, stage: Stage, ids: Sequence[str], worker_id: str, lease_seconds: float, *, solo: bool = False
    ) -> tuple[list[Claim], list[Change]]:
        """Take what is ready of these submissions, each under a new epoch and a lease."""
        ...

    async def load(self, stage: Stage, claims: Sequence[Claim]) -> list[Work]:
        """The same without holding it, so that a submission may be erased before the work on it is done."""
        ...

    def unit(self, stage: Stage, worker_id: str) -> AbstractAsyncContextManager[WorkUnit]:
        """A transaction for a batch of this stage."""
        ...


@runtime_checkable
class Bell(Protocol):
    """Telling workers that there is something to do. A lost ring costs time, never work."""

    async def ring(self, queue: str, ids: Sequence[str], *, solo: bool = False) -> None:
        """Ring one queue with these ids; raises `Unavailable` where it could not."""
        ...

    async def waiting(self, queue: str) -> int:
        """How many rings lie untaken in a queue; raises `Unavailable`."""
        ...


@runtime_checkable
class Board(Protocol):
    """Telling watchers what changed. Always rebuildable from the store."""

    async def publish(self, changes: Sequence[Change]) -> None:
        """Show these versions; an older version than the one shown is ignored."""
        ...


class Untaken(Protocol):
    """Work that is due and that nobody took."""

    @property
    def ids(self) -> tuple[str, ...]:
        """Submissions that may run with neighbours."""
        ...

    @property
    def solo(self) -> tuple[str, ...]:
        """Submissions that must run alone."""
        ...


class Vigil(msgspec.Struct, frozen=True):
    """A time, by Postgres' clock, in which a sweeper looked again and again and was never away for long."""

    since: datetime
    until: datetime

    @property
    def seconds(self) -> float:
        return (self.until - self.since).total_seconds()


def kept_up(vigil: Vigil | None, now: datetime, *, most_seconds: float) -> Vigil:
    """The vigil up to now; a new one where there was none, or none for `most_seconds`, or the clock went back."""
    if vigil is None or not 0 <= (now - vigil.until).total_seconds() < most_seconds:
        return Vigil(now, now)
    return Vigil(vigil.since, now)


class Swept(msgspec.Struct, frozen=True):
    """One sweep: the sweeper's vigil up to it, and what was taken back; None where another sweeper was at it."""

    vigil: Vigil
    reaped: Recorded | None


@runtime_checkable
class UpkeepStore(Protocol):
    """Heartbeats, leases taken back, and work nobody took."""

    async def register(self, worker_id: str, host: str, pid: int, stages: Sequence[str]) -> None:
        """Make a worker known, so that its leases count."""
        ...

    async def leave(self, worker_id: str) -> None:
        """Take a worker off the list; it holds nothing any more."""
        ...

    async def beat(
        self,
        worker_id: str,
        in_flight: Sequence[tuple[Stage, Claim]],
        lease_seconds: float,
        *,
        stopping: bool,
    ) -> bool:
        """Say that the worker lives and renew the leases of what it works on; False if it is not registered."""
        ...

    async def return_stranded(
        self,
        worker_id: str,
        in_flight: Sequence[tuple[Stage, Claim]],
        failed: Collection[tuple[Stage, Claim]],
        older_seconds: float,
        *,
        max_attempts: int,
    ) -> Recorded:
        """Return claims that this worker was given while the answer was lost, or that it had to abandon.

        Those among `failed` count as lost; the others go back unharmed, for the store itself was at fault.
        """
        ...

    async def give_back(self, worker_id: str, in_flight: Sequence[tuple[Stage, Claim]]) -> Recorded:
        """Return unharmed what a stopping worker could not finish."""
        ...

    async def sweep(self, vigil: Vigil | None, *, dead_seconds: float, max_attempts: int) -> Swept:
        """Take back what dead workers and expired leases hold, after a vigil of `dead_seconds` without a gap as long.

        Who was away for longer finds everybody silent and every lease over, and so takes nothing.
        """
        ...

    async def untaken(self, stage: Stage, *, grace_seconds: float, most: int, with_retries: bool = True) -> Untaken:
        """The oldest ready work that was due `grace_seconds` ago, and retries that are due now."""
        ...

    async def forget_deliveries(self, *, older_seconds: float, most: int) -> int:
        """Delete deliveries, with their tries, that were finished so long ago; answers how many."""
        ...

    async def untaken_deliveries(self, *, grace_seconds: float, most: int) -> Untaken:
        """Webhook deliveries that are due, were rung long ago, or whose worker is gone."""
        ...


@runtime_checkable
class FeedbackProvider(Protocol):
    """Whoever writes feedback: templates, or a model."""

    async def write(self, request: FeedbackRequest) -> Feedback:
        """Feedback on a scored submission; less than was asked for says so in `shortfall`."""
        ...
