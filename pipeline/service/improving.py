"""Writing feedback anew, where a model could not when it was asked for and the client wants it all the same."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import structlog

from pipeline import telemetry
from pipeline.errors import Unavailable
from pipeline.exchange import Route
from pipeline.execution import PerformAlone, place_of
from pipeline.lifecycle import Stage
from pipeline.model import Change, Claim, Work
from pipeline.ports import Board, WorkStore
from pipeline.ports.generation import Health
from pipeline.ports.improvement import Due, ImprovementStore
from pipeline.stages.outcome import Done

log = structlog.get_logger()

IMPROVED_AT_ONCE: Final = 5
LEASE_SECONDS: Final = 300.0
"""Longer than feedback takes to write; whoever is slower finds that somebody else has taken over."""
FIRST_REST_SECONDS: Final = 60.0
LONGEST_REST_SECONDS: Final = 3_600.0
RETOLD_SECONDS: Final = 5.0
GIVEN_UP_AT_ONCE: Final = 1_000

Ready = Callable[[], Awaitable[bool]]


class Improver:
    """Takes lesser feedback whose turn has come, as soon as somebody can write again, and puts better in its place.

    Any number may run: each takes what no other has. Without `write`, where no model is configured any more, it only
    gives up what has waited for too long.
    """

    def __init__(
        self,
        *,
        store: ImprovementStore,
        works: WorkStore,
        board: Board,
        write: PerformAlone | None = None,
        ready: Ready | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._store = store
        self._works = works
        self._board = board
        self._write = write
        self._ready = ready
        self._jitter = jitter

    async def tick(self) -> None:
        """One round; an outage of Postgres ends it."""
        try:
            if given_up := await self._store.give_up(most=GIVEN_UP_AT_ONCE):
                log.warning(telemetry.IMPROVEMENTS_GIVEN_UP, submissions=given_up)
            if self._write is not None:
                await self._improve_due(self._write)
        except Unavailable as error:
            log.warning(telemetry.IMPROVING_FAILED, error=str(error))

    async def _improve_due(self, write: PerformAlone) -> None:
        """A few at once, again and again while there are more and somebody can write."""
        while self._ready is None or await self._ready():
            due = await self._store.take(lease_seconds=LEASE_SECONDS, most=IMPROVED_AT_ONCE)
            await asyncio.gather(*[self._see_to(one, write) for one in due])
            if len(due) < IMPROVED_AT_ONCE:
                return

    async def _see_to(self, due: Due, write: PerformAlone) -> None:
        """A surprise in one is that one's failed try; an outage of Postgres leaves it to its lease."""
        try:
            change = due.unheard or await self._improve(due, write)
            if change is not None:
                await self._tell(due, change)
        except Unavailable as error:
            log.warning(telemetry.IMPROVING_FAILED, submission_id=due.submission_id, error=str(error))
        except Exception as surprise:  # noqa: BLE001 - its neighbours go on, and its lease will end
            log.error(  # noqa: TRY400 - only type and place: the text might quote an answer
                telemetry.IMPROVING_FAILED,
                submission_id=due.submission_id,
                error=type(surprise).__name__,
                place=place_of(surprise),
            )

    async def _improve(self, due: Due, write: PerformAlone) -> Change | None:
        """The change, where there is better feedback now; else another try is arranged for, if one is wanted."""
        work = await self._load(due)
        if work is None:
            await self._store.forget(due)
            return None
        outcome = await write(work)
        if not isinstance(outcome, Done):
            await self._store.postpone(due, self._rest_seconds(due))
            return None
        return await self._store.improve(due, outcome.body)

    async def _load(self, due: Due) -> Work | None:
        """What feedback is written on; None where it was erased."""
        nobodys = Claim(due.submission_id, due.tenant_id, epoch=0, attempt=0)
        return next(iter(await self._works.load(Stage.FEEDBACK, [nobodys])), None)

    async def _tell(self, due: Due, change: Change) -> None:
        """Show the new version. The row stays until then: documents of finished submissions are kept for days."""
        try:
            await self._board.publish([change])
        except Unavailable as error:
            log.warning(telemetry.STATUS_LOST, changes=1, error=str(error))
            await self._store.postpone(due, RETOLD_SECONDS)
            return
        log.info(telemetry.FEEDBACK_IMPROVED, submission_id=due.submission_id, tries=due.tries)
        await self._store.forget(due)

    def _rest_seconds(self, due: Due) -> float:
        """Doubling with each try, the second half of it by chance."""
        longest = min(LONGEST_REST_SECONDS, FIRST_REST_SECONDS * 2.0 ** min(due.tries, 10))
        return longest * (0.5 + self._jitter() / 2)


def somebody_writes(health: Health, routes: Sequence[Route]) -> Ready:
    """Asks whether any of these routes may be asked at this moment: its breaker is not open, and it is not resting."""

    async def ready() -> bool:
        try:
            known = await health.look(routes)
        except Unavailable:
            return bool(routes)  # each process knows for itself then, and finds out by asking
        return any(account.breaker != "open" and not account.cooling_seconds for account in known)

    return ready
