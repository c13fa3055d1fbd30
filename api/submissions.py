"""Handing in and looking after submissions over HTTP."""

from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
from litestar import Response, Router, get, post
from litestar.params import FromPath

from api.batch import hand_in_batch
from api.caller import AnyRequest, allow, headers_of, parts_of
from api.condition import IdempotencyKey, known_version, matches
from api.description import JSON, Answer, Body, Page, described
from api.documents import SUBMISSION_EXAMPLE, SUBMISSION_IN_EXAMPLE, SubmissionDocument
from api.events import stream_events
from api.handing_in import PATH, hand_over
from api.patience import ANSWER_SECONDS, Patience
from api.plain import PlainAnswer
from api.reading import body_bytes, query_of
from pipeline.lifecycle import Status
from pipeline.ports import SubmissionFilter
from pipeline.service.access import Permission
from pipeline.service.hand_in import SubmissionIn
from pipeline.service.page import MOST_ITEMS
from pipeline.service.showing import encode_view, etag_of, parse_submission_id
from pipeline.settings import Settings

TAG: Final = "Submissions"
LIST_SECONDS: Final = 10.0
PRIVATE: Final = "private, no-cache"

ACCEPTED: Final = {
    "Location": "Where the submission can be read.",
    "Retry-After": "Seconds after which it makes sense to look.",
    "Idempotency-Replayed": "`true` where the same request had been accepted before.",
    "Preference-Applied": "The preference that was honoured.",
    "RateLimit": "What is left of each limit, and in how many seconds more comes back.",
    "RateLimit-Policy": "The limits: units and window in seconds.",
}
TAGGED: Final = {"ETag": "A strong tag of this very representation; it begins with the version."}


class HandInHeaders(msgspec.Struct, frozen=True, rename={"idempotency_key": "Idempotency-Key", "prefer": "Prefer"}):
    """What may go with a hand-in."""

    idempotency_key: IdempotencyKey | None = None
    prefer: (
        Annotated[str, msgspec.Meta(description="`wait=N`: wait up to N (at most 30) seconds for the results.")] | None
    ) = None


class ShowQuery(msgspec.Struct, frozen=True):
    wait: Annotated[int, msgspec.Meta(ge=0, le=30, description="Seconds to wait for a new version.")] | None = None


class ShowHeaders(msgspec.Struct, frozen=True, rename={"if_none_match": "If-None-Match"}):
    if_none_match: Annotated[str, msgspec.Meta(description="Tags of representations already known.")] | None = None


Id = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class ListQuery(msgspec.Struct, frozen=True):
    """Which submissions; `created_after` is included, `created_before` is not (RFC 3339, with an offset)."""

    learner_id: Id | None = None
    assignment_id: Id | None = None
    status: Status | None = None
    created_after: Moment | None = None
    created_before: Moment | None = None
    needs_review: (
        Annotated[bool, msgspec.Meta(description="`true`: with an answer that waits for a person, the oldest first.")]
        | None
    ) = None
    cursor: Annotated[str, msgspec.Meta(max_length=2000)] | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST_ITEMS)] = 50


@post(
    PATH,
    status_code=202,
    opt=described(
        TAG,
        {
            202: Answer("Accepted, and kept from here on.", SubmissionDocument, SUBMISSION_EXAMPLE, headers=ACCEPTED),
            200: Answer(
                "Finished within the time asked for.", SubmissionDocument, SUBMISSION_EXAMPLE, headers=ACCEPTED
            ),
        },
        permission=Permission.SUBMIT,
        body=Body(SubmissionIn, {"one answer": SUBMISSION_IN_EXAMPLE}),
        headers=HandInHeaders,
        problems=(429,),
    ),
)
async def hand_in(request: AnyRequest) -> PlainAnswer:
    """Hand in a learner's answers.

    The answer comes once the submission is committed: it will be worked on whatever happens. Send an
    `Idempotency-Key` to be able to repeat the request safely; a repeated one is never refused for a limit.
    """
    return await hand_over(parts_of(request), headers_of(request.scope), lambda: body_bytes(request))


@get(
    "/v1/submissions/{submission_id:str}",
    opt=described(
        TAG,
        {
            200: Answer("The submission as it stands.", SubmissionDocument, SUBMISSION_EXAMPLE, headers=TAGGED),
            304: Answer("It is as it was when the tag was given.", headers=TAGGED),
        },
        permission=Permission.READ,
        query=ShowQuery,
        headers=ShowHeaders,
    ),
)
async def show(request: AnyRequest, submission_id: FromPath[str]) -> Response[bytes | None]:
    """Read a submission, or wait for its next version.

    With `wait`, the answer comes when the version differs from the one in `If-None-Match` (without one: from
    the version found first), when nothing can change any more, or when the time is over.
    """
    parts, principal = await allow(request, Permission.READ)
    seconds = query_of(request, ShowQuery).wait
    wanted, known = parse_submission_id(submission_id), request.headers.get("if-none-match")
    async with Patience(ANSWER_SECONDS + (seconds or 0)):
        if seconds:
            shown = await parts.showing.show_newer(principal, wanted, seconds, known_version(known))
        else:
            shown = await parts.showing.show(principal, wanted)
    etag = etag_of(shown)
    headers = {"ETag": etag, "Cache-Control": PRIVATE}
    if matches(etag, known):
        return Response(None, status_code=304, headers=headers)
    return Response(shown.document, media_type=JSON, headers=headers)


@get(
    "/v1/submissions",
    opt=described(
        TAG,
        {200: Answer("Submissions, newest first.", Page[SubmissionDocument], Page([SUBMISSION_EXAMPLE]))},
        permission=Permission.READ,
        query=ListQuery,
    ),
)
async def list_submissions(request: AnyRequest) -> Response[bytes]:
    """List submissions, newest first; with `needs_review=true`, the oldest of those that wait for a person first."""
    parts, principal = await allow(request, Permission.READ)
    query = query_of(request, ListQuery)
    wanted = SubmissionFilter(
        query.learner_id,
        query.assignment_id,
        query.status,
        query.created_after,
        query.created_before,
        query.needs_review,
    )
    async with Patience(LIST_SECONDS):
        listed = await parts.showing.browse(principal, wanted, query.cursor, query.limit)
    return Response(msgspec.json.encode(listed), media_type=JSON)


@post(
    "/v1/submissions/{submission_id:str}/cancel",
    status_code=200,
    opt=described(
        TAG,
        {200: Answer("The cancelled submission.", SubmissionDocument)},
        permission=Permission.CONTROL,
        problems=(409,),
    ),
)
async def cancel(request: AnyRequest, submission_id: FromPath[str]) -> Response[bytes]:
    """Cancel a submission: what is finished stays, everything else is stopped."""
    parts, principal = await allow(request, Permission.CONTROL)
    view = await parts.control.cancel(principal.tenant_id, parse_submission_id(submission_id), principal.actor)
    return Response(encode_view(view).document, media_type=JSON)


@post(
    "/v1/submissions/{submission_id:str}/retry",
    status_code=200,
    opt=described(
        TAG,
        {200: Answer("The submission, worked on again.", SubmissionDocument)},
        permission=Permission.CONTROL,
        problems=(409,),
    ),
)
async def retry(request: AnyRequest, submission_id: FromPath[str]) -> Response[bytes]:
    """Try the dead stages of a failed submission again; results of other stages are kept."""
    parts, principal = await allow(request, Permission.CONTROL)
    view = await parts.control.retry(principal.tenant_id, parse_submission_id(submission_id), principal.actor)
    return Response(encode_view(view).document, media_type=JSON)


def submission_handlers(settings: Settings) -> list[Any]:
    large = Router("/", route_handlers=[hand_in_batch], request_max_body_size=settings.max_batch_bytes)
    return [hand_in, show, list_submissions, cancel, retry, stream_events, large]
