"""One run of a stage: claim → prepare → perform → judge → record → ring.

A ring says that some submissions may have work in a stage. Whoever takes it claims those that really do,
works on them, and in one transaction stores what came of it and readies what follows. Every step tells
its surprises apart: Postgres away is waited for while the lease lasts, a fault of one submission is that
submission's failed attempt, and neighbours go on.
"""

import asyncio
import time
import traceback
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Final, Protocol, TypeVar

import structlog
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from pipeline import telemetry
from pipeline.batching import Batcher
from pipeline.errors import Contended, Unavailable
from pipeline.follow_through import NOTHING_FOLLOWS, Clock, Journey, Perform, Performs, follow_through
from pipeline.lifecycle import Stage
from pipeline.model import Change, Claim, Held, Recorded, Work, merged
from pipeline.ports import Bell, Board, WorkStore, WorkUnit
from pipeline.stages.outcome import Outcome, RetryLater
from pipeline.stages.run import Run, ended, first_step
from pipeline.stages.verdict import RetryPolicy, judge

log = structlog.get_logger()

DELIVER: Final = "deliver"
"""The queue of webhook deliveries: no stage, but rung as they are."""

PerformAlone = Callable[[Work], Awaitable[Outcome]]
Value = TypeVar("Value")

FAILURES_REMEMBERED: Final = 1_000
COMPUTE_SECONDS: Final = 0.02
"""How long a batch may compute before heartbeats and other batches get their turn."""


class InFlight:
    """The claims this process is working on, so that their leases can be renewed.

    `failed` are those it gave up on because of the work itself: not even its failure could be recorded.
    """

    def __init__(self) -> None:
        self._claims: set[tuple[Stage, Claim]] = set()
        self.failed: deque[tuple[Stage, Claim]] = deque(maxlen=FAILURES_REMEMBERED)

    def held(self) -> list[tuple[Stage, Claim]]:
        return list(self._claims)

    @asynccontextmanager
    async def holding(self, stage: Stage, claims: Sequence[Claim]) -> AsyncIterator[None]:
        entries = {(stage, claim) for claim in claims}
        self._claims |= entries
        try:
            yield
        finally:
            self._claims -= entries


class Announcer(Protocol):
    """Whoever can ring and show."""

    @property
    def bell(self) -> Bell: ...

    @property
    def board(self) -> Board: ...


class Shop:
    """What one worker process runs stages with."""

    def __init__(
        self,
        *,
        worker_id: str,
        store: WorkStore,
        bell: Bell,
        board: Board,
        policy: RetryPolicy,
        lease_seconds: float,
        batch: int,
    ) -> None:
        self.worker_id: Final = worker_id
        self.store: Final = store
        self.bell: Final = bell
        self.board: Final = board
        self.policy: Final = policy
        self.lease_seconds: Final = lease_seconds
        self.batch: Final = batch
        self.in_flight: Final = InFlight()
        self.quarantine: Final = asyncio.Lock()
        self.closed = False

    def close(self) -> None:
        """Claim nothing any more; rings that still come are passed on to other workers."""
        self.closed = True


class StageRunner:
    """Runs one stage's rings in this process; rings that arrive together are worked on together.

    Give it either `perform`, which decides a whole batch inside its transaction, or `perform_alone`, which
    may take seconds and is awaited for each submission outside of any. What becomes ready by it and is named
    in `follow` is run in the same transaction.
    """

    def __init__(
        self,
        stage: Stage,
        shop: Shop,
        *,
        perform: Perform | None = None,
        perform_alone: PerformAlone | None = None,
        follow: Performs = NOTHING_FOLLOWS,
        concurrency: int = 1,
    ) -> None:
        self.stage = stage
        self.shop = shop
        self._perform = perform
        self._perform_alone = perform_alone
        self._follow = follow
        self._rings: Batcher[str, None] = Batcher(self._run_batch, most=shop.batch, concurrency=concurrency)
        self._finished: Batcher[tuple[Claim, Outcome], None] = Batcher(self._finish_batch, most=shop.batch)
        self._suspects: dict[str, None] = {}
        self._examination: asyncio.Task[None] | None = None

    async def ring(self, ids: Sequence[str], *, solo: bool = False) -> None:
        """Work on what is ready of these submissions; returns when all of it is recorded.

        Those to run `solo` are queued in this process instead, so that their ring holds up no other.
        """
        if solo:
            self._suspect(ids)
        else:
            await self._rings.add_all(ids)

    async def drain(self) -> None:
        """Wait for the batches under way."""
        await self._rings.drain()
        await self._finished.drain()
        if self._examination is not None:
            await self._examination

    def _suspect(self, ids: Sequence[str]) -> None:
        self._suspects |= dict.fromkeys(ids)
        if self._examination is None or self._examination.done():
            self._examination = asyncio.create_task(self._examine())

    async def _examine(self) -> None:
        """One suspect at a time in this process: if one kills it, we know which."""
        while self._suspects:
            submission_id = next(iter(self._suspects))
            try:
                async with self.shop.quarantine:
                    await self.run([submission_id], solo=True)
            except Exception as surprise:  # noqa: BLE001 - the others still have to be examined
                log.error(  # noqa: TRY400 - only type and place: the text might quote an answer
                    telemetry.RING_FAILED, stage=self.stage, error=type(surprise).__name__, place=place_of(surprise)
                )
            finally:
                del self._suspects[submission_id]

    async def _run_batch(self, ids: list[str]) -> list[None]:
        await self.run(list(dict.fromkeys(ids)))
        return [None] * len(ids)

    async def run(self, ids: Sequence[str], *, solo: bool = False) -> None:
        """The pipe, for a batch."""
        claims, changes = await self.claim(ids, solo=solo)
        if not claims:
            return
        async with self.shop.in_flight.holding(self.stage, claims):
            showing = asyncio.create_task(publish(changes, self.shop))
            try:
                if self._perform is not None:
                    recorded = await self.work_together(self._perform, claims)
                    if recorded.changes:
                        self._rings.most = min(self.shop.batch, 2 * self._rings.most)
                    await announce(recorded, self.shop)
                if self._perform_alone is not None:
                    await self.work_apart(self._perform_alone, claims)
            finally:
                await showing

    async def claim(self, ids: Sequence[str], *, solo: bool) -> tuple[list[Claim], list[Change]]:
        """Take what is still ready. Postgres away is no loss: the sweeper will ring again."""
        shop = self.shop
        if shop.closed:
            await ring(self.stage, ids, shop.bell, solo=solo)
            return [], []
        try:
            return await shop.store.claim(self.stage, ids, shop.worker_id, shop.lease_seconds, solo=solo)
        except Unavailable as error:
            log.warning(telemetry.CLAIM_FAILED, stage=self.stage, error=str(error))
            return [], []

    async def work_together(self, perform: Perform, claims: Sequence[Claim]) -> Recorded:
        """Decide and record a batch in one transaction; a batch that can't be recorded is taken apart.

        A suspect goes one stage at a time, and so does what is taken apart: the stage at fault is then known.
        """
        by_itself = partial(self._together_once, perform, NOTHING_FOLLOWS)
        if claims[0].solo:
            return await self._guarded(claims, by_itself, by_itself)
        return await self._guarded(claims, partial(self._together_once, perform, self._follow), by_itself)

    async def _together_once(self, perform: Perform, follow: Performs, claims: Sequence[Claim]) -> Recorded:
        async with self.shop.store.unit(self.stage, self.shop.worker_id) as unit:
            held = await unit.hold(claims)
            works = await unit.load([claim for claim, _ in held])
            clock = Clock(works)
            return await unit.record(await self._runs(unit, held, works, await perform(unit, works), follow, clock))

    async def work_apart(self, perform: PerformAlone, claims: Sequence[Claim]) -> None:
        """Prepare a batch at once, then let each submission take its time and finish alone."""
        prepared = await self.prepare(claims)
        await asyncio.gather(*[self._one_apart(perform, claim, work) for claim, work in prepared])

    async def prepare(self, claims: Sequence[Claim]) -> list[tuple[Claim, Work]]:
        """Load a batch; one that can't be loaded is taken apart, and what is at fault is left out."""
        try:
            works = await patiently(partial(self.shop.store.load, self.stage, claims), self.shop.lease_seconds)
        except Unavailable as error:
            self._abandon(claims, error)
            return []
        except Exception as surprise:  # noqa: BLE001 - it is one submission's failed attempt; we look for which
            if len(claims) == 1:
                await announce(await self._record_failure(claims[0], surprise), self.shop)
                return []
            log.warning(telemetry.BATCH_SPLIT, stage=self.stage, claims=len(claims), error=type(surprise).__name__)
            return [pair for claim in claims for pair in await self.prepare([claim])]
        by_id = {work.submission_id: work for work in works}  # what was erased meanwhile is not among them
        return [(claim, by_id[claim.submission_id]) for claim in claims if claim.submission_id in by_id]

    async def _one_apart(self, perform: PerformAlone, claim: Claim, work: Work) -> None:
        try:
            outcome = await perform(work)
        except Exception as surprise:  # noqa: BLE001 - it is this submission's failed attempt, kept in its history
            outcome = failure(surprise)
        await self._finished.add((claim, outcome))

    async def _finish_batch(self, finished: list[tuple[Claim, Outcome]]) -> list[None]:
        outcomes = dict(finished)
        by_itself = partial(self._finish_once, outcomes, NOTHING_FOLLOWS)
        # With a suspect among them nothing follows: a stage that kills the worker would be counted against this one.
        follow = NOTHING_FOLLOWS if any(claim.solo for claim in outcomes) else self._follow
        recorded = await self._guarded(list(outcomes), partial(self._finish_once, outcomes, follow), by_itself)
        await announce(recorded, self.shop)
        return [None] * len(finished)

    async def _finish_once(
        self, outcomes: Mapping[Claim, Outcome], follow: Performs, claims: Sequence[Claim]
    ) -> Recorded:
        async with self.shop.store.unit(self.stage, self.shop.worker_id) as unit:
            held = await unit.hold(claims)
            works = await unit.load([claim for claim, _ in held])
            known = [outcomes[claim] for claim, _ in held]
            return await unit.record(await self._runs(unit, held, works, known, follow, Clock(works)))

    async def _guarded(
        self,
        claims: Sequence[Claim],
        once: Callable[[Sequence[Claim]], Awaitable[Recorded]],
        by_itself: Callable[[Sequence[Claim]], Awaitable[Recorded]],
    ) -> Recorded:
        """`once`; where others are in the way of what follows, `by_itself`; after a surprise, that claim by claim."""
        try:
            return await patiently(partial(once, claims), self.shop.lease_seconds)
        except Contended:
            log.info(telemetry.FOLLOWERS_LEFT, stage=self.stage, claims=len(claims))
            return await self._guarded(claims, by_itself, by_itself)
        except Unavailable as error:
            return self._abandon(claims, error)
        except Exception as surprise:  # noqa: BLE001 - it is one submission's failed attempt; we look for which
            if len(claims) == 1 and once is by_itself:
                return await self._record_failure(claims[0], surprise)
            log.warning(telemetry.BATCH_SPLIT, stage=self.stage, claims=len(claims), error=type(surprise).__name__)
            return merged([await self._guarded([claim], by_itself, by_itself) for claim in claims])

    async def _record_failure(self, claim: Claim, surprise: Exception) -> Recorded:
        """The attempt failed in a way no rule foresaw: remember why, and retry or bury.

        Should even that fail, the claim is left to its lease, and counts as lost with its worker.
        """
        log.warning(
            telemetry.ATTEMPT_FAILED,
            stage=self.stage,
            submission_id=claim.submission_id,
            error=type(surprise).__name__,
        )

        async def once() -> Recorded:
            async with self.shop.store.unit(self.stage, self.shop.worker_id) as unit:
                held = await unit.hold([claim])
                failed = judge(claim, failure(surprise), self.shop.policy)
                return await unit.record([first_step(self.stage, failed, before) for _, before in held])

        try:
            return await patiently(once, self.shop.lease_seconds)
        except Exception as error:  # noqa: BLE001 - neighbours go on; the lease finds this one again
            return self._abandon([claim], error)

    def _abandon(self, claims: Sequence[Claim], error: Exception) -> Recorded:
        reason = str(error) if isinstance(error, Unavailable) else type(error).__name__
        if isinstance(error, Unavailable):
            self._rings.most = max(1, len(claims) // 2)  # should it have been too much at once, it won't be again
        else:
            self.shop.in_flight.failed.extend((self.stage, claim) for claim in claims)
        log.warning(telemetry.WORK_ABANDONED, stage=self.stage, claims=len(claims), error=reason)
        return Recorded()

    async def _runs(
        self,
        unit: WorkUnit,
        held: Sequence[tuple[Claim, Held]],
        works: Sequence[Work],
        outcomes: Sequence[Outcome],
        follow: Performs,
        clock: Clock,
    ) -> list[Run]:
        """What this stage came to for each submission held, and then those that follow."""
        policy, now = self.shop.policy, clock.now()
        journeys = [
            Journey(
                first_step(self.stage, judge(claim, outcome, policy), before), ended(work, self.stage, now, outcome)
            )
            for (claim, before), work, outcome in zip(held, works, outcomes, strict=True)
        ]
        return await follow_through(unit, journeys, follow, policy, clock)


def each_alone(decide: Callable[[Work], Outcome]) -> Perform:
    """A batch decided one by one: a surprise in one is that one's failed attempt."""

    async def perform(_: WorkUnit, works: Sequence[Work]) -> list[Outcome]:
        outcomes = []
        turn_ends = time.monotonic() + COMPUTE_SECONDS
        for work in works:
            outcomes.append(guarded(decide, work))
            if time.monotonic() > turn_ends:
                await asyncio.sleep(0)
                turn_ends = time.monotonic() + COMPUTE_SECONDS
        return outcomes

    return perform


def guarded(decide: Callable[[Work], Outcome], work: Work) -> Outcome:
    try:
        return decide(work)
    except Exception as surprise:  # noqa: BLE001 - it is this submission's failed attempt, kept in its history
        return failure(surprise)


def failure(surprise: BaseException) -> RetryLater:
    """A surprise as an outcome. Only its type and place are kept: its text might quote an answer."""
    return RetryLater(error=type(surprise).__name__, traceback=place_of(surprise))


def place_of(surprise: BaseException) -> str:
    """Where a surprise came from, as a traceback without its text."""
    return "".join(traceback.format_list(traceback.extract_tb(surprise.__traceback__)))


async def patiently(once: Callable[[], Awaitable[Value]], seconds: float) -> Value:
    """Call `once` until Postgres takes it, at most `seconds`; it must be safe to repeat."""
    async for attempt in AsyncRetrying(
        retry=retry_if_exception_type(Unavailable),
        wait=wait_random_exponential(multiplier=0.05, max=2),
        stop=stop_after_delay(seconds),
        reraise=True,
    ):
        with attempt:
            return await once()
    raise AssertionError("unreachable: the loop returns or raises")


async def announce(recorded: Recorded, shop: Announcer) -> None:
    """After the commit: ring what became ready and show what changed. Losing either costs time only."""
    queues: dict[str, list[str]] = {}
    for change in recorded.changes:
        for stage in change.ready:
            queues.setdefault(stage, []).append(change.submission_id)
    if recorded.deliveries:
        queues[DELIVER] = list(recorded.deliveries)
    await asyncio.gather(
        *[ring(queue, ids, shop.bell) for queue, ids in queues.items()], publish(recorded.changes, shop)
    )


async def ring(queue: str, ids: Sequence[str], bell: Bell, *, solo: bool = False) -> None:
    """Ring, or leave it to the sweeper."""
    try:
        await bell.ring(queue, ids, solo=solo)
    except Unavailable as error:
        log.warning(telemetry.RING_LOST, queue=queue, ids=len(ids), error=str(error))


async def publish(changes: Sequence[Change], shop: Announcer) -> None:
    if not changes:
        return
    try:
        await shop.board.publish(changes)
    except Unavailable as error:
        log.warning(telemetry.STATUS_LOST, changes=len(changes), error=str(error))
