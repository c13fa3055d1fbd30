"""Webhooks: endpoints, deliveries and their sending."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

import msgspec

from pipeline.delivery.reply import DeliveryState, DeliveryVerdict, Message, Reply


class DueDelivery(msgspec.Struct, frozen=True):
    """A delivery that may be sent now. `lane` names its receiver: deliveries of one lane share its fate."""

    id: str
    lane: str


class DeliveryClaim(msgspec.Struct, frozen=True):
    """The right to send one delivery until its lease ends; a result counts only under this `epoch`.

    `secret` is None where the endpoint was deleted or disabled meanwhile. `age_seconds` is how long ago it was
    queued; `resumed` means that the worker before was lost, so that it may have been sent.
    """

    id: str
    url: str
    payload: str
    secret: str | None
    epoch: int
    attempt: int
    age_seconds: float
    resumed: bool


class DeliveryResult(msgspec.Struct, frozen=True):
    """What one try came to."""

    claim: DeliveryClaim
    verdict: DeliveryVerdict
    duration_ms: int


@runtime_checkable
class DeliveryStore(Protocol):
    """Handing out webhook deliveries and taking them back."""

    async def due(self, ids: Sequence[str]) -> list[DueDelivery]:
        """Those of these deliveries that may be sent now, oldest first."""
        ...

    async def claim(self, ids: Sequence[str], worker_id: str, lease_seconds: float) -> list[DeliveryClaim]:
        """Take those that are due, each under a new epoch and a lease."""
        ...

    async def record(self, results: Sequence[DeliveryResult], worker_id: str) -> set[str]:
        """Write what tries came to; answers the ids written. A claim that was lost is left out and changes nothing."""
        ...

    async def give_back(self, claims: Sequence[DeliveryClaim], worker_id: str) -> list[str]:
        """Return unharmed what a stopping worker could not finish; answers the ids returned."""
        ...


@runtime_checkable
class Sender(Protocol):
    """Sending one webhook over HTTP."""

    async def send(self, message: Message) -> Reply:
        """Sign and send it, in bounded time; whatever goes wrong is a reply too."""
        ...

    async def close(self) -> None:
        """Send nothing more."""
        ...


class Webhook(msgspec.Struct, frozen=True):
    """An endpoint of a tenant, without its secret. `disabled_at` is when it said that it is gone (410)."""

    id: str
    url: str
    events: tuple[str, ...]
    description: str | None
    created_at: datetime
    disabled_at: datetime | None


class NewWebhook(msgspec.Struct, frozen=True):
    """A checked endpoint on its way into the store."""

    url: str
    events: tuple[str, ...]
    description: str | None
    secret: str


class DeliveryTry(msgspec.Struct, frozen=True):
    """One entry of the ledger: a try, numbered by handing-out, and what came of it.

    `duration_ms` is None where the worker was lost.
    """

    number: int
    tried_at: datetime
    response_status: int | None
    error: str | None
    duration_ms: int | None


class DeliveryView(msgspec.Struct, frozen=True):
    """A delivery as its tenant sees it; `next_try_at` is None where none is planned."""

    id: str
    submission_id: str
    webhook_id: str | None
    event: str
    url: str
    state: DeliveryState
    created_at: datetime
    next_try_at: datetime | None
    finished_at: datetime | None
    tries: tuple[DeliveryTry, ...]


class DeliveryFilter(msgspec.Struct, frozen=True):
    """Which deliveries to list; None leaves a field open. `before` is the id the page before ended with."""

    submission_id: str | None = None
    webhook_id: str | None = None
    state: DeliveryState | None = None
    event: str | None = None
    before: str | None = None


@runtime_checkable
class WebhookStore(Protocol):
    """A tenant's endpoints and the deliveries to them."""

    async def add(self, tenant_id: int, webhook: NewWebhook, *, most: int) -> Webhook | None:
        """Keep an endpoint; None where the tenant has `most` already."""
        ...

    async def endpoints(self, tenant_id: int) -> list[Webhook]:
        """The tenant's endpoints, oldest first."""
        ...

    async def remove(self, tenant_id: int, webhook_id: str) -> bool:
        """Delete an endpoint and give up what waits for it; False if there is none with this id."""
        ...

    async def set_callback_secret(self, tenant_id: int, secret: str) -> None:
        """Sign deliveries to callback URLs with this secret from now on."""
        ...

    async def deliveries(self, tenant_id: int, wanted: DeliveryFilter, most: int) -> list[DeliveryView]:
        """The tenant's deliveries, newest first."""
        ...

    async def redeliver(self, tenant_id: int, delivery_id: str) -> DeliveryView | None:
        """Make a delivery due now, under its id and with its content; None if there is none with this id.

        Raises `Conflict` where it is being sent or its endpoint is deleted.
        """
        ...
