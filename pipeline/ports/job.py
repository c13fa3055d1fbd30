"""Texts that teachers have generated: summaries, and drafts of questions."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

import msgspec

from pipeline.model import JsonValue


class JobKind(StrEnum):
    """What is to be generated."""

    SUMMARY = "summary"
    QUESTIONS = "questions"


class JobState(StrEnum):
    """Where a job stands; the last three are final."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


FINAL_JOB_STATES = frozenset({JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED})


class NewJob(msgspec.Struct, frozen=True):
    """A job as it is handed in; `request` is everything that was asked for, the text among it.

    The same `idempotency_key` makes no second job; `fingerprint` tells whether it was asked for the same.
    """

    kind: JobKind
    request: dict[str, JsonValue]
    idempotency_key: str | None = None
    fingerprint: bytes | None = None


class JobView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A job as teachers see it.

    `request` is what was asked for, with the text's length in the text's place. `result` is there once the job is
    completed, but not in lists; `error` says why it failed, or why its last try did.
    """

    id: str
    kind: JobKind
    status: JobState
    version: int
    attempts: int
    request: dict[str, JsonValue]
    result: dict[str, JsonValue] | None = None
    error: str | None = None
    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None = None


class Earlier(msgspec.Struct, frozen=True):
    """The job that was made under the same idempotency key, and whether it was asked for the same."""

    view: JobView
    same: bool


class JobClaim(msgspec.Struct, frozen=True):
    """The right to work on one job until its lease ends; a result counts only under this `epoch`."""

    id: str
    tenant_id: int
    kind: JobKind
    request: dict[str, JsonValue]
    epoch: int
    attempt: int


class JobResult(msgspec.Struct, frozen=True):
    """What one try came to: the job's next state and what goes with it; `pending` rests for `delay_seconds`."""

    claim: JobClaim
    state: JobState
    result: dict[str, JsonValue] | None = None
    error: str | None = None
    delay_seconds: float = 0.0


@runtime_checkable
class JobStore(Protocol):
    """Jobs of all tenants."""

    async def earlier(self, tenant_id: int, job: NewJob) -> Earlier | None:
        """The job with this one's idempotency key, if there is one."""
        ...

    async def add(self, tenant_id: int, job: NewJob, *, most_open: int) -> JobView | Earlier | None:
        """Keep a job, due now, unless its key was used; None where the tenant has `most_open` unfinished ones."""
        ...

    async def find(self, tenant_id: int, job_id: str) -> JobView | None:
        """One job of the tenant's."""
        ...

    async def browse(
        self, tenant_id: int, *, kind: JobKind | None, state: JobState | None, before: str | None, most: int
    ) -> list[JobView]:
        """The tenant's jobs without their results, newest first, from the first before the id `before`."""
        ...

    async def cancel(self, tenant_id: int, job_id: str) -> bool:
        """End a job that is not finished; False where it is, or where there is none."""
        ...

    async def note_accepted(self, tenant_id: int, job_id: str, draft_ids: Sequence[str]) -> None:
        """Write into a completed job's result which of its drafts are in the bank by now."""
        ...

    async def claim(self, ids: Sequence[str], worker_id: str, lease_seconds: float) -> list[JobClaim]:
        """Take those that are due, each under a new epoch and a lease; one more attempt."""
        ...

    async def renew(self, claims: Sequence[JobClaim], worker_id: str, lease_seconds: float) -> None:
        """Go on holding these; one that was lost meanwhile stays lost."""
        ...

    async def record(self, result: JobResult, worker_id: str) -> bool:
        """Write what a try came to; False where the claim was lost or the job cancelled, and nothing is written."""
        ...

    async def give_back(self, claims: Sequence[JobClaim], worker_id: str) -> list[str]:
        """Return unharmed what a stopping worker could not finish; answers which."""
        ...

    async def untaken(self, *, grace_seconds: float, most: int) -> list[str]:
        """Jobs that are due and were rung long ago, that rested, or whose worker is gone; oldest first."""
        ...

    async def forget(self, *, older_seconds: float, most: int) -> int:
        """Delete jobs, with their results, that were finished so long ago; answers how many."""
        ...
