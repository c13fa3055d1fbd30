"""Operators' calls: queues, dead letters, workers, the audit log."""

from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
from litestar import get, post
from litestar.params import FromPath

from api.caller import AnyRequest, allow
from api.description import Answer, Body, Page, described
from api.reading import body_of, query_of
from pipeline.bootstrap import ApiParts
from pipeline.errors import FieldProblem, InvalidInput
from pipeline.lifecycle import Stage
from pipeline.ports import Act, DeadFilter, DeadLetter, LiveWorker
from pipeline.service.access import Permission, Principal
from pipeline.service.operations import Bulk, Queue

TAG: Final = "Operations"
DEAD_AT_ONCE: Final = 100

Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=1000, description="Why; kept in the audit log.")]
Cursor = Annotated[str, msgspec.Meta(max_length=500, description="`next` of the part before.")]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Part = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class PauseIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a queue is paused."""

    reason: Reason


class ResumeIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a queue is resumed, if there is something to say."""

    reason: Reason | None = None


class DeadQuery(msgspec.Struct, frozen=True):
    """Which dead letters to list."""

    stage: Annotated[Stage | None, msgspec.Meta(description="Only of this stage.")] = None
    error: Annotated[
        Part | None, msgspec.Meta(description="Only those whose last error contains this, in any case of letters.")
    ] = None
    created_from: Annotated[Moment | None, msgspec.Meta(description="Only of submissions created then or later.")] = (
        None
    )
    created_to: Annotated[Moment | None, msgspec.Meta(description="Only of submissions created before.")] = None
    cursor: Cursor | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=DEAD_AT_ONCE, description="Most items to answer.")] = 50


class AuditQuery(msgspec.Struct, frozen=True):
    """Which part of the audit log to list."""

    cursor: Cursor | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=200, description="Most items to answer.")] = 50


class DeadFilterIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Dead letters by what they have in common; an empty filter means all of the tenant's."""

    stage: Stage | None = None
    error: Part | None = None
    created_from: Moment | None = None
    created_to: Moment | None = None


class BulkIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Dead submissions, either by their ids or by a filter, and why."""

    reason: Reason
    ids: Annotated[list[str], msgspec.Meta(min_length=1, max_length=1000)] | None = None
    filter: DeadFilterIn | None = None

    def check(self) -> None:
        """Raise `InvalidInput` unless exactly one of `ids` and `filter` is given."""
        if (self.ids is None) == (self.filter is None):
            raise InvalidInput([FieldProblem("", "Give either `ids` or `filter`.")])

    @property
    def wanted(self) -> DeadFilter | None:
        return None if self.filter is None else DeadFilter(**msgspec.structs.asdict(self.filter))


QUEUE_EXAMPLE: Final = Queue(
    name="feedback",
    ready=12,
    running=5,
    scheduled=1,
    dead=0,
    oldest_ready_seconds=0.8,
    in_per_minute=240,
    out_per_minute=236,
    paused=False,
)
BULK_EXAMPLE: Final = Bulk(1, ("019abc5e-77a1-7c3e-9d5b-2f8a61c04e11",), (), more=False)
BULK_BODIES: Final = {
    "by id": {"reason": "the provider is back", "ids": ["019abc5e-77a1-7c3e-9d5b-2f8a61c04e11"]},
    "by filter": {"reason": "the provider is back", "filter": {"stage": "feedback", "error": "timed out"}},
}


def described_in_bulk(done: str) -> dict[str, Any]:
    """The description of an act on many submissions."""
    answers = {200: Answer(done, Bulk, BULK_EXAMPLE)}
    return described(TAG, answers, permission=Permission.OPERATE, body=Body(BulkIn, BULK_BODIES))


async def asked_in_bulk(request: AnyRequest) -> tuple[ApiParts, Principal, BulkIn]:
    """Who asks for an act on many submissions, and on which; raises `InvalidInput` where that is not said clearly."""
    parts, principal = await allow(request, Permission.OPERATE)
    asked = await body_of(request, BulkIn)
    asked.check()
    return parts, principal, asked


@get(
    "/v1/ops/queues",
    opt=described(
        TAG,
        {200: Answer("The queues.", Page[Queue], Page([QUEUE_EXAMPLE]))},
        permission=Permission.OPERATE,
    ),
)
async def list_queues(request: AnyRequest) -> Page[Queue]:
    """Show the queues.

    They are the installation's, so they count every tenant's work. Flow is what entered and left in a minute.
    """
    parts, _ = await allow(request, Permission.OPERATE)
    return Page(await parts.operations.queues())


@post(
    "/v1/ops/queues/{stage:str}/pause",
    status_code=200,
    opt=described(
        TAG,
        {200: Answer("The queue, paused.", Queue, msgspec.structs.replace(QUEUE_EXAMPLE, paused=True))},
        permission=Permission.OPERATE,
        body=Body(PauseIn, {"for a provider": {"reason": "the provider has an incident"}}),
    ),
)
async def pause_queue(request: AnyRequest, stage: FromPath[str]) -> Queue:
    """Pause a stage.

    From now on no worker takes up work of this stage; what runs goes on, and what is accepted is kept.
    """
    parts, principal = await allow(request, Permission.OPERATE)
    given = await body_of(request, PauseIn)
    return await parts.operations.pause(principal, stage, given.reason)


@post(
    "/v1/ops/queues/{stage:str}/resume",
    status_code=200,
    opt=described(
        TAG,
        {200: Answer("The queue, open.", Queue, QUEUE_EXAMPLE)},
        permission=Permission.OPERATE,
        body=Body(ResumeIn, {"said why": {"reason": "the incident is over"}}, required=False),
    ),
)
async def resume_queue(request: AnyRequest, stage: FromPath[str]) -> Queue:
    """Resume a stage.

    Waiting work is taken up at once. A stage that is not paused stays as it is.
    """
    parts, principal = await allow(request, Permission.OPERATE)
    given = await body_of(request, ResumeIn) if await request.body() else ResumeIn()
    return await parts.operations.resume(principal, stage, given.reason)


@get(
    "/v1/ops/dead",
    opt=described(
        TAG,
        {200: Answer("Dead letters, the newest submissions first.", Page[DeadLetter])},
        permission=Permission.OPERATE,
        query=DeadQuery,
    ),
)
async def list_dead(request: AnyRequest) -> Page[DeadLetter]:
    """List dead letters: stages with no attempt left, with every attempt's error and traceback."""
    parts, principal = await allow(request, Permission.OPERATE)
    query = query_of(request, DeadQuery)
    wanted = DeadFilter(query.stage, query.error, query.created_from, query.created_to)
    items, following = await parts.operations.dead(principal, wanted, cursor=query.cursor, limit=query.limit)
    return Page(items, following)


@post(
    "/v1/ops/dead/retry",
    status_code=200,
    opt=described_in_bulk("What was retried."),
)
async def retry_dead(request: AnyRequest) -> Bulk:
    """Give dead stages another round of attempts; results of other stages are kept."""
    parts, principal, asked = await asked_in_bulk(request)
    return await parts.operations.retry(principal, asked.reason, ids=asked.ids, wanted=asked.wanted)


@post(
    "/v1/ops/dead/discard",
    status_code=200,
    opt=described_in_bulk("What was discarded."),
)
async def discard_dead(request: AnyRequest) -> Bulk:
    """Cancel submissions with a dead stage; what they have already reached is kept."""
    parts, principal, asked = await asked_in_bulk(request)
    return await parts.operations.discard(principal, asked.reason, ids=asked.ids, wanted=asked.wanted)


@get(
    "/v1/ops/workers",
    opt=described(
        TAG,
        {200: Answer("Live workers, the oldest first.", Page[LiveWorker])},
        permission=Permission.OPERATE,
    ),
)
async def list_workers(request: AnyRequest) -> Page[LiveWorker]:
    """List the worker processes that live, and what they hold.

    `holds` counts everybody's work by queue; `submission_ids` are up to 20 of the caller's tenant.
    """
    parts, principal = await allow(request, Permission.OPERATE)
    return Page(await parts.operations.workers(principal))


@get(
    "/v1/ops/audit",
    opt=described(
        TAG,
        {200: Answer("Acts, the newest first.", Page[Act])},
        permission=Permission.OPERATE,
        query=AuditQuery,
    ),
)
async def list_acts(request: AnyRequest) -> Page[Act]:
    """List who did what to the tenant's submissions, queues and keys, and why.

    Queues are the installation's: where an operator of another tenant paused or resumed one, that is listed
    without a name and a reason.
    """
    parts, principal = await allow(request, Permission.OPERATE)
    query = query_of(request, AuditQuery)
    return Page(*await parts.operations.acts(principal, cursor=query.cursor, limit=query.limit))


def operation_handlers() -> list[Any]:
    return [
        list_queues,
        pause_queue,
        resume_queue,
        list_dead,
        retry_dead,
        discard_dead,
        list_workers,
        list_acts,
    ]
