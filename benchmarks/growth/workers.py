"""Rate against worker processes on this machine, and from what each part costs, what saturates first beyond it."""

import asyncio
import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from benchmarks.growth.beyond import Costs, calculated
from benchmarks.growth.chart import Chart, Series
from benchmarks.growth.page import Section, table
from benchmarks.growth.system import PARTS, Passage, System, cpu_by_part, pass_through, running_system, value
from cli.bench import load

PROCESSES: Final = (1, 2, 4)
NUMBER: Final = 8_000
STATISTICS_SECONDS: Final = 1.5
"""Postgres' own counters come about a second late."""

WRITTEN: Final = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float"
SYNCED: Final = "SELECT sum(fsyncs)::float FROM pg_stat_io WHERE object = 'wal'"

TEXT: Final = """\
Hand-ins of three answers over 64 connections, with one API process; the load generator and both servers are on the
same {cores} cores, so no more workers than cores can gain anything here, and what they lose is what they do to each
other. The bank has {questions} questions, so that any two batches answer some of the same. CPU, bytes written to the
log (WAL) and syncs of it are per completed submission."""
HEAD: Final = (
    "worker processes", "completed per second", "p50 ms", "p99 ms",
    "CPU ms: API", "workers", "Postgres", "Valkey", "all", "WAL bytes", "syncs",
)  # fmt: skip


class Run(NamedTuple):
    """What so many worker processes came to; CPU in ms, `written` bytes and `synced` times of WAL; per submission."""

    processes: int
    passage: Passage
    cpu_ms: Mapping[str, float]
    written: float
    synced: float


class Spent(NamedTuple):
    """What was used until now: CPU seconds by part, bytes of WAL, syncs of it."""

    cpu_seconds: Mapping[str, float]
    written: float
    synced: float


def measure(scale: float, say: Callable[[str], None]) -> Section:
    """Each number of processes, and what follows from it."""
    number = max(200, round(NUMBER * scale))
    return section([run(processes, number, say) for processes in PROCESSES])


def run(processes: int, number: int, say: Callable[[str], None]) -> Run:
    """One system with so many worker processes."""
    with running_system(processes, say) as system:
        asyncio.run(pass_through(system, load.bodies(), number // 4))
        before = spent(system)
        passage = asyncio.run(pass_through(system, load.bodies(), number))
        after = spent(system)
        say(f"{passage.per_second:,.0f} a second")
    cpu_ms = {part: 1000 * (after.cpu_seconds[part] - before.cpu_seconds[part]) / number for part in PARTS}
    written, synced = (after.written - before.written) / number, (after.synced - before.synced) / number
    return Run(processes, passage, cpu_ms, written, synced)


def spent(system: System) -> Spent:
    """What the system has used."""
    time.sleep(STATISTICS_SECONDS)
    return Spent(cpu_by_part(system), value(system, WRITTEN), value(system, SYNCED))


def section(runs: Sequence[Run]) -> Section:
    """Everything found, for the page."""
    best = max(runs, key=lambda one: one.passage.per_second)
    costs = Costs(cpu_ms=best.cpu_ms, written=best.written)
    chart = Chart(
        "Completed per second, by worker processes",
        "worker processes",
        "per second",
        [Series("completed", [(one.processes, one.passage.per_second) for one in runs])],
    )
    return Section(
        heading="With worker processes, and beyond one machine",
        text=TEXT.format(cores=os.cpu_count(), questions=len(load.QUESTIONS)),
        charts={"workers": chart},
        table=f"{table(HEAD, [row(one) for one in runs])}\n\n{calculated(costs)}",
    )


def row(run: Run) -> list[str]:
    cpu = [run.cpu_ms[part] for part in PARTS]
    return [
        str(run.processes),
        f"{run.passage.per_second:,.0f}",
        f"{run.passage.latency.p50:,.0f}",
        f"{run.passage.latency.p99:,.0f}",
        *(f"{ms:.3f}" for ms in [*cpu, sum(cpu)]),
        f"{run.written:,.0f}",
        f"{run.synced:.3f}",
    ]
