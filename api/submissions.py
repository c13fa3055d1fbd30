"""Handing in and looking after submissions over HTTP."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from api.caller import AnyRequest, allow
from pipeline.errors import NotFound
from pipeline.service.access import Permission
from pipeline.service.intake import IntakeLimits, read_submission
from pipeline.service.view import submission_document


@post("/v1/submissions", status_code=202)
async def hand_in(request: AnyRequest) -> Response[bytes]:
    """Accept a hand-in."""
    parts, principal = await allow(request, Permission.SUBMIT)
    settings = parts.settings
    limits = IntakeLimits(settings.max_answers, settings.max_metadata_bytes, settings.webhook_allow_private)
    given = read_submission(await request.body(), limits, datetime.now(UTC))
    submitted = await parts.intake.submit(principal.tenant_id, given, request.headers.get("idempotency-key"))
    view = submitted.view or (await parts.reading.read(principal.tenant_id, [submitted.id]))[0]
    return Response(
        msgspec.json.encode(submission_document(view)),
        status_code=202,
        media_type="application/json",
        headers={"Location": f"/v1/submissions/{submitted.id}", "Retry-After": "1"},
    )


@get("/v1/submissions/{submission_id:str}")
async def show(request: AnyRequest, submission_id: FromPath[str]) -> Response[bytes]:
    """One submission as it stands."""
    parts, principal = await allow(request, Permission.READ)
    views = await parts.reading.read(principal.tenant_id, [submission_id])
    if not views:
        raise NotFound("There is no such submission.")
    return Response(msgspec.json.encode(submission_document(views[0])), media_type="application/json")


def submission_handlers() -> list[Any]:
    return [hand_in, show]
