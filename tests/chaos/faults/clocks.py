"""Clocks of processes that disagree by three minutes."""

import asyncio
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from tests.chaos.fault import Fault, Skipped, Trial, Violation
from tests.chaos.faults.processes import kill_worker
from tests.chaos.keeper import Part
from tests.chaos.system import System

SHIFTS: Final = {"api-1": 90, "api-2": -90, "worker-1": 90, "worker-2": -90}
LOSERS: Final = """
SELECT DISTINCT worker_id FROM attempts WHERE tenant_id = :tenant_id AND ended = 'lease_lost'
"""
SOURCE: Final = Path(__file__).with_name("shifted_clock.c")


def shifted_clock(folder: Path) -> Path:
    """The library that shifts a process's clock, built from its source; raises `Skipped` where that can't be."""
    compiler = shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        raise Skipped("wants Linux and a C compiler (cc)")
    library = folder / "shifted_clock.so"
    subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-o", library, SOURCE], check=True, capture_output=True)
    return library


@asynccontextmanager
async def clocks_apart(system: System) -> AsyncIterator[None]:
    """Two processes are 90 s ahead, two are 90 s behind, one is right."""
    library = await asyncio.to_thread(shifted_clock, system.settings.home)
    shipped = {name: system.shipped(name) for name in SHIFTS}
    await system.replace_all({name: shifted(part, library, SHIFTS[name]) for name, part in shipped.items()})
    try:
        yield
    finally:
        await system.replace_all(shipped)


def shifted(part: Part, library: Path, seconds: int) -> Part:
    return Part(part.command, {**part.environment, "LD_PRELOAD": str(library), "SHIFT_SECONDS": str(seconds)})


async def robbed_nobody(trial: Trial) -> list[Violation]:
    """Only the killed worker lost leases."""
    rows = await trial.system.rows(LOSERS, tenant_id=trial.school.tenant_id)
    return [Violation("broken", f"{len(rows)} workers lost leases, and one was killed")] if len(rows) > 1 else []


CLOCK_FAULTS: Final = (
    Fault(
        name="clocks",
        title="clocks wrong by +90 s and −90 s, and kill -9 of a worker that holds work",
        promise="nobody is robbed, and the dead one's work is done elsewhere within 15 s",
        rests_on="leases, heartbeats and retries go by Postgres' clock alone",
        inject=kill_worker,
        drains_within=15.0,
        scene=clocks_apart,
        checks=(robbed_nobody,),
    ),
)
