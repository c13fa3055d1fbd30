"""A stage that computes: rings that arrive together are worked on together, in one transaction."""

import asyncio
from collections.abc import Sequence
from functools import partial

from pipeline.batching import Batcher
from pipeline.execution.announcing import announce, publish
from pipeline.execution.books import Books
from pipeline.execution.shop import Shop
from pipeline.execution.suspects import Suspects
from pipeline.follow_through import NOTHING_FOLLOWS, Clock, Perform, Performs
from pipeline.lifecycle import Stage
from pipeline.model import Claim, Recorded


class StageRunner:
    """Runs one stage's rings in this process.

    `perform` decides a whole batch inside its transaction. What becomes ready by it and is named in `follow` is run in
    the same transaction.
    """

    def __init__(
        self,
        stage: Stage,
        shop: Shop,
        perform: Perform,
        *,
        follow: Performs = NOTHING_FOLLOWS,
        concurrency: int = 1,
    ) -> None:
        self.stage = stage
        self.shop = shop
        self._perform = perform
        self._follow = follow
        self._rings: Batcher[str, None] = Batcher(self._run_batch, most=shop.batch, concurrency=concurrency)
        self._books = Books(stage, shop, self._too_much)
        self._suspects = Suspects(stage, shop.quarantine, lambda one: self.run([one], solo=True))

    async def ring(self, ids: Sequence[str], *, solo: bool = False) -> None:
        """Work on what is ready of these submissions; returns when all of it is recorded.

        Those to run `solo` are queued in this process instead, so that their ring holds up no other.
        """
        if solo:
            self._suspects.add(ids)
        else:
            await self._rings.add_all(ids)

    async def drain(self) -> None:
        """Wait for the batches under way."""
        await self._rings.drain()
        await self._suspects.drain()

    async def _run_batch(self, ids: list[str]) -> list[None]:
        await self.run(list(dict.fromkeys(ids)))
        return [None] * len(ids)

    async def run(self, ids: Sequence[str], *, solo: bool = False) -> None:
        """The pipe, for a batch."""
        claims, changes = await self._books.claim(ids, solo=solo)
        if not claims:
            return
        async with self.shop.in_flight.holding(self.stage, claims):
            showing = asyncio.create_task(publish(changes, self.shop))
            try:
                recorded = await self.work(claims)
                if recorded.changes:
                    self._rings.most = min(self.shop.batch, 2 * self._rings.most)
                await announce(recorded, self.shop)
            finally:
                await showing

    async def work(self, claims: Sequence[Claim]) -> Recorded:
        """Decide and record a batch in one transaction; a batch that can't be recorded is taken apart.

        A suspect goes one stage at a time, and so does what is taken apart: the stage at fault is then known.
        """
        by_itself = partial(self._once, NOTHING_FOLLOWS)
        if claims[0].solo:
            return await self._books.guarded(claims, by_itself, by_itself)
        return await self._books.guarded(claims, partial(self._once, self._follow), by_itself)

    async def _once(self, follow: Performs, claims: Sequence[Claim]) -> Recorded:
        async with self.shop.store.unit(self.stage, self.shop.worker_id) as unit:
            held = await unit.hold(claims)
            works = await unit.load([claim for claim, _ in held])
            clock = Clock(works)
            outcomes = await self._perform(unit, works)
            return await unit.record(await self._books.runs(unit, held, works, outcomes, follow, clock))

    def _too_much(self, claims: int) -> None:
        """Should it have been too much at once, it won't be again."""
        self._rings.most = max(1, claims // 2)
