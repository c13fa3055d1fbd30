"""How often one learner may have a model write feedback: counted in Redis, or here while Redis is away."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

import structlog

from pipeline import telemetry
from pipeline.errors import Unavailable
from pipeline.ports import Counter
from pipeline.settings import RateLimit
from pipeline.window import Charge, LocalCounter

log = structlog.get_logger()

ANSWER_SECONDS: Final = 0.5
"""A Redis that hangs may cost a submission this much; then it is counted here."""


class LearnerQuota:
    """The quota of `pipeline.generation.author`: so many submissions with feedback by models in a window."""

    def __init__(self, rate: RateLimit, counter: Counter, clock: Callable[[], float] = time.time) -> None:
        self._rate = rate
        self._counter = counter
        self._clock = clock
        self._local = LocalCounter()

    async def take(self, tenant_id: int, learner_id: str) -> bool:
        """Whether the learner may have another one; counts it."""
        charge = Charge(f"feedback:{tenant_id}:{learner_id}", self._rate.count, self._rate.window_seconds)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                [(taken, _)] = await self._counter.take([(charge,)])
        except (Unavailable, TimeoutError) as error:
            log.warning(telemetry.LIMITS_LOCAL, error=str(error))
            taken, _ = self._local.take((charge,), int(self._clock() * 1000))
        return taken
