"""A data volume that fills up: Postgres lives on a small disk of its own for this one trial."""

import asyncio
import shutil
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

import psycopg

from pipeline.embedded.cluster import program
from tests.chaos.checks import refused_in_time, spared
from tests.chaos.fault import Fault, Moment, Skipped
from tests.chaos.faults.postgres import stranger
from tests.chaos.system import Stuck, System

ROOM_MIB: Final = 192
"""What is free on the small disk when load begins: more than a trial writes before the disk is filled."""
FULL_SECONDS: Final = 6.0
LOG_MESSAGES: Final = 200
"""Of a megabyte each: more than any room that is left in the log."""
RECOVERY_SECONDS: Final = 3.0
BLOCK: Final = 4_096


def data_of(system: System) -> Path:
    return system.settings.home / "postgres" / "data"


def disk_of(system: System) -> Path:
    return system.settings.home / "small-disk"


@asynccontextmanager
async def on_small_disk(system: System) -> AsyncIterator[None]:
    """Postgres keeps its data on a disk with little room; afterwards the data is where it was."""
    async with AsyncExitStack() as afterwards:
        disk, data = disk_of(system), data_of(system)
        await asyncio.to_thread(mount, disk, mebibytes(data) + ROOM_MIB)
        afterwards.push_async_callback(asyncio.to_thread, unmount, disk)
        await asyncio.to_thread(move, system, data, disk / "data")
        afterwards.push_async_callback(asyncio.to_thread, move_back, system, data)
        await system.until(system.ready, "everything is ready on the small disk")
        yield


def mount(disk: Path, mib: int) -> None:
    """Make a disk in memory; raises `Skipped` where we may not."""
    disk.mkdir(mode=0o711)
    options = f"size={mib}M,mode=0711"
    try:
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", disk], capture_output=True, check=False)
    except FileNotFoundError:
        raise Skipped("there is no mount command to make a small disk with") from None
    if done.returncode != 0:
        disk.rmdir()
        raise Skipped("only root may mount a small disk")


def unmount(disk: Path) -> None:
    subprocess.run(["umount", "-l", disk], check=True)
    disk.rmdir()


def move(system: System, data: Path, place: Path) -> None:
    """Let Postgres have its data in another place."""
    system.postgres.stop()
    subprocess.run(["cp", "-a", data, place], check=True)
    drop_spare_log(place)
    data.rename(aside(data))
    data.symlink_to(place)
    system.postgres.start()


def drop_spare_log(data: Path) -> None:
    """Delete segments that a stopped Postgres keeps for its future log: with them it would not run out of room."""
    told = subprocess.run([program("pg_controldata"), data], check=True, capture_output=True, text=True).stdout
    current = next(line.split()[-1] for line in told.splitlines() if "REDO WAL file" in line)
    for segment in (data / "pg_wal").iterdir():
        if len(segment.name) == len(current) and segment.name > current:
            segment.unlink()


def move_back(system: System, data: Path) -> None:
    """Let Postgres have its data where it was before."""
    system.postgres.stop()
    place = data.readlink()
    data.unlink()
    subprocess.run(["cp", "-a", place, data], check=True)
    shutil.rmtree(aside(data))
    shutil.rmtree(place)
    system.postgres.start()


def aside(data: Path) -> Path:
    return data.with_name("data.before")


def mebibytes(folder: Path) -> int:
    return sum(file.lstat().st_blocks * 512 for file in folder.rglob("*")) // 2**20 + 1


async def fill_disk(system: System) -> Moment:
    """Fill the disk to its last block until hand-ins are refused; then use up the log too; then make room again."""
    filler, load = disk_of(system) / "filler", system.current_load
    refused = len(load.refused)

    async def refuses() -> bool:
        return len(load.refused) > refused

    await asyncio.to_thread(fill, filler)
    try:
        await system.until(refuses, "hand-ins are refused, as the disk is full")
        await asyncio.sleep(FULL_SECONDS)
        await use_up_log(system)
        await asyncio.sleep(FULL_SECONDS)
    finally:
        filler.unlink()
    await come_back(system)
    return time.time()


async def use_up_log(system: System) -> None:
    """Write to Postgres' log until the segment that it has room for is full: that ends Postgres."""
    try:
        async with stranger(system) as session:
            for _ in range(LOG_MESSAGES):
                await session.execute("SELECT pg_logical_emit_message(false, 'chaos', repeat('x', 1000000))")
    except psycopg.OperationalError:
        return
    raise Stuck("Postgres' log found room on a full disk")


async def come_back(system: System) -> None:
    """Start Postgres, as an operator would, unless it recovers by itself: without room for its log it gave up."""
    try:
        await system.until(lambda: answers(system), "Postgres recovers by itself", RECOVERY_SECONDS)
    except Stuck:
        await asyncio.to_thread(system.postgres.restart)
        await system.until(lambda: answers(system), "Postgres accepts connections again")


async def answers(system: System) -> bool:
    return await system.count("SELECT 1") == 1


def fill(filler: Path) -> None:
    """Write until there is no room for a block."""
    with filler.open("wb", buffering=0) as file:
        for size in (2**20, BLOCK):
            block = bytes(size)
            try:
                while file.write(block) == size:
                    continue
            except OSError:  # full, for pieces of this size
                continue


DISK_FAULTS: Final = (
    Fault(
        name="disk-full",
        title="Postgres' data volume full, first for tables, then for its log too, which ends Postgres",
        promise="503 with Retry-After within 2 s meanwhile; work goes on within 10 s of there being room",
        rests_on="a commit that finds no room did not happen; what was committed is recovered once there is room",
        inject=fill_disk,
        resumes_within=10.0,
        drains_within=15.0,
        scene=on_small_disk,
        checks=(spared, refused_in_time),
    ),
)
