"""What writing with language models needs: providers, their shared health, the journal of replies, the money."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Literal, Protocol, runtime_checkable

import msgspec

from pipeline.exchange import Place, Prompt, Purpose, Reply, Route, Trouble, Usage
from pipeline.model import JsonValue, Transcript
from pipeline.prompting.feedback import LearnerPicture

Tell = Callable[[str], Awaitable[None]]
"""Takes the raw text of a reply piece by piece while the model writes it."""


@runtime_checkable
class Provider(Protocol):
    """One route to a model."""

    @property
    def route(self) -> Route:
        """Which one."""
        ...

    async def send(self, prompt: Prompt, *, user: str, key: str, seconds: float, tell: Tell | None = None) -> Reply:
        """Ask once, without any retry, in at most `seconds`; whatever goes wrong is a reply too.

        `user` is the learner as a hash. `key` names the request to providers that know idempotency keys. With `tell`
        the reply is streamed, and whole at the end all the same.
        """
        ...

    async def close(self) -> None:
        """Ask nothing more."""
        ...


class Admitted(msgspec.Struct, frozen=True):
    """A request may be sent: the lease holds its place among those under way; `probe` means it tests a sick account."""

    lease: str
    probe: bool = False


class Held(msgspec.Struct, frozen=True):
    """No request now: the breaker is open, the account rests after a rate limit, or all places are taken.

    It may be asked for again in `seconds`, as far as is known.
    """

    reason: Literal["open", "cooling", "full"]
    seconds: float


class ProviderHealth(msgspec.Struct, frozen=True):
    """How an account does at this moment; `calls` and `failures` are those of the breaker's window."""

    account: str
    breaker: Literal["closed", "open", "half_open"]
    calls: int
    failures: int
    under_way: int
    opens_again_in_seconds: float | None = None
    cooling_seconds: float | None = None


@runtime_checkable
class Health(Protocol):
    """How the providers do, shared by all workers; where Redis is away, as far as this process knows."""

    async def admit(self, route: Route) -> Admitted | Held:
        """A place for one request, if its account is healthy and rested, and neither it nor all at the limit."""
        ...

    async def renew(self, route: Route, admitted: Admitted) -> None:
        """Keep the place of a request that takes its time."""
        ...

    async def renew_all(self, held: Sequence[tuple[Route, Admitted]]) -> None:
        """Keep the places of several at once."""
        ...

    async def release(
        self, route: Route, admitted: Admitted, trouble: Trouble | None, *, rest_seconds: float | None = None
    ) -> None:
        """Give the place back and say how it went, once; after a rate limit, how long everyone shall rest."""
        ...

    async def withdraw(self, route: Route, admitted: Admitted) -> None:
        """Give the place back of a request that tells nothing of its account: not sent, or broken off by us."""
        ...

    async def look(self, routes: Sequence[Route]) -> list[ProviderHealth]:
        """How these accounts do; raises `Unavailable`."""
        ...


class Wanted(msgspec.Struct, frozen=True):
    """A reply that is wanted. `key` stands for everything that matters for it; nothing is shared between tenants."""

    tenant_id: int
    key: bytes
    submission_id: str


class Answered(msgspec.Struct, frozen=True):
    """The reply was paid for before.

    `text` is what the model wrote and we accepted; what was taken out of the prompt for privacy is still out of it.
    """

    text: str
    provider: str
    model: str
    prompt_version: str


class Yours(msgspec.Struct, frozen=True):
    """Nobody has asked yet, or whoever did is gone: it is yours to ask, and to answer or abandon under this token."""

    token: str


class Theirs(msgspec.Struct, frozen=True):
    """Somebody is asking just now."""


class Abandoned(msgspec.Struct, frozen=True):
    """Somebody asked a moment ago and got no usable reply; asking again at once would not help."""

    reason: str


Standing = Answered | Yours | Theirs | Abandoned


@runtime_checkable
class Journal(Protocol):
    """Replies that were paid for, kept before they are used; and who is asking at the moment."""

    async def begin(self, wanted: Wanted, *, lease_seconds: float, fresh_seconds: float) -> Standing:
        """Where a wanted reply stands.

        A reply is good for `fresh_seconds`, and for the submission that paid for it as long as it is kept. One who
        asks must be done or renew within `lease_seconds`, by Postgres' clock. Raises `Unavailable`.
        """
        ...

    async def renew(self, wanted: Wanted, token: str, *, lease_seconds: float) -> bool:
        """Go on asking; False where somebody else has taken over."""
        ...

    async def answer(self, wanted: Wanted, token: str, answered: Answered) -> None:
        """Keep a complete, valid, accepted reply, whoever holds the key by now; raises `Unavailable`."""
        ...

    async def abandon(self, wanted: Wanted, token: str, reason: str, *, quiet_seconds: float) -> None:
        """Say that no usable reply came; for `quiet_seconds` others are told so. Raises `Unavailable`."""
        ...

    async def forget(self, *, older_seconds: float, most: int) -> int:
        """Delete replies so old; answers how many."""
        ...


class Attempt(msgspec.Struct, frozen=True):
    """A request that is about to be sent. `estimate` is the most it can cost, in nanodollars (10⁻⁹ US dollars)."""

    id: str
    tenant_id: int
    learner_id: str | None
    submission_id: str | None
    question_id: str | None
    purpose: Purpose
    provider: str
    model: str
    account: str
    arm: str | None
    prompt_version: str
    estimate: int


class Settlement(msgspec.Struct, frozen=True):
    """What a request came to. `cost` is in nanodollars; `known` is False where it had to be estimated.

    `trouble` is None for a usable reply; `cut_quotations` counts quotations that were dropped; `seconds` is None for a
    line of a batch, which waits for its turn rather than for an answer.
    """

    attempt_id: str
    trouble: Trouble | None
    usage: Usage | None
    cost: int
    known: bool
    seconds: float | None
    first_text_seconds: float | None = None
    status: int | None = None
    code: str | None = None
    model: str | None = None
    request_id: str | None = None
    cut_quotations: int = 0


class Spent(msgspec.Struct, frozen=True):
    """A budget has no room for this request: whose it is, and its limit in nanodollars a day."""

    budget: Literal["tenant", "learner"]
    limit: int


class Budgets(msgspec.Struct, frozen=True):
    """The limits of one tenant, in nanodollars a day (UTC); None where there is none."""

    tenant: int | None = None
    learner: int | None = None


@runtime_checkable
class Ledger(Protocol):
    """Every request that was sent, and what it cost; budgets that concurrent requests can't overshoot."""

    async def reserve(self, attempt: Attempt, budgets: Budgets) -> Spent | None:
        """Book the estimate against the budgets and note the attempt, both or neither; raises `Unavailable`."""
        ...

    async def settle(self, settlement: Settlement) -> None:
        """Put the true cost in the estimate's place; the same again changes nothing. Raises `Unavailable`."""
        ...

    async def withdraw(self, attempt_id: str) -> None:
        """Give back what is booked, or being booked, for a request that was never sent. Raises `Unavailable`."""
        ...

    async def close_lost(self, *, older_seconds: float, most: int) -> int:
        """Settle attempts whose worker is gone, at their estimate: they may have been billed. Answers how many."""
        ...

    async def note_served(self, tenant_id: int, arm: str | None, purpose: Purpose, provider: str) -> None:
        """Count a reply that was served without a request, from the journal."""
        ...


class Policy(msgspec.Struct, frozen=True):
    """What a tenant allows: all models, those in the house only, or none.

    And what it may spend, and whether its submissions of low priority may wait for half the price.
    """

    mode: Literal["cloud", "local", "off"] = "cloud"
    budgets: Budgets = Budgets()
    batch: bool = False

    def allows(self, place: Place) -> bool:
        """Whether a prompt of this tenant may go there."""
        return self.mode == "cloud" or (self.mode == "local" and place is Place.LOCAL)


@runtime_checkable
class Policies(Protocol):
    """What tenants allow."""

    async def of(self, tenant_id: int) -> Policy:
        """A tenant's policy, at most seconds old; raises `Unavailable`, and then nothing may be sent."""
        ...


@runtime_checkable
class PolicyStore(Policies, Protocol):
    """Keeps what tenants allow."""

    async def set(self, tenant_id: int, policy: Policy, *, actor: str, reason: str | None = None) -> None:
        """Replace a tenant's policy and note who did it and why; a budget that is None is the installation's.

        Raises `Unavailable`.
        """
        ...


class Learning(msgspec.Struct, frozen=True):
    """Whose feedback it is: a submission and its learner."""

    tenant_id: int
    submission_id: str
    learner_id: str


class Background(msgspec.Struct, frozen=True):
    """What feedback on a submission is written with, beside its answers.

    `picture` is the learner as known when feedback was first begun, so that a stage that is repeated asks for the very
    same. `metadata` is the client's, for the names that may stand in it; `secret` makes hashes that are the tenant's.
    """

    picture: LearnerPicture
    metadata: Mapping[str, JsonValue]
    secret: str
    priority: str = "normal"
    retry_feedback: bool = False


@runtime_checkable
class Backgrounds(Protocol):
    """What is known around a submission."""

    async def of(self, learning: Learning) -> Background | None:
        """A submission's background; None where it was erased. Raises `Unavailable`."""
        ...


@runtime_checkable
class Deltas(Protocol):
    """Feedback that learners read while it is written. Always rebuildable: the stored text is what counts."""

    async def tell(
        self, submission_id: str, tenant_id: int, question_id: str, text: str, *, after: str = "", whole: bool = False
    ) -> None:
        """Show this text of an answer's feedback behind `after`, which is all that was told of it before.

        So what was lost on the way is made up for, and telling the same again shows nothing twice. With `whole`
        nothing follows: should anything else be shown by now, it is taken back. Loses it where Redis is away.
        """
        ...

    async def restart(self, submission_id: str, tenant_id: int, question_id: str) -> None:
        """Take back what was shown of an answer's feedback: it begins anew."""
        ...


@runtime_checkable
class Transcripts(Protocol):
    """Reading what `Deltas` were told."""

    async def transcripts(self, named: Iterable[tuple[int, str]]) -> list[Transcript]:
        """What was told of these submissions (tenant, id), without those of which there is nothing.

        Raises `Unavailable`.
        """
        ...
