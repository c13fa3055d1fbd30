"""A work store in memory, as strict as the real one; what it has no use for, learning and figures, it only keeps."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import msgspec
from uuid_utils import uuid7

from pipeline.errors import Unavailable
from pipeline.learning.metrics import Increments
from pipeline.lifecycle import SUCCEEDED_STATES, Event, Stage, StageState, Status, first_states, status_of
from pipeline.model import Change, Claim, Held, LearnerContext, Recorded, Work
from pipeline.stages.outcome import Body
from pipeline.stages.recommend import Learned, LearningState
from pipeline.stages.run import Run, Step

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class FakeStage(msgspec.Struct):
    state: StageState
    attempts: int = 0
    epoch: int = 0
    solo: bool = False
    worker_id: str | None = None
    resting: bool = False


class FakeSubmission(msgspec.Struct):
    id: str
    stages: dict[Stage, FakeStage]
    version: int = 1
    status: Status = Status.PENDING
    results: dict[Stage, Body] = {}
    history: list[tuple[Claim, str, str | None]] = []

    def states(self) -> dict[Stage, StageState]:
        return {stage: row.state for stage, row in self.stages.items()}


class FakeWorkStore:
    """The port `pipeline.ports.WorkStore`, with one transaction at a time."""

    def __init__(self) -> None:
        self.submissions: dict[str, FakeSubmission] = {}
        self.paused: set[Stage] = set()
        self.learned: list[Learned] = []
        self.increments: list[Increments] = []
        self.outages = 0
        """So many of the next calls find the store away."""
        self.unclaimable: set[str] = set()
        self.unloadable: set[str] = set()
        self.unrecordable: set[str] = set()
        self._lock = asyncio.Lock()

    def _reach(self) -> None:
        if self.outages > 0:
            self.outages -= 1
            raise Unavailable("the store is away")

    def accept(self) -> str:
        submission_id = str(uuid7())
        stages = {stage: FakeStage(state) for stage, state in first_states().items()}
        self.submissions[submission_id] = FakeSubmission(submission_id, stages)
        return submission_id

    async def claim(
        self, stage: Stage, ids: Sequence[str], worker_id: str, lease_seconds: float, *, solo: bool = False
    ) -> tuple[list[Claim], list[Change]]:
        assert lease_seconds > 0
        self._reach()
        if bad := self.unclaimable.intersection(ids):
            raise KeyError(*bad)
        due = [id_ for id_ in dict.fromkeys(ids) if self._is_due(id_, stage, solo=solo)]
        claims = [self._hand_out(self.submissions[id_], stage, worker_id) for id_ in due]
        changes = [self._mark_scoring(self.submissions[id_]) for id_ in due if stage is Stage.SCORE]
        return claims, [change for change in changes if change is not None]

    def _is_due(self, submission_id: str, stage: Stage, *, solo: bool) -> bool:
        if submission_id not in self.submissions or stage in self.paused:
            return False
        row = self.submissions[submission_id].stages[stage]
        return row.state is StageState.READY and row.solo is solo and not row.resting

    def _hand_out(self, submission: FakeSubmission, stage: Stage, worker_id: str) -> Claim:
        row = submission.stages[stage]
        row.state, row.worker_id = StageState.RUNNING, worker_id
        row.epoch += 1
        row.attempts += 1
        return Claim(submission.id, 1, row.epoch, row.attempts, row.solo)

    def _mark_scoring(self, submission: FakeSubmission) -> Change | None:
        if submission.status is not Status.PENDING:
            return None
        submission.status = Status.SCORING
        submission.version += 1
        return Change(submission.id, 1, submission.version, submission.status)

    async def load(self, stage: Stage, claims: Sequence[Claim]) -> list[Work]:
        assert stage in Stage
        self._reach()
        if bad := self.unloadable & {claim.submission_id for claim in claims}:
            raise KeyError(*bad)
        return [self._work(claim) for claim in claims]

    def _work(self, claim: Claim) -> Work:
        return Work(
            submission_id=self.submissions[claim.submission_id].id,
            tenant_id=claim.tenant_id,
            learner_id="ada",
            context=LearnerContext(),
            created_at=NOW,
            handed_in_at=NOW,
            loaded_at=NOW,
            answers=(),
        )

    @asynccontextmanager
    async def unit(self, stage: Stage, worker_id: str) -> AsyncIterator["FakeUnit"]:
        self._reach()
        async with self._lock:
            unit = FakeUnit(self, stage, worker_id)
            yield unit
            unit.commit()


class FakeUnit:
    """The port `pipeline.ports.WorkUnit`: what it is told is done when it ends well."""

    def __init__(self, store: FakeWorkStore, stage: Stage, worker_id: str) -> None:
        self._store = store
        self._stage = stage
        self._worker_id = worker_id
        self.paused = frozenset(store.paused)
        self._recorded: list[Run] = []
        self._learned: list[Learned] = []
        self._increments: list[Increments] = []

    async def hold(self, claims: Sequence[Claim], *, rescored: bool = False) -> list[tuple[Claim, Held]]:  # noqa: ARG002 - nobody settles here
        return [(claim, self._held(claim)) for claim in claims if self._is_ours(claim)]

    def _is_ours(self, claim: Claim) -> bool:
        submission = self._store.submissions.get(claim.submission_id)
        if submission is None:
            return False
        row = submission.stages[self._stage]
        owner = (row.state, row.epoch, row.worker_id)
        return owner == (StageState.RUNNING, claim.epoch, self._worker_id)

    def _held(self, claim: Claim) -> Held:
        submission = self._store.submissions[claim.submission_id]
        return Held(
            submission.id,
            claim.tenant_id,
            submission.version,
            submission.status,
            submission.states(),
            {stage: row.epoch for stage, row in submission.stages.items()},
            {stage: row.attempts for stage, row in submission.stages.items()},
        )

    async def load(self, claims: Sequence[Claim]) -> list[Work]:
        return await self._store.load(self._stage, claims)

    def renewed(self, works: Sequence[Work]) -> list[Work]:
        return list(works)

    async def hurry(self) -> None:
        """Nobody else is here."""

    async def lock_learning(self, works: Sequence[Work]) -> LearningState:
        raise NotImplementedError(f"the fake teaches nothing ({len(works)} submissions)")

    async def save_learning(self, learned: Learned) -> None:
        self._learned.append(learned)

    async def add_metrics(self, increments: Increments) -> None:
        self._increments.append(increments)

    async def record(self, runs: Sequence[Run]) -> Recorded:
        succeeding = {run.before.submission_id for run in runs for step in run.steps if step.verdict.body is not None}
        if bad := self._store.unrecordable & succeeding:
            raise ValueError(*bad)
        self._recorded += runs
        return Recorded(tuple(self._change(run) for run in runs))

    def _change(self, run: Run) -> Change:
        before = run.before
        return Change(
            before.submission_id,
            before.tenant_id,
            before.version + 1,
            status_of(run.states),
            tuple(s for s, state in run.states.items() if state is StageState.READY is not before.states[s]),
            tuple(step.stage for step in run.steps if run.states[step.stage] in SUCCEEDED_STATES),
            tuple(step.stage for step in run.steps if step.begun_at is not None),
        )

    def commit(self) -> None:
        """Do what was told; nothing of it happens if the unit ends in an exception."""
        for run in self._recorded:
            self._apply(run)
        self._store.learned += self._learned
        self._store.increments += self._increments

    def _apply(self, run: Run) -> None:
        submission = self._store.submissions[run.before.submission_id]
        for stage, state in run.states.items():
            submission.stages[stage].state = state
        submission.version, submission.status = run.before.version + 1, status_of(run.states)
        for step in run.steps:
            self._apply_step(submission, step)

    def _apply_step(self, submission: FakeSubmission, step: Step) -> None:
        verdict, row = step.verdict, submission.stages[step.stage]
        row.worker_id, row.resting = None, verdict.delay_seconds > 0
        given_back = verdict.event is Event.GAVE_BACK
        row.epoch, row.attempts = verdict.claim.epoch, verdict.claim.attempt - given_back
        if verdict.event in {Event.SUCCEEDED, Event.SUCCEEDED_WITH_LESS, Event.POSTPONED}:
            row.solo = False
        if verdict.body:
            assert step.stage not in submission.results, "a result is stored once"
            submission.results[step.stage] = verdict.body
        if verdict.event in {Event.POSTPONED, Event.EXHAUSTED}:
            submission.history.append((verdict.claim, verdict.error or "", verdict.traceback))
