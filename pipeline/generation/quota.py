"""How often somebody may have models write: counted in Redis, or here while Redis is away."""

import time
from collections.abc import Callable
from typing import Final

import structlog

from pipeline import telemetry
from pipeline.errors import RateLimited, Unavailable
from pipeline.patience import answered_within
from pipeline.ports import Counter
from pipeline.settings import RateLimit, variable_of
from pipeline.window import Charge, LocalCounter, Room

log = structlog.get_logger()

ANSWER_SECONDS: Final = 0.5
"""A Redis that hangs may cost a submission this much; then it is counted here."""


class Frequency:
    """So many units in a window, for each name."""

    def __init__(self, rate: RateLimit, counter: Counter, clock: Callable[[], float] = time.time) -> None:
        self.rate: Final = rate
        self._counter = counter
        self._clock = clock
        self._local = LocalCounter()

    async def take(self, name: str) -> tuple[bool, Room]:
        """Whether a unit could be taken, and what is left."""
        charge = Charge(name, self.rate.count, self.rate.window_seconds)
        try:
            async with answered_within(ANSWER_SECONDS):
                [(taken, [room])] = await self._counter.take([(charge,)])
        except (Unavailable, TimeoutError) as error:
            log.warning(telemetry.LIMITS_LOCAL, error=str(error))
            taken, [room] = self._local.take((charge,), int(self._clock() * 1000))
        return taken, room


class LearnerQuota:
    """The quota of `pipeline.generation.author`: so many submissions with feedback by models in a window."""

    def __init__(self, frequency: Frequency) -> None:
        self._frequency = frequency

    async def take(self, tenant_id: int, learner_id: str) -> bool:
        """Whether the learner may have another one; counts it."""
        taken, _ = await self._frequency.take(f"feedback:{tenant_id}:{learner_id}")
        return taken


class CallerQuota:
    """So many texts for teachers, whatever they are, asked for by one caller in a window."""

    def __init__(self, frequency: Frequency) -> None:
        self._frequency = frequency

    async def take(self, tenant_id: int, caller: str) -> None:
        """Count another one; raises `RateLimited` where the caller had enough for now."""
        rate = self._frequency.rate
        taken, room = await self._frequency.take(f"generate:{tenant_id}:{caller}")
        if taken:
            return
        seconds = max(1, room.seconds)
        raise RateLimited(
            f"At most {rate.count} texts per caller are generated in {rate.window_seconds} s; try again in {seconds} s."
            f" The limit is the server's setting {variable_of('rate_limit_generation')}.",
            limit=rate.count,
            window_seconds=rate.window_seconds,
            retry_after_seconds=seconds,
            policy="caller",
        )
