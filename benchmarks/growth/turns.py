"""Measuring several systems by turns, so that what a machine does meanwhile happens to all of them.

A machine's speed drifts over minutes: two medians taken one after the other differ although nothing else does.
Here only what was measured within seconds of each other is compared, again and again. Systems that are not measured
rest: their workers stand still, which sweep and would take the CPU from the one that is.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from statistics import median
from typing import TypeVar

import psutil

from benchmarks.growth.system import System
from cli.bench.cost import family

One = TypeVar("One")


def in_turn(those: Sequence[One], turn: int) -> Sequence[One]:
    """All of them, beginning with another one each turn: nobody comes first every time."""
    first = turn % len(those)
    return [*those[first:], *those[:first]]


def times_as_long(first: Iterable[Sequence[float]], other: Iterable[Sequence[float]]) -> float:
    """How many times as long the other took: of each turn the ratio of the medians, and of these the middle one."""
    return median(median(theirs) / median(ours) for ours, theirs in zip(first, other, strict=True))


@contextmanager
def resting(systems: Iterable[System]) -> Iterator[None]:
    """Workers of these systems stand still meanwhile, save where `awake`; all go on afterwards."""
    processes = [process for system in systems for process in workers_of(system)]
    try:
        for process in processes:
            process.suspend()
        yield
    finally:
        for process in processes:
            process.resume()


@contextmanager
def awake(system: System) -> Iterator[None]:
    """The workers of a system that rests go on meanwhile."""
    processes = workers_of(system)
    for process in processes:
        process.resume()
    try:
        yield
    finally:
        for process in processes:
            process.suspend()


def workers_of(system: System) -> list[psutil.Process]:
    """Its worker processes and what they started."""
    pids = [pid for part, pid in system.connection.pids.items() if part.startswith("worker-")]
    return [process for pid in pids for process in family(pid)]
