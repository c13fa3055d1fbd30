"""What operators see and steer."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol, runtime_checkable

import msgspec

from pipeline.lifecycle import Stage
from pipeline.model import (
    JsonValue,
)


class QueueDepth(msgspec.Struct, frozen=True):
    """How much lies in one queue.

    `scheduled` is ready later; `oldest_ready_seconds` is None where none is ready; `flow` is how many entered
    and left it in the last minute, where the store knows.
    """

    name: str
    ready: int
    running: int
    scheduled: int
    dead: int
    oldest_ready_seconds: float | None
    paused: bool
    flow: tuple[int, int] | None = None


class LiveWorker(msgspec.Struct, frozen=True):
    """A worker process and what it holds: counts by queue, and some of the asking tenant's submissions."""

    id: str
    host: str
    pid: int
    stages: tuple[str, ...]
    started_at: datetime
    heartbeat_at: datetime
    stopping: bool
    holds: Mapping[str, int]
    submission_ids: tuple[str, ...]


class Act(msgspec.Struct, frozen=True):
    """One entry of the audit log: who did what to which things, and why."""

    id: str
    actor: str
    action: str
    reason: str | None
    target: Mapping[str, JsonValue]
    created_at: datetime


@runtime_checkable
class OperationsStore(Protocol):
    """What operators see and steer; see `ControlStore` for single submissions."""

    async def depths(self) -> list[QueueDepth]:
        """How much lies in each queue, in the order of the stages, webhook deliveries last."""
        ...

    async def pause(self, tenant_id: int, stage: Stage, actor: str, reason: str) -> None:
        """Hand out no more work of this stage; what is running goes on."""
        ...

    async def resume(self, tenant_id: int, stage: Stage, actor: str, reason: str | None) -> bool:
        """Hand out work of this stage again; False if it was not paused."""
        ...

    async def live_workers(self, tenant_id: int, *, dead_seconds: float, most_ids: int) -> list[LiveWorker]:
        """The workers heard of in the last `dead_seconds`, and what they hold."""
        ...

    async def count_workers(self, *, dead_seconds: float) -> int:
        """How many workers were heard of in the last `dead_seconds`."""
        ...

    async def acts(self, tenant_id: int, *, before: str | None, most: int) -> list[Act]:
        """The tenant's audit log, newest first, from behind the act `before`."""
        ...


class DeadFilter(msgspec.Struct, frozen=True):
    """Which dead letters are meant; what is None does not matter.

    `error` is a part of the last attempt's error, in any case of letters; the submission was created at
    `created_from` or later and before `created_to`.
    """

    stage: Stage | None = None
    error: str | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None


class DeadPlace(msgspec.Struct, frozen=True, array_like=True):
    """A place in the list of dead letters."""

    submission_id: str
    stage: str


class FailedAttempt(msgspec.Struct, frozen=True):
    """One try that came to nothing: how it `ended`, and what it died of."""

    attempt: int
    ended: str
    error: str
    traceback: str | None
    worker_id: str | None
    started_at: datetime | None
    ended_at: datetime


class DeadLetter(msgspec.Struct, frozen=True):
    """A dead stage of a submission, with all its failed attempts, oldest first."""

    submission_id: str
    stage: Stage
    learner_id: str
    assignment_id: str | None
    created_at: datetime
    died_at: datetime
    error: str | None
    attempts: tuple[FailedAttempt, ...]


@runtime_checkable
class DeadStore(Protocol):
    """A tenant's dead letters."""

    async def list_dead(
        self, tenant_id: int, wanted: DeadFilter, *, before: DeadPlace | None, most: int
    ) -> list[DeadLetter]:
        """Dead letters, the newest submissions first, from behind the place `before`."""
        ...

    async def dead_ids(self, tenant_id: int, wanted: DeadFilter, *, most: int) -> list[str]:
        """The submissions with a dead stage that fits, the oldest first."""
        ...


@runtime_checkable
class HealthStore(Protocol):
    """Whether the store can serve."""

    async def probe(self) -> str:
        """The server's version; raises `Unavailable` where it does not answer."""
        ...

    async def revisions(self) -> tuple[str | None, str]:
        """The schema revision that is there (None: none), and the one this code was written for."""
        ...
