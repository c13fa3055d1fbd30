"""Following one submission as a stream of happenings, with resume and heartbeats."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from enum import StrEnum
from typing import Final

import msgspec

from pipeline.errors import Unavailable
from pipeline.lifecycle import FINAL_STATUSES, Status
from pipeline.model import Piece, Standing
from pipeline.ports import Watch, Watcher
from pipeline.service.access import Principal
from pipeline.service.reading_along import NOTHING, ReadingAlong
from pipeline.service.showing import Showing

HEARTBEAT_SECONDS: Final = 15.0


Ending = Callable[[Standing], Awaitable[bool]]
"""Whether nothing is to be told any more once a submission stands so."""


class Until(StrEnum):
    """How far one follows: to the end of the work, or until no answer waits for a person's decision either."""

    FINAL = "final"
    SETTLED = "settled"


class Known(msgspec.Struct, frozen=True):
    """How far a follower has come: the submission's version, and the number of the last piece of feedback read."""

    version: int
    sequence: int = NOTHING


class Happening(msgspec.Struct, frozen=True):
    """Something that a follower is told, and how far it has come with it."""

    what: Standing | Piece
    known: Known
    settled: bool = False
    """Whether it is a person's decision on an answer."""


class Following:
    """Tells one caller what happens to one submission, until it is final."""

    def __init__(
        self,
        *,
        watch: Watch,
        showing: Showing,
        reading_along: ReadingAlong,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
    ) -> None:
        self._watch = watch
        self._showing = showing
        self._reading_along = reading_along
        self._heartbeat_seconds = heartbeat_seconds

    async def is_over(
        self, principal: Principal, submission_id: str, known: Known | None, *, until: Until = Until.FINAL
    ) -> bool:
        """Whether nothing is left to tell one who knows so much; raises `NotFound`, `Unavailable`."""
        standing = await self._showing.standing(principal, submission_id)
        if known is None or known.version < standing.version:
            return False
        return await self._ending(principal, until)(standing)

    async def follow(
        self, principal: Principal, submission_id: str, known: Known | None, *, until: Until = Until.FINAL
    ) -> AsyncGenerator[Happening | None, None]:
        """Each change once and in order, None as a heartbeat.

        Ends after a final one (for one who waits for decisions: after the last of them), when the process stops, or
        seconds after the caller's key was revoked, its token was over, or the submission was gone.

        The first None says that the submission is there; until then `NotFound` and `Unavailable` may be raised.
        Without anything known the present standing comes next, else everything that came after it. What was written
        of the feedback by then comes before the end, in one piece per answer; what is being written, as it comes.
        """
        async with self._watching(principal, submission_id) as watcher:
            standing = await self._showing.standing(principal, submission_id)
            first = await self._first(standing, known)
            yield None
            follower = Follower(self._reading_along, standing, known, self._ending(principal, until))
            watcher.start_at(standing.version)
            async for happening in follower.catch_up(first):
                yield happening
            while not follower.over and not watcher.ended:
                async for news in self._next(follower, watcher):
                    yield news

    def _ending(self, principal: Principal, until: Until) -> Ending:
        """What tells whether a standing is the end for one who follows so far."""

        async def is_end(standing: Standing) -> bool:
            if standing.status not in FINAL_STATUSES:
                return False
            return until is Until.FINAL or not await self._awaits_decision(principal, standing)

        return is_end

    async def _awaits_decision(self, principal: Principal, standing: Standing) -> bool:
        """Not where the store is away: then the stream ends, and whoever comes back asks anew."""
        try:
            return await self._showing.awaits_decision(principal, standing)
        except Unavailable:
            return False

    def _watching(self, principal: Principal, submission_id: str) -> AbstractAsyncContextManager[Watcher]:
        return self._watch.watching(principal.tenant_id, submission_id, reads_along=True, grant=principal.grant)

    async def _next(self, follower: "Follower", watcher: Watcher) -> AsyncGenerator[Happening | None, None]:
        """What comes next, or a heartbeat where nothing does."""
        news = await watcher.next(self._heartbeat_seconds)
        if news is not None:
            async for happening in follower.tell(news):
                yield happening
        elif watcher.take_nudge():
            for happening in await follower.read():
                yield happening
        elif not watcher.ended:
            yield None

    async def _first(self, standing: Standing, known: Known | None) -> Sequence[Standing]:
        if known is None:
            return [standing]
        return await self._showing.missed(standing, known.version)


class Follower:
    """One who is told in order, and how far that one has come."""

    def __init__(self, reading_along: ReadingAlong, standing: Standing, known: Known | None, is_end: Ending) -> None:
        self._reading_along = reading_along
        self._standing = standing
        self._is_end = is_end
        self._version = standing.version if known is None else known.version
        self._sequence = NOTHING if known is None else known.sequence
        self._told: Status | None = None
        self.over = False

    async def catch_up(self, missed: Sequence[Standing]) -> AsyncGenerator[Happening, None]:
        """Changes that were missed, and what was written meanwhile; the end comes last."""
        for standing in missed:
            async for happening in self.tell(standing):
                yield happening
        if not missed:
            self.over = await self._is_end(self._standing)
        if not self.over:
            for happening in await self.read():
                yield happening

    async def tell(self, standing: Standing) -> AsyncGenerator[Happening, None]:
        """A change; before the end everything that was written."""
        if standing.status in FINAL_STATUSES:
            for happening in await self.read(last=True):
                yield happening
        settled = self._is_decision(standing)
        self._standing, self._version, self._told = standing, standing.version, standing.status
        self.over = await self._is_end(standing)
        yield Happening(standing, self._known, settled)

    def _is_decision(self, standing: Standing) -> bool:
        """Whether a person's decision is all that this change tells, for an end is told as the end."""
        if standing.settled_version is None or standing.settled_version <= self._version:
            return False
        return standing.status == self._told or standing.version == self._version + 1

    async def read(self, *, last: bool = False) -> list[Happening]:
        """What was written since; `last` where there will be no other chance to tell it."""
        standing = self._standing
        pieces = await self._reading_along.after(standing.tenant_id, standing.submission_id, self._sequence, last=last)
        happenings = []
        for piece in pieces:
            self._sequence = piece.sequence
            happenings.append(Happening(piece, self._known))
        return happenings

    @property
    def _known(self) -> Known:
        return Known(self._version, self._sequence)
