"""Sending what the outbox holds: line up → claim → send → judge → record.

A ring only lines deliveries up and returns, so that however slowly receivers answer, rings of stages are
taken. A delivery is claimed when it is its turn, so that its lease covers one request and no waiting.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import structlog

from pipeline import telemetry
from pipeline.batching import Batcher
from pipeline.delivery.lanes import Lanes, Slot, Standing
from pipeline.delivery.reply import Answered, DeliveryPolicy, DeliveryState, Failed, Message, Refused, Reply, judge
from pipeline.errors import Unavailable
from pipeline.execution import patiently, place_of
from pipeline.ports import DeliveryClaim, DeliveryResult, DeliveryStore, Sender
from pipeline.stages.verdict import jitter

log = structlog.get_logger()

RECORD_SECONDS: Final = 10.0
"""How long Postgres may be away before a result is given up."""
LEASE_MARGIN_SECONDS: Final = 15.0
"""How much longer than a request a lease lasts: long enough to read an answer away and to record it."""
QUICK_SECONDS: Final = 2.0
TOGETHER: Final = 100
LOSSES_FORGIVEN: Final = 3


class Deliverer:
    """Sends webhooks in this process, each receiver in its own lane."""

    def __init__(
        self,
        store: DeliveryStore,
        sender: Sender,
        *,
        worker_id: str,
        policy: DeliveryPolicy,
        timeout_seconds: float,
        lanes: Lanes | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._sender = sender
        self._worker_id = worker_id
        self._policy = policy
        self._lease_seconds = timeout_seconds + LEASE_MARGIN_SECONDS
        self._lanes = lanes or Lanes()
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()
        self._held: dict[str, DeliveryClaim] = {}
        self._stopping = False
        self._claims: Batcher[str, DeliveryClaim | None] = Batcher(self._claim, most=TOGETHER)
        self._results: Batcher[DeliveryResult, bool] = Batcher(self._record, most=TOGETHER)

    async def ring(self, ids: Sequence[str], *, solo: bool = False) -> None:
        """Line up those of these deliveries that are due; returns before they are sent."""
        del solo  # every delivery has a request of its own
        unknown = [delivery_id for delivery_id in ids if not self._lanes.knows(delivery_id)]
        if self._stopping or not unknown:
            return
        try:
            due = await self._store.due(unknown)
        except Unavailable as error:
            log.warning(telemetry.DELIVERIES_UNREACHABLE, deliveries=len(unknown), error=str(error))
            return
        for delivery in due:
            self._lanes.add(delivery.lane, delivery.id)
        self._start()

    async def settle(self) -> None:
        """Wait until nothing waits and nothing is being sent."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    async def stop(self, seconds: float) -> None:
        """Start nothing more, let what is being sent finish in `seconds`, give back the rest."""
        self._stopping = True
        self._lanes.forget_waiting()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._claims.drain()
        await self._results.drain()
        if self._held:
            await self._give_back(list(self._held.values()))
        await self._sender.close()

    def _start(self) -> None:
        if self._stopping:
            return
        for slot in self._lanes.take():
            task = asyncio.create_task(self._use(slot))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _use(self, slot: Slot) -> None:
        standing = None
        try:
            standing = await self._deliver(slot.id)
        except Exception as surprise:  # noqa: BLE001 - a bug met by one delivery must not stop the others
            log.error(  # noqa: TRY400 - only type and place: the text might quote a URL or a payload
                telemetry.DELIVERY_SURPRISED,
                delivery_id=slot.id,
                error=type(surprise).__name__,
                place=place_of(surprise),
            )
        finally:
            self._lanes.release(slot, standing)
            self._start()

    async def _deliver(self, delivery_id: str) -> Standing | None:
        """The pipe, for one delivery; answers how its receiver did, None if it was not asked."""
        claim = await self._claims.add(delivery_id)
        if claim is None:
            return None
        began = self._clock()
        reply = unsendable(claim) or await self._send(claim)
        seconds = self._clock() - began
        await self._results.add(self._judged(claim, reply, seconds))
        self._held.pop(claim.id, None)
        return standing_after(reply, seconds)

    async def _claim(self, ids: list[str]) -> list[DeliveryClaim | None]:
        try:
            claims = await self._store.claim(ids, self._worker_id, self._lease_seconds)
        except Unavailable as error:
            log.warning(telemetry.DELIVERIES_UNREACHABLE, deliveries=len(ids), error=str(error))
            return [None] * len(ids)
        by_id = {claim.id: claim for claim in claims}
        self._held.update(by_id)
        return [by_id.get(delivery_id) for delivery_id in ids]

    async def _send(self, claim: DeliveryClaim) -> Reply:
        assert claim.secret is not None  # noqa: S101 - `unsendable` saw to it
        try:
            return await self._sender.send(Message(claim.id, claim.url, claim.payload, claim.secret))
        except Exception as surprise:  # noqa: BLE001 - it is this delivery's failed try; the text might quote its URL
            log.warning(telemetry.DELIVERY_SURPRISED, delivery_id=claim.id, error=type(surprise).__name__)
            return Failed(f"the request could not be made ({type(surprise).__name__})")

    def _judged(self, claim: DeliveryClaim, reply: Reply, seconds: float) -> DeliveryResult:
        verdict = judge(
            reply,
            attempt=claim.attempt,
            age_seconds=claim.age_seconds + seconds,
            policy=self._policy,
            random_fraction=jitter(),
        )
        return DeliveryResult(claim, verdict, round(seconds * 1000))

    async def _record(self, results: list[DeliveryResult]) -> list[bool]:
        try:
            once = partial(self._store.record, results, self._worker_id)
            recorded = await patiently(once, RECORD_SECONDS)
        except Unavailable as error:
            # The leases run out, and what was sent is sent again under the same id.
            log.warning(telemetry.DELIVERY_UNRECORDED, deliveries=len(results), error=str(error))
            return [False] * len(results)
        for result in results:
            report(result, recorded=result.claim.id in recorded)
        return [result.claim.id in recorded for result in results]

    async def _give_back(self, claims: Sequence[DeliveryClaim]) -> None:
        try:
            await self._store.give_back(claims, self._worker_id)
        except Unavailable as error:
            log.warning(telemetry.DELIVERY_UNRECORDED, deliveries=len(claims), error=str(error))


def unsendable(claim: DeliveryClaim) -> Reply | None:
    """Why a delivery is not sent although it is its turn, if so."""
    if claim.secret is None:
        return Refused("the endpoint was deleted or disabled")
    if claim.resumed and claim.attempt > LOSSES_FORGIVEN:
        return Failed("workers were lost while sending it, so it rests")
    return None


def standing_after(reply: Reply, seconds: float) -> Standing | None:
    """How the receiver did: what it takes quickly earns it room, silence and errors cost it."""
    match reply:
        case Answered(taken=True) if seconds <= QUICK_SECONDS:
            return Standing.PROVEN
        case Answered(taken=True):
            return Standing.UNPROVEN
        case Refused():
            return None
        case _:
            return Standing.SUSPECT


def report(result: DeliveryResult, *, recorded: bool) -> None:
    if not recorded:
        log.warning(telemetry.DELIVERY_FENCED, delivery_id=result.claim.id)
        return
    verdict = result.verdict
    write = log.info if verdict.state is DeliveryState.DELIVERED else log.warning
    write(
        telemetry.DELIVERY_TRIED,
        delivery_id=result.claim.id,
        state=verdict.state,
        attempt=result.claim.attempt,
        status=verdict.status,
        error=verdict.error,
    )
