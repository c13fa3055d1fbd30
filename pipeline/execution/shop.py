"""What one worker process runs stages with, and what it is working on."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from pipeline.learning.mix import Plan
from pipeline.lifecycle import Stage
from pipeline.model import Claim
from pipeline.ports import Bell, Board, WorkStore
from pipeline.stages.recommend import USUAL_PLAN
from pipeline.stages.verdict import RetryPolicy

FAILURES_REMEMBERED: Final = 1_000


class InFlight:
    """The claims this process is working on, so that their leases can be renewed.

    `failed` are those it gave up on because of the work itself: not even its failure could be recorded.
    """

    def __init__(self) -> None:
        self._claims: set[tuple[Stage, Claim]] = set()
        self.failed: deque[tuple[Stage, Claim]] = deque(maxlen=FAILURES_REMEMBERED)

    def held(self) -> list[tuple[Stage, Claim]]:
        return list(self._claims)

    @asynccontextmanager
    async def holding(self, stage: Stage, claims: Sequence[Claim]) -> AsyncIterator[None]:
        entries = {(stage, claim) for claim in claims}
        self._claims |= entries
        try:
            yield
        finally:
            self._claims -= entries


class Shop:
    """What one worker process runs stages with."""

    def __init__(
        self,
        *,
        worker_id: str,
        store: WorkStore,
        bell: Bell,
        board: Board,
        policy: RetryPolicy,
        lease_seconds: float,
        batch: int,
        plan: Plan = USUAL_PLAN,
    ) -> None:
        self.worker_id: Final = worker_id
        self.store: Final = store
        self.bell: Final = bell
        self.board: Final = board
        self.policy: Final = policy
        self.lease_seconds: Final = lease_seconds
        self.batch: Final = batch
        self.plan: Final = plan
        self.in_flight: Final = InFlight()
        self.quarantine: Final = asyncio.Lock()
        self.closed = False

    def close(self) -> None:
        """Claim nothing any more; rings that still come are passed on to other workers."""
        self.closed = True
