"""What the parts of a system on this machine use: CPU, memory, and space in the database."""

from collections.abc import Mapping
from typing import NamedTuple

import psutil
import psycopg

from cli.bench.figures import Cost
from cli.connection import Connection

MIB = 1024 * 1024
MILLISECONDS = 1000


class Usage(NamedTuple):
    """CPU seconds used so far by part, and bytes of the database now."""

    cpu_seconds: dict[str, float]
    database_bytes: int


def usage(connection: Connection) -> Usage:
    """What the running system has used until now."""
    seconds = {part: cpu_seconds(pid) for part, pid in connection.pids.items()}
    return Usage(seconds, database_bytes(connection.database_url))


def cost(before: Usage, after: Usage, submissions: int) -> Cost:
    """What one of so many submissions used between two looks."""
    cpu = {
        part: round((seconds - before.cpu_seconds.get(part, 0.0)) * MILLISECONDS / submissions, 3)
        for part, seconds in after.cpu_seconds.items()
    }
    return Cost(cpu, round((after.database_bytes - before.database_bytes) / submissions, 1))


def memory_mib(pids: Mapping[str, int]) -> dict[str, float]:
    """The memory of each part with its children, shared pages counted once among those who share them."""
    return {part: round(sum(map(memory_bytes, family(pid))) / MIB, 1) for part, pid in pids.items()}


def memory_bytes(process: psutil.Process) -> int:
    try:
        full = process.memory_full_info()
    except psutil.Error:  # not ours to look into, or just gone
        return 0
    return int(getattr(full, "pss", full.rss))


def cpu_seconds(pid: int) -> float:
    """CPU of a process, of its children, and of children that have ended."""
    return sum(map(own_cpu_seconds, family(pid)))


def own_cpu_seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)


def family(pid: int) -> list[psutil.Process]:
    """A process and everything below it."""
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.Error:
        return []


def database_bytes(url: str) -> int:
    """The size of the database on disk."""
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    assert row is not None  # noqa: S101 - a SELECT without FROM gives one row
    return int(row[0])
