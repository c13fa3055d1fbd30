"""Requests that may wait for half the price: what is kept of them, and the providers' batches that they travel in."""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Final, Literal, Protocol, runtime_checkable

import msgspec

from pipeline.exchange import Prompt, Reply, Route
from pipeline.ports.generation import Wanted

MOST_LEAST_SECONDS: Final = 3_600.0


class BatchRequest(msgspec.Struct, frozen=True):
    """One request as it waits: everything that is needed to send and to book it. The prompt is redacted.

    `custom_id` finds its reply again; `attempt_id`, the same for new ones, is its line in the ledger.
    """

    custom_id: str
    attempt_id: str
    tenant_id: int
    submission_id: str
    route: str
    user: str
    learner_id: str | None
    question_id: str | None
    arm: str | None
    prompt: Prompt


class Terms(msgspec.Struct, frozen=True):
    """For how long a request may wait since its submission was accepted, in seconds, and replies are good for others.

    With less than `least_seconds` left it is not sent any more: who waits would most likely ask live as well.
    """

    wait_seconds: float
    fresh_seconds: float

    @property
    def least_seconds(self) -> float:
        """An hour, by which most batches are over, or half of a wait that is shorter than two."""
        return min(MOST_LEAST_SECONDS, self.wait_seconds / 2)


class Lying(msgspec.Struct, frozen=True):
    """What is known of a request: where it stands, for how long it may still wait, and its reply where one came.

    One that is not its `own` is another submission's for the same reply, whose end nobody tells it.
    """

    state: Literal["waiting", "sent", "answered", "failed", "expired"]
    seconds_left: float
    reply: Reply | None = None
    own: bool = True


class Batch(msgspec.Struct, frozen=True):
    """Requests of one route that travel together; `remote_id` is the provider's name for it, once it is known.

    `tried_at` is when its last hand-over began, `tried_seconds` how long ago that is by the store's clock; None where
    none was begun of which anything could have arrived. So many `tries` there were, the last with `size` requests in
    the file `file_id`. Nobody who knows its route has looked after it for `unheeded_seconds`.
    """

    id: str
    route: str
    state: Literal["sending", "sent"]
    remote_id: str | None
    created_at: datetime
    tried_at: datetime | None = None
    tried_seconds: float | None = None
    tries: int = 0
    size: int | None = None
    file_id: str | None = None
    unheeded_seconds: float = 0.0


class Line(msgspec.Struct, frozen=True):
    """What became of one request of a batch; None: the batch expired before its turn came."""

    custom_id: str
    reply: Reply | None


class Unsure(msgspec.Struct, frozen=True):
    """Whether a batch arrived cannot be told yet; nothing may be sent in its place."""


class Refused(msgspec.Struct, frozen=True):
    """The provider did not take a batch and never will; `status` is HTTP's."""

    status: int


@runtime_checkable
class Remote(Protocol):
    """A provider's batches, over one route.

    Raises `Unavailable` where it cannot be asked, `NotFound` where it does not know a batch or its results.
    """

    @property
    def route(self) -> Route:
        """Which one."""
        ...

    async def prepare(self, batch: Batch, requests: Sequence[BatchRequest]) -> str | Refused | None:
        """What has to be there before a batch can be made of it, and costs nothing; answers its name, if it has any.

        What was prepared before is taken away first: of what comes late of that, nothing can come.
        """
        ...

    async def send(self, batch: Batch, requests: Sequence[BatchRequest], file_id: str | None) -> str | Unsure | Refused:
        """Hand a prepared batch in, marked with our id where it can be; answers the provider's name for it.

        Raises `Unavailable` only where it surely did not arrive, so that it may be handed in again.
        """
        ...

    async def find(
        self, batch: Batch, requests: Sequence[BatchRequest], others: Collection[str]
    ) -> str | Unsure | None:
        """The provider's name for this batch if it is listed there, and None if not: it may be some minutes later.

        It is none of the `others`, whose names are known to be other batches'.
        """
        ...

    async def ended(self, remote_id: str) -> bool:
        """Whether nothing more will come of a batch."""
        ...

    def lines(self, remote_id: str) -> AsyncIterator[Line]:
        """What became of the requests of an ended batch, in any order; those left out failed."""
        ...


@runtime_checkable
class BatchStore(Protocol):
    """Requests that wait for half the price. All of it raises `Unavailable` where the store is away."""

    def alone(self) -> AbstractAsyncContextManager[bool]:
        """Whether nobody else sends and looks at this moment; kept off while the context lasts."""
        ...

    async def known(self, wanted: Wanted, terms: Terms) -> Lying | None:
        """What is known of a request for a reply, as `lay` tells it; None where there is none."""
        ...

    async def lay(self, wanted: Wanted, request: BatchRequest, terms: Terms) -> Lying:
        """Keep a request unless there is one for the same reply already; answers what is known of that.

        A reply that was journalled for this submission, or while it is fresh, is an answer, and will be found there.
        One that came with a batch is this submission's if it was laid for it, and anybody's while it is fresh.
        """
        ...

    async def expire(self, *, least_seconds: float, fresh_seconds: float) -> list[str]:
        """Let go of what is in no batch and has too little time left, or was journalled so short a time ago.

        Makes who waited for it due now, and answers their ids.
        """
        ...

    async def attend(self, routes: Sequence[str]) -> None:
        """Say that somebody who knows these routes looks after their batches."""
        ...

    async def gather(self, route: str, *, least: int, most: int, older_seconds: float) -> Batch | None:
        """Put what waits for a route into a batch to be sent: if it is `least`, or any of it waits so long."""
        ...

    async def open(self) -> list[Batch]:
        """Batches that are being sent or were sent, oldest first."""
        ...

    async def remote_ids(self, route: str) -> list[str]:
        """The names of a route's batches that are known, of those that are not long over."""
        ...

    async def requests(self, batch_id: str) -> list[BatchRequest]:
        """The requests of a batch that have no reply yet."""
        ...

    async def overdue(self, batch_id: str, *, least_seconds: float) -> list[BatchRequest]:
        """Those of a batch yet to be sent that have too little time left."""
        ...

    async def drop(self, custom_id: str) -> None:
        """A request that may not be sent after all; makes who waits for it due now."""
        ...

    async def begin(self, batch: Batch, custom_ids: Sequence[str], file_id: str | None) -> Batch | None:
        """Note that the hand-over of these requests begins; answers the batch as it is now.

        None where somebody else began one since `batch` was read, or not all of these are to be sent any more.
        """
        ...

    async def take_back(self, batch: Batch) -> None:
        """The hand-over that `begin` noted surely failed."""
        ...

    async def mark_sent(self, batch_id: str, remote_id: str) -> None:
        """The provider has it."""
        ...

    async def keep(self, custom_id: str, line: Line) -> None:
        """What became of a request."""
        ...

    async def finish(self, batch_id: str) -> list[str]:
        """A batch is over: what has no reply failed. Makes who waited for it due now, and answers their ids."""
        ...
