"""One text, paid once: recalled from the journal, awaited from whoever is asking, or asked for.

However many learners need the same reply at the same time, one request is sent: in this process they share a flight,
across processes the journal's row says who flies. A reply is journalled before anybody hears of it, and settled before
it is used.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Final, NamedTuple, assert_never

import msgspec
import structlog

from pipeline import telemetry
from pipeline.errors import Unavailable
from pipeline.generation.assignment import Asking, Assignment, Telling, Unwritten, Written
from pipeline.patience import patiently
from pipeline.ports.generation import Abandoned, Answered, Journal, Standing, Theirs, Wanted, Yours

log = structlog.get_logger()

LEASE_SECONDS: Final = 12.0
RENEWED_EVERY_SECONDS: Final = 3.0
QUIET_SECONDS: Final = 3.0
"""For so long after a failure others with the same wish are told of it instead of asking again."""
ANSWER_SECONDS: Final = 20.0
"""How long Postgres may be away before a reply that was paid for is given up."""
FIRST_LOOK_SECONDS: Final = 0.05
LAST_LOOK_SECONDS: Final = 0.5

PERSONAL: Final = frozenset({"learner_limit", "learner_budget_spent"})
"""Reasons that hold for one learner only: others with the same wish may ask at once."""

Name = tuple[int, bytes]
Arrival = asyncio.Future[Written | Unwritten]
MayAsk = Callable[[], Awaitable[Unwritten | None]]


class Wish(msgspec.Struct, frozen=True):
    """A text that one learner needs.

    `may_ask` is asked before a request is paid for, and may say why not; `telling` shows the text while it is written.
    """

    wanted: Wanted
    assignment: Assignment
    telling: Telling | None = None
    may_ask: MayAsk | None = None

    @property
    def name(self) -> Name:
        """What is the same for all who need the same text."""
        return self.wanted.tenant_id, self.wanted.key


class Flight(NamedTuple):
    """One text on its way; those who share it learn what came of it as soon as it is journalled, or there is none."""

    task: "asyncio.Task[Written | Unwritten]"
    arrival: Arrival


class Flights:
    """The texts this process is getting, each once."""

    def __init__(
        self,
        *,
        journal: Journal,
        asker: Asking,
        fresh_seconds: float,
        patience_seconds: float,
        rest: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """A reply of the journal is good for `fresh_seconds`; somebody else's is awaited for `patience_seconds`."""
        self._journal = journal
        self._asker = asker
        self._fresh_seconds = fresh_seconds
        self._patience_seconds = patience_seconds
        self._rest = rest
        self._under_way: dict[Name, Flight] = {}
        self._held: dict[str, Wanted] = {}
        self._keeping: asyncio.Task[None] | None = None

    async def get(self, wish: Wish) -> Written | Unwritten:
        """The text, settled, or why there is none; raises `Unavailable` where Postgres is away."""
        outcome = await self.heard(wish)
        await self.landed(wish)
        return outcome

    async def heard(self, wish: Wish) -> Written | Unwritten:
        """As `get`, but as soon as the text is journalled; to be used when it has `landed`.

        A flight goes on for others, and for the journal, where this caller gives up; it ends with the process.
        """
        while True:
            flight = self._under_way.get(wish.name)
            if flight is None or flight.task.done():  # it is struck off a moment later; awaiting it gives no turn
                return await asyncio.shield(self._take_off(wish))
            shared = await asyncio.shield(flight.arrival)
            if isinstance(shared, Written):
                return msgspec.structs.replace(shared, paid=False)
            if shared.reason not in PERSONAL:
                return shared

    async def landed(self, wish: Wish) -> None:
        """Wait until a text that was heard of is settled, or could not be: then it stays booked at the estimate."""
        flight = self._under_way.get(wish.name)
        if flight is not None:
            await asyncio.wait([flight.task])

    async def close(self) -> None:
        """Stop what is under way; what was sent is settled as far as it got."""
        flights = [flight.task for flight in self._under_way.values()]
        tasks = [*flights, *([self._keeping] if self._keeping else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _take_off(self, wish: Wish) -> Arrival:
        arrival: Arrival = asyncio.get_running_loop().create_future()
        flight = Flight(asyncio.create_task(self._fly(wish, arrival)), arrival)
        self._under_way[wish.name] = flight
        flight.task.add_done_callback(partial(self._strike_off, wish.name, flight))
        return arrival

    def _strike_off(self, name: Name, flight: Flight, _: object) -> None:
        if self._under_way.get(name) is flight:
            del self._under_way[name]
        if flight.arrival.done():
            report_left(flight)
        else:
            pass_on(flight)

    async def _fly(self, wish: Wish, arrival: Arrival) -> Written | Unwritten:
        standing = await self._settled(wish.wanted)
        match standing:
            case Answered():
                return recalled(standing)
            case Abandoned(reason=reason):
                return Unwritten(reason)
            case Theirs():
                return Unwritten("waited_too_long")
            case Yours(token=token):
                async with self._renewed(wish.wanted, token):
                    return await self._ask(wish, token, arrival)
            case _:
                assert_never(standing)

    async def _settled(self, wanted: Wanted) -> Standing:
        """Where the reply stands once nobody else is asking for it, or after all patience."""
        look, waited = FIRST_LOOK_SECONDS, 0.0
        while True:
            standing = await self._journal.begin(wanted, lease_seconds=LEASE_SECONDS, fresh_seconds=self._fresh_seconds)
            if not isinstance(standing, Theirs) or waited >= self._patience_seconds:
                return standing
            pause = look * (0.5 + random.random())  # noqa: S311 - spreads those who wait in time
            await self._rest(pause)
            waited, look = waited + pause, min(LAST_LOOK_SECONDS, look * 1.5)

    async def _ask(self, wish: Wish, token: str, arrival: Arrival) -> Written | Unwritten:
        try:
            refusal = await wish.may_ask() if wish.may_ask is not None else None
            keep = partial(self._keep_reply, wish.wanted, token, arrival)
            outcome = refusal or await self._asker.ask(wish.assignment, wish.telling, keep)
        except BaseException:
            await asyncio.shield(self._let_go(wish.wanted, token))
            raise
        if isinstance(outcome, Unwritten):
            quiet = 0.0 if outcome.reason in PERSONAL else QUIET_SECONDS
            await self._journal.abandon(wish.wanted, token, outcome.reason, quiet_seconds=quiet)
        return outcome

    async def _keep_reply(self, wanted: Wanted, token: str, arrival: Arrival, written: Written) -> None:
        answer = partial(self._journal.answer, wanted, token, journalled(written))
        await patiently(answer, ANSWER_SECONDS, self._rest)
        arrival.set_result(written)

    async def _let_go(self, wanted: Wanted, token: str) -> None:
        """Let others ask at once; where even that cannot be said, the lease will end."""
        with suppress(Unavailable):
            await self._journal.abandon(wanted, token, "stopped", quiet_seconds=0.0)

    @asynccontextmanager
    async def _renewed(self, wanted: Wanted, token: str) -> AsyncIterator[None]:
        """Keep the journal's row while the context lasts; all rows of the process are renewed together."""
        self._held[token] = wanted
        if self._keeping is None:
            self._keeping = asyncio.create_task(self._keep())
        try:
            yield
        finally:
            del self._held[token]

    async def _keep(self) -> None:
        """Renew what is held, as long as anything is. A row lost all the same costs a request, no reply."""
        try:
            while self._held:
                await asyncio.sleep(RENEWED_EVERY_SECONDS)
                renewals = [
                    self._journal.renew(wanted, token, lease_seconds=LEASE_SECONDS)
                    for token, wanted in self._held.items()
                ]
                for outcome in await asyncio.gather(*renewals, return_exceptions=True):
                    if isinstance(outcome, Exception):
                        log.warning(telemetry.GENERATION_RENEWAL_FAILED, error=type(outcome).__name__)
        finally:
            self._keeping = None


def pass_on(flight: Flight) -> None:
    """Tell those who wait how a flight ended."""
    if flight.task.cancelled():
        flight.arrival.cancel()
    elif (error := flight.task.exception()) is not None:
        flight.arrival.set_exception(error)
    else:
        flight.arrival.set_result(flight.task.result())


def report_left(flight: Flight) -> None:
    """What went wrong after a reply was journalled is nobody's failure."""
    if not flight.task.cancelled() and (error := flight.task.exception()) is not None:
        log.warning(telemetry.GENERATION_LEFT, error=type(error).__name__)


def recalled(answered: Answered) -> Written:
    """A reply out of the journal."""
    return Written(answered.text, answered.provider, answered.model, answered.prompt_version, paid=False)


def journalled(written: Written) -> Answered:
    """A reply on its way into the journal; the store sets the time."""
    return Answered(written.text, written.provider, written.model, written.prompt_version)
