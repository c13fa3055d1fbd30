"""What it costs that much is waiting: how fast the queue moves when it is 1,000, 100,000 or a million long.

A queue is kept at its length: what was completed is handed in again, so that 1,000 waiting are measured for as long
as a million. CPU is counted beside the rate, since it tells the same on a machine that has other things to do.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from statistics import median
from typing import Final, NamedTuple

from benchmarks.growth.chart import Chart, Series
from benchmarks.growth.page import Section, table
from benchmarks.growth.seed import hand_in_copies, settle
from benchmarks.growth.system import System, bell_of, completed, cpu_by_part, running_system
from pipeline.lifecycle import Stage
from pipeline.live.bell import RedisBell

LEVELS: Final = (1_000, 100_000, 1_000_000)
SETTLE_SECONDS: Final = 3.0
WINDOWS: Final = 5
WINDOW_SECONDS: Final = 3.0
FEED_SECONDS: Final = 0.1
RUNG_AT_ONCE: Final = 10_000
MS: Final = 1_000
FLAT: Final = 0.20
"""How much slower a longer queue may be."""

PAUSE: Final = b"INSERT INTO stage_pauses (stage, reason) VALUES ('score', 'copies are being made')"
RESUME: Final = b"DELETE FROM stage_pauses"

HEAD: Final = ("waiting", "completed per second", "CPU ms each: workers", "Postgres", "Valkey")
TEXT: Final = """\
So many hand-ins wait to be scored, rung as the API rings, and one worker process works on them. The queue is kept at
its length: what is completed is handed in again, by SQL. The rate is the median of five windows of three seconds; CPU
is per completed submission, in Postgres with the handing in. Each length has a system of its own, whose tables were
vacuumed and analysed once when the queue was made, as autovacuum does when a queue grows over minutes."""


class Level(NamedTuple):
    """What was found with so many waiting: completed per second, and CPU ms of each by part."""

    waiting: int
    per_second: float
    cpu_ms: Mapping[str, float]


def measure(scale: float, say: Callable[[str], None]) -> Section:
    """The rate at each length."""
    found = []
    for level in LEVELS:
        with running_system(1, say) as system:
            found.append(asyncio.run(level_of(Queue(system), max(1_000, round(level * scale)), say)))
    return section(found)


class Queue:
    """Hand-ins that wait: made by SQL, rung as the API rings."""

    def __init__(self, system: System) -> None:
        self.system = system
        self._handed_in = completed(system)

    async def make(self, level: int, bell: RedisBell) -> None:
        """Let so many wait, all of them there before the first is begun."""
        with paused(self.system):
            ids = self._hand_in(level)
            settle(self.system)
        await ring_all(bell, ids)

    async def keep(self, level: int, bell: RedisBell, enough: asyncio.Event) -> None:
        """Hand in again what was completed, until it is enough."""
        while not enough.is_set():
            missing = level - (self._handed_in - completed(self.system))
            if missing > 0:
                await ring_all(bell, self._hand_in(missing))
            await asyncio.sleep(FEED_SECONDS)

    def _hand_in(self, number: int) -> Sequence[str]:
        ids = hand_in_copies(self.system, number, f"waiting-{self._handed_in}")
        self._handed_in += number
        return ids


@contextmanager
def paused(system: System) -> Iterator[None]:
    """Nothing is scored meanwhile."""
    system.database.execute(PAUSE)
    try:
        yield
    finally:
        system.database.execute(RESUME)


async def ring_all(bell: RedisBell, ids: Sequence[str]) -> None:
    """Ring in bearable pieces."""
    for start in range(0, len(ids), RUNG_AT_ONCE):
        await bell.ring(Stage.SCORE, ids[start : start + RUNG_AT_ONCE])


async def level_of(queue: Queue, level: int, say: Callable[[str], None]) -> Level:
    """What is completed while so many wait."""
    say(f"letting {level:,} hand-ins wait")
    system = queue.system
    async with bell_of(system) as bell:
        await queue.make(level, bell)
        enough = asyncio.Event()
        feeding = asyncio.create_task(queue.keep(level, bell, enough))
        await asyncio.sleep(SETTLE_SECONDS)
        before, used = completed(system), cpu_by_part(system)
        rate = median([await rate_of_window(system) for _ in range(WINDOWS)])
        number = completed(system) - before
        cpu_ms = {part: MS * (seconds - used[part]) / number for part, seconds in cpu_by_part(system).items()}
        enough.set()
        await feeding
    say(f"{rate:,.0f} a second with {level:,} waiting")
    return Level(level, rate, cpu_ms)


async def rate_of_window(system: System) -> float:
    """Completed per second from now on."""
    before, started = completed(system), time.monotonic()
    await asyncio.sleep(WINDOW_SECONDS)
    return (completed(system) - before) / (time.monotonic() - started)


def section(found: Sequence[Level]) -> Section:
    """Everything found, for the page."""
    short, *longer = found
    slower = [one for one in longer if one.per_second < (1 - FLAT) * short.per_second]
    chart = Chart(
        "Completed per second, with so many waiting",
        "submissions waiting",
        "per second",
        [Series("completed", [(one.waiting, one.per_second) for one in found])],
        log_x=True,
    )
    return Section(
        heading="With what is waiting",
        text=TEXT,
        charts={"backlog": chart},
        table=table(HEAD, [row(one) for one in found]),
        broken=[f"the queue moves slower with {one.waiting:,} waiting" for one in slower],
    )


def row(one: Level) -> list[str]:
    cpu = [f"{one.cpu_ms[part]:.3f}" for part in ("workers", "postgres", "valkey")]
    return [f"{one.waiting:,}", f"{one.per_second:,.0f}", *cpu]
