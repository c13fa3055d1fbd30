"""Handing batches over to providers, each once: booked → prepared → begun → handed over → known by its name.

That a hand-over begins is written down before the provider hears of it. Where its answer is lost, the batch is looked
for in the provider's list, and is handed over again only if it is not there long after. Whoever waits does so no longer
for that: at their deadline they ask live.
"""

from collections.abc import Sequence
from typing import Final

import structlog

from pipeline import telemetry
from pipeline.errors import Unavailable
from pipeline.exchange import Purpose, Route
from pipeline.generation.assignment import Meter
from pipeline.ports.batch import Batch, BatchRequest, BatchStore, Refused, Remote, Unsure
from pipeline.ports.generation import Attempt, Ledger, Policies

log = structlog.get_logger()

SURE_AFTER_SECONDS: Final = 900.0
"""What is not listed so long after its hand-over began did not arrive; no hand-over takes that long."""
MOST_TRIES: Final = 3
"""After so many hand-overs of which nothing is known, those who wait go on without it."""
GIVEN_UP_AFTER_SECONDS: Final = 72 * 3_600.0
"""No provider takes longer than a day; of a batch that can't be asked about for so long nothing will be heard."""
HALF: Final = 2
"""What the price is divided by, at OpenAI and at Anthropic (2026-11)."""


class Sending:
    """Brings batches to where their providers know them."""

    def __init__(
        self,
        *,
        store: BatchStore,
        ledger: Ledger,
        meter: Meter,
        policies: Policies,
        least_seconds: float,
        sure_after_seconds: float = SURE_AFTER_SECONDS,
    ) -> None:
        """A request is not sent any more with less than `least_seconds` left to wait."""
        self._store = store
        self._ledger = ledger
        self._meter = meter
        self._policies = policies
        self._least_seconds = least_seconds
        self._sure_after_seconds = sure_after_seconds

    async def go_on(self, batch: Batch, remote: Remote) -> bool:
        """The next step of a batch whose name is not known; answers whether nothing will come of it any more."""
        if batch.tried_at is None:
            return await self._hand_over(batch, remote)
        requests = await self._store.requests(batch.id)
        if not requests:
            return True
        found = await remote.find(batch, requests, await self._store.remote_ids(batch.route))
        if isinstance(found, str):
            await self._store.mark_sent(batch.id, found)
            return False
        since = batch.tried_seconds or 0.0
        if found is not None or since < self._sure_after_seconds:
            return False
        return batch.tries >= MOST_TRIES or since > GIVEN_UP_AFTER_SECONDS or await self._hand_over(batch, remote)

    async def forgo(self, batch: Batch, requests: Sequence[BatchRequest]) -> None:
        """Drop requests, and give back what was booked for them unless it may have to be paid.

        In this order: cut off in between, it stays booked, and what is sent is never free.
        """
        for request in requests:
            await self._store.drop(request.custom_id)
            if batch.tries == 0:
                await self._ledger.withdraw(request.attempt_id)

    async def _hand_over(self, batch: Batch, remote: Remote) -> bool:
        requests = await self._affordable(batch, remote.route)
        if not requests:
            return True
        file_id = await remote.prepare(batch, requests)
        if isinstance(file_id, Refused):
            return await self._refused(batch, requests, file_id)
        begun = await self._store.begin(batch, [request.custom_id for request in requests], file_id)
        if begun is None:
            return False
        match await self._sent(begun, requests, file_id, remote):
            case Unsure():
                log.warning(telemetry.BATCH_UNSURE, batch_id=batch.id, route=batch.route)
            case Refused() as refused:
                return await self._refused(batch, requests, refused)
            case remote_id:
                await self._store.mark_sent(batch.id, remote_id)
        return False

    async def _sent(
        self, begun: Batch, requests: Sequence[BatchRequest], file_id: str | None, remote: Remote
    ) -> str | Unsure | Refused:
        try:
            return await remote.send(begun, requests, file_id)
        except Unavailable:
            await self._store.take_back(begun)
            raise

    async def _refused(self, batch: Batch, requests: Sequence[BatchRequest], refused: Refused) -> bool:
        """A hand-over that was refused did not happen: what was never tried before costs nothing."""
        log.warning(telemetry.BATCH_REFUSED, batch_id=batch.id, route=batch.route, status=refused.status)
        await self.forgo(batch, requests)
        return True

    async def _affordable(self, batch: Batch, route: Route) -> list[BatchRequest]:
        """The requests that will be waited for and the budgets have room for; the others are dropped."""
        await self.forgo(batch, await self._store.overdue(batch.id, least_seconds=self._least_seconds))
        affordable = list[BatchRequest]()
        for request in await self._store.requests(batch.id):
            if await self._booked(request, route):
                affordable.append(request)
            else:
                await self.forgo(batch, [request])
        return affordable

    async def _booked(self, request: BatchRequest, route: Route) -> bool:
        """Whether its tenant lets it go and the budgets have room; booked under the same id however often."""
        policy = await self._policies.of(request.tenant_id)
        if not (policy.batch and policy.allows(route.place)):
            return False
        estimate = self._meter.estimate(route, request.prompt) // HALF
        return await self._ledger.reserve(attempt_of(request, route, estimate), policy.budgets) is None


def attempt_of(request: BatchRequest, route: Route, estimate: int) -> Attempt:
    """A request as the ledger books it."""
    return Attempt(
        id=request.attempt_id,
        tenant_id=request.tenant_id,
        learner_id=request.learner_id,
        submission_id=request.submission_id,
        question_id=request.question_id,
        purpose=Purpose.FEEDBACK,
        provider=route.provider,
        model=route.model,
        account=route.account,
        arm=request.arm,
        prompt_version=request.prompt.reference,
        estimate=estimate,
    )
