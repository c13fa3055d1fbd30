"""Texts that teachers have generated, over HTTP: summaries, and drafts of questions."""

from typing import Annotated, Any, Final

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from api.caller import AnyRequest, allow
from api.condition import IdempotencyKey, idempotency_key, known_version, matches
from api.description import JSON, Answer, Body, Page, described
from api.errors import Problem, problem_of
from api.generation_examples import GENERATION_ID, QUESTIONS, QUESTIONS_IN, SUMMARY, SUMMARY_IN
from api.patience import ANSWER_SECONDS, Patience
from api.reading import body_bytes, query_of, require_media_type
from pipeline.errors import InvalidInput, NotFound
from pipeline.ports.job import JobView
from pipeline.service.access import Permission
from pipeline.service.generations import (
    NO_SUCH_DRAFT,
    AcceptedDraft,
    AcceptIn,
    Asked,
    GenerationQuery,
    QuestionsIn,
    SummaryIn,
)
from pipeline.service.showing import tag_of

TAG: Final = "Generated texts"
RETRY_AFTER: Final = "2"
PRIVATE: Final = "private, no-cache"
CREATED, OK, NOT_FOUND, UNPROCESSABLE = 201, 200, 404, 422
ACCEPTED: Final = {
    "Location": "Where the generation can be read.",
    "Retry-After": "Seconds after which it makes sense to look.",
    "Idempotency-Replayed": "`true` where the same request had been accepted before.",
}
TAGGED: Final = {"ETag": "A strong tag of this very representation; it begins with the version."}


class KeyHeaders(msgspec.Struct, frozen=True, rename={"idempotency_key": "Idempotency-Key"}):
    """What may go with a request for a text."""

    idempotency_key: IdempotencyKey | None = None


class ShowQuery(msgspec.Struct, frozen=True):
    wait: Annotated[int, msgspec.Meta(ge=0, le=30, description="Seconds to wait for a new version.")] | None = None


class ShowHeaders(msgspec.Struct, frozen=True, rename={"if_none_match": "If-None-Match"}):
    if_none_match: Annotated[str, msgspec.Meta(description="Tags of representations already known.")] | None = None


class AcceptedItem(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one draft: 201 it is in the bank now, 200 it was before, 404 or 422 its problem."""

    id: str
    status: int
    version: int | None = None
    problem: Problem | None = None


class AcceptReport(msgspec.Struct, frozen=True):
    """One entry per draft asked for, in order."""

    items: tuple[AcceptedItem, ...]


@post(
    "/v1/generate/summary",
    status_code=202,
    opt=described(
        TAG,
        {202: Answer("Accepted; a model will write it.", JobView, SUMMARY, headers=ACCEPTED)},
        permission=Permission.GENERATE,
        body=Body(SummaryIn, {"a summary": SUMMARY_IN}),
        headers=KeyHeaders,
        problems=(409, 429),
    ),
)
async def generate_summary(request: AnyRequest) -> Response[JobView]:
    """Have a text summarised by a language model.

    Look at the address in `Location` until it is completed. Send an `Idempotency-Key` to be able to repeat the request
    safely. There is no template for this: 409 where no model is configured or the tenant's policy allows none, and
    `failed` with an `error` where none gave a usable reply.
    """
    parts, principal = await allow(request, Permission.GENERATE)
    require_media_type(request.headers, JSON)
    body = await body_bytes(request)
    async with Patience():
        return accepted(await parts.generations.summarise(principal, body, idempotency_key(request.headers)))


@post(
    "/v1/generate/questions",
    status_code=202,
    opt=described(
        TAG,
        {202: Answer("Accepted; a model will draft them.", JobView, SUMMARY | {"kind": "questions"}, headers=ACCEPTED)},
        permission=Permission.GENERATE,
        body=Body(QuestionsIn, {"two questions": QUESTIONS_IN}),
        headers=KeyHeaders,
        problems=(409, 429),
    ),
)
async def generate_questions(request: AnyRequest) -> Response[JobView]:
    """Have questions about a text drafted by a language model.

    Drafts are checked as questions of the bank are, and none of them is in the bank before a teacher accepts it.
    """
    parts, principal = await allow(request, Permission.GENERATE)
    require_media_type(request.headers, JSON)
    body = await body_bytes(request)
    async with Patience():
        return accepted(await parts.generations.draft(principal, body, idempotency_key(request.headers)))


def accepted(asked: Asked) -> Response[JobView]:
    headers = {"Location": f"/v1/generate/{asked.view.id}", "Retry-After": RETRY_AFTER}
    if asked.repeated:
        headers["Idempotency-Replayed"] = "true"
    return Response(asked.view, status_code=202, headers=headers)


@get(
    "/v1/generate/{generation_id:str}",
    opt=described(
        TAG,
        {
            200: Answer("The generation as it stands.", JobView, QUESTIONS, headers=TAGGED),
            304: Answer("It is as it was when the tag was given.", headers=TAGGED),
        },
        permission=Permission.GENERATE,
        query=ShowQuery,
        headers=ShowHeaders,
    ),
)
async def show_generation(request: AnyRequest, generation_id: FromPath[str]) -> Response[bytes | None]:
    """Read a generation, or wait for its next version.

    With `wait`, the answer comes when the version differs from the one in `If-None-Match` (without one: from
    the version found first), when nothing can change any more, or when the time is over.
    """
    parts, principal = await allow(request, Permission.GENERATE)
    seconds, known = query_of(request, ShowQuery).wait or 0, request.headers.get("if-none-match")
    async with Patience(ANSWER_SECONDS + seconds):
        view = await parts.generations.show_newer(principal.tenant_id, generation_id, seconds, known_version(known))
    document = msgspec.json.encode(view)
    etag = tag_of(view.version, document)
    headers = {"ETag": etag, "Cache-Control": PRIVATE}
    if matches(etag, known):
        return Response(None, status_code=304, headers=headers)
    return Response(document, media_type=JSON, headers=headers)


@get(
    "/v1/generate",
    opt=described(
        TAG,
        {200: Answer("Generations without their results.", Page[JobView], {"items": [SUMMARY], "next": None})},
        permission=Permission.GENERATE,
        query=GenerationQuery,
    ),
)
async def list_generations(request: AnyRequest) -> Response[Page[JobView]]:
    """List generations, newest first."""
    parts, principal = await allow(request, Permission.GENERATE)
    items, following = await parts.generations.browse(principal.tenant_id, query_of(request, GenerationQuery))
    return Response(Page(items, following))


@post(
    "/v1/generate/{generation_id:str}/cancel",
    status_code=OK,
    opt=described(
        TAG,
        {200: Answer("The cancelled generation.", JobView, SUMMARY | {"status": "cancelled", "version": 2})},
        permission=Permission.GENERATE,
        problems=(409,),
    ),
)
async def cancel_generation(request: AnyRequest, generation_id: FromPath[str]) -> Response[JobView]:
    """Cancel a generation; what a model is writing at this moment is paid for all the same."""
    parts, principal = await allow(request, Permission.GENERATE)
    return Response(await parts.generations.cancel(principal.tenant_id, generation_id))


@post(
    "/v1/generate/{generation_id:str}/accept",
    status_code=OK,
    opt=described(
        TAG,
        {200: Answer("What became of each draft.", AcceptReport)},
        permission=Permission.TEACH,
        body=Body(AcceptIn, {"one draft": {"ids": [f"{GENERATION_ID}-1"]}}),
        problems=(409,),
    ),
)
async def accept_drafts(request: AnyRequest, generation_id: FromPath[str]) -> Response[AcceptReport]:
    """Put drafts of questions into the bank, under the drafts' ids.

    A draft that was accepted before is left as it is in the bank now, so this may be repeated.
    """
    parts, principal = await allow(request, Permission.TEACH)
    require_media_type(request.headers, JSON)
    body = await body_bytes(request)
    items = await parts.generations.accept(principal.tenant_id, generation_id, body)
    return Response(AcceptReport(tuple(map(item_of, items))))


def item_of(draft: AcceptedDraft) -> AcceptedItem:
    if draft.missing:
        return AcceptedItem(draft.id, NOT_FOUND, problem=problem_of(NotFound(NO_SUCH_DRAFT)))
    if draft.problems:
        problem = problem_of(InvalidInput(draft.problems, "The question is invalid."))
        return AcceptedItem(draft.id, UNPROCESSABLE, problem=problem)
    return AcceptedItem(draft.id, CREATED if draft.new else OK, draft.version)


def generation_handlers() -> list[Any]:
    return [
        generate_summary,
        generate_questions,
        show_generation,
        list_generations,
        cancel_generation,
        accept_drafts,
    ]
