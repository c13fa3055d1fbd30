"""The small services every worker process runs beside its stages: heartbeat and sweeper."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import structlog

from pipeline import telemetry
from pipeline.errors import Unavailable
from pipeline.execution import DELIVER, Shop, announce, place_of, ring
from pipeline.lifecycle import Stage
from pipeline.ports import Bell, UpkeepStore, Vigil

log = structlog.get_logger()

STRANDED_SECONDS: Final = 5.0
TOPPED_UP_BELOW: Final = 50
TOPPED_UP_BY: Final = 5_000
OVERFULL: Final = 10_000
LONG_GRACE_SECONDS: Final = 15.0
LONG_AGO_AT_ONCE: Final = 100
SUSPECTS_AT_ONCE: Final = 200
SUSPECTS_PER_RING: Final = 10
FORGOTTEN_AT_ONCE: Final = 1_000
SWEEPS_PER_CHORE: Final = 10

Chore = Callable[[], Awaitable[object]]
"""Something that whoever sweeps does now and then, a bounded piece at a time; may raise `Unavailable`."""


def batched(ids: Sequence[str], most: int) -> list[Sequence[str]]:
    """The ids in runs of at most `most`."""
    return [ids[start : start + most] for start in range(0, len(ids), most)]


async def every(seconds: float, act: Callable[[], Awaitable[None]], stop: asyncio.Event) -> None:
    """Call `act` again and again until told to stop, with `seconds` of rest in between.

    A surprise ends that one call: without heartbeats and sweeps this worker would be taken for dead.
    """
    while not stop.is_set():
        try:
            await act()
        except Exception as surprise:  # noqa: BLE001 - the next call may do better, and none would be worse
            log.error(  # noqa: TRY400 - only type and place: the text might quote an answer
                telemetry.UPKEEP_FAILED, error=type(surprise).__name__, place=place_of(surprise)
            )
        try:
            await asyncio.wait_for(stop.wait(), seconds)
        except TimeoutError:
            continue


class Heartbeat:
    """Says that this worker lives, renews its leases, and returns claims it never heard of."""

    def __init__(self, shop: Shop, store: UpkeepStore, queues: Sequence[str] = tuple(Stage)) -> None:
        self._shop = shop
        self._store = store
        self._queues = queues

    async def introduce(self) -> None:
        """Make this worker known; raises `Unavailable` where Postgres is away."""
        await self._store.register(self._shop.worker_id, socket.gethostname(), os.getpid(), self._queues)

    async def tick(self) -> None:
        try:
            await self.beat()
        except Unavailable as error:
            log.warning(telemetry.HEARTBEAT_FAILED, error=str(error))

    async def beat(self) -> None:
        """One beat; a worker that was silent so long that it was forgotten introduces itself again."""
        shop, store = self._shop, self._store
        if not await store.beat(shop.worker_id, shop.in_flight.held(), shop.lease_seconds, stopping=shop.closed):
            await self.introduce()
        stranded = await store.return_stranded(
            shop.worker_id,
            shop.in_flight.held(),
            shop.in_flight.failed,
            STRANDED_SECONDS,
            max_attempts=shop.policy.max_attempts,
        )
        await announce(stranded, shop)


class Sweeper:
    """Finds what was lost: leases of dead workers, rings that never arrived, retries that are due; forgets what is old.

    Any number may run; Postgres lets one at a time sweep. Silence of a worker is believed only after this
    process itself has been watching for as long, by Postgres' clock: after an outage of Postgres, and after the
    sleep of a whole machine, everybody was silent.
    """

    def __init__(
        self,
        shop: Shop,
        store: UpkeepStore,
        *,
        stages: Sequence[Stage] = tuple(Stage),
        dead_seconds: float,
        grace_seconds: float,
        keep_deliveries_seconds: float,
        chores: Sequence[Chore] = (),
    ) -> None:
        self._shop = shop
        self._store = store
        self._stages = stages
        self._dead_seconds = dead_seconds
        self._grace_seconds = grace_seconds
        self._keep_deliveries_seconds = keep_deliveries_seconds
        self._chores = chores
        self._sweeps = 0
        self._vigil: Vigil | None = None

    async def tick(self) -> None:
        try:
            await self.sweep()
        except Unavailable as error:
            self._vigil = None
            log.warning(telemetry.SWEEP_FAILED, error=str(error))

    async def sweep(self) -> None:
        """One round; raises `Unavailable` where Postgres is away."""
        swept = await self._store.sweep(
            self._vigil, dead_seconds=self._dead_seconds, max_attempts=self._shop.policy.max_attempts
        )
        self._vigil, reaped = swept.vigil, swept.reaped
        if reaped is None:
            return
        if reaped.changes:
            log.warning(telemetry.LEASES_REAPED, stages=len(reaped.changes))
            await announce(reaped, self._shop)
        for stage in self._stages:
            await self._ring_untaken(stage)
        await self._ring_deliveries()
        await self._store.forget_deliveries(older_seconds=self._keep_deliveries_seconds, most=FORGOTTEN_AT_ONCE)
        await self._do_chores()

    async def _do_chores(self) -> None:
        self._sweeps += 1
        if self._sweeps % SWEEPS_PER_CHORE == 1:
            for chore in self._chores:
                await chore()

    async def _ring_untaken(self, stage: Stage) -> None:
        waiting = await self._waiting(stage)
        if waiting is None or waiting > OVERFULL:
            return
        if waiting < TOPPED_UP_BELOW:
            untaken = await self._store.untaken(stage, grace_seconds=self._grace_seconds, most=TOPPED_UP_BY)
        else:
            # The queue is long, so most rings are on their way; only what waits very long may be lost.
            untaken = await self._store.untaken(
                stage, grace_seconds=LONG_GRACE_SECONDS, most=LONG_AGO_AT_ONCE, with_retries=False
            )
        if untaken.ids:
            log.info(telemetry.WORK_RUNG_AGAIN, stage=stage, submissions=len(untaken.ids))
            await ring(stage, untaken.ids, self._shop.bell)
        for few in batched(untaken.solo[:SUSPECTS_AT_ONCE], SUSPECTS_PER_RING):
            await ring(stage, few, self._shop.bell, solo=True)

    async def _ring_deliveries(self) -> None:
        waiting = await self._waiting(DELIVER)
        if waiting is None or waiting > TOPPED_UP_BELOW:
            return
        untaken = await self._store.untaken_deliveries(grace_seconds=self._grace_seconds, most=TOPPED_UP_BY)
        if untaken.ids:
            await ring(DELIVER, untaken.ids, self._shop.bell)

    async def _waiting(self, queue: str) -> int | None:
        bell: Bell = self._shop.bell
        try:
            return await bell.waiting(queue)
        except Unavailable as error:
            log.warning(telemetry.RING_LOST, queue=queue, error=str(error))
            return None
