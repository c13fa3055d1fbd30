"""Following one submission as a stream of events, with resume by version and heartbeats."""

from collections.abc import AsyncGenerator, Sequence
from typing import Final

from pipeline.lifecycle import FINAL_STATUSES
from pipeline.model import Standing
from pipeline.ports import Watch
from pipeline.service.access import Principal
from pipeline.service.showing import Showing

HEARTBEAT_SECONDS: Final = 15.0


class Following:
    """Tells one caller what happens to one submission, until it is final."""

    def __init__(self, *, watch: Watch, showing: Showing, heartbeat_seconds: float = HEARTBEAT_SECONDS) -> None:
        self._watch = watch
        self._showing = showing
        self._heartbeat_seconds = heartbeat_seconds

    async def is_over(self, principal: Principal, submission_id: str, known_version: int | None) -> bool:
        """Whether nothing is left to tell one who knows this version; raises `NotFound`, `Unavailable`."""
        standing = await self._showing.standing(principal, submission_id)
        return standing.status in FINAL_STATUSES and known_version is not None and known_version >= standing.version

    async def follow(
        self, principal: Principal, submission_id: str, known_version: int | None
    ) -> AsyncGenerator[Standing | None, None]:
        """Each change once and in order, None as a heartbeat; ends after a final one, or when the process stops.

        The first None says that the submission is there; until then `NotFound` and `Unavailable` may be raised.
        Without a known version the present standing comes next, with one everything that came after it.
        """
        async with self._watch.watching(principal.tenant_id, submission_id) as watcher:
            standing = await self._showing.standing(principal, submission_id)
            first = await self._first(standing, known_version)
            yield None
            for past in first:
                yield past
            watcher.start_at(standing.version)
            while standing.status not in FINAL_STATUSES and not watcher.ended:
                news = await watcher.next(self._heartbeat_seconds)
                standing = news or standing
                if news is not None or not watcher.ended:
                    yield news

    async def _first(self, standing: Standing, known_version: int | None) -> Sequence[Standing]:
        if known_version is None:
            return [standing]
        return await self._showing.missed(standing, known_version)
