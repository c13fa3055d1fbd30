"""Waiting for a place among the requests under way, in this process: first come, first served.

There is a line per account. While all places are taken only its head asks for one, now and then and at once when a
request of this process ends: a thousand who wait cost as much as one. Places that are held are renewed together.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable
from typing import Final, Self

import structlog

from pipeline import telemetry
from pipeline.exchange import Route, Trouble
from pipeline.ports.generation import Admitted, Health, Held

log = structlog.get_logger()

ASKED_AT_ONCE: Final = 64
LEAST_PAUSE_SECONDS: Final = 0.02
LONGEST_PAUSE_SECONDS: Final = 0.2
"""Shorter than a turn among processes is kept (`HealthPolicy.turn_seconds`)."""
RENEWED_EVERY_SECONDS: Final = 4.0
FULL_SECONDS: Final = 0.1


class Place:
    """One request's place, kept while the context lasts; left without a report, it was not sent or is broken off."""

    def __init__(self, gate: "FairGate", route: Route, admitted: Admitted) -> None:
        self.route = route
        self.admitted = admitted
        self._gate = gate
        self._leaving: asyncio.Task[None] | None = None
        self._reported = False
        self._trouble: Trouble | None = None
        self._rest_seconds: float | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._leaving = self._leaving or self._gate.leave(self)
        await asyncio.shield(self._leaving)

    def report(self, trouble: Trouble | None, rest_seconds: float | None = None) -> None:
        """How the request went, which is over: the place is given back. After a rate limit, how long all shall rest."""
        self._reported, self._trouble, self._rest_seconds = True, trouble, rest_seconds
        self._leaving = self._leaving or self._gate.leave(self)

    async def give_back(self, health: Health) -> None:
        """Say what was reported, or nothing."""
        if self._reported:
            await health.release(self.route, self.admitted, self._trouble, rest_seconds=self._rest_seconds)
        else:
            await health.withdraw(self.route, self.admitted)


class Waiter:
    """Somebody in a line, and what it will be told."""

    def __init__(self, route: Route) -> None:
        self.route = route
        self.told: asyncio.Future[Place | Held] = asyncio.get_running_loop().create_future()

    @property
    def seat(self) -> Place | None:
        """The place that it was told of, if it was."""
        if not self.told.done() or self.told.cancelled() or self.told.exception() is not None:
            return None
        answer = self.told.result()
        return answer if isinstance(answer, Place) else None

    def tell(self, answer: Place | Held) -> bool:
        """Whether the answer still reached it."""
        reached = not self.told.done()
        if reached:
            self.told.set_result(answer)
        return reached


class Line:
    """Those who wait for a place of one account."""

    def __init__(self) -> None:
        self.waiters: deque[Waiter] = deque()
        self.woken = asyncio.Event()
        self.serving: asyncio.Task[None] | None = None

    def heads(self, most: int) -> list[Waiter]:
        """The first of those who still wait, taken out of the line."""
        heads: list[Waiter] = []
        while self.waiters and len(heads) < most:
            waiter = self.waiters.popleft()
            if not waiter.told.done():
                heads.append(waiter)
        return heads


class FairGate:
    """The `Gate` of `pipeline/generation/assignment.py`."""

    def __init__(
        self,
        health: Health,
        *,
        least_pause_seconds: float = LEAST_PAUSE_SECONDS,
        longest_pause_seconds: float = LONGEST_PAUSE_SECONDS,
        renewed_every_seconds: float = RENEWED_EVERY_SECONDS,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """Places are renewed every `renewed_every_seconds`: at most a third of what a lease lasts."""
        self._health = health
        self._least_pause = least_pause_seconds
        self._longest_pause = longest_pause_seconds
        self._renewed_every = renewed_every_seconds
        self._jitter = jitter
        self._lines: dict[str, Line] = {}
        self._held: set[Place] = set()
        self._leaving: set[asyncio.Task[None]] = set()
        self._keeping: asyncio.Task[None] | None = None
        self._renewal_over = asyncio.Event()
        self._renewal_over.set()

    async def enter(self, route: Route, seconds: float) -> Place | Held:
        """A place, waited for at most `seconds` where all are taken; `Held` where it would be no use to wait here."""
        line = self._lines.setdefault(route.account, Line())
        waiter = Waiter(route)
        line.waiters.append(waiter)
        if line.serving is None:
            line.serving = asyncio.create_task(self._serve(line))
        patience = asyncio.get_running_loop().call_later(seconds, waiter.tell, Held("full", FULL_SECONDS))
        try:
            return await waiter.told
        except asyncio.CancelledError:
            if (place := waiter.seat) is not None:
                await asyncio.shield(self.leave(place))
            raise
        finally:
            patience.cancel()

    def leave(self, place: Place) -> "asyncio.Task[None]":
        """Give a place back, also where the caller is being stopped, and let the next ones ask."""
        leaving = asyncio.create_task(self._leave(place))
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)
        return leaving

    async def close(self) -> None:
        """Let nobody in any more and cancel those who wait; places that are held are given back by their holders."""
        tasks = [task for task in (self._keeping, *[line.serving for line in self._lines.values()]) if task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, *self._leaving, return_exceptions=True)
        for line in self._lines.values():
            for waiter in line.waiters:
                waiter.told.cancel()

    @property
    def waiting(self) -> int:
        """How many wait in this process at this moment."""
        return sum(not waiter.told.done() for line in self._lines.values() for waiter in line.waiters)

    async def _serve(self, line: Line) -> None:
        """Ask for those in the line until nobody is left; for all of them as long as there are places."""
        most, pause = ASKED_AT_ONCE, self._least_pause
        try:
            while heads := line.heads(most):
                line.woken.clear()
                left = await self._ask_for(line, heads)
                line.waiters.extendleft(reversed(left))
                if not left:
                    most, pause = min(2 * most, ASKED_AT_ONCE), self._least_pause
                    continue
                most = 1
                await self._pause(line, pause)
                pause = min(2 * pause, self._longest_pause)
        except Exception as surprise:  # noqa: BLE001 - theirs to handle who wait, and each of them gets it
            for waiter in line.heads(len(line.waiters)):
                waiter.told.set_exception(surprise)
        finally:
            line.serving = None

    async def _ask_for(self, line: Line, heads: list[Waiter]) -> list[Waiter]:
        """Those for whom there is no place now; where nobody may send anything, all in the line are told so."""
        try:
            answers = await asyncio.gather(*[self._health.admit(waiter.route) for waiter in heads])
        except BaseException:
            line.waiters.extendleft(reversed(heads))
            raise
        left = []
        for waiter, answer in zip(heads, answers, strict=True):
            if isinstance(answer, Admitted):
                await self._seat(waiter, answer)
            elif answer.reason == "full":
                left.append(waiter)
            else:
                for one in (waiter, *line.waiters):
                    one.tell(answer)
        return left

    async def _seat(self, waiter: Waiter, admitted: Admitted) -> None:
        place = Place(self, waiter.route, admitted)
        self._held.add(place)
        if self._keeping is None:
            self._keeping = asyncio.create_task(self._keep())
        if not waiter.tell(place):  # it gave up while it was asked for
            await asyncio.shield(self.leave(place))

    async def _keep(self) -> None:
        """Renew all places that are held, as long as there are any."""
        try:
            while self._held:
                await asyncio.sleep(self._renewed_every)
                self._renewal_over.clear()  # a place renewed after it was given back would stay taken until its end
                await self._renew()
        finally:
            self._renewal_over.set()
            self._keeping = None

    async def _renew(self) -> None:
        try:
            await self._health.renew_all([(place.route, place.admitted) for place in self._held])
        except Exception as surprise:  # noqa: BLE001 - leases last longer than until the next time
            log.warning(telemetry.HEALTH_RENEWAL_FAILED, error=type(surprise).__name__)
        finally:
            self._renewal_over.set()

    async def _pause(self, line: Line, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds * (0.5 + self._jitter() / 2)):
                await line.woken.wait()
        except TimeoutError:
            return

    async def _leave(self, place: Place) -> None:
        self._held.discard(place)
        await self._renewal_over.wait()
        try:
            await place.give_back(self._health)
        finally:
            for line in self._lines.values():
                line.woken.set()
