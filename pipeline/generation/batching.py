"""Half the price for those who can wait: laid down → gathered → sent → looked at → kept → settled → woken.

Every step is written before the next one begins, so that whoever goes on after a crash sends nothing twice: a batch
is known here before the provider hears of it, and one whose sending was cut off is looked for there first.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import uuid4

import structlog
from uuid_utils import uuid7

from pipeline import telemetry
from pipeline.errors import Unavailable
from pipeline.exchange import Completion, Failed, Purpose, Reply, Route, Trouble
from pipeline.generation.assignment import Meter
from pipeline.generation.flight import Wish
from pipeline.ports.batch import Batch, BatchRequest, BatchStore, Line, Lying, Remote, Unsure
from pipeline.ports.generation import Answered, Attempt, Journal, Ledger, Policies, Settlement, Yours

log = structlog.get_logger()

LEAST: Final = 50
MOST: Final = 5_000
OLDEST_SECONDS: Final = 300.0
"""A request waits so long at most for others to travel with."""
LOOK_AGAIN_SECONDS: Final = 3_600.0
"""Who waits looks again at the latest after so long, should nobody have woken them."""
LEAST_LOOK: Final = 60.0
GIVEN_UP_AFTER: Final = timedelta(hours=72)
"""No provider takes longer than a day; of a batch that can't be asked about for so long nothing will be heard."""
LEASE_SECONDS: Final = 30.0
HALF: Final = 2
"""What the price is divided by, at OpenAI and at Anthropic (2026-11)."""

Wake = Callable[[Sequence[str]], Awaitable[None]]


def now_utc() -> datetime:
    return datetime.now(UTC)


class HalfPrice:
    """Lets wishes wait for a batch, and hands what came of it to the journal."""

    def __init__(
        self,
        *,
        store: BatchStore,
        journal: Journal,
        routes: Sequence[str],
        wait_seconds: float,
        fresh_seconds: float,
    ) -> None:
        """Wishes whose first route is named in `routes` may wait for `wait_seconds` in all.

        A reply of the journal is good for `fresh_seconds`.
        """
        self._store = store
        self._journal = journal
        self._routes = frozenset(routes)
        self._wait_seconds = wait_seconds
        self._fresh_seconds = fresh_seconds

    async def offer(self, wish: Wish) -> float | None:
        """For how many seconds to wait for this text; None: not (any longer), ask for it now, or find it journalled."""
        first = next(iter(wish.assignment.routes), None)
        if first is None or first.name not in self._routes:
            return None
        lying = await self._store.lay(
            wish.wanted,
            request_of(wish, first),
            wait_seconds=self._wait_seconds,
            fresh_seconds=self._fresh_seconds,
        )
        if lying.state in {"waiting", "sent"}:
            return min(self._look_again_seconds(lying), lying.seconds_left) or None
        if isinstance(lying.reply, Completion) and wish.assignment.judge(lying.reply.text).problem is None:
            await self._journalled(wish, first, lying.reply)
        return None

    def _look_again_seconds(self, lying: Lying) -> float:
        """Nobody wakes who waits for another's request, and its reply serves others only while it is fresh."""
        return LOOK_AGAIN_SECONDS if lying.own else min(LOOK_AGAIN_SECONDS, max(LEAST_LOOK, self._fresh_seconds / 2))

    async def _journalled(self, wish: Wish, route: Route, reply: Completion) -> None:
        """Put a reply that will do where it is looked for; one that is there already stays."""
        standing = await self._journal.begin(wish.wanted, lease_seconds=LEASE_SECONDS, fresh_seconds=self._wait_seconds)
        if isinstance(standing, Answered):
            return
        token = standing.token if isinstance(standing, Yours) else str(uuid4())
        prompt = wish.assignment.prompt.reference
        await self._journal.answer(wish.wanted, token, Answered(reply.text, route.provider, reply.model, prompt))


class Batching:
    """Sends what waits and takes in what came back; one process at a time, step by step."""

    def __init__(
        self,
        *,
        store: BatchStore,
        remotes: Mapping[str, Remote],
        ledger: Ledger,
        meter: Meter,
        policies: Policies,
        wake: Wake,
        least: int = LEAST,
        oldest_seconds: float = OLDEST_SECONDS,
        now: Callable[[], datetime] = now_utc,
    ) -> None:
        self._store = store
        self._remotes = remotes
        self._ledger = ledger
        self._meter = meter
        self._policies = policies
        self._wake = wake
        self._least = least
        self._oldest_seconds = oldest_seconds
        self._now = now

    async def tick(self) -> None:
        """One round over all batches, unless another process is at it; an outage of Postgres ends it."""
        try:
            async with self._store.alone() as ours:
                if ours:
                    await self._round()
        except Unavailable as error:
            log.warning(telemetry.BATCH_UNREACHABLE, error=str(error))

    async def _round(self) -> None:
        """A provider that cannot be asked, or whose batch can't be read, keeps nobody else from it."""
        await self._store.expire()
        for name in self._remotes:
            await self._store.gather(name, least=self._least, most=MOST, older_seconds=self._oldest_seconds)
        for batch in await self._store.open():
            await self._try(batch)
            if self._now() - batch.created_at > GIVEN_UP_AFTER:
                await self._over(batch)

    async def _try(self, batch: Batch) -> None:
        try:
            await self._go_on(batch, self._remotes.get(batch.route))
        except Unavailable as error:
            log.warning(telemetry.BATCH_UNREACHABLE, batch_id=batch.id, route=batch.route, error=str(error))
        except Exception as surprise:  # noqa: BLE001 - what one provider says must not keep all others from it
            kind, place = type(surprise).__name__, telemetry.place_of(surprise)
            log.error(telemetry.BATCH_SURPRISED, batch_id=batch.id, error=kind, place=place)  # noqa: TRY400 - no text

    async def _go_on(self, batch: Batch, remote: Remote | None) -> None:
        """The next steps of one batch; without its route any more, those who wait go on without it."""
        if remote is None:
            await self._over(batch)
        elif batch.remote_id is None:
            await self._send(batch, remote)
        elif await remote.ended(batch.remote_id):
            await self._take_in(batch, remote, batch.remote_id)

    async def _send(self, batch: Batch, remote: Remote) -> None:
        requests = await self._store.requests(batch.id)
        found = await remote.find(batch, requests)
        if isinstance(found, Unsure):
            return
        if found is None:
            requests = [request for request in requests if await self._affordable(request, remote.route)]
            if not requests:
                await self._over(batch)
                return
            found = await remote.send(batch, requests)
        await self._store.mark_sent(batch.id, found)

    async def _affordable(self, request: BatchRequest, route: Route) -> bool:
        """Whether the budgets have room; booked under the same id however often."""
        policy = await self._policies.of(request.tenant_id)
        if policy.allows(route.place) and policy.batch:
            estimate = self._meter.estimate(route, request.prompt) // HALF
            if await self._ledger.reserve(attempt_of(request, route, estimate), policy.budgets) is None:
                return True
        await self._store.drop(request.custom_id)
        return False

    async def _take_in(self, batch: Batch, remote: Remote, remote_id: str) -> None:
        requests = {request.custom_id: request for request in await self._store.requests(batch.id)}
        async for line in remote.lines(remote_id):
            request = requests.pop(line.custom_id, None)
            if request is not None:
                await self._take_one(request, line, remote.route)
        for request in requests.values():
            await self._take_one(request, Line(request.custom_id, None), remote.route)
        await self._over(batch)

    async def _take_one(self, request: BatchRequest, line: Line, route: Route) -> None:
        """Settled first, then kept: settling again changes nothing, and what is kept is not looked at again."""
        await self._ledger.settle(self._settlement(request, line, route))
        await self._store.keep(request.custom_id, line)

    def _settlement(self, request: BatchRequest, line: Line, route: Route) -> Settlement:
        """Providers bill what was written, at half the price, and nothing for lines that failed or expired."""
        reply = line.reply
        usage = reply.usage if reply is not None else None
        cost, known = self._meter.cost(route, usage, reply.model) if reply and usage else (0, True)
        if usage is None and (isinstance(reply, Completion) or unreadable(reply)):
            cost, known = self._meter.estimate(route, request.prompt), False
        failed = reply if isinstance(reply, Failed) else None
        return Settlement(
            attempt_id=request.attempt_id,
            trouble=failed.trouble if failed else None,
            usage=usage,
            cost=cost // HALF,
            known=known,
            seconds=None,
            status=failed.status if failed else None,
            code=failed.code if failed else None,
            model=reply.model if reply else None,
            request_id=reply.request_id if isinstance(reply, Completion) else None,
        )

    async def _over(self, batch: Batch) -> None:
        await self._wake(await self._store.finish(batch.id))


def request_of(wish: Wish, route: Route) -> BatchRequest:
    """A wish as it waits."""
    assignment = wish.assignment
    return BatchRequest(
        custom_id=str(uuid7()),
        attempt_id=str(uuid7()),
        tenant_id=assignment.tenant_id,
        submission_id=wish.wanted.submission_id,
        route=route.name,
        user=assignment.user,
        learner_id=assignment.learner_id,
        question_id=assignment.question_id,
        arm=assignment.arm,
        prompt=assignment.prompt,
    )


def unreadable(reply: Reply | None) -> bool:
    """Whether something came that can't be read: it may have been billed."""
    return isinstance(reply, Failed) and reply.trouble is Trouble.UNREADABLE


def attempt_of(request: BatchRequest, route: Route, estimate: int) -> Attempt:
    """A request as the ledger books it."""
    return Attempt(
        id=request.attempt_id,
        tenant_id=request.tenant_id,
        learner_id=request.learner_id,
        submission_id=request.submission_id,
        question_id=request.question_id,
        purpose=Purpose.FEEDBACK,
        provider=route.provider,
        model=route.model,
        account=route.account,
        arm=request.arm,
        prompt_version=request.prompt.reference,
        estimate=estimate,
    )
