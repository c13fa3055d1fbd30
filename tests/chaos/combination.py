"""Faults that overlap, drawn at random and the same ones for the same seed."""

import asyncio
import random
from collections.abc import Sequence
from typing import Final

from tests.chaos.fault import Fault, Inject, Moment
from tests.chaos.system import System

MOST_AT_ONCE: Final = 3
APART_SECONDS: Final = 3.0


def combination(faults: Sequence[Fault], seed: int, *, short: bool = False) -> Fault:
    """Two or three faults that touch different things, begun within three seconds of each other."""
    chances = random.Random(seed)  # noqa: S311 - dice, and the same ones every time
    together = drawn(faults, chances)
    waits = [chances.uniform(0, APART_SECONDS) for _ in together]
    return Fault(
        name=f"random-{seed}",
        title=f"at random, seed {seed}: " + " + ".join(fault.name for fault in together),
        promise="done within 30 s of the last one's end",
        rests_on="all of the above at once",
        inject=overlapping(together, waits),
        drains_within=30.0,
        short=short,
    )


def drawn(faults: Sequence[Fault], chances: random.Random) -> list[Fault]:
    """Two or three faults, no two of which touch the same."""
    kinds = sorted({fault.touches for fault in faults if fault.touches is not None})
    chosen = chances.sample(kinds, min(len(kinds), chances.randint(2, MOST_AT_ONCE)))
    return [chances.choice([fault for fault in faults if fault.touches == kind]) for kind in chosen]


def overlapping(together: Sequence[Fault], waits: Sequence[float]) -> Inject:
    """All of them at once, each after its wait; over when the last one is."""

    async def after(fault: Fault, seconds: float, system: System) -> Moment:
        await asyncio.sleep(seconds)
        return await fault.inject(system)

    async def inject(system: System) -> Moment:
        return max(await asyncio.gather(*[after(*one, system) for one in zip(together, waits, strict=True)]))

    return inject
