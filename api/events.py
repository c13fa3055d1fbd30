"""What happens to a submission, as server-sent events."""

import re
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
from api.reading import query_of
from pipeline.lifecycle import FINAL_STATUSES, Status
from pipeline.model import Standing
from pipeline.service.access import Permission
from pipeline.service.following import Happening, Known, Until
from pipeline.service.showing import parse_submission_id

EVENT_ID: Final = re.compile(r"([0-9]{1,9})(?:\.([0-9]{1,16}))?", re.ASCII)
"""The submission's version, and with feedback told in between the number of its last piece."""
OPEN_SECONDS: Final = 5.0
OPENING: Final = b"retry: 1000\n\n"
HEARTBEAT: Final = b": still here\n\n"
EXAMPLE: Final = """\
id: 4
event: status
data: {"id":"019abc5e-77a1-7c3e-9d5b-2f8a61c04e11","status":"ai_processing","version":4}

id: 4.1795260581034115
event: feedback.delta
data: {"id":"019abc5e-77a1-7c3e-9d5b-2f8a61c04e11","question_id":"loops-3","text":"You saw that range(3) starts at 0."}

"""


class StandingEvent(msgspec.Struct, frozen=True):
    """The data of an event."""

    id: str
    status: Status
    version: int


class DeltaEvent(msgspec.Struct, frozen=True):
    """The data of `feedback.delta`: text that goes behind what came before of the same answer."""

    id: str
    question_id: str
    text: str


class RestartEvent(msgspec.Struct, frozen=True):
    """The data of `feedback.restart`: what came of this answer's feedback is to be forgotten."""

    id: str
    question_id: str


class EventHeaders(msgspec.Struct, frozen=True, rename={"last_event_id": "Last-Event-ID"}):
    """Where to go on: the id of the last event that was received."""

    last_event_id: str | None = None


class EventQuery(msgspec.Struct, frozen=True):
    """How far, and who follows where no header can say it; `api.caller.allow_by_address` reads the latter."""

    access_token: Annotated[
        str | None,
        msgspec.Meta(
            description=(
                "A learner token, for a browser's `EventSource`, which cannot send `Authorization`. "
                "Not looked at where that header is sent. An API key is refused here: addresses get into logs."
            )
        ),
    ] = None
    until: Annotated[
        Until,
        msgspec.Meta(
            description=(
                "`settled`: while answers wait for a person's decision, the stream stays open after the submission is "
                "completed or failed, and ends with the last decision."
            )
        ),
    ] = Until.FINAL


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
    `cancelled` ends the stream. `settled` tells that a person decided on an answer, so that the score is another one;
    its data is that of `status`. Most decisions come after the end: `until=settled` waits for them.

    While a model writes feedback, `feedback.delta` brings the next piece of the text on one answer,
    `{"id", "question_id", "text"}`: put it behind the pieces before it. `feedback.restart`, `{"id", "question_id"}`,
    takes back what came of that answer: its text begins anew. Whoever comes late gets what was written so far, in one
    piece per answer. The pieces are a preview, and feedback from templates has none: at the end the submission's
    `feedback` counts.

    An event's id is the submission's version and, once feedback was told, a number behind a dot:
    `Last-Event-ID` goes on after it. A comment every 15 seconds keeps the connection open. The stream ends without
    a final event when the server stops, and within seconds when the API key is revoked (a token's: the key that made
    it), the token is over, or the submission is erased: coming back is then refused.
    """
    parts, principal = await allow_by_address(request, Permission.READ)
    wanted, known = parse_submission_id(submission_id), known_by(request.headers.get("last-event-id"))
    until = query_of(request, EventQuery).until
    happening = parts.following.follow(principal, wanted, known, until=until)
    async with Patience(OPEN_SECONDS):
        if known is not None and await parts.following.is_over(principal, wanted, known, until=until):
            return Response(None, status_code=204)
        await anext(happening)  # refusals come before the answer begins
    return Stream(
        encoded(happening),
        media_type=EVENT_STREAM,
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


def known_by(last_event_id: str | None) -> Known | None:
    """How far one has come who received the event with this id; None where it is not one of ours."""
    found = EVENT_ID.fullmatch(last_event_id or "")
    return None if found is None else Known(int(found[1]), int(found[2] or 0))


async def encoded(happening: AsyncGenerator[Happening | None, None]) -> AsyncIterator[bytes]:
    async with aclosing(happening) as happenings:
        yield OPENING
        async for one in happenings:
            yield HEARTBEAT if one is None else event_of(one)


def event_of(happening: Happening) -> bytes:
    """One event on the wire."""
    known = happening.known
    event_id = f"{known.version}.{known.sequence}" if known.sequence else str(known.version)
    name, data = named(happening)
    return b"id: %s\nevent: %s\ndata: %s\n\n" % (event_id.encode(), name.encode(), msgspec.json.encode(data))


def named(happening: Happening) -> tuple[str, msgspec.Struct]:
    """The name and the data of an event."""
    what = happening.what
    if isinstance(what, Standing):
        name = what.status if what.status in FINAL_STATUSES else "status"
        return "settled" if happening.settled else name, StandingEvent(what.submission_id, what.status, what.version)
    if what.text is None:
        return "feedback.restart", RestartEvent(what.submission_id, what.question_id)
    return "feedback.delta", DeltaEvent(what.submission_id, what.question_id, what.text)
