"""What a tenant may do with webhooks: keep endpoints, look at deliveries, send one again."""

from typing import Annotated, Final, Literal
from uuid import UUID

import msgspec
import structlog

from pipeline import telemetry
from pipeline.delivery.destination import MAX_URL_CHARS, url_problems
from pipeline.delivery.reply import DeliveryState
from pipeline.errors import Conflict, FieldProblem, InvalidInput, NotFound, Unavailable
from pipeline.execution import DELIVER
from pipeline.model import JsonValue
from pipeline.ports import Bell, DeliveryFilter, DeliveryView, NewWebhook, Webhook, WebhookStore
from pipeline.scoring.fields import forbidden_text
from pipeline.service.access import new_signing_secret
from pipeline.service.identifier import is_uuid
from pipeline.service.intake import decode_json, problems_in

log = structlog.get_logger()

MOST_ENDPOINTS: Final = 20
MOST_LISTED: Final = 200
EventName = Literal["submission.completed", "submission.failed", "submission.cancelled", "submission.settled"]
EVENTS: Final[tuple[EventName, ...]] = (
    "submission.completed",
    "submission.failed",
    "submission.cancelled",
    "submission.settled",
)


def described(text: str) -> msgspec.Meta:
    return msgspec.Meta(description=text)


class WebhookIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An endpoint as clients send it; without `events` it gets all of them."""

    url: Annotated[
        str, msgspec.Meta(max_length=MAX_URL_CHARS, description="Where to send; http or https, port 80, 443 or ≥ 1024.")
    ]
    events: Annotated[tuple[EventName, ...], msgspec.Meta(min_length=1, max_length=len(EVENTS))] = EVENTS
    description: Annotated[str, msgspec.Meta(max_length=500)] | None = None


class CreatedWebhook(Webhook, frozen=True):
    """A new endpoint; `secret` is shown this once and never again."""

    secret: str


class CallbackSecret(msgspec.Struct, frozen=True):
    """What deliveries to callback URLs are signed with; shown this once and never again."""

    secret: str


class DeliveryQuery(msgspec.Struct, frozen=True):
    """Which deliveries to list."""

    submission_id: Annotated[UUID | None, described("Only those about this submission.")] = None
    webhook_id: Annotated[UUID | None, described("Only those to this endpoint.")] = None
    state: Annotated[DeliveryState | None, described("Only those in this state.")] = None
    event: Annotated[EventName | None, described("Only those of this event.")] = None
    cursor: Annotated[UUID | None, described("`next` of the page before.")] = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST_LISTED, description="Most deliveries in one page.")] = 50


class Webhooks:
    """Endpoints and deliveries of tenants."""

    def __init__(self, store: WebhookStore, bell: Bell, *, allow_private: bool) -> None:
        self._store = store
        self._bell = bell
        self._allow_private = allow_private

    async def create(self, tenant_id: int, body: bytes) -> CreatedWebhook:
        """Keep a new endpoint; raises `InvalidInput`, or `Conflict` where there are too many."""
        given = read_webhook(body, allow_private=self._allow_private)
        secret = new_signing_secret()
        events = tuple(event for event in EVENTS if event in given.events)
        new = NewWebhook(given.url, events, given.description, secret)
        webhook = await self._store.add(tenant_id, new, most=MOST_ENDPOINTS)
        if webhook is None:
            raise Conflict(f"There are {MOST_ENDPOINTS} endpoints already; delete one first.")
        return CreatedWebhook(**msgspec.structs.asdict(webhook), secret=secret)

    async def endpoints(self, tenant_id: int) -> list[Webhook]:
        """The tenant's endpoints, oldest first."""
        return await self._store.endpoints(tenant_id)

    async def remove(self, tenant_id: int, webhook_id: str) -> None:
        """Delete an endpoint and give up what waits for it; raises `NotFound`."""
        if not (is_uuid(webhook_id) and await self._store.remove(tenant_id, webhook_id)):
            raise NotFound("There is no such webhook.")

    async def new_callback_secret(self, tenant_id: int) -> CallbackSecret:
        """Make the secret that deliveries to callback URLs are signed with from now on, retries included."""
        secret = new_signing_secret()
        await self._store.set_callback_secret(tenant_id, secret)
        return CallbackSecret(secret)

    async def deliveries(self, tenant_id: int, asked: DeliveryQuery) -> tuple[list[DeliveryView], str | None]:
        """A page of the tenant's deliveries, newest first, and the cursor of the page after it."""
        views = await self._store.deliveries(tenant_id, filter_of(asked), asked.limit + 1)
        page = views[: asked.limit]
        return page, page[-1].id if len(views) > len(page) else None

    async def redeliver(self, tenant_id: int, delivery_id: str) -> DeliveryView:
        """Send a delivery again, under its id and with its content; raises `NotFound` or `Conflict`."""
        view = await self._store.redeliver(tenant_id, delivery_id) if is_uuid(delivery_id) else None
        if view is None:
            raise NotFound("There is no such delivery.")
        try:
            await self._bell.ring(DELIVER, [view.id])
        except Unavailable as error:
            log.warning(telemetry.RING_LOST, queue=DELIVER, ids=1, error=str(error))
        return view


def read_webhook(body: bytes, *, allow_private: bool) -> WebhookIn:
    """Decode and check an endpoint; raises `InvalidInput` with all problems."""
    raw = decode_json(body)
    problems = list(problems_in(raw, WebhookIn)) or list(forbidden_text(raw))
    problems += url_field_problems(raw, allow_private=allow_private)
    if problems:
        raise InvalidInput(problems)
    return msgspec.convert(raw, WebhookIn)


def url_field_problems(raw: JsonValue, *, allow_private: bool) -> list[FieldProblem]:
    url = raw.get("url") if isinstance(raw, dict) else None
    if not isinstance(url, str):
        return []  # said already
    return [FieldProblem("/url", detail) for detail in url_problems(url, allow_private=allow_private)]


def filter_of(asked: DeliveryQuery) -> DeliveryFilter:
    def text(value: UUID | None) -> str | None:
        return None if value is None else str(value)

    return DeliveryFilter(
        submission_id=text(asked.submission_id),
        webhook_id=text(asked.webhook_id),
        state=asked.state,
        event=asked.event,
        before=text(asked.cursor),
    )
