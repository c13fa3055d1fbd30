"""Work that comes round by the clock: one row for each job and time, handed out under a lease."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol, runtime_checkable

import msgspec

from pipeline.model import JsonValue
from pipeline.schedule import Schedule

Piece = Callable[[datetime, JsonValue], Awaitable[JsonValue]]
"""A bounded piece of a job: takes the time it stands for and how far it got (None: nowhere); answers how far it is
now, or None where all is done. What it answers is JSON and is handed to the next piece, maybe in another process;
after a crash a piece may be repeated, so it must be idempotent. It gets far less than `PIECE_SECONDS`."""


@runtime_checkable
class Passable(Protocol):
    """A job that can leave out a part that fails again and again, so that the others are not kept from theirs."""

    async def past(self, progress: JsonValue) -> JsonValue:
        """Where to go on behind the part that `progress` is in; None where there is no other."""
        ...


class Failures(msgspec.Struct, frozen=True, omit_defaults=True):
    """How many parts of a run were left out, and what the last of them died of."""

    parts: int = 0
    error: str | None = None


NO_FAILURES: Final = Failures()


class TenantStep(Protocol):
    """A bounded piece of one tenant's part of a job: at most `most` things, from behind `after`.

    It answers where the next one goes on, or None where this tenant is done. `slot` is the time it stands for. It
    commits by itself and may be repeated.
    """

    async def __call__(self, tenant_id: int, slot: datetime, *, after: str | None, most: int) -> str | None:
        """Do one piece."""
        ...


class JobPlan(msgspec.Struct, frozen=True):
    """A job and when it comes.

    Where `each`, a time that was missed is caught up, as when every week has a report of its own; otherwise only the
    last one is, as when the job looks at what is there now.
    """

    name: str
    schedule: Schedule
    each: bool = True


class RunState(StrEnum):
    """Where one run stands; a skipped one was noted and never ran."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


class NewRun(msgspec.Struct, frozen=True):
    """A time that has come: to be run, or skipped for this reason."""

    job: str
    slot: datetime
    skipped: str | None = None


class RunClaim(msgspec.Struct, frozen=True):
    """The right to work on one run until its lease ends.

    `since` is when it was given, by Postgres' clock: together with the worker it is what a write is fenced by.
    `attempt` counts how often it was given without getting any further.
    """

    job: str
    slot: datetime
    attempt: int
    since: datetime
    pieces: int
    progress: JsonValue = None
    failures: Failures = NO_FAILURES


class RunEnd(msgspec.Struct, frozen=True):
    """How a claim ends.

    `waiting` in `delay_seconds` for its next attempt, with the error; where `uncounted`, it was just put down.
    """

    state: RunState
    pieces: int
    progress: JsonValue = None
    error: str | None = None
    delay_seconds: float = 0.0
    uncounted: bool = False
    failures: Failures = NO_FAILURES


class RunView(msgspec.Struct, frozen=True):
    """One run as operators see it.

    `slot` is the time it stands for; `pieces` is how many pieces of it are done; `attempts` how often it was begun
    or gone on with without getting further. The error is that of the last attempt, or why it was skipped.
    """

    slot: datetime
    state: RunState
    attempts: int
    pieces: int
    error: str | None
    started_at: datetime | None
    finished_at: datetime | None
    next_attempt_at: datetime | None


class JobView(msgspec.Struct, frozen=True):
    """What became of a job: the newest runs, those under way first, and how many there are by state."""

    runs: tuple[RunView, ...] = ()
    counts: Mapping[RunState, int] = {}


DecideRuns = Callable[[datetime, Mapping[str, datetime]], Sequence[NewRun]]
"""From Postgres' clock and the last time of each job to what has come since."""


@runtime_checkable
class PeriodicStore(Protocol):
    """The runs of periodic jobs."""

    async def plan(self, decide: DecideRuns) -> int:
        """Note what has come; answers how many. Where somebody else is just doing so, nothing."""
        ...

    async def claim(self, jobs: Sequence[str], worker_id: str, lease_seconds: float) -> RunClaim | None:
        """The right to the oldest run of these jobs that is due or was lost; one run of a job at a time."""
        ...

    async def advance(
        self,
        claim: RunClaim,
        worker_id: str,
        *,
        progress: JsonValue,
        pieces: int,
        lease_seconds: float,
        failures: Failures = NO_FAILURES,
    ) -> bool:
        """Keep how far a run got, and its lease; False if the claim was lost."""
        ...

    async def end(self, claim: RunClaim, worker_id: str, end: RunEnd) -> bool:
        """Record how a claim ended; False if it was lost before."""
        ...


@runtime_checkable
class JobsStore(Protocol):
    """What operators see and start of periodic jobs."""

    async def look(self, jobs: Sequence[str], *, most: int) -> tuple[datetime, Mapping[str, JobView]]:
        """Postgres' clock, and what became of each job, with at most `most` runs of it."""
        ...

    async def request(
        self, tenant_id: int, actor: str, reason: str, job: str, slot: datetime | None, decide: DecideRuns
    ) -> RunView:
        """Have a job run now, or once more for the time `slot`, and keep who wanted it.

        What has come is noted first. Raises `NotFound` where there is no such time, `Conflict` where it is running.
        """
        ...
