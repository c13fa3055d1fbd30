"""Handing in, from the headers and the body of a request to its answer, by whichever way it came."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Final

from api.caller import verified
from api.condition import idempotency_key, wait_preference
from api.description import JSON
from api.patience import Patience
from api.plain import PlainAnswer
from api.reading import require_media_type
from pipeline.bootstrap import ApiParts
from pipeline.errors import Unavailable
from pipeline.lifecycle import FINAL_STATUSES
from pipeline.model import Shown
from pipeline.service.access import Permission, Principal
from pipeline.service.intake import read_submission
from pipeline.service.showing import encode_view
from pipeline.service.submitting import Submitted

PATH: Final = "/v1/submissions"
RETRY_AFTER: Final = "1"


async def hand_over(
    parts: ApiParts, headers: Mapping[str, str], read_body: Callable[[], Awaitable[bytes]]
) -> PlainAnswer:
    """Check and commit a submission, and say so; raises the errors of all that can be wrong with it.

    The body is read when it is known who sends it.
    """
    patience = Patience()
    principal = await verified(parts, headers.get("authorization"), Permission.SUBMIT, patience)
    require_media_type(headers, JSON)
    key = idempotency_key(headers)
    given = read_submission(await read_body(), parts.intake_limits, datetime.now(UTC))
    async with patience:
        submitted = await parts.intake.submit(principal.tenant_id, given, key)
    seconds = wait_preference(headers.get("prefer"))
    shown = await shown_after(parts, principal, submitted, seconds, patience)
    finished = seconds is not None and shown.status in FINAL_STATUSES
    return PlainAnswer(200 if finished else 202, hand_in_headers(submitted, seconds, finished=finished), shown.document)


async def shown_after(
    parts: ApiParts, principal: Principal, submitted: Submitted, seconds: int | None, patience: Patience
) -> Shown:
    """The submission as it is answered: at once, or after waiting for the results."""
    if seconds is None and submitted.view is not None:
        return encode_view(submitted.view)
    try:
        if seconds is None:
            async with patience:
                return await parts.showing.show(principal, submitted.id)
        return await parts.showing.show_final(principal, submitted.id, seconds)
    except Unavailable:
        if submitted.view is None:
            raise
        return encode_view(submitted.view)  # it is accepted, and nobody must think otherwise


def hand_in_headers(submitted: Submitted, seconds: int | None, *, finished: bool) -> dict[str, str]:
    headers = {"location": f"/v1/submissions/{submitted.id}"}
    if not finished:
        headers["retry-after"] = RETRY_AFTER
    if submitted.view is None:
        headers["idempotency-replayed"] = "true"
    if seconds is not None:
        headers["preference-applied"] = f"wait={seconds}"
    if submitted.allowance is not None:
        headers["ratelimit-policy"] = submitted.allowance.policy
        headers["ratelimit"] = submitted.allowance.remaining
    return headers
