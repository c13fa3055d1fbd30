"""Accepting hand-ins: check, commit, then ring. A client's 202 means that the commit has happened."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from itertools import chain
from types import MappingProxyType
from typing import Final

import msgspec
import structlog
from uuid_utils import uuid7

from pipeline import telemetry
from pipeline.batching import Batcher
from pipeline.errors import (
    IdempotencyMismatch,
    RateLimited,
    Unavailable,
)
from pipeline.execution import announce
from pipeline.lifecycle import Stage, StageState, Status, first_states
from pipeline.model import (
    Change,
    LearnerContext,
    NewAnswer,
    NewSubmission,
    Question,
    Recorded,
    StageView,
    SubmissionView,
)
from pipeline.ports import (
    Acceptance,
    Accepted,
    BankStore,
    Bell,
    Board,
    IntakeStore,
    Repeated,
    Stale,
)
from pipeline.service.hand_in import SubmissionIn
from pipeline.service.intake import check_answers
from pipeline.service.limits import Allowance, Limits

log = structlog.get_logger()

CHECKED_AT_MOST: Final = 5
FIRST_STATES: Final = MappingProxyType(first_states())
ACCEPTED_AT_ONCE: Final = 500
COMMITS_ANNOUNCED: Final = 10
COMMITS_AT_ONCE: Final = 2
"""One is sent while the other waits for Postgres, which may have workers to serve as well."""


class Submitted(msgspec.Struct, frozen=True):
    """An accepted hand-in. `view` is None where it was there before: then read it.

    `allowance` says what the limits have left, where they are on and counted this one.
    """

    id: str
    view: SubmissionView | None
    allowance: Allowance | None = None


Checked = tuple[NewSubmission, tuple[Question, ...]]


def submitted_before(repeated: Repeated) -> Submitted:
    """The earlier submission; raises `IdempotencyMismatch` where this one's body differs."""
    if not repeated.same_body:
        raise IdempotencyMismatch(
            "This Idempotency-Key was used before with a different body; send another key, or the first body again."
        )
    return Submitted(repeated.submission_id, None)


class Intake:
    """Takes checked hand-ins of concurrent clients and commits them together.

    Without `limits` there are none.
    """

    def __init__(
        self,
        *,
        store: IntakeStore,
        bank: BankStore,
        bell: Bell,
        board: Board,
        limits: Limits | None = None,
    ) -> None:
        self._limits = limits
        self._store = store
        self._bank = bank
        self.bell: Final = bell
        self.board: Final = board
        self._commits: Batcher[NewSubmission, Acceptance] = Batcher(
            self._commit, most=ACCEPTED_AT_ONCE, concurrency=COMMITS_AT_ONCE
        )
        # What is accepted while others are being announced is announced with the next, at one price.
        self._announcements: Batcher[list[NewSubmission], None] = Batcher(self._announce, most=COMMITS_ANNOUNCED)

    async def submit(self, tenant_id: int, given: SubmissionIn, idempotency_key: str | None = None) -> Submitted:
        """Accept one hand-in.

        Raises `InvalidInput` for what the question bank does not know or cannot take, `IdempotencyMismatch`
        for a key used with another body, `RateLimited` where a limit is used up, `Unavailable` where Postgres
        is away; then nothing is stored.
        """
        key = idempotency_key or given.idempotency_key
        checked = await self._checked(tenant_id, given, key)
        if self._limits is None:
            return await self._accept(tenant_id, given, checked)
        try:
            allowance = await self._limits.take(tenant_id, given.learner_id)
        except RateLimited as refusal:
            return await self._repeated_or(refusal, checked[0])
        return await self._accept_within(self._limits, allowance, tenant_id, given, checked)

    async def _accept_within(
        self, limits: Limits, allowance: Allowance, tenant_id: int, given: SubmissionIn, checked: Checked
    ) -> Submitted:
        try:
            submitted = await self._accept(tenant_id, given, checked)
        except BaseException:  # also where the door has told the client to come back, as Postgres kept it waiting
            await limits.give_back(allowance)
            raise
        if submitted.view is None:
            await limits.give_back(allowance)
            return submitted
        return Submitted(submitted.id, submitted.view, allowance)

    async def _repeated_or(self, refusal: RateLimited, submission: NewSubmission) -> Submitted:
        """Whoever repeats a request that was accepted is answered all the same; anybody else is refused."""
        repeated = None if submission.idempotency_key is None else await self._store.find(submission)
        if repeated is None:
            raise refusal
        return submitted_before(repeated)

    async def _accept(self, tenant_id: int, given: SubmissionIn, checked: Checked) -> Submitted:
        for _ in range(CHECKED_AT_MOST):
            submission, questions = checked
            match await self._commits.add(submission):
                case Accepted(created_at=created_at):
                    return Submitted(submission.id, accepted_view(submission, questions, created_at))
                case Repeated() as repeated:
                    return submitted_before(repeated)
                case Stale(question_ids=changed):
                    self._bank.forget(tenant_id, changed)
                    checked = await self._checked(tenant_id, given, submission.idempotency_key)
        raise Unavailable("The questions change faster than the answers can be checked.")

    async def drain(self) -> None:
        """Finish what was handed over: every commit, and every ring that follows one."""
        await self._commits.drain()
        await self._announcements.drain()

    async def _checked(self, tenant_id: int, given: SubmissionIn, key: str | None) -> Checked:
        known = await self._bank.current(tenant_id, (answer.question_id for answer in given.answers))
        check_answers(given, {id_: stored.question for id_, stored in known.items()})
        questions = tuple(known[answer.question_id].question for answer in given.answers)
        answers = tuple(
            NewAnswer(
                question_id=answer.question_id,
                question_version=known[answer.question_id].question.version,
                version_key=known[answer.question_id].version_key,
                response=answer.response,
                response_time_ms=answer.response_time_ms,
                confidence=answer.confidence,
            )
            for answer in given.answers
        )
        return new_submission(tenant_id, given, answers, key), questions

    async def _commit(self, batch: list[NewSubmission]) -> Sequence[Acceptance | Exception]:
        answers = await self._keep(batch)
        accepted = [s for s, answer in zip(batch, answers, strict=True) if isinstance(answer, Accepted)]
        if accepted:
            self._announcements.hand_over([accepted])
        return answers

    async def _keep(self, batch: Sequence[NewSubmission]) -> Sequence[Acceptance | Exception]:
        """Commit a batch; one that Postgres refuses is taken apart, so that it fails for its culprit only."""
        try:
            return await self._store.accept(batch)
        except Unavailable:
            raise
        except Exception as surprise:  # noqa: BLE001 - handed to the one client whose submission it is
            if len(batch) == 1:
                return [surprise]
            log.warning(telemetry.BATCH_SPLIT, stage="intake", submissions=len(batch), error=type(surprise).__name__)
            return [answer for one in batch for answer in await self._keep([one])]

    async def _announce(self, commits: Sequence[list[NewSubmission]]) -> list[None]:
        """Ring and show. Losing either is no loss of work, so the client does not wait for it."""
        accepted = chain.from_iterable(commits)
        changes = [Change(s.id, s.tenant_id, 1, Status.PENDING, ready=(Stage.SCORE,)) for s in accepted]
        await announce(Recorded(tuple(changes)), self)
        return [None] * len(commits)


def new_submission(
    tenant_id: int, given: SubmissionIn, answers: tuple[NewAnswer, ...], key: str | None
) -> NewSubmission:
    return NewSubmission(
        id=str(uuid7()),
        tenant_id=tenant_id,
        learner_id=given.learner_id,
        assignment_id=given.assignment_id,
        context=LearnerContext(given.locale, given.career_goal, given.industry),
        priority=given.priority,
        retry_feedback=given.retry_feedback,
        callback_url=given.callback_url,
        metadata=given.metadata,
        submitted_at=given.submitted_at,
        answers=answers,
        idempotency_key=key,
        fingerprint=fingerprint(given) if key is not None else None,
    )


def fingerprint(given: SubmissionIn) -> bytes:
    """What tells two bodies apart, whatever their spacing and order of fields."""
    plain = msgspec.structs.replace(given, idempotency_key=None)
    return hashlib.blake2b(msgspec.json.encode(plain, order="sorted"), digest_size=16).digest()


def accepted_view(submission: NewSubmission, questions: tuple[Question, ...], created_at: datetime) -> SubmissionView:
    """A submission as it is the moment after its commit, without reading it back."""
    return SubmissionView(
        id=submission.id,
        tenant_id=submission.tenant_id,
        version=1,
        status=Status.PENDING,
        learner_id=submission.learner_id,
        assignment_id=submission.assignment_id,
        locale=submission.context.locale,
        career_goal=submission.context.career_goal,
        industry=submission.context.industry,
        priority=submission.priority,
        retry_feedback=submission.retry_feedback,
        callback_url=submission.callback_url,
        metadata=submission.metadata,
        submitted_at=submission.submitted_at,
        created_at=created_at,
        updated_at=created_at,
        completed_at=None,
        stages={stage: first_view(state, created_at) for stage, state in FIRST_STATES.items()},
        questions=questions,
        results={},
    )


def first_view(state: StageState, created_at: datetime) -> StageView:
    return StageView(
        state=state,
        attempts=0,
        queued_at=created_at if state is StageState.READY else None,
        started_at=None,
        finished_at=None,
        error=None,
    )
