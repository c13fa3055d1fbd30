"""Submissions: accepted, read, watched, counted against limits, controlled."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol, runtime_checkable

import msgspec

from pipeline.lifecycle import Status
from pipeline.model import (
    Grant,
    NewSubmission,
    Recorded,
    Shown,
    Standing,
    SubmissionView,
)
from pipeline.window import Charge, Room


class Accepted(msgspec.Struct, frozen=True):
    """The submission is committed; `created_at` is Postgres' time."""

    created_at: datetime


class Repeated(msgspec.Struct, frozen=True):
    """Its idempotency key was used before: `submission_id` is the earlier one, `same_body` compares the two."""

    submission_id: str
    same_body: bool


class Stale(msgspec.Struct, frozen=True):
    """A question got a new version meanwhile (or is gone): nothing was stored; check against the new one."""

    question_ids: tuple[str, ...]


Acceptance = Accepted | Repeated | Stale


@runtime_checkable
class IntakeStore(Protocol):
    """Accepting submissions."""

    async def find(self, submission: NewSubmission) -> Repeated | None:
        """The earlier submission with this one's idempotency key, if there is one."""
        ...

    async def accept(self, batch: Sequence[NewSubmission]) -> list[Acceptance]:
        """Commit a batch in one transaction; one answer per submission, in order."""
        ...


class SubmissionFilter(msgspec.Struct, frozen=True):
    """Which submissions are wanted; None wants all. Times are when a submission was accepted: from, to before.

    `needs_review` are those with an answer that waits for a person, unless they were cancelled.
    """

    learner_id: str | None = None
    assignment_id: str | None = None
    status: Status | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    needs_review: bool | None = None


@runtime_checkable
class ReadingStore(Protocol):
    """Reading submissions whole."""

    async def read(self, tenant_id: int, ids: Sequence[str]) -> list[SubmissionView]:
        """These submissions of the tenant, in the order asked for; those it does not have are left out."""
        ...

    async def standings(self, submissions: Iterable[tuple[int, str]]) -> list[Standing]:
        """Where these submissions (tenant, id) stand, in any order."""
        ...

    async def browse(self, tenant_id: int, wanted: SubmissionFilter, behind: str | None, most: int) -> list[str]:
        """The ids of at most `most` submissions that fit, behind the one named; newest first.

        Those that need review come oldest first.
        """
        ...


@runtime_checkable
class Counter(Protocol):
    """Counting what is limited, across processes."""

    async def take(self, requests: Sequence[tuple[Charge, ...]]) -> list[tuple[bool, list[Room]]]:
        """For each request in turn, take one unit of each of its charges or of none, and say what is left."""
        ...

    async def give_back(self, requests: Sequence[tuple[Charge, ...]]) -> None:
        """Return what was taken for nothing."""
        ...


@runtime_checkable
class Showcase(Protocol):
    """Finished documents kept close, for as long as they are known to be right."""

    async def look(self, submission_id: str) -> Shown | None:
        """The document of a submission, if one is kept that can be believed; raises `Unavailable`."""
        ...

    async def remember(self, submission_id: str, tenant_id: int, version: int, status: str, document: bytes) -> None:
        """Keep a submission's document for its version; raises `Unavailable`."""
        ...

    async def history(self, tenant_id: int, submission_id: str) -> list[Standing]:
        """What was shown of a submission so far, oldest first; raises `Unavailable`."""
        ...


class Watcher(Protocol):
    """One who waits for news of one submission."""

    @property
    def ended(self) -> bool:
        """Whether no more news will come: the process stops, the submission is gone, or the right to watch it ended."""
        ...

    def start_at(self, version: int) -> None:
        """Leave out what is not newer than this version."""
        ...

    async def next(self, seconds: float) -> Standing | None:
        """The next news, or None if there is none within `seconds`, at the end, or if there is feedback to read."""
        ...

    def take_nudge(self) -> bool:
        """Whether there was something to read since this was asked last."""
        ...


@runtime_checkable
class Watch(Protocol):
    """Telling any number of watchers what changes, without a connection for each."""

    def watching(
        self, tenant_id: int, submission_id: str, *, reads_along: bool = False, grant: Grant | None = None
    ) -> AbstractAsyncContextManager[Watcher]:
        """A watcher who hears of everything that changes from here on.

        One who reads along is woken, too, when there is feedback to read while it is written. Where a `grant` is
        given, the watcher ends seconds after it; without one, whoever watches is to stop soon by itself.
        """
        ...


@runtime_checkable
class ControlStore(Protocol):
    """What people may do to submissions; each act is kept in the audit log with who did it and why.

    Ids that the tenant does not have, and submissions whose state forbids the act, are left alone and so
    absent from the changes.
    """

    async def cancel(self, tenant_id: int, ids: Sequence[str], actor: str, reason: str | None = None) -> Recorded:
        """Cancel whatever is not finished; a worker's later result is refused."""
        ...

    async def retry(self, tenant_id: int, ids: Sequence[str], actor: str, reason: str | None = None) -> Recorded:
        """Give dead stages another round of attempts; results of other stages are kept."""
        ...

    async def discard(self, tenant_id: int, ids: Sequence[str], actor: str, reason: str | None = None) -> Recorded:
        """Cancel submissions that have a dead stage, and only those."""
        ...
