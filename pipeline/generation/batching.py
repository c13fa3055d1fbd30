"""Half the price for those who can wait: laid down → gathered → sent → looked at → settled → kept → woken.

Every step is written before the next one begins, so that whoever goes on after a crash sends nothing twice: a batch
is known here before the provider hears of it, and one whose sending was cut off is looked for there first
(`pipeline.generation.sending`).
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final
from uuid import UUID, uuid4

import msgspec
import structlog
from uuid_utils import uuid7

from pipeline import telemetry
from pipeline.errors import NotFound, Unavailable
from pipeline.exchange import Completion, Failed, Reply, Route, Trouble
from pipeline.generation.assignment import Meter
from pipeline.generation.flight import Wish
from pipeline.generation.sending import GIVEN_UP_AFTER_SECONDS, HALF, Sending
from pipeline.ports.batch import Batch, BatchRequest, BatchStore, Line, Lying, Remote, Terms
from pipeline.ports.generation import Answered, Journal, Ledger, Settlement, Yours

log = structlog.get_logger()

LEAST: Final = 50
MOST: Final = 5_000
OLDEST_SECONDS: Final = 300.0
"""A request waits so long at most for others to travel with."""
LOOK_AGAIN_SECONDS: Final = 3_600.0
"""Who waits looks again at the latest after so long, should nobody have woken them."""
LEAST_LOOK: Final = 60.0
UNHEEDED_SECONDS: Final = 3_600.0
"""A route that no process has known for so long is gone from the settings; before, they may be about to change."""
MOST_MISSES: Final = 20
"""So often in a row a provider may not know a batch that it took."""
LEASE_SECONDS: Final = 30.0

Wake = Callable[[Sequence[str]], Awaitable[None]]


class HalfPrice:
    """Lets wishes wait for a batch, and hands what came of it to the journal."""

    def __init__(
        self,
        *,
        store: BatchStore,
        journal: Journal,
        routes: Sequence[str],
        terms: Terms,
    ) -> None:
        """Wishes whose first route is named in `routes` may wait."""
        self._store = store
        self._journal = journal
        self._routes = frozenset(routes)
        self._terms = terms

    async def offer(self, wish: Wish, *, anew: bool) -> float | None:
        """For how many seconds to wait for this text; None: not (any longer), ask for it now, or find it journalled.

        Where it is not to be laid down `anew`, what was sent already is waited for all the same: it is paid for.
        """
        first = next(iter(wish.assignment.routes), None)
        if first is None or first.name not in self._routes:
            return None
        lying = await self._lying(wish, first, anew=anew)
        if lying is None:
            return None
        if lying.state == "sent" or (lying.state == "waiting" and anew):
            return min(self._look_again_seconds(lying), lying.seconds_left) or None
        if isinstance(lying.reply, Completion) and wish.assignment.judge(lying.reply.text).problem is None:
            await self._journalled(wish, first, lying.reply)
        return None

    async def _lying(self, wish: Wish, first: Route, *, anew: bool) -> Lying | None:
        if anew:
            return await self._store.lay(wish.wanted, request_of(wish, first), self._terms)
        return await self._store.known(wish.wanted, self._terms)

    def _look_again_seconds(self, lying: Lying) -> float:
        """Nobody wakes who waits for another's request, and its reply serves others only while it is fresh."""
        return (
            LOOK_AGAIN_SECONDS if lying.own else min(LOOK_AGAIN_SECONDS, max(LEAST_LOOK, self._terms.fresh_seconds / 2))
        )

    async def _journalled(self, wish: Wish, route: Route, reply: Completion) -> None:
        """Put a reply that will do where it is looked for; one that is there stays if it will be fresh then, too."""
        fresh_seconds = self._terms.fresh_seconds / 2
        standing = await self._journal.begin(wish.wanted, lease_seconds=LEASE_SECONDS, fresh_seconds=fresh_seconds)
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
        sending: Sending,
        ledger: Ledger,
        meter: Meter,
        wake: Wake,
        terms: Terms,
        least: int = LEAST,
        oldest_seconds: float = OLDEST_SECONDS,
    ) -> None:
        self._store = store
        self._remotes = remotes
        self._sending = sending
        self._ledger = ledger
        self._meter = meter
        self._wake = wake
        self._terms = terms
        self._least = least
        self._oldest_seconds = oldest_seconds
        self._misses: Counter[str] = Counter()

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
        terms = self._terms
        needless = await self._store.expire(least_seconds=terms.least_seconds, fresh_seconds=terms.fresh_seconds / 2)
        await self._told(needless)
        await self._store.attend([*self._remotes])
        for name in self._remotes:
            await self._store.gather(name, least=self._least, most=MOST, older_seconds=self._oldest_seconds)
        for batch in await self._store.open():
            await self._try(batch)
            if (batch.tried_seconds or 0.0) > GIVEN_UP_AFTER_SECONDS:
                await self._over(batch)

    async def _try(self, batch: Batch) -> None:
        try:
            await self._go_on(batch, self._remotes.get(batch.route))
        except (Unavailable, NotFound) as error:
            log.warning(telemetry.BATCH_UNREACHABLE, batch_id=batch.id, route=batch.route, error=str(error))
        except Exception as surprise:  # noqa: BLE001 - what one provider says must not keep all others from it
            kind, place = type(surprise).__name__, telemetry.place_of(surprise)
            log.error(telemetry.BATCH_SURPRISED, batch_id=batch.id, error=kind, place=place)  # noqa: TRY400 - no text

    async def _go_on(self, batch: Batch, remote: Remote | None) -> None:
        """The next steps of one batch; without its route any more, those who wait go on without it."""
        if remote is None:
            if batch.unheeded_seconds > UNHEEDED_SECONDS:
                await self._sending.forgo(batch, await self._store.requests(batch.id))
                await self._over(batch)
        elif batch.remote_id is not None:
            await self._look_at(batch, remote, batch.remote_id)
        elif await self._sending.go_on(batch, remote):
            await self._over(batch)

    async def _look_at(self, batch: Batch, remote: Remote, remote_id: str) -> None:
        """Take in what has ended; one that its provider does not know, time and again, is over, its cost unknown."""
        try:
            if await remote.ended(remote_id):
                await self._take_in(batch, remote, remote_id)
            del self._misses[batch.id]
        except NotFound:
            self._misses[batch.id] += 1
            if self._misses[batch.id] < MOST_MISSES:
                return
            log.warning(telemetry.BATCH_GONE, batch_id=batch.id, route=batch.route)
            await self._over(batch)

    async def _take_in(self, batch: Batch, remote: Remote, remote_id: str) -> None:
        """All that came of a batch. What was written for a learner who was erased meanwhile is settled as well."""
        requests = {request.custom_id: request for request in await self._store.requests(batch.id)}
        async for line in remote.lines(remote_id):
            request = requests.pop(line.custom_id, None)
            if request is not None:
                await self._take_one(request, line, remote.route)
            elif is_ours(line.custom_id) and not unread(line.reply):
                await self._ledger.settle(self._settlement(line.custom_id, line, remote.route))
        if requests:
            log.warning(telemetry.BATCH_UNANSWERED, batch_id=batch.id, route=batch.route, requests=len(requests))
        for request in requests.values():
            await self._take_one(request, Line(request.custom_id, None), remote.route)
        await self._over(batch)

    async def _take_one(self, request: BatchRequest, line: Line, route: Route) -> None:
        """Settled first, then kept: settling again changes nothing, and what is kept is not looked at again."""
        settlement = self._settlement(request.attempt_id, line, route)
        if unread(line.reply):
            estimate = self._meter.estimate(route, request.prompt) // HALF
            settlement = msgspec.structs.replace(settlement, cost=estimate, known=False)
        await self._ledger.settle(settlement)
        await self._store.keep(request.custom_id, line)

    def _settlement(self, attempt_id: str, line: Line, route: Route) -> Settlement:
        """Providers bill what was written, at half the price, and nothing for lines that failed or expired."""
        reply = line.reply
        usage = reply.usage if reply is not None else None
        cost, known = self._meter.cost(route, usage, reply.model) if reply and usage else (0, True)
        failed = reply if isinstance(reply, Failed) else None
        return Settlement(
            attempt_id=attempt_id,
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
        await self._told(await self._store.finish(batch.id))

    async def _told(self, ids: Sequence[str]) -> None:
        """Tell submissions that they need not wait any more; where Redis is away, they are found due in time."""
        if ids:
            with suppress(Unavailable):
                await self._wake(ids)


def request_of(wish: Wish, route: Route) -> BatchRequest:
    """A wish as it waits. Its reply is told by the name that it has in the ledger, also where nothing else is left."""
    assignment, name = wish.assignment, str(uuid7())
    return BatchRequest(
        custom_id=name,
        attempt_id=name,
        tenant_id=assignment.tenant_id,
        submission_id=wish.wanted.submission_id,
        route=route.name,
        user=assignment.user,
        learner_id=assignment.learner_id,
        question_id=assignment.question_id,
        arm=assignment.arm,
        prompt=assignment.prompt,
    )


def unread(reply: Reply | None) -> bool:
    """Whether something came of which it isn't known what it cost, though it may have been billed."""
    if reply is None or reply.usage is not None:
        return False
    return isinstance(reply, Completion) or reply.trouble is Trouble.UNREADABLE


def is_ours(name: str) -> bool:
    """Whether it may be the name of a request of ours."""
    try:
        return str(UUID(name)) == name
    except ValueError:
        return False
