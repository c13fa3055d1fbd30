"""Taking work of one stage and writing down what came of it, whichever way the stage runs."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final

import structlog

from pipeline import telemetry
from pipeline.errors import Contended, Unavailable
from pipeline.execution.announcing import ring
from pipeline.execution.fault import failure
from pipeline.execution.shop import Shop
from pipeline.follow_through import Clock, Journey, Performs, follow_through
from pipeline.lifecycle import Stage
from pipeline.model import Change, Claim, Held, Recorded, Work, merged
from pipeline.patience import patiently
from pipeline.ports import WorkUnit
from pipeline.stages.outcome import Outcome
from pipeline.stages.run import Run, ended, first_step
from pipeline.stages.verdict import judge

log = structlog.get_logger()

Once = Callable[[Sequence[Claim]], Awaitable[Recorded]]


class Books:
    """The claims and records of one stage in this process.

    `too_much` is called with the size of a batch that Postgres would not take.
    """

    def __init__(self, stage: Stage, shop: Shop, too_much: Callable[[int], None] | None = None) -> None:
        self.stage: Final = stage
        self.shop: Final = shop
        self._too_much = too_much

    async def claim(self, ids: Sequence[str], *, solo: bool = False) -> tuple[list[Claim], list[Change]]:
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

    async def guarded(self, claims: Sequence[Claim], once: Once, by_itself: Once) -> Recorded:
        """`once`; where others are in the way of what follows, `by_itself`; after a surprise, that claim by claim."""
        try:
            return await patiently(partial(once, claims), self.shop.lease_seconds)
        except Contended:
            log.info(telemetry.FOLLOWERS_LEFT, stage=self.stage, claims=len(claims))
            return await self.guarded(claims, by_itself, by_itself)
        except Unavailable as error:
            return self.abandon(claims, error)
        except Exception as surprise:  # noqa: BLE001 - it is one submission's failed attempt; we look for which
            if len(claims) == 1 and once is by_itself:
                return await self.record_failure(claims[0], surprise)
            log.warning(telemetry.BATCH_SPLIT, stage=self.stage, claims=len(claims), error=type(surprise).__name__)
            return merged([await self.guarded([claim], by_itself, by_itself) for claim in claims])

    async def record_failure(self, claim: Claim, surprise: Exception) -> Recorded:
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
            return self.abandon([claim], error)

    def abandon(self, claims: Sequence[Claim], error: Exception) -> Recorded:
        """Leave these claims to their leases."""
        if not isinstance(error, Unavailable):
            self.shop.in_flight.failed.extend((self.stage, claim) for claim in claims)
        elif self._too_much is not None:
            self._too_much(len(claims))
        reason = str(error) if isinstance(error, Unavailable) else type(error).__name__
        log.warning(telemetry.WORK_ABANDONED, stage=self.stage, claims=len(claims), error=reason)
        return Recorded()

    async def runs(
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
