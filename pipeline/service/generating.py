"""Working on what teachers have generated: line up → claim → compose → judge → record.

A ring only lines jobs up and returns; they are claimed when there is room, and their leases are renewed while a model
writes. Whoever lost one can't write its result, and finds the reply in the journal when it is their turn again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from itertools import islice
from typing import Final

import structlog

from pipeline import telemetry
from pipeline.errors import Unavailable
from pipeline.execution import GENERATE, patiently, place_of, ring
from pipeline.generation.composing import Composed, Uncomposed
from pipeline.ports import Bell
from pipeline.ports.job import JobClaim, JobResult, JobState, JobStore
from pipeline.stages.verdict import RetryPolicy, backoff_seconds, jitter

log = structlog.get_logger()

LEASE_SECONDS: Final = 30.0
RENEWED_EVERY_SECONDS: Final = 8.0
RECORD_SECONDS: Final = 20.0
"""How long Postgres may be away before a result is given up; the journal keeps what was paid for."""
POLICY: Final = RetryPolicy(max_attempts=3, base_seconds=20.0, cap_seconds=300.0)
LEAST_REST_SECONDS: Final = 5.0
"""Longer than the journal tells others of a failure instead of letting them ask."""
ROOM: Final = 20
LINED_UP_MOST: Final = 2_000
CROWDED: Final = 50
"""With so many rings untaken, those for what waits are among them."""
RUNG_AT_ONCE: Final = 1_000
FORGOTTEN_AT_ONCE: Final = 200

Compose = Callable[[JobClaim], Awaitable[Composed | Uncomposed]]


class Generator:
    """Works on jobs in this process, at most `room` at a time."""

    def __init__(
        self,
        store: JobStore,
        bell: Bell,
        compose: Compose,
        *,
        worker_id: str,
        policy: RetryPolicy = POLICY,
        room: int = ROOM,
    ) -> None:
        self._store = store
        self._bell = bell
        self._compose = compose
        self._worker_id = worker_id
        self._policy = policy
        self._room = room
        self._line: dict[str, None] = {}
        self._here: set[str] = set()
        self._held: dict[str, JobClaim] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._renewing: asyncio.Task[None] | None = None
        self._stopping = False

    async def ring(self, ids: Sequence[str], *, solo: bool = False) -> None:
        """Line these jobs up; returns before they are worked on."""
        del solo  # a job that kills its worker is counted by itself
        if self._stopping:
            return
        new = [one for one in dict.fromkeys(ids) if one not in self._here and one not in self._line]
        self._line |= dict.fromkeys(new[: max(0, LINED_UP_MOST - len(self._line))])
        self._start()

    async def settle(self) -> None:
        """Wait until nothing is lined up and nothing is being worked on."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    async def stop(self, seconds: float) -> None:
        """Start nothing more, let what runs finish in `seconds`, give back the rest, and pass on what is lined up."""
        self._stopping = True
        passed_on, self._line = [*self._line], {}
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        tasks = [*self._tasks, *([self._renewing] if self._renewing else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        passed_on += await self._give_back([*self._held.values()])
        if passed_on:
            await ring(GENERATE, passed_on, self._bell)

    def _start(self) -> None:
        room = self._room - len(self._here)
        if self._stopping or room <= 0 or not self._line:
            return
        few = list(islice(self._line, room))
        for one in few:
            del self._line[one]
        self._here.update(few)
        task = asyncio.create_task(self._run_few(few))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run_few(self, ids: Sequence[str]) -> None:
        """Claim a few together; then each goes its own way."""
        claims: list[JobClaim] = []
        try:
            claims = await self._claim(ids)
        except Exception as surprise:  # noqa: BLE001 - the sweeper rings for these again
            report_surprise(ids, surprise)
        finally:
            self._leave(set(ids) - {claim.id for claim in claims})
        await asyncio.gather(*[self._run(claim) for claim in claims])

    def _leave(self, ids: set[str]) -> None:
        self._here -= ids
        self._start()

    async def _claim(self, ids: Sequence[str]) -> list[JobClaim]:
        try:
            claims = await self._store.claim(ids, self._worker_id, LEASE_SECONDS)
        except Unavailable as error:
            log.warning(telemetry.JOBS_UNREACHABLE, jobs=len(ids), error=str(error))
            return []
        self._held |= {claim.id: claim for claim in claims}
        if claims and (self._renewing is None or self._renewing.done()):
            self._renewing = asyncio.create_task(self._renew())
        return claims

    async def _run(self, claim: JobClaim) -> None:
        """The pipe, for one job; where its result can't be recorded its lease runs out, and it is tried again."""
        try:
            composed = exhausted(claim, self._policy) or await self._composed(claim)
            await self._record(judge(claim, composed, self._policy, jitter()))
        except Unavailable as error:
            log.warning(telemetry.JOBS_UNREACHABLE, jobs=1, error=str(error))
        except Exception as surprise:  # noqa: BLE001 - a bug met by one job must not stop the others
            report_surprise([claim.id], surprise)
        except asyncio.CancelledError:
            self._leave({claim.id})
            raise  # what is still held is given back
        self._held.pop(claim.id, None)
        self._leave({claim.id})

    async def _composed(self, claim: JobClaim) -> Composed | Uncomposed:
        try:
            return await self._compose(claim)
        except Unavailable as error:
            return Uncomposed(str(error))
        except Exception as surprise:  # noqa: BLE001 - it is this job's failed try
            report_surprise([claim.id], surprise)
            return Uncomposed(f"Something went wrong on our side ({type(surprise).__name__}).")

    async def _record(self, result: JobResult) -> None:
        recorded = await patiently(partial(self._store.record, result, self._worker_id), RECORD_SECONDS)
        if not recorded:
            log.warning(telemetry.JOB_FENCED, job_id=result.claim.id)
            return
        log.info(
            telemetry.JOB_TRIED,
            job_id=result.claim.id,
            kind=result.claim.kind,
            state=result.state,
            attempt=result.claim.attempt,
        )

    async def _renew(self) -> None:
        """Keep what is held, as long as anything is."""
        while self._held:
            await asyncio.sleep(RENEWED_EVERY_SECONDS)
            try:
                await self._store.renew([*self._held.values()], self._worker_id, LEASE_SECONDS)
            except Unavailable as error:
                log.warning(telemetry.JOBS_UNREACHABLE, jobs=len(self._held), error=str(error))

    async def _give_back(self, claims: Sequence[JobClaim]) -> list[str]:
        if not claims:
            return []
        try:
            return await self._store.give_back(claims, self._worker_id)
        except Unavailable as error:
            log.warning(telemetry.JOBS_UNREACHABLE, jobs=len(claims), error=str(error))
            return []


def report_surprise(ids: Sequence[str], surprise: Exception) -> None:
    """Type and place only: the text might quote what somebody handed in."""
    log.error(telemetry.JOB_SURPRISED, job_ids=[*ids], error=type(surprise).__name__, place=place_of(surprise))


def exhausted(claim: JobClaim, policy: RetryPolicy) -> Uncomposed | None:
    """A job whose every try lost its worker is not tried again."""
    if claim.attempt <= policy.max_attempts:
        return None
    return Uncomposed("Each worker that tried it was lost.", final=True)


def judge(claim: JobClaim, composed: Composed | Uncomposed, policy: RetryPolicy, random_fraction: float) -> JobResult:
    """What a try means for its job; `random_fraction` in [0, 1) is the jitter of the rest before the next one."""
    if isinstance(composed, Composed):
        return JobResult(claim, JobState.COMPLETED, result=composed.result)
    if composed.final or claim.attempt >= policy.max_attempts:
        return JobResult(claim, JobState.FAILED, error=composed.error)
    rest = LEAST_REST_SECONDS + backoff_seconds(claim.attempt, policy, random_fraction)
    return JobResult(claim, JobState.PENDING, error=composed.error, delay_seconds=rest)


async def look_after(store: JobStore, bell: Bell, *, grace_seconds: float, keep_seconds: float) -> None:
    """A sweeper's chore: ring for jobs that are due and that nobody took; forget those finished long ago."""
    try:
        crowded = await bell.waiting(GENERATE) > CROWDED
    except Unavailable as error:
        log.warning(telemetry.RING_LOST, queue=GENERATE, error=str(error))
        crowded = True
    if not crowded and (ids := await store.untaken(grace_seconds=grace_seconds, most=RUNG_AT_ONCE)):
        await ring(GENERATE, ids, bell)
    await store.forget(older_seconds=keep_seconds, most=FORGOTTEN_AT_ONCE)
