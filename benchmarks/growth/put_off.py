"""How soon new work is picked up, while a thousand to a million others are put off until tomorrow."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from benchmarks.growth.chart import Chart, Series
from benchmarks.growth.page import Section, table
from benchmarks.growth.seed import put_off_copies, settle
from benchmarks.growth.system import System, running_system, value
from cli.bench import load
from cli.bench.figures import Spread, spread

LEVELS: Final = (1_000, 100_000, 1_000_000)
HAND_INS: Final = 200
FLAT: Final = 0.20
"""How much longer a hand-in may take."""

PUT_OFF: Final = "SELECT count(*) FROM stages WHERE state = 'ready' AND available_at > now()"
PICK_UP: Final = b"""
    SELECT extract(epoch FROM started_at - queued_at)::float FROM stages
    WHERE queued_at >= %(since)s AND stage = 'score' AND started_at IS NOT NULL
"""

HEAD: Final = (
    "put off", "begun after, p50 ms", "p95 ms", "p99 ms", "completed after, p50 ms", "p95 ms", "p99 ms",
)  # fmt: skip
TEXT: Final = """\
So many submissions wait for the next try of their feedback, tomorrow, as after an outage of whatever a stage needs.
Beside them, {number} hand-ins are made one after the other: the time until Postgres has their first stage begun, and
from POST to the answer that all is done (`Prefer: wait`)."""


class Level(NamedTuple):
    """What was found with so many put off (ms)."""

    put_off: int
    pick_up: Spread
    whole: Spread


def measure(scale: float, say: Callable[[str], None]) -> Section:
    """Pick-up at each level, in one system."""
    number = max(20, round(HAND_INS * min(1.0, scale)))
    with running_system(1, say) as system:
        return section([level_of(system, round(level * scale), number, say) for level in LEVELS], number)


def level_of(system: System, level: int, number: int, say: Callable[[str], None]) -> Level:
    """How soon new hand-ins are begun and completed, with so many put off."""
    say(f"putting {level:,} off until tomorrow")
    put_off_copies(system, level - int(value(system, PUT_OFF)), f"later-{level}")
    settle(system)
    since = value(system, "SELECT clock_timestamp()")
    whole = asyncio.run(load.idle_wait(system.server, load.bodies(), number))
    pick_up = spread([row[0] for row in system.database.execute(PICK_UP, {"since": since})])
    say(f"begun after {pick_up.p50:.1f} ms, completed after {whole.p50:.1f} ms")
    return Level(level, pick_up, whole)


def section(found: Sequence[Level], number: int) -> Section:
    """Everything found, for the page."""
    few, *more = found
    later = [one for one in more if one.whole.p50 > (1 + FLAT) * few.whole.p50]
    return Section(
        heading="With what is put off",
        text=TEXT.format(number=number),
        charts={"put-off": chart(found)},
        table=table(HEAD, [row(one) for one in found]),
        broken=[f"a hand-in takes longer with {one.put_off:,} put off" for one in later],
    )


def chart(found: Sequence[Level]) -> Chart:
    """Times against what is put off."""
    lines = {
        "completed after, p50": [one.whole.p50 for one in found],
        "p95": [one.whole.p95 for one in found],
        "begun after, p50": [one.pick_up.p50 for one in found],
    }
    series = [Series(name, [(one.put_off, y) for one, y in zip(found, ys, strict=True)]) for name, ys in lines.items()]
    return Chart("One hand-in, with so many put off", "submissions put off", "milliseconds", series, log_x=True)


def row(one: Level) -> list[str]:
    times = [ms for spread_ in (one.pick_up, one.whole) for ms in (spread_.p50, spread_.p95, spread_.p99)]
    return [f"{one.put_off:,}", *(f"{ms:.1f}" for ms in times)]
