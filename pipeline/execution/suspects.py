"""Running suspects alone: if one kills the worker, we know which."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from pipeline import telemetry
from pipeline.lifecycle import Stage
from pipeline.telemetry import place_of

log = structlog.get_logger()


class Suspects:
    """Submissions of one stage that must run with no neighbours, lined up in this process.

    They are queued here so that their ring holds up no other; `quarantine` is shared by all stages of the process.
    """

    def __init__(self, stage: Stage, quarantine: asyncio.Lock, run: Callable[[str], Awaitable[None]]) -> None:
        self._stage = stage
        self._quarantine = quarantine
        self._run = run
        self._waiting: dict[str, None] = {}
        self._examination: asyncio.Task[None] | None = None

    def add(self, ids: Sequence[str]) -> None:
        """Line up these submissions."""
        self._waiting |= dict.fromkeys(ids)
        if self._examination is None or self._examination.done():
            self._examination = asyncio.create_task(self._examine())

    async def drain(self) -> None:
        """Wait until all have run."""
        if self._examination is not None:
            await self._examination

    async def _examine(self) -> None:
        while self._waiting:
            submission_id = next(iter(self._waiting))
            try:
                async with self._quarantine:
                    await self._run(submission_id)
            except Exception as surprise:  # noqa: BLE001 - the others still have to be examined
                log.error(  # noqa: TRY400 - only type and place: the text might quote an answer
                    telemetry.RING_FAILED, stage=self._stage, error=type(surprise).__name__, place=place_of(surprise)
                )
            finally:
                del self._waiting[submission_id]
