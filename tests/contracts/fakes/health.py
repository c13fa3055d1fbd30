"""The health of providers in memory: several processes may share it, and time passes as it is told."""

from collections.abc import Callable, Sequence
from itertools import count

from pipeline.exchange import Route, Trouble
from pipeline.live.local_health import Asking, HealthPolicy, LocalHealth, Verdict, verdict_of
from pipeline.ports.generation import Admitted, Held, ProviderHealth

BEGINNING_MS = 1_800_000_000_000
HAND_CLOCK = "local function clock() return tonumber(redis.call('GET', 'test:now')) end"
"""In Redis: the clock of its scripts, turned by hand."""


class HandClock:
    """A clock that somebody turns by hand."""

    def __init__(self) -> None:
        self.ms = BEGINNING_MS

    def pass_by(self, seconds: float) -> None:
        self.ms += round(seconds * 1000)


class FakeHealth:
    """The port `Health` of one process; give others the same `ward` and `clock` to have them share it.

    `draw` is each random draw; the middle of what jitter leaves open by default.
    """

    def __init__(
        self,
        policy: HealthPolicy | None = None,
        *,
        ward: LocalHealth | None = None,
        clock: HandClock | None = None,
        draw: Callable[[], float] = lambda: 0.5,
        asker: str = "here",
    ) -> None:
        self.ward = ward or LocalHealth(policy or HealthPolicy())
        self.clock = clock or HandClock()
        self.admissions = 0
        self.renewals = 0
        self.surprise: Exception | None = None
        self._draw = draw
        self._asker = asker
        self._names = count()

    async def admit(self, route: Route) -> Admitted | Held:
        self.admissions += 1
        if self.surprise is not None:
            raise self.surprise
        name = f"{self._asker}{next(self._names)}"
        return self.ward.admit(Asking(route.account, route.concurrency, name, self._asker), self.clock.ms)

    async def renew(self, route: Route, admitted: Admitted) -> None:
        await self.renew_all([(route, admitted)])

    async def renew_all(self, held: Sequence[tuple[Route, Admitted]]) -> None:
        self.renewals += 1
        for route, admitted in held:
            self.ward.renew(route.account, admitted.lease, self.clock.ms)

    async def release(
        self, route: Route, admitted: Admitted, trouble: Trouble | None, *, rest_seconds: float | None = None
    ) -> None:
        self._end(route, admitted, verdict_of(trouble), rest_seconds)

    async def withdraw(self, route: Route, admitted: Admitted) -> None:
        self._end(route, admitted, Verdict.SILENT, None)

    async def look(self, routes: Sequence[Route]) -> list[ProviderHealth]:
        return [self.ward.look(account, self.clock.ms) for account in dict.fromkeys(r.account for r in routes)]

    def _end(self, route: Route, admitted: Admitted, verdict: Verdict, rest_seconds: float | None) -> None:
        self.ward.release(route.account, admitted.lease, verdict, self.clock.ms, self._draw(), rest_seconds)
