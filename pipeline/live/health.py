"""How the providers do, as all workers know it together: one atomic decision in Redis, by Redis' clock.

Where Redis is away each process goes on with what it knows itself: a breaker over its own calls, and as many places
as `concurrency` and the route's own limit name, now for this process alone. Every shared decision is noted there as
well, so it starts from what was last known; requests that are under way when Redis is back take their places again.
What it was not told of meanwhile is given back then: places of requests that are over, and such as it may have given
out without anybody hearing of it.
"""

import random
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Final, TypeVar
from uuid import uuid4

import msgspec
import structlog
from redis.asyncio import Redis

from pipeline import telemetry
from pipeline.batching import Batcher
from pipeline.errors import Unavailable
from pipeline.exchange import Route, Trouble
from pipeline.live.client import reaching
from pipeline.live.health_script import ADMIT, CLOCK, LOOK, NAMES, RELEASE, RENEW, SHARED
from pipeline.live.local_health import FULL_SECONDS, Asking, HealthPolicy, LocalHealth, Verdict, ms, verdict_of
from pipeline.patience import answered_within
from pipeline.ports.generation import Admitted, Held, ProviderHealth

log = structlog.get_logger()

ANSWER_SECONDS: Final = 0.5
"""A Redis that hangs may cost a request this much; then it is decided here."""
REST_SECONDS: Final = 1.0
"""How long Redis is left alone after it failed; then one request tries it."""
AT_ONCE: Final = 100

Value = TypeVar("Value")


class Ending(msgspec.Struct, frozen=True):
    """A request that is over."""

    route: Route
    lease: str
    verdict: Verdict
    rest_seconds: float | None
    draw: float


class Owed(msgspec.Struct, frozen=True):
    """A place to give back once Redis answers, worth the while until its lease ends (ms, this process's clock)."""

    route: Route
    until: int


class RedisHealth:
    """The port `pipeline.ports.generation.Health`."""

    def __init__(
        self,
        client: Redis,
        policy: HealthPolicy,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        draw: Callable[[], float] = random.random,
        clock: str = CLOCK,
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        """`clock` is the Lua of a function `clock()` that says the time in ms; `monotonic` is this process's own."""
        self._policy = policy
        self._monotonic = monotonic
        self._draw = draw
        self._answer_seconds = answer_seconds
        self._name = uuid4().hex
        self._local = LocalHealth(policy)
        self._resting_until = 0.0
        self._owed: dict[str, Owed] = {}
        before = NAMES + clock + SHARED
        self._scripts = {text: client.register_script(before + text) for text in (ADMIT, RELEASE, RENEW, LOOK)}
        self._admissions: Batcher[Route, Admitted | Held] = Batcher(self._admit, most=AT_ONCE)
        self._endings: Batcher[Ending, None] = Batcher(self._end, most=AT_ONCE)

    async def admit(self, route: Route) -> Admitted | Held:
        """A place for one request, or why there is none."""
        return await self._admissions.add(route)

    async def renew(self, route: Route, admitted: Admitted) -> None:
        """Keep the place of a request that takes its time."""
        await self.renew_all([(route, admitted)])

    async def renew_all(self, held: Sequence[tuple[Route, Admitted]]) -> None:
        """Keep the places of these requests."""
        for route, admitted in held:
            self._local.renew(route.account, admitted.lease, self._now)
        for some in rows(held, AT_ONCE):
            names = [name for route, admitted in some for name in (route.account, admitted.lease)]
            await self._shared(partial(self._run, RENEW, ms(self._policy.lease_seconds), *names))

    async def release(
        self, route: Route, admitted: Admitted, trouble: Trouble | None, *, rest_seconds: float | None = None
    ) -> None:
        """Give the place back and say how it went; the same again does nothing."""
        await self._endings.add(Ending(route, admitted.lease, verdict_of(trouble), rest_seconds, self._draw()))

    async def withdraw(self, route: Route, admitted: Admitted) -> None:
        """Give the place back of a request that tells nothing: it was not sent, or broken off by us."""
        await self._endings.add(Ending(route, admitted.lease, Verdict.SILENT, None, self._draw()))

    async def look(self, routes: Sequence[Route]) -> list[ProviderHealth]:
        """How these accounts do, each once; raises `Unavailable`."""
        accounts = list(dict.fromkeys(route.account for route in routes))
        answers = await self._run(LOOK, self._policy.slot_ms, *accounts)
        return [seen(account, *part) for account, part in zip(accounts, rows(answers, 5), strict=True)]

    async def _admit(self, routes: list[Route]) -> Sequence[Admitted | Held]:
        askings = [Asking(route.account, route.concurrency, uuid4().hex) for route in routes]
        answers = await self._shared(lambda: self._ask(askings))
        if answers is None:
            return [self._admit_here(route, asking) for route, asking in zip(routes, askings, strict=True)]
        for asking, answer in zip(askings, answers, strict=True):
            self._local.follow(asking.account, answer, self._now)
        return answers

    def _admit_here(self, route: Route, asking: Asking) -> Admitted | Held:
        answer = self._local.admit(asking, self._now)
        if isinstance(answer, Held):  # it may have a place in Redis all the same, if only the answer was lost
            self._owe(route, asking.name)
        return answer

    async def _ask(self, askings: list[Asking]) -> list[Admitted | Held]:
        await self._pay()
        policy, arguments = self._policy, list[str | int]()
        arguments += [ms(policy.lease_seconds), policy.concurrency, ms(policy.turn_seconds), self._name, self._keep_ms]
        arguments += [ms(policy.open_cap_seconds), ms(policy.longest_rest_seconds)]
        for asking in askings:
            arguments += [asking.account, asking.limit, asking.name]
        return [decided(*answer) for answer in rows(await self._run(ADMIT, *arguments), 3)]

    async def _end(self, endings: list[Ending]) -> Sequence[None]:
        for one in endings:
            self._local.release(one.route.account, one.lease, one.verdict, self._now, one.draw, one.rest_seconds)
        effects = await self._shared(lambda: self._tell(endings))
        if effects is None:
            for one in endings:
                self._owe(one.route, name_of(one.lease))
        for one, (effect, lasts_ms) in zip(endings, effects or (), strict=effects is not None):
            if effect:
                event = telemetry.BREAKER_OPENED if effect == b"opened" else telemetry.BREAKER_CLOSED
                log.warning(event, provider=one.route.provider, account=one.route.account, seconds=lasts_ms / 1000)
        return [None] * len(endings)

    def _owe(self, route: Route, name: str) -> None:
        """Remember a place that Redis may think is taken; after a lease's time it ends by itself."""
        now = self._now
        while self._owed and next(iter(self._owed.values())).until <= now:  # the first of them was owed first
            del self._owed[next(iter(self._owed))]
        self._owed[name] = Owed(route, now + ms(self._policy.lease_seconds))

    async def _pay(self) -> None:
        """Give back what is owed, without a word of how it went: that was long ago."""
        if owed := list(self._owed.items()):
            await self._tell([Ending(one.route, f"0-{name}", Verdict.SILENT, None, 0.0) for name, one in owed])
            for name, _ in owed:
                self._owed.pop(name, None)

    async def _tell(self, endings: list[Ending]) -> list[Sequence[Any]]:
        policy, arguments = self._policy, list[str | int | float]()
        arguments += [policy.slot_ms, policy.least_calls, policy.failure_rate]
        arguments += [ms(policy.open_seconds), ms(policy.open_cap_seconds)]
        arguments += [ms(policy.rest_seconds), ms(policy.rest_cap_seconds), ms(policy.longest_rest_seconds)]
        arguments += [self._keep_ms]
        for one in endings:
            rest: str | int = "" if one.rest_seconds is None else ms(one.rest_seconds)
            arguments += [one.route.account, one.lease, one.verdict, rest, one.draw]
        return rows(await self._run(RELEASE, *arguments), 2)

    async def _run(self, script: str, *arguments: str | float) -> list[Any]:
        with reaching():
            answers: list[Any] = await self._scripts[script](args=arguments)
        return answers

    async def _shared(self, ask: Callable[[], Awaitable[Value]]) -> Value | None:
        """What Redis says; None while it is away. After a failure one tries it, while the others go on without."""
        now = self._monotonic()
        if now < self._resting_until:
            return None
        if self._resting_until:
            self._resting_until = now + REST_SECONDS
        try:
            async with answered_within(self._answer_seconds):
                answer = await ask()
        except (Unavailable, TimeoutError) as error:
            self._resting_until = self._monotonic() + REST_SECONDS
            log.warning(telemetry.HEALTH_LOCAL, error=str(error))
            return None
        self._resting_until = 0.0
        return answer

    @property
    def _now(self) -> int:
        return int(self._monotonic() * 1000)

    @property
    def _keep_ms(self) -> int:
        """How long nothing need happen until an account is forgotten: longer than all that is remembered of it."""
        policy = self._policy
        return 2 * ms(policy.window_seconds + policy.open_cap_seconds + policy.longest_rest_seconds)


def rows(values: Sequence[Value], width: int) -> list[Sequence[Value]]:
    """The values in rows of so many."""
    return [values[start : start + width] for start in range(0, len(values), width)]


def name_of(lease: str) -> str:
    """What a lease is kept by, whoever gave it out and when."""
    return lease.partition("-")[2]


def decided(what: bytes, lease: bytes, wait_ms: int) -> Admitted | Held:
    """One request's part of an answer."""
    if what in (b"place", b"probe"):
        return Admitted(lease.decode(), probe=what == b"probe")
    if what == b"full":
        return Held("full", FULL_SECONDS)
    return Held("open" if what == b"open" else "cooling", wait_ms / 1000)


def seen(account: str, opens_ms: int, calls: int, failures: int, under_way: int, cooling_ms: int) -> ProviderHealth:
    """One account's part of an answer."""
    return ProviderHealth(
        account=account,
        breaker="closed" if opens_ms < 0 else "open" if opens_ms else "half_open",
        calls=calls,
        failures=failures,
        under_way=under_way,
        opens_again_in_seconds=opens_ms / 1000 if opens_ms > 0 else None,
        cooling_seconds=cooling_ms / 1000 or None,
    )
