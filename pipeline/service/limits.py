"""How many submissions a learner and a tenant may hand in: counted in Redis, or here while Redis is away.

A unit is taken before the commit, so that a flood never reaches Postgres, and given back where the commit
found that the submission had been there before: a repeated request costs nothing. One that is repeated when
the limit is used up is answered all the same (`Intake` looks for its idempotency key before it refuses).
"""

import time
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
import structlog

from pipeline import telemetry
from pipeline.batching import Batcher
from pipeline.errors import RateLimited, Unavailable
from pipeline.patience import answered_within
from pipeline.ports import Counter
from pipeline.settings import RateLimit, variable_of
from pipeline.window import Charge, LocalCounter, Room

log = structlog.get_logger()

TAKEN_AT_ONCE: Final = 100
REST_SECONDS: Final = 1.0
ANSWER_SECONDS: Final = 0.5
"""A Redis that hangs may cost a hand-in this much; then it is counted here."""

Request = tuple[Charge, ...]


class Limit(msgspec.Struct, frozen=True):
    """One limit: its `name` in headers, the `setting` that it comes from, and its rate."""

    name: str
    setting: str
    rate: RateLimit

    @property
    def policy(self) -> str:
        return f'"{self.name}";q={self.rate.count};w={self.rate.window_seconds}'


class Allowance(msgspec.Struct, frozen=True):
    """What was taken for one submission, and what every limit has left, as header values.

    `local` says that it was counted in this process, as while Redis is away: it goes back to where it came from.
    """

    charges: Request
    policy: str
    remaining: str
    local: bool = False


class Answer(msgspec.Struct, frozen=True):
    """Whether there was room, how much each limit has left, and whether that was counted in this process."""

    taken: bool
    rooms: list[Room]
    local: bool


class Limits:
    """The limits on handing in."""

    def __init__(
        self, *, learner: RateLimit, tenant: RateLimit, counter: Counter, clock: Callable[[], float] = time.time
    ) -> None:
        self._limits = (
            Limit("learner", "rate_limit_submissions", learner),
            Limit("tenant", "rate_limit_tenant", tenant),
        )
        self._policy = ", ".join(limit.policy for limit in self._limits)
        self._counter = counter
        self._local = LocalCounter()
        self._clock = clock
        self._resting_until = 0.0
        self._takes: Batcher[Request, Answer] = Batcher(self._take, most=TAKEN_AT_ONCE)

    async def take(self, tenant_id: int, learner_id: str) -> Allowance:
        """Take room for one submission; raises `RateLimited` where there is none."""
        keys = f"learner:{tenant_id}:{learner_id}", f"tenant:{tenant_id}"
        charges = tuple(
            Charge(key, limit.rate.count, limit.rate.window_seconds)
            for key, limit in zip(keys, self._limits, strict=True)
        )
        answer = await self._takes.add(charges)
        if not answer.taken:
            raise self._refusal(answer.rooms)
        return Allowance(charges, self._policy, self._remaining(answer.rooms), answer.local)

    async def give_back(self, allowance: Allowance) -> None:
        """Return what was taken for a submission that had been there before, to where it was counted.

        What was taken from a Redis that is away by now is not returned: the learner has that much less until
        it leaves the window.
        """
        if allowance.local:
            self._local.give_back(allowance.charges, self._now_ms)
            return
        if self._resting:
            return
        try:
            async with answered_within(ANSWER_SECONDS):
                await self._counter.give_back([allowance.charges])
        except (Unavailable, TimeoutError) as error:
            self._rest(error)

    async def _take(self, requests: list[Request]) -> Sequence[Answer]:
        if not self._resting:
            try:
                async with answered_within(ANSWER_SECONDS):
                    return [Answer(*answer, local=False) for answer in await self._counter.take(requests)]
            except (Unavailable, TimeoutError) as error:
                self._rest(error)
        return [Answer(*self._local.take(request, self._now_ms), local=True) for request in requests]

    @property
    def _resting(self) -> bool:
        return self._clock() < self._resting_until

    @property
    def _now_ms(self) -> int:
        return int(self._clock() * 1000)

    def _rest(self, error: Exception) -> None:
        self._resting_until = self._clock() + REST_SECONDS
        log.warning(telemetry.LIMITS_LOCAL, error=str(error))

    def _refusal(self, rooms: Sequence[Room]) -> RateLimited:
        limit, room = next((limit, room) for limit, room in zip(self._limits, rooms, strict=True) if room.left == 0)
        seconds = max(1, room.seconds)
        return RateLimited(
            f"At most {limit.rate.count} submissions per {limit.name} are taken in {limit.rate.window_seconds} s; "
            f"try again in {seconds} s. The limit is the server's setting {variable_of(limit.setting)}.",
            limit=limit.rate.count,
            window_seconds=limit.rate.window_seconds,
            retry_after_seconds=seconds,
            policy=limit.name,
        )

    def _remaining(self, rooms: Sequence[Room]) -> str:
        return ", ".join(
            f'"{limit.name}";r={room.left};t={room.seconds}' for limit, room in zip(self._limits, rooms, strict=True)
        )
