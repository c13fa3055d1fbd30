"""What happens to a submission, as server-sent events."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Annotated, Any, Final

import msgspec
from litestar import Response, get
from litestar.params import FromPath
from litestar.response import Stream

from api.caller import AnyRequest, allow_by_address
from api.description import EVENT_STREAM, Answer, described
from api.patience import Patience
from pipeline.lifecycle import FINAL_STATUSES, Status
from pipeline.model import Standing
from pipeline.service.access import Permission
from pipeline.service.showing import parse_submission_id

MOST_VERSION_DIGITS: Final = 9
OPEN_SECONDS: Final = 5.0
OPENING: Final = b"retry: 1000\n\n"
HEARTBEAT: Final = b": still here\n\n"
EXAMPLE: Final = """\
id: 4
event: status
data: {"id":"019abc5e-77a1-7c3e-9d5b-2f8a61c04e11","status":"ai_processing","version":4}

"""


class StandingEvent(msgspec.Struct, frozen=True):
    """The data of an event."""

    id: str
    status: Status
    version: int


class EventHeaders(msgspec.Struct, frozen=True, rename={"last_event_id": "Last-Event-ID"}):
    """Where to go on: the id of the last event that was received."""

    last_event_id: str | None = None


class EventQuery(msgspec.Struct, frozen=True):
    """Who follows, where no header can say it; `api.caller.allow_by_address` reads it."""

    access_token: Annotated[
        str | None,
        msgspec.Meta(
            description=(
                "A learner token, for a browser's `EventSource`, which cannot send `Authorization`. "
                "Not looked at where that header is sent. An API key is refused here: addresses get into logs."
            )
        ),
    ] = None


@get(
    "/v1/submissions/{submission_id:str}/events",
    opt=described(
        "Submissions",
        {
            200: Answer("Events until the submission is final.", str, EXAMPLE, EVENT_STREAM),
            204: Answer("There is nothing to tell any more after the last event received."),
        },
        permission=Permission.READ,
        query=EventQuery,
        headers=EventHeaders,
    ),
)
async def stream_events(request: AnyRequest, submission_id: FromPath[str]) -> Response[Any]:
    """Follow a submission as server-sent events.

    `status` tells each change, the first one where the submission stands now; `completed`, `failed` or
    `cancelled` ends the stream. An event's id is the submission's version: `Last-Event-ID` goes on after it.
    A comment every 15 seconds keeps the connection open. `feedback.delta` is reserved.
    """
    parts, principal = await allow_by_address(request, Permission.READ)
    wanted, known = parse_submission_id(submission_id), last_event_version(request.headers.get("last-event-id"))
    happening = parts.following.follow(principal, wanted, known)
    async with Patience(OPEN_SECONDS):
        if known is not None and await parts.following.is_over(principal, wanted, known):
            return Response(None, status_code=204)
        await anext(happening)  # refusals come before the answer begins
    return Stream(
        encoded(happening),
        media_type=EVENT_STREAM,
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


def last_event_version(last_event_id: str | None) -> int | None:
    """The version that an event id stands for; None where it is not one of ours."""
    if last_event_id is None or not last_event_id.isdecimal() or len(last_event_id) > MOST_VERSION_DIGITS:
        return None
    return int(last_event_id)


async def encoded(happening: AsyncGenerator[Standing | None, None]) -> AsyncIterator[bytes]:
    async with aclosing(happening) as standings:
        yield OPENING
        async for standing in standings:
            yield HEARTBEAT if standing is None else event_of(standing)


def event_of(standing: Standing) -> bytes:
    """One event on the wire."""
    name = standing.status if standing.status in FINAL_STATUSES else "status"
    data = msgspec.json.encode(StandingEvent(standing.submission_id, standing.status, standing.version))
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (standing.version, name.encode(), data)
