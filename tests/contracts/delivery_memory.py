"""Deliveries in memory: a fake for tests of who is sent to when, held to the same contract as Postgres."""

from collections.abc import Sequence

from uuid_utils import uuid7

from pipeline.delivery.reply import DeliveryState
from pipeline.ports import DeliveryClaim, DeliveryResult, DueDelivery
from tests.contracts.delivery_world import Noted

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Row:
    """One delivery."""

    def __init__(self, url: str, lane: str, now: float) -> None:
        self.url = url
        self.lane = lane
        self.state = DeliveryState.READY
        self.available_at = now
        self.queued_at = now
        self.lease_expires_at = 0.0
        self.owner: str | None = None
        self.epoch = 0
        self.attempts = 0
        self.secret: str | None = SECRET
        self.enabled = True
        self.ledger: list[Noted] = []


class MemoryDeliveries:
    """World and store in one."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.now = 0.0

    @property
    def store(self) -> "MemoryDeliveries":
        return self

    async def due(self, ids: Sequence[str]) -> list[DueDelivery]:
        return [DueDelivery(id_, self.rows[id_].lane) for id_ in sorted(set(ids) & self.rows.keys()) if self._due(id_)]

    async def claim(self, ids: Sequence[str], worker_id: str, lease_seconds: float) -> list[DeliveryClaim]:
        return [
            self._take(id_, worker_id, lease_seconds) for id_ in sorted(set(ids) & self.rows.keys()) if self._due(id_)
        ]

    async def record(self, results: Sequence[DeliveryResult], worker_id: str) -> set[str]:
        ours = [result for result in results if self._holds(result.claim, worker_id)]
        for result in ours:
            row, verdict = self.rows[result.claim.id], result.verdict
            row.state, row.owner = verdict.state, None
            row.available_at = self.now + verdict.delay_seconds
            row.ledger.append(Noted(row.epoch, verdict.status, verdict.error))
            row.enabled = row.enabled and not verdict.disable
        return {result.claim.id for result in ours}

    async def give_back(self, claims: Sequence[DeliveryClaim], worker_id: str) -> list[str]:
        ours = [claim for claim in claims if self._holds(claim, worker_id)]
        for claim in ours:
            row = self.rows[claim.id]
            row.state, row.owner, row.available_at = DeliveryState.READY, None, self.now
            row.attempts -= 1
        return [claim.id for claim in ours]

    async def add(self, *, url: str = "https://school.example/hook", endpoint: bool = True) -> str:
        delivery_id = str(uuid7())
        self.rows[delivery_id] = Row(url, delivery_id if endpoint else url, self.now)
        return delivery_id

    async def remove_endpoint(self, delivery_id: str) -> None:
        self.rows[delivery_id].secret = None

    async def pass_time(self, seconds: float) -> None:
        self.now += seconds

    async def state(self, delivery_id: str) -> str:
        return self.rows[delivery_id].state

    async def ledger(self, delivery_id: str) -> list[Noted]:
        return self.rows[delivery_id].ledger

    async def endpoint_enabled(self, delivery_id: str) -> bool:
        return self.rows[delivery_id].enabled

    def _due(self, delivery_id: str) -> bool:
        row = self.rows[delivery_id]
        if row.state is DeliveryState.RUNNING:
            return row.lease_expires_at < self.now
        return row.state is DeliveryState.READY and row.available_at <= self.now

    def _take(self, delivery_id: str, worker_id: str, lease_seconds: float) -> DeliveryClaim:
        row = self.rows[delivery_id]
        resumed = row.state is DeliveryState.RUNNING
        if resumed:
            row.ledger.append(Noted(row.epoch, None, "the worker was lost; it is not known whether it was sent"))
        row.state, row.owner, row.lease_expires_at = DeliveryState.RUNNING, worker_id, self.now + lease_seconds
        row.epoch += 1
        row.attempts += 1
        secret = row.secret if row.enabled else None
        age = self.now - row.queued_at
        return DeliveryClaim(delivery_id, row.url, "{}", secret, row.epoch, row.attempts, age, resumed)

    def _holds(self, claim: DeliveryClaim, worker_id: str) -> bool:
        row = self.rows[claim.id]
        return (row.state, row.epoch, row.owner) == (DeliveryState.RUNNING, claim.epoch, worker_id)
