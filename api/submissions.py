"""Handing in and looking after submissions over HTTP."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import State

from pipeline.errors import NotFound
from pipeline.service.access import Permission
from pipeline.service.intake import IntakeLimits, read_submission
from pipeline.service.view import submission_document
from pipeline.settings import Settings


@post("/v1/submissions", status_code=202)
async def hand_in(request: Request[Any, Any, Any], state: State) -> Response[bytes]:
    """Accept a hand-in."""
    parts = state.parts
    principal = await parts.access.authenticate(request.headers.get("authorization"))
    principal.require(Permission.SUBMIT)
    limits = IntakeLimits(parts.settings.max_answers, parts.settings.max_metadata_bytes)
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
async def show(request: Request[Any, Any, Any], state: State, submission_id: str) -> Response[bytes]:
    """One submission as it stands."""
    parts = state.parts
    principal = await parts.access.authenticate(request.headers.get("authorization"))
    principal.require(Permission.READ)
    views = await parts.reading.read(principal.tenant_id, [submission_id])
    if not views:
        raise NotFound("There is no such submission.")
    return Response(msgspec.json.encode(submission_document(views[0])), media_type="application/json")


def submission_handlers(settings: Settings) -> list[Any]:
    return [hand_in, show]
