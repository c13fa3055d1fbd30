"""A stage that takes its time: each submission is awaited by itself, outside of any transaction."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Final

import msgspec
import structlog

from pipeline import telemetry
from pipeline.batching import NO_SPACING, Batcher, Spacing
from pipeline.errors import Unavailable
from pipeline.execution.announcing import announce, publish, ring
from pipeline.execution.books import Books
from pipeline.execution.fault import failure
from pipeline.execution.shop import Shop
from pipeline.execution.suspects import Suspects
from pipeline.follow_through import NOTHING_FOLLOWS, Clock, Performs
from pipeline.lifecycle import Stage
from pipeline.model import Claim, Recorded, Work
from pipeline.patience import patiently
from pipeline.stages.outcome import Outcome
from pipeline.telemetry import place_of

log = structlog.get_logger()

PerformAlone = Callable[[Work], Awaitable[Outcome]]

LINED_UP_MOST: Final = 2_000
"""So many rung submissions wait in this process; what is rung beyond that is rung again by the sweeper."""
CLAIMED_AT_ONCE: Final = 20


class Finished(msgspec.Struct, frozen=True):
    """What a submission that was loaded came to; `clock` is the store's since then."""

    claim: Claim
    work: Work
    clock: Clock
    outcome: Outcome


class ApartRunner:
    """Runs one stage's rings in this process, at most `room` submissions at a time.

    A ring is taken when its submissions are lined up, so that none holds a thread for as long as a model writes. What
    is lined up is nobody's yet: it is claimed when there is room. With a `spacing`, what is rung within it is claimed
    together, and so finds itself together at every next step. What becomes ready by a result and is named in `follow`
    is run in the transaction that records it.
    """

    def __init__(
        self,
        stage: Stage,
        shop: Shop,
        perform: PerformAlone,
        *,
        room: int,
        follow: Performs = NOTHING_FOLLOWS,
        spacing: Spacing = NO_SPACING,
    ) -> None:
        self.stage = stage
        self.shop = shop
        self._perform = perform
        self._room = room
        self._follow = follow
        self._spacing = spacing
        self._line: dict[str, None] = {}
        self._held: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._claiming: asyncio.Task[None] | None = None
        self._books = Books(stage, shop)
        self._finished: Batcher[Finished, None] = Batcher(self._finish_batch, most=shop.batch)
        self._suspects = Suspects(stage, shop.quarantine, self._run_suspect)

    async def ring(self, ids: Sequence[str], *, solo: bool = False) -> None:
        """Line these submissions up; returns before they are worked on."""
        if solo:
            self._suspects.add(ids)
            return
        new = [one for one in dict.fromkeys(ids) if one not in self._held and one not in self._line]
        self._line |= dict.fromkeys(new[: max(0, LINED_UP_MOST - len(self._line))])
        self._start()

    async def drain(self) -> None:
        """Wait for what is held; what is only lined up is left to others."""
        while self._tasks or self._line:
            await asyncio.gather(*self._tasks, *([self._claiming] if self._claiming else []))
        await self._suspects.drain()
        await self._finished.drain()

    def _start(self) -> None:
        if self._line and len(self._held) < self._room and (self._claiming is None or self._claiming.done()):
            self._claiming = asyncio.create_task(self._claim_while_room())

    async def _claim_while_room(self) -> None:
        await self._spacing.wait()
        self._spacing.begun()
        while self._line and len(self._held) < self._room:
            if self.shop.closed:
                passed_on, self._line = list(self._line), {}
                await ring(self.stage, passed_on, self.shop.bell)
                return
            few = list(islice(self._line, min(CLAIMED_AT_ONCE, self._room - len(self._held))))
            self._held.update(few)
            for one in few:
                del self._line[one]
            task = asyncio.create_task(self._run_few(few))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            await asyncio.sleep(0)

    async def _run_few(self, ids: Sequence[str]) -> None:
        """Claim and load a few together; then each goes its own way."""
        left = set(ids)
        try:
            claims, changes = await self._books.claim(ids)
            self._leave(left - {claim.submission_id for claim in claims})
            left = {claim.submission_id for claim in claims}
            if claims:
                async with self.shop.in_flight.holding(self.stage, claims):
                    showing = asyncio.create_task(publish(changes, self.shop))
                    try:
                        await self.work(claims, self._leave_one)
                    finally:
                        await showing
        except Exception as surprise:  # noqa: BLE001 - the leases of these run out, and others go on
            log.error(  # noqa: TRY400 - only type and place: the text might quote an answer
                telemetry.RING_FAILED, stage=self.stage, error=type(surprise).__name__, place=place_of(surprise)
            )
        finally:
            self._leave(left)

    def _leave_one(self, claim: Claim) -> None:
        self._leave({claim.submission_id})

    def _leave(self, ids: set[str]) -> None:
        self._held -= ids
        self._start()

    async def _run_suspect(self, submission_id: str) -> None:
        claims, changes = await self._books.claim([submission_id], solo=True)
        if claims:
            async with self.shop.in_flight.holding(self.stage, claims):
                await publish(changes, self.shop)
                await self.work(claims, lambda _: None)

    async def work(self, claims: Sequence[Claim], left: Callable[[Claim], None]) -> None:
        """Prepare a batch at once, then let each submission take its time and finish alone; `left` hears of each."""
        prepared = await self._prepare(claims)
        clock = Clock([work for _, work in prepared])
        await asyncio.gather(*[self._one(claim, work, clock, left) for claim, work in prepared])

    async def _prepare(self, claims: Sequence[Claim]) -> list[tuple[Claim, Work]]:
        """Load a batch; one that can't be loaded is taken apart, and what is at fault is left out."""
        try:
            works = await patiently(partial(self.shop.store.load, self.stage, claims), self.shop.lease_seconds)
        except Unavailable as error:
            self._books.abandon(claims, error)
            return []
        except Exception as surprise:  # noqa: BLE001 - it is one submission's failed attempt; we look for which
            if len(claims) == 1:
                await announce(await self._books.record_failure(claims[0], surprise), self.shop)
                return []
            log.warning(telemetry.BATCH_SPLIT, stage=self.stage, claims=len(claims), error=type(surprise).__name__)
            return [pair for claim in claims for pair in await self._prepare([claim])]
        by_id = {work.submission_id: work for work in works}  # what was erased meanwhile is not among them
        return [(claim, by_id[claim.submission_id]) for claim in claims if claim.submission_id in by_id]

    async def _one(self, claim: Claim, work: Work, clock: Clock, left: Callable[[Claim], None]) -> None:
        try:
            outcome = await self._perform(work)
        except Exception as surprise:  # noqa: BLE001 - it is this submission's failed attempt, kept in its history
            outcome = failure(surprise)
        await self._finished.add(Finished(claim, work, clock, outcome))
        left(claim)

    async def _finish_batch(self, batch: list[Finished]) -> list[None]:
        finished = {one.claim: one for one in batch}
        by_itself = partial(self._finish_once, finished, NOTHING_FOLLOWS)
        # With a suspect among them nothing follows: a stage that kills the worker would be counted against this one.
        follow = NOTHING_FOLLOWS if any(claim.solo for claim in finished) else self._follow
        recorded = await self._books.guarded(list(finished), partial(self._finish_once, finished, follow), by_itself)
        await announce(recorded, self.shop)
        return [None] * len(batch)

    async def _finish_once(
        self, finished: Mapping[Claim, Finished], follow: Performs, claims: Sequence[Claim]
    ) -> Recorded:
        """Record what is still ours; each was loaded when it was begun, and what follows goes by how it is now."""
        async with self.shop.store.unit(self.stage, self.shop.worker_id) as unit:
            held = await unit.hold(claims, rescored=True)
            ended = [finished[claim] for claim, _ in held]
            works, outcomes = unit.renewed([one.work for one in ended]), [one.outcome for one in ended]
            clock = finished[claims[0]].clock
            return await unit.record(await self._books.runs(unit, held, works, outcomes, follow, clock))
