"""Periodic jobs: which times have come, working on them piece by piece in any worker, and going through tenants."""

import asyncio
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import PurePath
from typing import Final

import msgspec
import structlog

from pipeline import telemetry
from pipeline.errors import Unavailable
from pipeline.execution import patiently, place_of
from pipeline.model import JsonValue
from pipeline.ports.periodic import (
    Failures,
    JobPlan,
    NewRun,
    Passable,
    PeriodicStore,
    Piece,
    RunClaim,
    RunEnd,
    RunState,
    TenantStep,
)
from pipeline.stages.verdict import RetryPolicy, backoff_seconds, jitter

log = structlog.get_logger()

CAUGHT_UP: Final = timedelta(days=35)
"""Times missed for longer are not caught up: five weeks, so that holidays and a move cost no report."""
MOST_NOTED: Final = 1_000
POLICY: Final = RetryPolicy(max_attempts=5, base_seconds=60.0, cap_seconds=1_800.0)
LEAST_REST_SECONDS: Final = 1.0
PIECE_SECONDS: Final = 30.0
LEASE_SECONDS: Final = 60.0
RECORD_SECONDS: Final = 20.0
MOST_REST_SECONDS: Final = 5.0
AT_ONCE: Final = 200
"""Things (learners, questions) in one piece of a tenant's part."""

FIRST_SEEN: Final = "This is when the job was first known here; what was due before does not run."
LATER_ONE: Final = "A later run stands for it: the job looks at what is there now."
TOO_OLD: Final = f"It was missed for more than {CAUGHT_UP.days} days."


class PeriodicJob(msgspec.Struct, frozen=True):
    """A job that this process can do."""

    plan: JobPlan
    piece: Piece


def runs_due(plans: Sequence[JobPlan], now: datetime, last: Mapping[str, datetime]) -> list[NewRun]:
    """What has come since the `last` time of each job that is noted.

    A job seen for the first time begins now: a new installation has no past to catch up with.
    """
    return [run for plan in plans for run in due_of(plan, now, last.get(plan.name))]


def due_of(plan: JobPlan, now: datetime, last: datetime | None) -> list[NewRun]:
    if last is None:
        return [NewRun(plan.name, now, FIRST_SEEN)]
    slots = list(plan.schedule.between(last, now))[-MOST_NOTED:]
    return [NewRun(plan.name, slot, why_skipped(plan, slot, slots[-1], now)) for slot in slots]


def why_skipped(plan: JobPlan, slot: datetime, newest: datetime, now: datetime) -> str | None:
    """Why a time that has come is not run; None where it is."""
    if not plan.each and slot < newest:
        return LATER_ONE
    return TOO_OLD if slot < now - CAUGHT_UP else None


async def plan_runs(store: PeriodicStore, plans: Sequence[JobPlan]) -> None:
    """A sweeper's chore: note what has come."""
    if noted := await store.plan(partial(runs_due, plans)):
        log.info(telemetry.PERIODIC_RUNS_NOTED, runs=noted)


class PeriodicWorker:
    """Works on due runs in this process, one at a time and standing back: between pieces it rests as long as one took.

    What a piece did is kept with how far the run got, so whoever goes on repeats one piece at most.
    """

    def __init__(
        self, store: PeriodicStore, jobs: Sequence[PeriodicJob], *, worker_id: str, policy: RetryPolicy = POLICY
    ) -> None:
        self._store = store
        self._jobs = {job.plan.name: job for job in jobs}
        self._worker_id = worker_id
        self._policy = policy

    async def work(self, stop: asyncio.Event) -> None:
        """Work until nothing is due or this worker is to stop."""
        try:
            while not stop.is_set() and await self._work_on_next(stop):
                continue
        except Unavailable as error:
            log.warning(telemetry.PERIODIC_UNREACHABLE, error=str(error))  # a lease that is left runs out

    async def _work_on_next(self, stop: asyncio.Event) -> bool:
        claim = await self._store.claim(list(self._jobs), self._worker_id, LEASE_SECONDS)
        if claim is None:
            return False
        ending = exhausted(claim, self._policy) or await self._run(claim, stop)
        if ending is None or not await self._record(claim, ending):
            log.warning(telemetry.PERIODIC_FENCED, job=claim.job, slot=claim.slot.isoformat())
        return True

    async def _record(self, claim: RunClaim, end: RunEnd) -> bool:
        recorded = await patiently(partial(self._store.end, claim, self._worker_id, end), RECORD_SECONDS)
        state, slot = end.state, claim.slot.isoformat()
        log.info(telemetry.PERIODIC_RUN_ENDED, job=claim.job, slot=slot, state=state, pieces=end.pieces)
        return recorded

    async def _run(self, claim: RunClaim, stop: asyncio.Event) -> RunEnd | None:
        """Piece after piece; None where the claim was lost to another worker."""
        while not stop.is_set():
            began = time.monotonic()
            done = await self._do_piece(claim)
            if isinstance(done, RunEnd):
                return done
            claim = done
            if claim.progress is None:
                return ended(claim)
            if not await self._advance(claim):
                return None
            await rest(stop, time.monotonic() - began)
        return RunEnd(RunState.WAITING, claim.pieces, claim.progress, uncounted=True, failures=claim.failures)

    async def _do_piece(self, claim: RunClaim) -> RunClaim | RunEnd:
        """How far the run is after its next piece, or how this claim ends by a failure."""
        piece = self._jobs[claim.job].piece
        try:
            async with asyncio.timeout(PIECE_SECONDS):
                progress = await piece(claim.slot, claim.progress)
        except Exception as surprise:  # noqa: BLE001 - it is this run's failed attempt
            failed = failed_attempt(claim, surprise, self._policy, jitter())
            if failed.state is not RunState.FAILED or claim.progress is None or not isinstance(piece, Passable):
                return failed
            left_out = Failures(claim.failures.parts + 1, failed.error)
            behind = await piece.past(claim.progress)
            return msgspec.structs.replace(claim, progress=behind, attempt=1, failures=left_out)
        return msgspec.structs.replace(claim, progress=progress, pieces=claim.pieces + 1, attempt=1)

    async def _advance(self, claim: RunClaim) -> bool:
        return await self._store.advance(
            claim,
            self._worker_id,
            progress=claim.progress,
            pieces=claim.pieces,
            lease_seconds=LEASE_SECONDS,
            failures=claim.failures,
        )


def ended(claim: RunClaim) -> RunEnd:
    """The end of a run that came through; run once more, it begins anew."""
    failures = claim.failures
    if not failures.parts:
        return RunEnd(RunState.DONE, claim.pieces)
    return RunEnd(RunState.FAILED, claim.pieces, error=f"Parts left out: {failures.parts}. The last: {failures.error}")


async def rest(stop: asyncio.Event, seconds: float) -> None:
    """Let others work for so long, unless all is to stop."""
    try:
        await asyncio.wait_for(stop.wait(), min(seconds, MOST_REST_SECONDS))
    except TimeoutError:
        return


def exhausted(claim: RunClaim, policy: RetryPolicy) -> RunEnd | None:
    """A run whose every attempt lost its worker is not tried again."""
    if claim.attempt <= policy.max_attempts:
        return None
    error = "Each worker that tried it was lost."
    return RunEnd(RunState.FAILED, claim.pieces, claim.progress, error, failures=claim.failures)


def failed_attempt(claim: RunClaim, surprise: Exception, policy: RetryPolicy, random_fraction: float) -> RunEnd:
    """What a piece that failed means for its run; `random_fraction` in [0, 1) is the jitter of the rest."""
    if not isinstance(surprise, Unavailable | TimeoutError):
        log.error(telemetry.PERIODIC_SURPRISED, job=claim.job, error=type(surprise).__name__, place=place_of(surprise))
    error = told(surprise)
    if claim.attempt >= policy.max_attempts:
        return RunEnd(RunState.FAILED, claim.pieces, claim.progress, error, failures=claim.failures)
    seconds = LEAST_REST_SECONDS + backoff_seconds(claim.attempt, policy, random_fraction)
    return RunEnd(RunState.WAITING, claim.pieces, claim.progress, error, seconds, failures=claim.failures)


def told(surprise: Exception) -> str:
    """A surprise for operators: its kind and place, and not its text, which might quote a learner of some tenant."""
    if isinstance(surprise, Unavailable):
        return str(surprise)
    if isinstance(surprise, TimeoutError):
        return f"A piece took longer than {PIECE_SECONDS:g} s."
    frames = traceback.extract_tb(surprise.__traceback__)
    place = f" at {'/'.join(PurePath(frames[-1].filename).parts[-2:])}:{frames[-1].lineno}" if frames else ""
    return f"{type(surprise).__name__}{place}"


NextTenant = Callable[[int], Awaitable[int | None]]
"""The tenant with the smallest number behind this one; None behind the last."""


class TenantPieces:
    """A job that does the same for every tenant, one after another; where one's part fails for good, for the others."""

    def __init__(self, next_tenant: NextTenant, step: TenantStep, most: int) -> None:
        self._next_tenant = next_tenant
        self._step = step
        self._most = most

    async def __call__(self, slot: datetime, progress: JsonValue) -> JsonValue:
        if progress is None:
            return await self._beginning_behind(0)
        tenant_id = progress["tenant_id"]
        after = await self._step(tenant_id, slot, after=progress["after"], most=self._most)
        return await self.past(progress) if after is None else {"tenant_id": tenant_id, "after": after}

    async def past(self, progress: JsonValue) -> JsonValue:
        """The beginning of the next tenant's part; None behind the last."""
        return await self._beginning_behind(progress["tenant_id"])

    async def _beginning_behind(self, tenant_id: int) -> JsonValue:
        following = await self._next_tenant(tenant_id)
        return None if following is None else {"tenant_id": following, "after": None}


def for_each_tenant(next_tenant: NextTenant, step: TenantStep, *, most: int = AT_ONCE) -> Piece:
    """A job that does the same for every tenant, one after another, in steps of at most `most` things."""
    return TenantPieces(next_tenant, step, most)


class Steps:
    """A job made of several, in their order; where a part of one fails for good, the rest is done all the same."""

    def __init__(self, steps: Mapping[str, Piece]) -> None:
        self._steps = steps
        self._names = tuple(steps)

    async def __call__(self, slot: datetime, progress: JsonValue) -> JsonValue:
        name, inner = (self._names[0], None) if progress is None else (progress["step"], progress["at"])
        return self._behind(name, await self._steps[name](slot, inner))

    async def past(self, progress: JsonValue) -> JsonValue:
        """What follows on the part that failed: a part of the same step, or the next step."""
        name, inner = progress["step"], progress["at"]
        step: object = self._steps[name]
        if inner is None or not isinstance(step, Passable):
            return self._behind(name, None)
        return self._behind(name, await step.past(inner))

    def _behind(self, name: str, inner: JsonValue) -> JsonValue:
        if inner is not None:
            return {"step": name, "at": inner}
        following = self._names.index(name) + 1
        return {"step": self._names[following], "at": None} if following < len(self._names) else None


def one_after_another(steps: Mapping[str, Piece]) -> Piece:
    """A job made of several, in their order."""
    return Steps(steps)
