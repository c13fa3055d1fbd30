"""Webhook endpoints and deliveries over HTTP."""

from typing import Any, Final

from litestar import Response, delete, get, post
from litestar.params import FromPath

from api.caller import AnyRequest, allow
from api.description import JSON, Answer, Body, Page, described
from api.reading import query_of, require_media_type
from pipeline.ports import DeliveryView, Webhook
from pipeline.service.access import Permission
from pipeline.service.webhooks import CallbackSecret, CreatedWebhook, DeliveryQuery, WebhookIn

TAG: Final = "Webhooks"
SECRET_HEADERS: Final = {"Cache-Control": "no-store"}
ENDPOINT_EXAMPLE: Final = {
    "id": "019abc5e-0c1d-7f60-8a7e-6b1c52d9a001",
    "url": "https://school.example/hooks/gradeline",
    "events": ["submission.completed", "submission.failed"],
    "description": "the school's backend",
    "created_at": "2026-03-02T09:00:00.000000Z",
    "disabled_at": None,
}
SECRET_EXAMPLE: Final = "whsec_aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789+/AbCdE="  # noqa: S105 - shows the form
DELIVERY_EXAMPLE: Final = {
    "id": "019abc5e-77a1-7c3e-9d5b-2f8a61c04e99",
    "submission_id": "019abc5e-77a1-7c3e-9d5b-2f8a61c04e11",
    "webhook_id": ENDPOINT_EXAMPLE["id"],
    "event": "submission.completed",
    "url": ENDPOINT_EXAMPLE["url"],
    "state": "ready",
    "created_at": "2026-03-02T09:00:01.000000Z",
    "next_try_at": "2026-03-02T09:00:06.500000Z",
    "finished_at": None,
    "tries": [
        {
            "number": 1,
            "tried_at": "2026-03-02T09:00:01.020000Z",
            "response_status": 503,
            "error": "the receiver answered 503",
            "duration_ms": 41,
        }
    ],
}


@post(
    "/v1/webhooks",
    opt=described(
        TAG,
        {201: Answer("The endpoint, with its secret.", CreatedWebhook, {**ENDPOINT_EXAMPLE, "secret": SECRET_EXAMPLE})},
        permission=Permission.WEBHOOKS,
        body=Body(WebhookIn, {"an endpoint": {key: ENDPOINT_EXAMPLE[key] for key in ("url", "events", "description")}}),
        problems=(409,),
    ),
)
async def create_webhook(request: AnyRequest) -> Response[CreatedWebhook]:
    """Keep an endpoint.

    The answer is the only place where its secret is shown. A tenant may have 20 endpoints.
    """
    parts, principal = await allow(request, Permission.WEBHOOKS)
    require_media_type(request.headers, JSON)
    created = await parts.webhooks.create(principal.tenant_id, await request.body())
    return Response(created, status_code=201, headers=SECRET_HEADERS)


@get(
    "/v1/webhooks",
    opt=described(
        TAG,
        {200: Answer("The endpoints.", Page[Webhook], {"items": [ENDPOINT_EXAMPLE], "next": None})},
        permission=Permission.WEBHOOKS,
    ),
)
async def list_webhooks(request: AnyRequest) -> Response[Page[Webhook]]:
    """List the endpoints, oldest first, without their secrets."""
    parts, principal = await allow(request, Permission.WEBHOOKS)
    return Response(Page(await parts.webhooks.endpoints(principal.tenant_id)))


@delete(
    "/v1/webhooks/{webhook_id:str}",
    opt=described(TAG, {204: Answer("The endpoint is deleted.")}, permission=Permission.WEBHOOKS),
)
async def delete_webhook(request: AnyRequest, webhook_id: FromPath[str]) -> None:
    """Delete an endpoint; what waits for it is given up."""
    parts, principal = await allow(request, Permission.WEBHOOKS)
    await parts.webhooks.remove(principal.tenant_id, webhook_id)


@post(
    "/v1/webhooks/callback-secret",
    opt=described(
        TAG,
        {201: Answer("The new secret.", CallbackSecret, {"secret": SECRET_EXAMPLE})},
        permission=Permission.WEBHOOKS,
    ),
)
async def new_callback_secret(request: AnyRequest) -> Response[CallbackSecret]:
    """Make the secret that signs what goes to callback URLs.

    It is shown this once and takes the place of the one before, in retries too.
    """
    parts, principal = await allow(request, Permission.WEBHOOKS)
    secret = await parts.webhooks.new_callback_secret(principal.tenant_id)
    return Response(secret, status_code=201, headers=SECRET_HEADERS)


@get(
    "/v1/webhooks/deliveries",
    opt=described(
        TAG,
        {200: Answer("Deliveries.", Page[DeliveryView], {"items": [DELIVERY_EXAMPLE], "next": None})},
        permission=Permission.WEBHOOKS,
        query=DeliveryQuery,
    ),
)
async def list_deliveries(request: AnyRequest) -> Response[Page[DeliveryView]]:
    """List deliveries, newest first, each with the ledger of its tries."""
    parts, principal = await allow(request, Permission.WEBHOOKS)
    items, following = await parts.webhooks.deliveries(principal.tenant_id, query_of(request, DeliveryQuery))
    return Response(Page(items, following))


@post(
    "/v1/webhooks/deliveries/{delivery_id:str}/redeliver",
    opt=described(
        TAG,
        {202: Answer("The delivery, due now.", DeliveryView, DELIVERY_EXAMPLE)},
        permission=Permission.WEBHOOKS,
        problems=(409,),
    ),
)
async def redeliver(request: AnyRequest, delivery_id: FromPath[str]) -> Response[DeliveryView]:
    """Send a delivery again, under the same id and with the same content.

    It gets a day of retries anew. An endpoint that was disabled because it answered 410 is enabled again.
    """
    parts, principal = await allow(request, Permission.WEBHOOKS)
    return Response(await parts.webhooks.redeliver(principal.tenant_id, delivery_id), status_code=202)


def webhook_handlers() -> list[Any]:
    return [create_webhook, list_webhooks, delete_webhook, new_callback_secret, list_deliveries, redeliver]
