"""Telling others what was committed: rings for what became ready, news for who watches. Losing either costs time."""

import asyncio
from collections.abc import Sequence
from typing import Final, Protocol

import structlog

from pipeline import telemetry
from pipeline.errors import Unavailable
from pipeline.model import Change, Recorded
from pipeline.ports import Bell, Board

log = structlog.get_logger()

DELIVER: Final = "deliver"
"""The queue of webhook deliveries: no stage, but rung as they are."""
GENERATE: Final = "generate"
"""The queue of texts that teachers have generated: no stage either."""


class Announcer(Protocol):
    """Whoever can ring and show."""

    @property
    def bell(self) -> Bell: ...

    @property
    def board(self) -> Board: ...


async def announce(recorded: Recorded, shop: Announcer) -> None:
    """After the commit: ring what became ready and show what changed. Losing either costs time only."""
    queues: dict[str, list[str]] = {}
    for change in recorded.changes:
        for stage in change.ready:
            queues.setdefault(stage, []).append(change.submission_id)
    if recorded.deliveries:
        queues[DELIVER] = list(recorded.deliveries)
    await asyncio.gather(
        *[ring(queue, ids, shop.bell) for queue, ids in queues.items()], publish(recorded.changes, shop)
    )


async def ring(queue: str, ids: Sequence[str], bell: Bell, *, solo: bool = False) -> None:
    """Ring, or leave it to the sweeper."""
    try:
        await bell.ring(queue, ids, solo=solo)
    except Unavailable as error:
        log.warning(telemetry.RING_LOST, queue=queue, ids=len(ids), error=str(error))


async def publish(changes: Sequence[Change], shop: Announcer) -> None:
    if not changes:
        return
    try:
        await shop.board.publish(changes)
    except Unavailable as error:
        log.warning(telemetry.STATUS_LOST, changes=len(changes), error=str(error))
