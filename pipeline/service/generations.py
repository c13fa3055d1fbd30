"""What a teacher may do with generated texts: ask for them, look at them, stop them, accept drafts of questions."""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, Final, Literal

import msgspec

from pipeline.errors import Conflict, FieldProblem, IdempotencyMismatch, InvalidInput, NotFound
from pipeline.exchange import Route
from pipeline.execution import GENERATE, ring
from pipeline.generation.composing import refused
from pipeline.generation.quota import CallerQuota
from pipeline.model import JsonValue
from pipeline.ports import Bell
from pipeline.ports.generation import Policies
from pipeline.ports.job import FINAL_JOB_STATES, Earlier, JobKind, JobState, JobStore, JobView, NewJob
from pipeline.scoring.answer_key import QuestionType
from pipeline.scoring.fields import forbidden_text
from pipeline.service.access import Principal
from pipeline.service.bank import Bank
from pipeline.service.identifier import is_uuid
from pipeline.service.intake import decode_json, first_problems, problems_in
from pipeline.service.page import MOST_ITEMS

MOST_CHARS: Final = 60_000
MOST_QUESTIONS: Final = 20
MOST_OPEN: Final = 200
"""Unfinished jobs of one tenant: enough for a school, too few to keep others waiting for long."""
LOOK_SECONDS: Final = 0.5
NO_SUCH: Final = "There is no such generation."
NO_SUCH_DRAFT: Final = "There is no such draft in this generation."

DEFAULT_TYPES: Final[tuple[QuestionType, ...]] = ("single_choice", "multiple_choice", "true_false", "short_text")


def described(text: str) -> msgspec.Meta:
    return msgspec.Meta(description=text)


SourceText = Annotated[
    str, msgspec.Meta(min_length=1, max_length=MOST_CHARS, description="What it is about; deleted when it is done.")
]
Locale = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8}){0,7}$", description="Language to write in, as a tag such as ko."
    ),
]


class SummaryIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text to be summarised."""

    text: SourceText
    locale: Locale = "en"
    audience: Annotated[str, msgspec.Meta(max_length=200, description="Whom it is for, in a few words.")] | None = None
    length: Annotated[Literal["short", "medium", "long"], described("How long the summary is to be.")] = "medium"


class QuestionsIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text to draft questions about."""

    text: SourceText
    count: Annotated[int, msgspec.Meta(ge=1, le=MOST_QUESTIONS, description="How many drafts, at most.")]
    types: Annotated[tuple[QuestionType, ...], msgspec.Meta(min_length=1, max_length=9)] = DEFAULT_TYPES
    topics: Annotated[
        tuple[Annotated[str, msgspec.Meta(min_length=1, max_length=200)], ...],
        msgspec.Meta(max_length=20, description="Labels to choose from; without any the model names its own."),
    ] = ()
    difficulty: Annotated[int, msgspec.Meta(ge=1, le=5, description="Of all of them.")] | None = None
    locale: Locale = "en"


class AcceptIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Drafts that a teacher wants in the bank."""

    ids: Annotated[
        tuple[Annotated[str, msgspec.Meta(min_length=1, max_length=200)], ...],
        msgspec.Meta(min_length=1, max_length=MOST_QUESTIONS),
    ]


class GenerationQuery(msgspec.Struct, frozen=True):
    """Which generations to list."""

    kind: Annotated[JobKind | None, described("Only these.")] = None
    status: Annotated[JobState | None, described("Only those that stand so.")] = None
    cursor: Annotated[str, msgspec.Meta(max_length=2000, description="`next` of the page before.")] | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST_ITEMS, description="Most generations in one page.")] = 50


class AcceptedDraft(msgspec.Struct, frozen=True):
    """What became of one draft: in the bank with this version, new or not; or why it is not."""

    id: str
    version: int | None = None
    new: bool = False
    missing: bool = False
    problems: tuple[FieldProblem, ...] = ()


class Asked(msgspec.Struct, frozen=True):
    """A generation that was asked for; `repeated` where the same request had been accepted before."""

    view: JobView
    repeated: bool = False


class Generations:
    """Generated texts of tenants."""

    def __init__(
        self,
        store: JobStore,
        bell: Bell,
        bank: Bank,
        *,
        routes: Sequence[Route],
        policies: Policies,
        quota: CallerQuota | None = None,
        rest: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._bell = bell
        self._bank = bank
        self._routes = routes
        self._policies = policies
        self._quota = quota
        self._rest = rest
        self._clock = clock

    async def summarise(self, principal: Principal, body: bytes, key: str | None = None) -> Asked:
        """Have a text summarised; raises `InvalidInput`, `RateLimited`, or `Conflict` where nobody may or can.

        The same `key` and body answer the same generation; `IdempotencyMismatch` where the body differs.
        """
        return await self._add(principal, job_of(JobKind.SUMMARY, read(body, SummaryIn), key))

    async def draft(self, principal: Principal, body: bytes, key: str | None = None) -> Asked:
        """Have questions drafted; raises as `summarise` does."""
        return await self._add(principal, job_of(JobKind.QUESTIONS, read(body, QuestionsIn), key))

    async def show(self, tenant_id: int, job_id: str) -> JobView:
        """One generation; raises `NotFound`."""
        view = await self._store.find(tenant_id, job_id.lower()) if is_uuid(job_id) else None
        if view is None:
            raise NotFound(NO_SUCH)
        return view

    async def show_newer(self, tenant_id: int, job_id: str, seconds: int, known: int | None) -> JobView:
        """The same once its version is not `known` (None: the one found first), it is final, or time is over."""
        until = self._clock() + seconds
        view = await self.show(tenant_id, job_id)
        seen = view.version if known is None else known
        while view.version == seen and view.status not in FINAL_JOB_STATES and self._clock() < until:
            await self._rest(LOOK_SECONDS)
            view = await self.show(tenant_id, job_id)
        return view

    async def browse(self, tenant_id: int, asked: GenerationQuery) -> tuple[list[JobView], str | None]:
        """A page of generations without their results, newest first, and the cursor of the page after it."""
        if asked.cursor is not None and not is_uuid(asked.cursor):
            raise InvalidInput([FieldProblem("/cursor", "This is not a cursor from an earlier answer.")])
        found = await self._store.browse(
            tenant_id, kind=asked.kind, state=asked.status, before=asked.cursor, most=asked.limit + 1
        )
        page = found[: asked.limit]
        return page, page[-1].id if len(found) > len(page) else None

    async def cancel(self, tenant_id: int, job_id: str) -> JobView:
        """Stop one that is not finished; raises `NotFound`, or `Conflict` where it is."""
        view = await self.show(tenant_id, job_id)
        if view.status in FINAL_JOB_STATES or not await self._store.cancel(tenant_id, view.id):
            raise Conflict("The generation is finished; there is nothing to cancel.")
        return await self.show(tenant_id, view.id)

    async def accept(self, tenant_id: int, job_id: str, body: bytes) -> list[AcceptedDraft]:
        """Put drafts into the bank, each by the way of `PUT /v1/questions`; answers what became of each, in order.

        A question that is in the bank already stays as it is, whatever a teacher has made of it since. Raises
        `InvalidInput`, `NotFound`, or `Conflict` where there are no drafts (yet).
        """
        given = read(body, AcceptIn)
        view = await self.show(tenant_id, job_id)
        if view.kind is not JobKind.QUESTIONS or view.result is None:
            raise Conflict("The generation has no drafts of questions.")
        drafts = {draft["id"]: draft["question"] for draft in view.result["drafts"]}
        items = [await self._accept_one(tenant_id, one, drafts.get(one)) for one in dict.fromkeys(given.ids)]
        stored = [item.id for item in items if item.version is not None]
        if stored:
            await self._store.note_accepted(tenant_id, view.id, stored)
        return items

    async def _accept_one(self, tenant_id: int, draft_id: str, question: JsonValue) -> AcceptedDraft:
        if question is None:
            return AcceptedDraft(draft_id, missing=True)
        try:
            return AcceptedDraft(draft_id, (await self._bank.get(tenant_id, draft_id, None)).version)
        except NotFound:
            pass
        try:
            _, saved = await self._bank.put(tenant_id, draft_id, msgspec.json.encode(question))
        except InvalidInput as error:
            return AcceptedDraft(draft_id, problems=error.problems)
        return AcceptedDraft(draft_id, saved.version, new=saved.changed)

    async def _add(self, principal: Principal, job: NewJob) -> Asked:
        tenant_id = principal.tenant_id
        if earlier := await self._earlier(tenant_id, job):
            return asked_before(earlier)
        if refusal := refused(self._routes, await self._policies.of(tenant_id)):
            raise Conflict(refusal)
        if self._quota is not None:
            await self._quota.take(tenant_id, principal.actor)
        kept = await self._store.add(tenant_id, job, most_open=MOST_OPEN)
        if kept is None:
            raise Conflict(f"There are {MOST_OPEN} unfinished generations already; wait for some, or cancel them.")
        if isinstance(kept, Earlier):
            return asked_before(kept)
        await ring(GENERATE, [kept.id], self._bell)
        return Asked(kept)

    async def _earlier(self, tenant_id: int, job: NewJob) -> Earlier | None:
        return None if job.idempotency_key is None else await self._store.earlier(tenant_id, job)


def asked_before(earlier: Earlier) -> Asked:
    """The earlier generation; raises `IdempotencyMismatch` where something else was asked for."""
    if not earlier.same:
        raise IdempotencyMismatch(
            "This Idempotency-Key was used before with a different body; send another key, or the first body again."
        )
    return Asked(earlier.view, repeated=True)


def job_of(kind: JobKind, given: SummaryIn | QuestionsIn, key: str | None) -> NewJob:
    """The job; whether two are the same is told by everything in them, their kind too."""
    if key is None:
        return NewJob(kind, request_of(given))
    told = kind.encode() + b"\0" + msgspec.json.encode(given, order="sorted")
    return NewJob(kind, request_of(given), key, hashlib.blake2b(told, digest_size=16).digest())


def read(body: bytes, kind: type[Any]) -> Any:
    """The body as a struct of this kind; raises `InvalidInput` with all problems."""
    raw = decode_json(body)
    problems = first_problems(problems_in(raw, kind)) or first_problems(forbidden_text(raw))
    if not problems and isinstance(raw, dict) and not str(raw.get("text", "x")).strip():
        problems = [FieldProblem("/text", "The text is blank.")]
    if problems:
        raise InvalidInput(problems)
    return msgspec.convert(raw, kind)


def request_of(given: SummaryIn | QuestionsIn) -> dict[str, JsonValue]:
    """What is stored: everything asked for, and the text's length, which stays when the text is deleted."""
    built: dict[str, JsonValue] = msgspec.to_builtins(given)
    return {**built, "text_chars": len(given.text)}
