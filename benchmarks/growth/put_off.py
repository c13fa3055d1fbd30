"""How soon new work is picked up, while a thousand to a million others are put off until tomorrow."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Final, NamedTuple

from benchmarks.growth.chart import Chart, Series
from benchmarks.growth.page import Section, table
from benchmarks.growth.seed import put_off_copies, settle
from benchmarks.growth.system import System, running_system
from benchmarks.growth.turns import awake, in_turn, resting, times_as_long
from cli.bench import load
from cli.bench.cost import cpu_seconds
from cli.bench.figures import Spread, spread

LEVELS: Final = (1_000, 100_000, 1_000_000)
TURNS: Final = 20
FEWEST_TURNS: Final = 5
HAND_INS: Final = 20
"""Of each level in a turn: all of them within two seconds, in which no machine drifts far."""
WAKING: Final = 2
"""Hand-ins before those that count, with which a system that rested wakes up."""
FLAT: Final = 0.20
"""How much longer a hand-in may take."""
NO_WALK: Final = 0.50
"""How much more CPU Postgres may take meanwhile: reading all that is put off once would be many times as much."""

PICK_UP: Final = b"""
    SELECT extract(epoch FROM started_at - queued_at)::float FROM stages
    WHERE submission_id = ANY(%(ids)s::uuid[]) AND stage = 'score'
"""

HEAD: Final = (
    "put off", "begun after, p50 ms", "p95 ms", "p99 ms", "completed after, p50 ms", "p95 ms", "p99 ms",
    "times as long", "Postgres CPU ms each",
)  # fmt: skip
TEXT: Final = """\
So many submissions wait for the next try of their feedback, tomorrow, as after an outage of whatever a stage needs.
Beside them, hand-ins are made one after the other: the time until Postgres has their first stage begun, and from POST
to the answer that all is done (`Prefer: wait`). Each level has a system of its own, and they take turns: {number}
hand-ins each, {turns} times, beginning with another one each time, while the workers of the others stand still. How
many times as long it takes as with the fewest put off is compared within each turn, by the medians; the middle of
these ratios counts, and may be {most:.2f}. What Postgres takes of the CPU meanwhile, with everything that sweeps, may
be {most_cpu:.1f} times as much: that shows a sweep that reads what is put off even where the other core does it."""


class Level(NamedTuple):
    """What was found with so many put off (ms), and how many times as long a hand-in took as at the first level.

    `postgres_ms` is CPU of Postgres per hand-in, with everything else it did meanwhile.
    """

    put_off: int
    pick_up: Spread
    whole: Spread
    times_as_long: float
    postgres_ms: float


class Turn(NamedTuple):
    """The hand-ins of one level in one turn, and the CPU that Postgres used until they were done."""

    ids: list[str]
    seconds: list[float]
    postgres_seconds: float


def measure(scale: float, say: Callable[[str], None]) -> Section:
    """Pick-up at each level, by turns."""
    turns = max(FEWEST_TURNS, round(TURNS * min(1.0, scale)))
    levels = [round(level * scale) for level in LEVELS]
    with ExitStack() as stack:
        systems = [stack.enter_context(running_system(1, say)) for _ in levels]
        for system, level in zip(systems, levels, strict=True):
            fill(system, level, say)
        found = taken(systems, turns, say)
        return section(judged(levels, systems, found), turns)


def fill(system: System, level: int, say: Callable[[str], None]) -> None:
    """Put so many off."""
    say(f"putting {level:,} off until tomorrow")
    put_off_copies(system, level, "later")
    settle(system)


def taken(systems: Sequence[System], turns: int, say: Callable[[str], None]) -> list[list[Turn]]:
    """The turns of each system."""
    say(f"{turns} turns of {HAND_INS} hand-ins each")
    found: list[list[Turn]] = [[] for _ in systems]
    with resting(systems):
        for number in range(turns):
            for which in in_turn(range(len(systems)), number):
                with awake(systems[which]):
                    found[which].append(asyncio.run(turn(systems[which])))
    return found


async def turn(system: System) -> Turn:
    """Hand-ins one after the other."""
    postgres = system.connection.pids["postgres"]
    before = cpu_seconds(postgres)
    await load.waited(system.server, load.bodies(), WAKING)
    found = await load.waited(system.server, load.bodies(), HAND_INS)
    return Turn([one.id for one in found], [one.seconds for one in found], cpu_seconds(postgres) - before)


def judged(levels: Sequence[int], systems: Sequence[System], found: Sequence[Sequence[Turn]]) -> list[Level]:
    """What the turns say of each level."""
    return [
        Level(level, picked_up(system, turns), whole(turns), compared(found[0], turns), postgres_ms(turns))
        for level, system, turns in zip(levels, systems, found, strict=True)
    ]


def compared(first: Sequence[Turn], turns: Sequence[Turn]) -> float:
    """How many times as long they took as those of the first level."""
    return times_as_long([turn.seconds for turn in first], [turn.seconds for turn in turns])


def postgres_ms(turns: Sequence[Turn]) -> float:
    """What Postgres took of the CPU for each hand-in, those that wake the system among them."""
    return 1000 * sum(turn.postgres_seconds for turn in turns) / (len(turns) * (WAKING + HAND_INS))


def picked_up(system: System, turns: Sequence[Turn]) -> Spread:
    """How soon they were begun, by Postgres' clock."""
    ids = [id_ for turn in turns for id_ in turn.ids]
    return spread([row[0] for row in system.database.execute(PICK_UP, {"ids": ids})])


def whole(turns: Sequence[Turn]) -> Spread:
    """How long they took from POST to the end."""
    return spread([seconds for turn in turns for seconds in turn.seconds])


def section(found: Sequence[Level], turns: int) -> Section:
    """Everything found, for the page."""
    few = found[0]
    later = [one for one in found if one.times_as_long > 1 + FLAT]
    dearer = [one for one in found if one.postgres_ms > (1 + NO_WALK) * few.postgres_ms]
    return Section(
        heading="With what is put off",
        text=TEXT.format(number=HAND_INS, turns=turns, most=1 + FLAT, most_cpu=1 + NO_WALK),
        charts={"put-off": chart(found)},
        table=table(HEAD, [row(one) for one in found]),
        broken=[
            *(f"a hand-in takes longer with {one.put_off:,} put off" for one in later),
            *(f"Postgres does more for a hand-in with {one.put_off:,} put off" for one in dearer),
        ],
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
    return [f"{one.put_off:,}", *(f"{ms:.1f}" for ms in times), f"{one.times_as_long:.2f}", f"{one.postgres_ms:.1f}"]
