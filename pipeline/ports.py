"""What orchestration needs from the outside world, as Protocols; `tests/contracts` runs one suite per port."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol, runtime_checkable

import msgspec

from pipeline.delivery.reply import DeliveryState, DeliveryVerdict, Message, Reply
from pipeline.learning.metrics import Increments, LearnerDay
from pipeline.learning.rating import Skill
from pipeline.lifecycle import Stage, Status
from pipeline.model import (
    Change,
    Claim,
    Held,
    JsonValue,
    NewSubmission,
    Question,
    Recorded,
    Shown,
    Standing,
    StoredQuestion,
    SubmissionView,
    Work,
)
from pipeline.prompting.feedback import Feedback, FeedbackRequest
from pipeline.stages.recommend import Learned, LearningState
from pipeline.stages.verdict import Verdict
from pipeline.window import Charge, Room


@runtime_checkable
class WorkUnit(Protocol):
    """One transaction on a batch of one stage."""

    async def hold(self, claims: Sequence[Claim]) -> list[tuple[Claim, Held]]:
        """Lock the submissions and keep only the claims that are still ours."""
        ...

    async def load(self, claims: Sequence[Claim]) -> list[Work]:
        """What the stage needs to know of each submission, in the order of the claims, erased ones left out."""
        ...

    async def lock_learning(self, works: Sequence[Work]) -> LearningState:
        """What is known of the learners and questions of these submissions, locked until the unit ends."""
        ...

    async def save_learning(self, learned: Learned) -> None:
        """Write back what was learnt of them."""
        ...

    async def add_metrics(self, increments: Increments) -> None:
        """Add to the daily, per-question and per-stage figures."""
        ...

    async def record(self, held: Sequence[tuple[Verdict, Held]]) -> Recorded:
        """Write what each verdict means; all of it is kept when the unit ends, or none."""
        ...


@runtime_checkable
class WorkStore(Protocol):
    """Handing out work and taking it back."""

    async def claim(
        self, stage: Stage, ids: Sequence[str], worker_id: str, lease_seconds: float, *, solo: bool = False
    ) -> tuple[list[Claim], list[Change]]:
        """Take what is ready of these submissions, each under a new epoch and a lease."""
        ...

    async def load(self, stage: Stage, claims: Sequence[Claim]) -> list[Work]:
        """The same without holding it, so that a submission may be erased before the work on it is done."""
        ...

    def unit(self, stage: Stage, worker_id: str) -> AbstractAsyncContextManager[WorkUnit]:
        """A transaction for a batch of this stage."""
        ...


@runtime_checkable
class Bell(Protocol):
    """Telling workers that there is something to do. A lost ring costs time, never work."""

    async def ring(self, queue: str, ids: Sequence[str], *, solo: bool = False) -> None:
        """Ring one queue with these ids; raises `Unavailable` where it could not."""
        ...

    async def waiting(self, queue: str) -> int:
        """How many rings lie untaken in a queue; raises `Unavailable`."""
        ...


@runtime_checkable
class Board(Protocol):
    """Telling watchers what changed. Always rebuildable from the store."""

    async def publish(self, changes: Sequence[Change]) -> None:
        """Show these versions; an older version than the one shown is ignored."""
        ...


class Untaken(Protocol):
    """Work that is due and that nobody took."""

    @property
    def ids(self) -> tuple[str, ...]:
        """Submissions that may run with neighbours."""
        ...

    @property
    def solo(self) -> tuple[str, ...]:
        """Submissions that must run alone."""
        ...


@runtime_checkable
class UpkeepStore(Protocol):
    """Heartbeats, leases taken back, and work nobody took."""

    async def register(self, worker_id: str, host: str, pid: int, stages: Sequence[str]) -> None:
        """Make a worker known, so that its leases count."""
        ...

    async def leave(self, worker_id: str) -> None:
        """Take a worker off the list; it holds nothing any more."""
        ...

    async def beat(
        self,
        worker_id: str,
        in_flight: Sequence[tuple[Stage, Claim]],
        lease_seconds: float,
        *,
        stopping: bool,
    ) -> bool:
        """Say that the worker lives and renew the leases of what it works on; False if it is not registered."""
        ...

    async def return_stranded(
        self, worker_id: str, in_flight: Sequence[tuple[Stage, Claim]], older_seconds: float, *, max_attempts: int
    ) -> Recorded:
        """Return claims that this worker was given while the answer was lost, or that it had to abandon."""
        ...

    async def give_back(self, worker_id: str, in_flight: Sequence[tuple[Stage, Claim]]) -> Recorded:
        """Return unharmed what a stopping worker could not finish."""
        ...

    async def sweep(self, *, dead_seconds: float, trust_liveness: bool, max_attempts: int) -> Recorded | None:
        """Take back what dead workers and expired leases hold; None where another sweeper is at it."""
        ...

    async def untaken(self, stage: Stage, *, grace_seconds: float, most: int, with_retries: bool = True) -> Untaken:
        """The oldest ready work that was due `grace_seconds` ago, and retries that are due now."""
        ...

    async def untaken_deliveries(self, *, grace_seconds: float, most: int) -> Untaken:
        """Webhook deliveries that are due, were rung long ago, or whose worker is gone."""
        ...


class Accepted(msgspec.Struct, frozen=True):
    """The submission is committed; `created_at` is Postgres' time."""

    created_at: datetime


class Repeated(msgspec.Struct, frozen=True):
    """Its idempotency key was used before: `submission_id` is the earlier one, `same_body` compares the two."""

    submission_id: str
    same_body: bool


class Stale(msgspec.Struct, frozen=True):
    """A question got a new version meanwhile (or is gone): nothing was stored; check against the new one."""

    question_ids: tuple[str, ...]


Acceptance = Accepted | Repeated | Stale


@runtime_checkable
class IntakeStore(Protocol):
    """Accepting submissions."""

    async def find(self, submission: NewSubmission) -> Repeated | None:
        """The earlier submission with this one's idempotency key, if there is one."""
        ...

    async def accept(self, batch: Sequence[NewSubmission]) -> list[Acceptance]:
        """Commit a batch in one transaction; one answer per submission, in order."""
        ...


class SubmissionFilter(msgspec.Struct, frozen=True):
    """Which submissions are wanted; None wants all. Times are when a submission was accepted: from, to before."""

    learner_id: str | None = None
    assignment_id: str | None = None
    status: Status | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None


@runtime_checkable
class ReadingStore(Protocol):
    """Reading submissions whole."""

    async def read(self, tenant_id: int, ids: Sequence[str]) -> list[SubmissionView]:
        """These submissions of the tenant, in the order asked for; those it does not have are left out."""
        ...

    async def standings(self, submissions: Iterable[tuple[int, str]]) -> list[Standing]:
        """Where these submissions (tenant, id) stand, in any order."""
        ...

    async def browse(self, tenant_id: int, wanted: SubmissionFilter, before: str | None, most: int) -> list[str]:
        """The ids of at most `most` submissions that fit and are older than `before`, newest first."""
        ...


@runtime_checkable
class Counter(Protocol):
    """Counting what is limited, across processes."""

    async def take(self, requests: Sequence[tuple[Charge, ...]]) -> list[tuple[bool, list[Room]]]:
        """For each request in turn, take one unit of each of its charges or of none, and say what is left."""
        ...

    async def give_back(self, requests: Sequence[tuple[Charge, ...]]) -> None:
        """Return what was taken for nothing."""
        ...


@runtime_checkable
class Showcase(Protocol):
    """Finished documents kept close, for as long as they are known to be right."""

    async def look(self, submission_id: str) -> Shown | None:
        """The document of a submission, if one is kept that can be believed; raises `Unavailable`."""
        ...

    async def remember(self, submission_id: str, tenant_id: int, version: int, status: str, document: bytes) -> None:
        """Keep a submission's document for its version; raises `Unavailable`."""
        ...

    async def history(self, tenant_id: int, submission_id: str) -> list[Standing]:
        """What was shown of a submission so far, oldest first; raises `Unavailable`."""
        ...


class Watcher(Protocol):
    """One who waits for news of one submission."""

    @property
    def ended(self) -> bool:
        """Whether no more news will come, because the process stops."""
        ...

    def start_at(self, version: int) -> None:
        """Leave out what is not newer than this version."""
        ...

    async def next(self, seconds: float) -> Standing | None:
        """The next news, or None if there is none within `seconds` or at the end."""
        ...


@runtime_checkable
class Watch(Protocol):
    """Telling any number of watchers what changes, without a connection for each."""

    def watching(self, tenant_id: int, submission_id: str) -> AbstractAsyncContextManager[Watcher]:
        """A watcher who hears of everything that changes from here on."""
        ...


@runtime_checkable
class ControlStore(Protocol):
    """What people may do to submissions; each act is kept in the audit log with who did it and why.

    Ids that the tenant does not have, and submissions whose state forbids the act, are left alone and so
    absent from the changes.
    """

    async def cancel(self, tenant_id: int, ids: Sequence[str], actor: str, reason: str | None = None) -> Recorded:
        """Cancel whatever is not finished; a worker's later result is refused."""
        ...

    async def retry(self, tenant_id: int, ids: Sequence[str], actor: str, reason: str | None = None) -> Recorded:
        """Give dead stages another round of attempts; results of other stages are kept."""
        ...

    async def discard(self, tenant_id: int, ids: Sequence[str], actor: str, reason: str | None = None) -> Recorded:
        """Cancel submissions that have a dead stage, and only those."""
        ...


class Saved(msgspec.Struct, frozen=True):
    """What became of one question: its current version, and whether anything changed."""

    id: str
    version: int
    changed: bool


class QuestionFilter(msgspec.Struct, frozen=True):
    """Which questions to list; what is None does not matter."""

    type: str | None = None
    topic: str | None = None
    difficulty: int | None = None
    module: str | None = None
    language: str | None = None


@runtime_checkable
class BankStore(Protocol):
    """The question bank."""

    async def current(self, tenant_id: int, ids: Iterable[str]) -> Mapping[str, StoredQuestion]:
        """The current versions of these questions; unknown ids are absent."""
        ...

    def forget(self, tenant_id: int, ids: Iterable[str]) -> None:
        """Read these questions anew the next time they are asked for."""
        ...

    async def find(self, tenant_id: int, question_id: str, version: int | None = None) -> Question | None:
        """One version of a question, the current one unless told otherwise; never an outdated one."""
        ...

    async def browse(self, tenant_id: int, wanted: QuestionFilter, *, after: str, most: int) -> list[Question]:
        """At most `most` questions that fit `wanted`, in the order of their ids, from the first behind `after`."""
        ...

    async def save(self, tenant_id: int, questions: Sequence[Question]) -> list[Saved]:
        """Store questions (ids distinct) together; one that is already there unchanged keeps its version."""
        ...


class Advice(msgspec.Struct, frozen=True):
    """What a submission's recommend stage advised, as it was stored, and when."""

    submission_id: str
    advised_at: datetime
    body: Mapping[str, JsonValue]


class Keepsake(msgspec.Struct, frozen=True):
    """What is kept of a submission beyond its document, as JSON: answers as handed in, failed attempts, webhooks."""

    answers: Sequence[Mapping[str, JsonValue]]
    attempts: Sequence[Mapping[str, JsonValue]]
    deliveries: Sequence[Mapping[str, JsonValue]]


@runtime_checkable
class LearnerStore(Protocol):
    """What is known of one learner of a tenant."""

    async def known(self, tenant_id: int, learner_id: str) -> bool:
        """Whether the learner ever handed in, and was not erased since."""
        ...

    async def skills(self, tenant_id: int, learner_id: str) -> list[Skill]:
        """The learner's skills by topic."""
        ...

    async def days(self, tenant_id: int, learner_id: str) -> list[LearnerDay]:
        """The days on which the learner handed in, oldest first."""
        ...

    async def advice(self, tenant_id: int, learner_id: str) -> Advice | None:
        """What was advised after the learner's latest submission that got as far."""
        ...

    async def submission_ids(self, tenant_id: int, learner_id: str, *, after: str | None, most: int) -> list[str]:
        """The ids of at most `most` of the learner's submissions, oldest first, from the first behind `after`."""
        ...

    async def keepsakes(self, tenant_id: int, submission_ids: Sequence[str]) -> Mapping[str, Keepsake]:
        """The rest of what is kept of these submissions, by id."""
        ...


@runtime_checkable
class Traces(Protocol):
    """What watchers may still see of submissions."""

    async def bury(self, submission_ids: Sequence[str]) -> None:
        """Forget these submissions, and refuse whatever is still to be said of them; raises `Unavailable`."""
        ...


@runtime_checkable
class ErasureStore(Protocol):
    """Forgetting a learner."""

    async def erase_submissions(self, tenant_id: int, submission_ids: Sequence[str]) -> None:
        """Erase these submissions with all that hangs on them; work under way on them can't write any more."""
        ...

    async def erase_learner(
        self, tenant_id: int, learner_id: str, *, actor: str, audit_id: str, learner_hash: str
    ) -> bool:
        """Erase what is left of a learner and note it in the audit log; False where submissions are left."""
        ...


@runtime_checkable
class FeedbackProvider(Protocol):
    """Whoever writes feedback: templates, or a model."""

    async def write(self, request: FeedbackRequest) -> Feedback:
        """Feedback on a scored submission; less than was asked for says so in `shortfall`."""
        ...


class DueDelivery(msgspec.Struct, frozen=True):
    """A delivery that may be sent now. `lane` names its receiver: deliveries of one lane share its fate."""

    id: str
    lane: str


class DeliveryClaim(msgspec.Struct, frozen=True):
    """The right to send one delivery until its lease ends; a result counts only under this `epoch`.

    `secret` is None where the endpoint was deleted or disabled meanwhile. `age_seconds` is how long ago it was
    queued; `resumed` means that the worker before was lost, so that it may have been sent.
    """

    id: str
    url: str
    payload: str
    secret: str | None
    epoch: int
    attempt: int
    age_seconds: float
    resumed: bool


class DeliveryResult(msgspec.Struct, frozen=True):
    """What one try came to."""

    claim: DeliveryClaim
    verdict: DeliveryVerdict
    duration_ms: int


@runtime_checkable
class DeliveryStore(Protocol):
    """Handing out webhook deliveries and taking them back."""

    async def due(self, ids: Sequence[str]) -> list[DueDelivery]:
        """Those of these deliveries that may be sent now, oldest first."""
        ...

    async def claim(self, ids: Sequence[str], worker_id: str, lease_seconds: float) -> list[DeliveryClaim]:
        """Take those that are due, each under a new epoch and a lease."""
        ...

    async def record(self, results: Sequence[DeliveryResult], worker_id: str) -> set[str]:
        """Write what tries came to; answers the ids written. A claim that was lost is left out and changes nothing."""
        ...

    async def give_back(self, claims: Sequence[DeliveryClaim], worker_id: str) -> list[str]:
        """Return unharmed what a stopping worker could not finish; answers the ids returned."""
        ...


@runtime_checkable
class Sender(Protocol):
    """Sending one webhook over HTTP."""

    async def send(self, message: Message) -> Reply:
        """Sign and send it, in bounded time; whatever goes wrong is a reply too."""
        ...

    async def close(self) -> None:
        """Send nothing more."""
        ...


class Webhook(msgspec.Struct, frozen=True):
    """An endpoint of a tenant, without its secret. `disabled_at` is when it said that it is gone (410)."""

    id: str
    url: str
    events: tuple[str, ...]
    description: str | None
    created_at: datetime
    disabled_at: datetime | None


class NewWebhook(msgspec.Struct, frozen=True):
    """A checked endpoint on its way into the store."""

    url: str
    events: tuple[str, ...]
    description: str | None
    secret: str


class DeliveryTry(msgspec.Struct, frozen=True):
    """One entry of the ledger: a try, numbered by handing-out, and what came of it.

    `duration_ms` is None where the worker was lost.
    """

    number: int
    tried_at: datetime
    response_status: int | None
    error: str | None
    duration_ms: int | None


class DeliveryView(msgspec.Struct, frozen=True):
    """A delivery as its tenant sees it; `next_try_at` is None where none is planned."""

    id: str
    submission_id: str
    webhook_id: str | None
    event: str
    url: str
    state: DeliveryState
    created_at: datetime
    next_try_at: datetime | None
    finished_at: datetime | None
    tries: tuple[DeliveryTry, ...]


class DeliveryFilter(msgspec.Struct, frozen=True):
    """Which deliveries to list; None leaves a field open. `before` is the id the page before ended with."""

    submission_id: str | None = None
    webhook_id: str | None = None
    state: DeliveryState | None = None
    event: str | None = None
    before: str | None = None


@runtime_checkable
class WebhookStore(Protocol):
    """A tenant's endpoints and the deliveries to them."""

    async def add(self, tenant_id: int, webhook: NewWebhook, *, most: int) -> Webhook | None:
        """Keep an endpoint; None where the tenant has `most` already."""
        ...

    async def endpoints(self, tenant_id: int) -> list[Webhook]:
        """The tenant's endpoints, oldest first."""
        ...

    async def remove(self, tenant_id: int, webhook_id: str) -> bool:
        """Delete an endpoint and give up what waits for it; False if there is none with this id."""
        ...

    async def set_callback_secret(self, tenant_id: int, secret: str) -> None:
        """Sign deliveries to callback URLs with this secret from now on."""
        ...

    async def deliveries(self, tenant_id: int, wanted: DeliveryFilter, most: int) -> list[DeliveryView]:
        """The tenant's deliveries, newest first."""
        ...

    async def redeliver(self, tenant_id: int, delivery_id: str) -> DeliveryView | None:
        """Make a delivery due now, under its id and with its content; None if there is none with this id.

        Raises `Conflict` where it is being sent or its endpoint is deleted.
        """
        ...


class KnownKey(msgspec.Struct, frozen=True):
    """A valid API key: whose it is and what it may do. `token_secret` signs its tenant's learner tokens."""

    id: str
    tenant_id: int
    role: str
    token_secret: str


class KeyInfo(msgspec.Struct, frozen=True):
    """An API key as operators see it: everything but the secret."""

    id: str
    tenant: str
    name: str
    role: str
    created_at: datetime
    revoked_at: datetime | None


@runtime_checkable
class AccessStore(Protocol):
    """Tenants and their API keys."""

    async def ensure_tenant(self, name: str, *, token_secret: str, callback_secret: str) -> int:
        """The tenant of this name, made with these secrets if there is none; answers its id."""
        ...

    async def add_key(
        self, tenant_id: int, *, name: str, role: str, secret_hash: bytes, actor: str | None = None
    ) -> str:
        """Keep a new key by its hash, and in the audit log who made it, if named; answers its id."""
        ...

    async def find_key(self, secret_hash: bytes) -> KnownKey | None:
        """The key with this hash, unless there is none or it was revoked."""
        ...

    async def token_secret(self, tenant_id: int) -> str | None:
        """What the tenant's learner tokens are signed with."""
        ...

    async def list_keys(self, tenant_id: int | None) -> list[KeyInfo]:
        """A tenant's keys, or everybody's, oldest first; never their secrets."""
        ...

    async def revoke_key(self, key_id: str, tenant_id: int | None, *, actor: str | None = None) -> bool:
        """Revoke a key, and keep in the audit log who did, if named; False if there is none (of this tenant)."""
        ...


class QueueDepth(msgspec.Struct, frozen=True):
    """How much lies in one queue.

    `scheduled` is ready later; `oldest_ready_seconds` is None where none is ready; `flow` is how many entered
    and left it in the last minute, where the store knows.
    """

    name: str
    ready: int
    running: int
    scheduled: int
    dead: int
    oldest_ready_seconds: float | None
    paused: bool
    flow: tuple[int, int] | None = None


class LiveWorker(msgspec.Struct, frozen=True):
    """A worker process and what it holds: counts by queue, and some of the asking tenant's submissions."""

    id: str
    host: str
    pid: int
    stages: tuple[str, ...]
    started_at: datetime
    heartbeat_at: datetime
    stopping: bool
    holds: Mapping[str, int]
    submission_ids: tuple[str, ...]


class Act(msgspec.Struct, frozen=True):
    """One entry of the audit log: who did what to which things, and why."""

    id: str
    actor: str
    action: str
    reason: str | None
    target: Mapping[str, JsonValue]
    created_at: datetime


@runtime_checkable
class OperationsStore(Protocol):
    """What operators see and steer; see `ControlStore` for single submissions."""

    async def depths(self) -> list[QueueDepth]:
        """How much lies in each queue, in the order of the stages, webhook deliveries last."""
        ...

    async def pause(self, tenant_id: int, stage: Stage, actor: str, reason: str) -> None:
        """Hand out no more work of this stage; what is running goes on."""
        ...

    async def resume(self, tenant_id: int, stage: Stage, actor: str, reason: str | None) -> bool:
        """Hand out work of this stage again; False if it was not paused."""
        ...

    async def live_workers(self, tenant_id: int, *, dead_seconds: float, most_ids: int) -> list[LiveWorker]:
        """The workers heard of in the last `dead_seconds`, and what they hold."""
        ...

    async def count_workers(self, *, dead_seconds: float) -> int:
        """How many workers were heard of in the last `dead_seconds`."""
        ...

    async def acts(self, tenant_id: int, *, before: str | None, most: int) -> list[Act]:
        """The tenant's audit log, newest first, from behind the act `before`."""
        ...


class DeadFilter(msgspec.Struct, frozen=True):
    """Which dead letters are meant; what is None does not matter.

    `error` is a part of the last attempt's error, in any case of letters; the submission was created at
    `created_from` or later and before `created_to`.
    """

    stage: Stage | None = None
    error: str | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None


class DeadPlace(msgspec.Struct, frozen=True, array_like=True):
    """A place in the list of dead letters."""

    submission_id: str
    stage: str


class FailedAttempt(msgspec.Struct, frozen=True):
    """One try that came to nothing: how it `ended`, and what it died of."""

    attempt: int
    ended: str
    error: str
    traceback: str | None
    worker_id: str | None
    started_at: datetime | None
    ended_at: datetime


class DeadLetter(msgspec.Struct, frozen=True):
    """A dead stage of a submission, with all its failed attempts, oldest first."""

    submission_id: str
    stage: Stage
    learner_id: str
    assignment_id: str | None
    created_at: datetime
    died_at: datetime
    error: str | None
    attempts: tuple[FailedAttempt, ...]


@runtime_checkable
class DeadStore(Protocol):
    """A tenant's dead letters."""

    async def list_dead(
        self, tenant_id: int, wanted: DeadFilter, *, before: DeadPlace | None, most: int
    ) -> list[DeadLetter]:
        """Dead letters, the newest submissions first, from behind the place `before`."""
        ...

    async def dead_ids(self, tenant_id: int, wanted: DeadFilter, *, most: int) -> list[str]:
        """The submissions with a dead stage that fits, the oldest first."""
        ...


@runtime_checkable
class HealthStore(Protocol):
    """Whether the store can serve."""

    async def probe(self) -> str:
        """The server's version; raises `Unavailable` where it does not answer."""
        ...

    async def revisions(self) -> tuple[str | None, str]:
        """The schema revision that is there (None: none), and the one this code was written for."""
        ...
