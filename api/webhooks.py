"""Webhook endpoints and deliveries over HTTP."""

from typing import Any

import msgspec
from litestar import Response, delete, get, post

from api.caller import AnyRequest, allow
from pipeline.ports import DeliveryView, Webhook
from pipeline.service.access import Permission
from pipeline.service.webhooks import read_filter


def json_response(document: object, status_code: int = 200) -> Response[bytes]:
    return Response(msgspec.json.encode(document), status_code=status_code, media_type="application/json")


@post("/v1/webhooks")
async def create_webhook(request: AnyRequest) -> Response[bytes]:
    """Keep an endpoint. The answer is the only place where its secret is shown."""
    parts, principal = await allow(request, Permission.WEBHOOKS)
    created = await parts.webhooks.create(principal.tenant_id, await request.body())
    return json_response({**webhook_document(created.webhook), "secret": created.secret}, 201)


@get("/v1/webhooks")
async def list_webhooks(request: AnyRequest) -> Response[bytes]:
    """The tenant's endpoints, oldest first, without their secrets."""
    parts, principal = await allow(request, Permission.WEBHOOKS)
    endpoints = await parts.webhooks.endpoints(principal.tenant_id)
    return json_response({"items": [webhook_document(endpoint) for endpoint in endpoints], "next": None})


@delete("/v1/webhooks/{webhook_id:str}")
async def delete_webhook(request: AnyRequest, webhook_id: str) -> None:
    """Delete an endpoint; what waits for it is given up."""
    parts, principal = await allow(request, Permission.WEBHOOKS)
    await parts.webhooks.remove(principal.tenant_id, webhook_id)


@post("/v1/webhooks/callback-secret", status_code=201)
async def new_callback_secret(request: AnyRequest) -> Response[bytes]:
    """Make a new secret for what goes to callback URLs, and show it this once; the one before ends."""
    parts, principal = await allow(request, Permission.WEBHOOKS)
    return json_response({"secret": await parts.webhooks.new_callback_secret(principal.tenant_id)}, 201)


@get("/v1/webhooks/deliveries")
async def list_deliveries(request: AnyRequest) -> Response[bytes]:
    """Deliveries, newest first, each with the ledger of its tries."""
    parts, principal = await allow(request, Permission.WEBHOOKS)
    wanted, limit = read_filter(dict(request.query_params))
    page = await parts.webhooks.deliveries(principal.tenant_id, wanted, limit)
    return json_response({"items": [delivery_document(view) for view in page.items], "next": page.next})


@post("/v1/webhooks/deliveries/{delivery_id:str}/redeliver", status_code=202)
async def redeliver(request: AnyRequest, delivery_id: str) -> Response[bytes]:
    """Send a delivery again, under the same id and with the same content."""
    parts, principal = await allow(request, Permission.WEBHOOKS)
    view = await parts.webhooks.redeliver(principal.tenant_id, delivery_id)
    return json_response(delivery_document(view), 202)


def webhook_document(webhook: Webhook) -> dict[str, Any]:
    return msgspec.structs.asdict(webhook)


def delivery_document(view: DeliveryView) -> dict[str, Any]:
    return msgspec.structs.asdict(view)


def webhook_handlers() -> list[Any]:
    return [create_webhook, list_webhooks, delete_webhook, new_callback_secret, list_deliveries, redeliver]
