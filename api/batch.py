"""Handing in many submissions with one request: each is accepted or refused for itself."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import Annotated, Final

import msgspec
from litestar import Response, post

from api.caller import AnyRequest, allow
from api.condition import idempotency_key
from api.description import JSON, NDJSON, Answer, Body, described
from api.documents import SUBMISSION_EXAMPLE, SUBMISSION_IN_EXAMPLE, SubmissionDocument
from api.errors import Problem, problem_of, report_surprise
from api.patience import ANSWER_SECONDS
from api.reading import body_bytes, require_media_type
from pipeline.bootstrap import ApiParts
from pipeline.errors import Conflict, FieldProblem, GradelineError, InvalidInput, RateLimited, TooLarge, Unavailable
from pipeline.model import SubmissionView
from pipeline.service.access import Permission, Principal
from pipeline.service.hand_in import SubmissionIn
from pipeline.service.intake import decode_json, read_submission
from pipeline.service.showing import encode_view
from pipeline.service.submitting import Submitted

MOST_SUBMISSIONS: Final = 1_000
BATCH_SECONDS: Final = 30.0
"""How long a batch may take while submissions of it are being accepted."""


class BatchHeaders(msgspec.Struct, frozen=True, rename={"idempotency_key": "Idempotency-Key"}):
    """What may go with a batch; submission number i without a key of its own gets `{key}/{i}`."""

    idempotency_key: Annotated[str, msgspec.Meta(pattern=r"^[ -~]{1,255}$")] | None = None


class BatchItem(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one submission: 202 and the submission, or the status of its problem.

    `replayed` says that the same request had been accepted before; `retry_after` is when to come back, in
    seconds, where a limit or a server asks for it.
    """

    status: int
    submission: SubmissionDocument | None = None
    problem: Problem | None = None
    replayed: bool = False
    retry_after: int | None = None


class BatchAnswer(msgspec.Struct, frozen=True):
    """One entry per submission, in the order they were sent."""

    items: list[BatchItem]


class EncodedItem(msgspec.Struct, frozen=True, omit_defaults=True):
    """A `BatchItem` whose submission is JSON already."""

    status: int
    submission: msgspec.Raw | None = None
    problem: Problem | None = None
    replayed: bool = False
    retry_after: int | None = None


Outcome = Submitted | GradelineError

EXAMPLE: Final = {
    "items": [
        {"status": 202, "submission": SUBMISSION_EXAMPLE},
        {
            "status": 422,
            "problem": problem_of(
                InvalidInput([FieldProblem("/answers/0/question_id", "There is no question with this id.")])
            ),
        },
    ]
}


@post(
    "/v1/submissions/batch",
    status_code=207,
    opt=described(
        "Submissions",
        {207: Answer("What became of each submission, in order.", BatchAnswer, EXAMPLE)},
        permission=Permission.SUBMIT,
        body=Body(list[SubmissionIn], {"one submission": [SUBMISSION_IN_EXAMPLE]}, also=(NDJSON,)),
        headers=BatchHeaders,
    ),
)
async def hand_in_batch(request: AnyRequest) -> Response[bytes]:
    """Hand in up to 1,000 submissions: a JSON array, or NDJSON with one per line.

    Each is accepted or refused for itself, limits included. Pointers of a problem begin at its submission.
    """
    parts, principal = await allow(request, Permission.SUBMIT)
    media_type = require_media_type(request.headers, JSON, NDJSON)
    key = idempotency_key(request.headers)
    bodies = split_batch(await body_bytes(request), media_type)
    outcomes = await while_accepted(
        [
            partial(hand_in_one, request, parts, principal, body, None if key is None else f"{key}/{i}")
            for i, body in enumerate(bodies)
        ]
    )
    earlier = await read_earlier(parts, principal, outcomes)
    items = [encode_outcome(outcome, earlier) for outcome in outcomes]
    if all(item.status == HTTPStatus.SERVICE_UNAVAILABLE for item in items):
        raise Unavailable("Nothing was accepted: Postgres is not available.")
    return Response(msgspec.json.encode({"items": items}), status_code=207, media_type=JSON)


async def while_accepted(hand_ins: Sequence[Callable[[], Awaitable[Outcome]]]) -> list[Outcome]:
    """What became of each; those still open when none was accepted for `ANSWER_SECONDS` are `Unavailable`."""
    now = asyncio.get_running_loop().time
    outcomes: list[Outcome] = [Unavailable("Postgres does not answer in time.")] * len(hand_ins)
    end = now() + BATCH_SECONDS

    async def one(i: int, hand_in: Callable[[], Awaitable[Outcome]]) -> None:
        outcomes[i] = await hand_in()
        if isinstance(outcomes[i], Submitted) and not patience.expired():
            patience.reschedule(min(now() + ANSWER_SECONDS, end))

    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(ANSWER_SECONDS) as patience:
            await asyncio.gather(*[one(i, hand_in) for i, hand_in in enumerate(hand_ins)])
    return outcomes


def split_batch(body: bytes, media_type: str) -> Sequence[bytes | msgspec.Raw]:
    """The bodies of a batch; raises `InvalidInput` for what is no list, `TooLarge` for too long a one."""
    if media_type == NDJSON:
        bodies: Sequence[bytes | msgspec.Raw] = [line for line in body.split(b"\n") if line.strip()]
    else:
        bodies = split_array(body)
    if len(bodies) > MOST_SUBMISSIONS:
        raise TooLarge(f"At most {MOST_SUBMISSIONS} submissions fit in a batch, not {len(bodies)}.")
    if not bodies:
        raise InvalidInput([FieldProblem("", "At least one submission is expected.")])
    return bodies


def split_array(body: bytes) -> list[msgspec.Raw]:
    try:
        return msgspec.json.decode(body, type=list[msgspec.Raw])
    except msgspec.ValidationError:
        raise InvalidInput([FieldProblem("", "An array of submissions is expected.")]) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        decode_json(body)  # says what is wrong with it
        raise


async def hand_in_one(
    request: AnyRequest, parts: ApiParts, principal: Principal, body: bytes | msgspec.Raw, key: str | None
) -> Outcome:
    try:
        require_size(body, parts.settings.max_body_bytes)
        given = read_submission(bytes(body), parts.intake_limits, datetime.now(UTC))
        return await parts.intake.submit(principal.tenant_id, given, given.idempotency_key or key)
    except GradelineError as error:
        return error
    except Exception as surprise:  # noqa: BLE001 - it is this entry's, its neighbours may be stored by now
        report_surprise(request.method, request.url.path, surprise)
        return GradelineError("Something went wrong on our side.")


def require_size(body: bytes | msgspec.Raw, most: int) -> None:
    """A submission in a batch may be as large as one alone; raises `TooLarge`."""
    if memoryview(body).nbytes > most:
        raise TooLarge(f"A submission may have at most {most} bytes.")


async def read_earlier(
    parts: ApiParts, principal: Principal, outcomes: Sequence[Outcome]
) -> Mapping[str, SubmissionView] | Unavailable:
    """The submissions among these that had been there before, read together; or why that cannot be."""
    ids = [outcome.id for outcome in outcomes if isinstance(outcome, Submitted) and outcome.view is None]
    try:
        return {view.id: view for view in await parts.reading.read(principal.tenant_id, ids)} if ids else {}
    except Unavailable as away:
        return away  # only they are told to come back: their neighbours are accepted


def encode_outcome(outcome: Outcome, earlier: Mapping[str, SubmissionView] | Unavailable) -> EncodedItem:
    if isinstance(outcome, Submitted):
        view = outcome.view or found_in(earlier, outcome.id)
        if isinstance(view, GradelineError):
            return encode_outcome(view, earlier)
        return EncodedItem(202, msgspec.Raw(encode_view(view).document), replayed=outcome.view is None)
    problem = problem_of(outcome)
    seconds = outcome.retry_after_seconds if isinstance(outcome, RateLimited | Unavailable) else None
    return EncodedItem(problem.status, problem=problem, retry_after=seconds)


def found_in(
    earlier: Mapping[str, SubmissionView] | Unavailable, submission_id: str
) -> SubmissionView | GradelineError:
    if isinstance(earlier, Unavailable):
        return earlier
    return earlier.get(submission_id) or Conflict("The submission accepted with this key before was erased.")
