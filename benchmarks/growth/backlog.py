"""What it costs that much is waiting: how fast the queue moves, and how soon new work is picked up.

The rate is that of a queue kept at its length: what was completed is handed in again, so that 1,000 waiting are
measured for as long as a million. Pick-up is measured one hand-in at a time, while so many others are put off
until tomorrow, as after an outage of whatever a stage needs.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from statistics import median
from typing import Final, NamedTuple

from benchmarks.growth.chart import Chart, Series
from benchmarks.growth.page import Section, table
from benchmarks.growth.seed import hand_in_copies, put_off_copies
from benchmarks.growth.system import System, bell_of, completed, running_system, value
from cli.bench import load
from cli.bench.figures import Spread, spread
from pipeline.lifecycle import Stage
from pipeline.live.bell import RedisBell

LEVELS: Final = (1_000, 100_000, 1_000_000)
SETTLE_SECONDS: Final = 3.0
WINDOWS: Final = 5
WINDOW_SECONDS: Final = 4.0
FEED_SECONDS: Final = 0.1
RUNG_AT_ONCE: Final = 10_000
HAND_INS: Final = 200
FLAT: Final = 0.20

PICK_UP: Final = """
    SELECT extract(epoch FROM started_at - queued_at)::float FROM stages
    WHERE queued_at >= %(since)s AND started_at IS NOT NULL
"""
HEAD: Final = (
    "waiting",
    "completed per second",
    "stage begun, p50 ms",
    "p95 ms",
    "p99 ms",
    "all done, p50 ms",
    "p95 ms",
    "p99 ms",
)
TEXT: Final = """\
The rate is that of a queue kept at its length: what is completed is handed in again, with one worker process; it is
the median of five windows of four seconds. The times are those of single hand-ins beside so many others that are put
off until tomorrow, as after an outage of whatever a stage needs: from when a stage is ready until it is begun, and
from POST until all is done."""


class Level(NamedTuple):
    """What was found with so many waiting: completed per second, and times in ms."""

    waiting: int
    per_second: float
    pick_up: Spread
    whole: Spread


def measure(scale: float, say: Callable[[str], None]) -> Section:
    """Rate and pick-up at each level."""
    levels = [max(1_000, round(level * scale)) for level in LEVELS]
    rates = []
    for level in levels:  # a system each, so that all are of the same age
        with running_system(1, say) as system:
            rates.append(asyncio.run(rate_at(Queue(system), level, say)))
    with running_system(1, say) as system:
        times = [pick_up_at(system, level, say) for level in levels]
    found = [Level(level, rate, *both) for level, rate, both in zip(levels, rates, times, strict=True)]
    return section(found)


class Queue:
    """Hand-ins that wait: made by SQL, rung as the API rings."""

    def __init__(self, system: System) -> None:
        self.system = system
        self._handed_in = completed(system)

    async def fill(self, level: int, bell: RedisBell) -> None:
        """Let so many be under way."""
        missing = level - (self._handed_in - completed(self.system))
        if missing > 0:
            ids = hand_in_copies(self.system, missing, f"waiting-{self._handed_in}")
            self._handed_in += missing
            for start in range(0, len(ids), RUNG_AT_ONCE):
                await bell.ring(Stage.SCORE, ids[start : start + RUNG_AT_ONCE])

    async def keep(self, level: int, bell: RedisBell) -> None:
        """Hand in again what was completed, until cancelled."""
        while True:
            await self.fill(level, bell)
            await asyncio.sleep(FEED_SECONDS)


async def rate_at(queue: Queue, level: int, say: Callable[[str], None]) -> float:
    """Completed per second while so many wait."""
    say(f"letting {level:,} hand-ins wait")
    async with bell_of(queue.system) as bell:
        await queue.fill(level, bell)
        feeding = asyncio.create_task(queue.keep(level, bell))
        await asyncio.sleep(SETTLE_SECONDS)
        rate = median([await rate_of_window(queue.system) for _ in range(WINDOWS)])
        feeding.cancel()
        with suppress(asyncio.CancelledError):
            await feeding
    say(f"{rate:,.0f} a second with {level:,} waiting")
    return rate


async def rate_of_window(system: System) -> float:
    """Completed per second from now on."""
    before, started = completed(system), time.monotonic()
    await asyncio.sleep(WINDOW_SECONDS)
    return (completed(system) - before) / (time.monotonic() - started)


def pick_up_at(system: System, level: int, say: Callable[[str], None]) -> tuple[Spread, Spread]:
    """How soon each stage of a new hand-in is begun, and all of it done, with so many put off."""
    there = value(system, "SELECT count(*) FROM stages WHERE state = 'ready'")
    say(f"putting {level:,} off until tomorrow")
    put_off_copies(system, level - there, f"later-{level}")
    since = value(system, "SELECT clock_timestamp()")
    whole = asyncio.run(load.idle_wait(system.server, load.bodies(), HAND_INS))
    pick_up = [row[0] for row in system.database.execute(PICK_UP.encode(), {"since": since})]
    return spread(pick_up), whole


def section(found: Sequence[Level]) -> Section:
    """Everything found, for the page."""
    least, most = min(one.per_second for one in found), max(one.per_second for one in found)
    rows = [[f"{one.waiting:,}", f"{one.per_second:,.0f}", *(f"{ms:.1f}" for ms in times_of(one))] for one in found]
    return Section(
        heading="With what is waiting",
        text=TEXT,
        charts={
            "backlog-rate": line(
                "Completed per second, with so many waiting",
                "per second",
                [
                    Series("completed", [(one.waiting, one.per_second) for one in found]),
                ],
            ),
            "backlog-pick-up": line(
                "A single hand-in, with so many waiting",
                "milliseconds",
                [
                    Series("a stage is begun, p50", [(one.waiting, one.pick_up.p50) for one in found]),
                    Series("a stage is begun, p95", [(one.waiting, one.pick_up.p95) for one in found]),
                    Series("all is done, p50", [(one.waiting, one.whole.p50) for one in found]),
                ],
            ),
        },
        table=table(HEAD, rows),
        broken=[] if least >= (1 - FLAT) * most else [f"the rate is not flat: {least:,.0f} to {most:,.0f} a second"],
    )


def line(title: str, y_label: str, series: Sequence[Series]) -> Chart:
    """A chart over the number that waits."""
    return Chart(title, "submissions waiting", y_label, series, log_x=True)


def times_of(level: Level) -> Sequence[float]:
    """The times of a row of the table."""
    return (*percentiles(level.pick_up), *percentiles(level.whole))


def percentiles(times: Spread) -> tuple[float, float, float]:
    return times.p50, times.p95, times.p99
