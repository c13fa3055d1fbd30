"""Showing submissions: one document, kept ready in Redis where it can be, read from Postgres where it can't."""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

import msgspec
import structlog

from pipeline import telemetry
from pipeline.batching import Batcher
from pipeline.errors import InvalidInput, NotFound, Unavailable
from pipeline.lifecycle import FINAL_STATUSES, Stage, Status
from pipeline.model import Outcome, Shown, Standing, SubmissionView
from pipeline.ports import ReadingStore, Showcase, SubmissionFilter, Watch
from pipeline.service.access import Principal
from pipeline.service.identifier import is_uuid
from pipeline.service.page import NOT_OURS, cursor_behind, key_before
from pipeline.service.view import submission_document

log = structlog.get_logger()

REST_SECONDS: Final = 1.0
SHOWCASE_SECONDS: Final = 0.5
"""A showcase that hangs may cost a reader this much; then the store is asked."""
NO_SUCH_SUBMISSION: Final = "There is no such submission."

Value = TypeVar("Value")
Named = tuple[int, str]
"""A submission by its tenant and id."""


class Owner(msgspec.Struct, frozen=True):
    """Whose document it is: all that is read of a document that is only passed on."""

    learner_id: str


class Totals(msgspec.Struct, frozen=True):
    """Whether answers wait for a decision: all that is read of a score that is only passed on."""

    provisional: bool


class Scored(msgspec.Struct, frozen=True):
    """A document that has a score, or none yet."""

    score: Totals | None = None


class Listed(msgspec.Struct, frozen=True):
    """A part of a list: documents, and the cursor of the following part."""

    items: list[msgspec.Raw]
    next: str | None


def parse_submission_id(text: str) -> str:
    """The id in its one spelling; raises `NotFound` for what can't be one."""
    if not is_uuid(text):
        raise NotFound(NO_SUCH_SUBMISSION)
    return text.lower()


def encode_view(view: SubmissionView) -> Shown:
    """A submission read from the store as it is shown."""
    return Shown(view.tenant_id, view.version, view.status, msgspec.json.encode(submission_document(view)))


def may_be_settled(view: SubmissionView) -> bool:
    """Whether a person may decide on an answer, for the first time or anew.

    Documents of ended submissions are kept for days, and the word that one has changed may get lost: such documents are
    read from the store.
    """
    answers = view.results.get(Stage.SCORE, {}).get("answers", ())
    return any(answer["outcome"] == Outcome.NEEDS_REVIEW or "settled" in answer for answer in answers)


def etag_of(shown: Shown) -> str:
    """A submission's strong entity tag."""
    return tag_of(shown.version, shown.document)


def tag_of(version: int, document: bytes) -> str:
    """A strong entity tag: the version, and a hash of the very bytes."""
    return f'"{version}-{hashlib.blake2b(document, digest_size=12).hexdigest()}"'


class Showing:
    """Reads submissions for a caller, who sees only what is theirs."""

    def __init__(
        self,
        *,
        store: ReadingStore,
        showcase: Showcase,
        watch: Watch,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._showcase = showcase
        self._watch = watch
        self._clock = clock
        self._resting_until = 0.0
        self._views: Batcher[Named, SubmissionView | None] = Batcher(self._read_views, most=50, concurrency=4)
        self._standings: Batcher[Named, Standing | None] = Batcher(self._read_standings, most=500, concurrency=2)

    async def show(self, principal: Principal, submission_id: str, *, at_least: int = 0) -> Shown:
        """The document of a submission in version `at_least` or newer, or the newest there is.

        Raises `NotFound` for what the caller does not have, `Unavailable` where Postgres is needed and away.
        """
        kept = await self._from_showcase(lambda: self._showcase.look(submission_id))
        if kept is None or kept.version < at_least:
            kept = await self._from_store(principal.tenant_id, submission_id)
        if kept.tenant_id != principal.tenant_id:
            raise NotFound(NO_SUCH_SUBMISSION)
        if principal.learner_id is not None:
            require_owner(principal, msgspec.json.decode(kept.document, type=Owner).learner_id)
        return kept

    async def show_newer(
        self, principal: Principal, submission_id: str, seconds: float, known_version: int | None
    ) -> Shown:
        """The document once its version differs from the known one, or as it is after `seconds`.

        What no event can change any more is shown at once; with no known version, the first one seen counts.
        """
        async with self._watch.watching(principal.tenant_id, submission_id) as watcher:
            shown = await self.show(principal, submission_id)
            known = shown.version if known_version is None else known_version
            if shown.status in FINAL_STATUSES or shown.version != known:
                return shown
            watcher.start_at(shown.version)
            news = await watcher.next(seconds)
        return shown if news is None else await self.show(principal, submission_id, at_least=news.version)

    async def show_final(self, principal: Principal, submission_id: str, seconds: float) -> Shown:
        """The document once the submission is completed, failed or cancelled, or as it is after `seconds`."""
        deadline = self._clock() + seconds
        async with self._watch.watching(principal.tenant_id, submission_id) as watcher:
            standing = await self.standing(principal, submission_id)
            watcher.start_at(standing.version)
            while standing.status not in FINAL_STATUSES and not watcher.ended:
                news = await watcher.next(max(0.0, deadline - self._clock()))
                if news is None:
                    break
                standing = news
        return await self.show(principal, submission_id, at_least=standing.version)

    async def standing(self, principal: Principal, submission_id: str) -> Standing:
        """Where a submission stands by the store; raises `NotFound`, `Unavailable`."""
        found = await self._standings.add((principal.tenant_id, submission_id))
        if found is None:
            raise NotFound(NO_SUCH_SUBMISSION)
        require_owner(principal, found.learner_id)
        return found

    async def awaits_decision(self, principal: Principal, standing: Standing) -> bool:
        """Whether decisions on answers that no rule could judge are still to come; raises `NotFound`, `Unavailable`.

        What is read may be newer than `standing`: then more came after it, which is still to be told.
        """
        if standing.status is Status.CANCELLED:
            return False
        shown = await self.show(principal, standing.submission_id, at_least=standing.version)
        score = msgspec.json.decode(shown.document, type=Scored).score
        return shown.version > standing.version or (score is not None and score.provisional)

    async def missed(self, standing: Standing, after_version: int) -> list[Standing]:
        """What happened to a submission after this version, up to where it stands; the end is never left out."""
        history = await self._from_showcase(lambda: self._showcase.history(standing.tenant_id, standing.submission_id))
        between = [past for past in history or () if after_version < past.version < standing.version]
        return [*between, standing] if standing.version > after_version else []

    async def browse(self, principal: Principal, wanted: SubmissionFilter, cursor: str | None, limit: int) -> Listed:
        """Submissions that fit, newest first; those that wait for a person, oldest first.

        Raises `InvalidInput` for a cursor that is not ours.
        """
        if principal.learner_id is not None:
            if wanted.learner_id not in {None, principal.learner_id}:
                return Listed([], None)
            wanted = msgspec.structs.replace(wanted, learner_id=principal.learner_id)
        behind = None if cursor is None else id_in(cursor)
        ids = await self._store.browse(principal.tenant_id, wanted, behind, limit + 1)
        views = await self._store.read(principal.tenant_id, ids[:limit])
        items = [msgspec.Raw(encode_view(view).document) for view in views]
        return Listed(items, cursor_behind(ids[limit - 1]) if len(ids) > limit else None)

    async def _from_store(self, tenant_id: int, submission_id: str) -> Shown:
        view = await self._views.add((tenant_id, submission_id))
        if view is None:
            raise NotFound(NO_SUCH_SUBMISSION)
        shown = encode_view(view)
        if not may_be_settled(view):
            await self._from_showcase(
                lambda: self._showcase.remember(
                    submission_id, shown.tenant_id, shown.version, shown.status, shown.document
                )
            )
        return shown

    async def _read_views(self, asked: list[Named]) -> Sequence[SubmissionView | Exception | None]:
        """What concurrent callers ask for; a surprise in one submission is raised to its own callers only."""
        try:
            return await self._views_of(asked)
        except Unavailable:
            raise
        except Exception as surprise:  # noqa: BLE001 - handed to whoever asked for the one at fault
            if len(asked) == 1:
                return [surprise]
            return [view for name in asked for view in await self._read_views([name])]

    async def _views_of(self, asked: list[Named]) -> list[SubmissionView | None]:
        """These submissions, with one query per tenant."""
        wanted: dict[int, dict[str, None]] = {}
        for tenant_id, submission_id in asked:
            wanted.setdefault(tenant_id, {})[submission_id] = None
        found = {
            (tenant_id, view.id): view
            for tenant_id, ids in wanted.items()
            for view in await self._store.read(tenant_id, list(ids))
        }
        return [found.get(name) for name in asked]

    async def _read_standings(self, asked: list[Named]) -> list[Standing | None]:
        standings = await self._store.standings(dict.fromkeys(asked))
        found = {(standing.tenant_id, standing.submission_id): standing for standing in standings}
        return [found.get(name) for name in asked]

    async def _from_showcase(self, ask: Callable[[], Awaitable[Value]]) -> Value | None:
        """What the showcase says; nothing while it is away, and it is not asked again for a moment."""
        if self._clock() < self._resting_until:
            return None
        try:
            async with asyncio.timeout(SHOWCASE_SECONDS):
                return await ask()
        except (Unavailable, TimeoutError) as error:
            self._resting_until = self._clock() + REST_SECONDS
            log.warning(telemetry.CACHE_UNAVAILABLE, error=str(error))
            return None


def require_owner(principal: Principal, learner_id: str | None) -> None:
    """Raise `NotFound` where a learner's token asks for another learner's things."""
    if learner_id is None or not principal.may_see(learner_id):
        raise NotFound(NO_SUCH_SUBMISSION)


def id_in(cursor: str) -> str:
    """The submission id in a cursor; raises `InvalidInput` for one that is not ours."""
    try:
        return parse_submission_id(key_before(cursor))
    except NotFound:
        raise InvalidInput(NOT_OURS) from None
