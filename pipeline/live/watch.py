"""Telling watchers what changes: one reader of the event stream per process, however many watch.

The reader reads only while somebody watches. Events may be lost (Redis is away, restarted or trimmed), so
where every watched submission stands is also read from Postgres now and then, all in one query: often while
Redis is away, seldom otherwise. The same look finds who may watch no longer: whose key was revoked, whose token
is over, whose submission is gone.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import structlog
from redis.asyncio import Redis

from pipeline import telemetry
from pipeline.errors import Unavailable
from pipeline.lifecycle import Status
from pipeline.live.board import EVENTS_STREAM
from pipeline.live.client import reaching
from pipeline.live.watcher import Watcher
from pipeline.model import Grant, Standing

log = structlog.get_logger()

BLOCK_SECONDS: Final = 2
EVENTS_PER_READ: Final = 1_000
SETTLE_SECONDS: Final = 1.0
RECONNECT_SECONDS: Final = 0.25

ReadStandings = Callable[[Iterable[tuple[int, str]]], Awaitable[list[Standing]]]
ReadKeys = Callable[[Collection[str]], Awaitable[AbstractSet[str]]]
"""Which of these API keys are in force."""


class RedisWatch:
    """The port `pipeline.ports.Watch` on the board's event stream, with Postgres behind it."""

    def __init__(
        self,
        client: Redis,
        standings: ReadStandings,
        keys_in_force: ReadKeys,
        *,
        away_seconds: float = 1.0,
        near_seconds: float = 5.0,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._standings = standings
        self._keys_in_force = keys_in_force
        self._wall_clock = wall_clock
        self._away_seconds = away_seconds
        self._near_seconds = near_seconds
        self._watched: dict[str, set[Watcher]] = {}
        self._wanted = asyncio.Event()
        self._settled = asyncio.Event()
        self._look = asyncio.Event()
        self._connected = False
        self._ended = False
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to read, as soon as somebody watches."""
        self._tasks = [asyncio.create_task(self._follow()), asyncio.create_task(self._check())]

    def end(self) -> None:
        """Let every watcher go, those who come later too: the process stops."""
        self._ended = True
        for watchers in self._watched.values():
            for watcher in watchers:
                watcher.end()

    async def close(self) -> None:
        """End, and stop reading."""
        self.end()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.aclose()

    @property
    def watchers(self) -> int:
        """How many watch at this moment."""
        return sum(map(len, self._watched.values()))

    @asynccontextmanager
    async def watching(
        self, tenant_id: int, submission_id: str, *, reads_along: bool = False, grant: Grant | None = None
    ) -> AsyncIterator[Watcher]:
        """A watcher who hears of everything that changes from here on, and may read feedback while it is written.

        With a `grant`, as long as that lasts.
        """
        watcher = Watcher(tenant_id, reads_along=reads_along, grant=grant)
        if self._ended:
            watcher.end()
        self._watched.setdefault(submission_id, set()).add(watcher)
        self._wanted.set()
        try:
            with suppress(TimeoutError):  # then the look into Postgres will tell
                async with asyncio.timeout(SETTLE_SECONDS):
                    await self._settled.wait()
            yield watcher
        finally:
            self._leave(submission_id, watcher)

    def _leave(self, submission_id: str, watcher: Watcher) -> None:
        watchers = self._watched[submission_id]
        watchers.discard(watcher)
        if not watchers:
            del self._watched[submission_id]

    def _tell(self, standing: Standing) -> None:
        for watcher in self._watched.get(standing.submission_id, ()):
            if watcher.tenant_id == standing.tenant_id:
                watcher.tell(standing)

    def _nudge(self, tenant_id: int, submission_id: str) -> None:
        for watcher in self._watched.get(submission_id, ()):
            if watcher.tenant_id == tenant_id:
                watcher.nudge()

    async def _follow(self) -> None:
        """Read the stream whenever somebody watches, again and again after every failure."""
        while True:
            await self._wanted.wait()
            try:
                await self._read_while_wanted()
            except Exception as surprise:  # noqa: BLE001 - without this task no watcher would hear of anything again
                report(surprise)
                if self._connected:  # what was just missed is looked up at once, what follows at its usual pace
                    self._look.set()
                self._connected = False
                self._settled.set()
                await asyncio.sleep(RECONNECT_SECONDS)

    async def _read_while_wanted(self) -> None:
        position = await self._newest()
        if self._settled.is_set():  # somebody watched while nothing could be read
            self._look.set()
        self._connected = True
        self._settled.set()
        while self._watched:
            for event_id, fields in await self._events_after(position):
                position = event_id
                self._hear(fields)
        self._settled.clear()
        self._wanted.clear()

    def _hear(self, fields: dict[bytes, bytes]) -> None:
        submission_id = fields[b"id"].decode()
        if submission_id not in self._watched:
            return
        tenant_id = int(fields[b"tenant"])
        if b"told" in fields:
            self._nudge(tenant_id, submission_id)
        else:
            version, status = int(fields[b"version"]), Status(fields[b"status"].decode())
            settled_version = version if b"settled" in fields else None
            self._tell(Standing(submission_id, tenant_id, version, status, settled_version=settled_version))

    async def _newest(self) -> bytes:
        with reaching():
            newest: Any = await self._client.xrevrange(EVENTS_STREAM, count=1)
        return bytes(newest[0][0]) if newest else b"0-0"

    async def _events_after(self, position: bytes) -> list[tuple[bytes, dict[bytes, bytes]]]:
        with reaching():
            answer: Any = await self._client.xread(
                {EVENTS_STREAM: position}, count=EVENTS_PER_READ, block=BLOCK_SECONDS * 1000
            )
        return events_in(answer)

    async def _check(self) -> None:
        """Look into Postgres now and then, and whenever events may have been missed."""
        while True:
            await self._wanted.wait()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._near_seconds if self._connected else self._away_seconds):
                    await self._look.wait()
            self._look.clear()
            await self._look_once()

    async def _look_once(self) -> None:
        watched = [(watcher, id_) for id_, watchers in self._watched.items() for watcher in watchers]
        if not watched:
            return
        try:
            await self._look_at_grants([watcher for watcher, _ in watched])
            await self._look_at_standings(watched)
        except Exception as surprise:  # noqa: BLE001 - the next look may do better, and none would be worse
            report(surprise)
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _look_at_grants(self, watchers: Iterable[Watcher]) -> None:
        """Let those go who may watch no longer."""
        held = [(watcher, watcher.grant) for watcher in watchers if watcher.grant is not None]
        if not held:
            return
        in_force = await self._keys_in_force({grant.key_id for _, grant in held})
        now = self._wall_clock()
        for watcher, grant in held:
            if grant.key_id not in in_force or is_over(grant, now):
                watcher.end()

    async def _look_at_standings(self, watched: Iterable[tuple[Watcher, str]]) -> None:
        """Tell where all watched submissions stand, and let those go whose submission is gone."""
        found = {
            (standing.tenant_id, standing.submission_id): standing
            for standing in await self._standings({(watcher.tenant_id, id_): None for watcher, id_ in watched})
        }
        for watcher, id_ in watched:
            standing = found.get((watcher.tenant_id, id_))
            if standing is None:
                watcher.end()
            else:
                watcher.tell(standing)


def is_over(grant: Grant, now: float) -> bool:
    """Whether a token's time is up."""
    return grant.ends_at is not None and grant.ends_at <= now


def report(surprise: Exception) -> None:
    """Log what went wrong: the text of our own errors, of any other only what it is."""
    error = str(surprise) if isinstance(surprise, Unavailable) else type(surprise).__name__
    log.warning(telemetry.WATCH_FAILED, error=error)


def events_in(answer: Any) -> list[tuple[bytes, dict[bytes, bytes]]]:
    """The events of a stream in an answer to XREAD, whichever protocol it came by."""
    if not answer:
        return []
    if isinstance(answer, dict):
        return [event for page in answer[EVENTS_STREAM.encode()] for event in page]
    return list(answer[0][1])
