"""The checks of `gradeline doctor`, from what everything stands on to what runs."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Final

import httpx

from cli.connection import Connection, read_connection
from cli.finding import Finding, Level
from cli.models import ask_models, check_servers_models, read_models
from cli.place import local_settings, own_settings
from pipeline import bootstrap
from pipeline.embedded.lock import DirectoryLock
from pipeline.errors import EnvironmentFault, GradelineError
from pipeline.settings import Settings

GIB: Final = 1024**3
LITTLE_BYTES: Final = 2 * GIB
TOO_LITTLE_BYTES: Final = GIB // 4
CLOCK_TOLERANCE_SECONDS: Final = 2.0
PROBE_SECONDS: Final = 3.0


async def checkup(home: Path | None, *, ping_ai: bool = False) -> list[Finding]:
    """Everything that can be said about the installation that a command on this machine would use.

    Models are asked only with `ping_ai`, since that costs money.
    """
    try:
        own, joined = own_settings(home), local_settings(home)
        connection = read_connection(own.home)
    except GradelineError as error:
        return [Finding("settings", Level.FAIL, str(error), "correct or unset it")]
    if connection is not None and was_killed(own.home):  # then its servers are gone, and nobody named them
        killed = Finding(
            "running system", Level.WARN, f"{connection.url} was killed", "start it again with `gradeline up`"
        )
        return [finding async for finding in check_all(own, killed, ping_ai=ping_ai)]
    system = await running(connection, own.home)
    findings = [finding async for finding in check_all(joined, system, ping_ai=ping_ai)]
    if connection is not None and system.level is Level.OK:
        findings += await check_servers_models(connection, joined)
    return findings


def was_killed(home: Path) -> bool:
    """Whether nobody holds the home any more; the system that wrote its address there had no time to take it back."""
    lock = DirectoryLock(home / "lock")
    try:
        lock.take()
    except EnvironmentFault:
        return False
    lock.release()
    return True


async def check_all(settings: Settings, system: Finding, *, ping_ai: bool = False) -> AsyncIterator[Finding]:
    """The findings, one after the other; `system` is the one about what runs in the home."""
    yield Finding("settings", Level.OK, "all variables are known and valid")
    yield disk(settings.home)
    yield system
    if settings.database_url is None:
        yield Finding("database", Level.NOTE, "none is named: `gradeline up` runs PostgreSQL under its home")
    else:
        async for finding in check_database(settings):
            yield finding
    if settings.redis_url is None:
        yield Finding("redis", Level.NOTE, "none is named: `gradeline up` runs Valkey under its home")
    else:
        yield await asked("redis, statuses", bootstrap.check_statuses, settings)
        yield await asked("redis, queues", bootstrap.check_queues, settings)
    configuration, findings = read_models(settings)
    for finding in findings:
        yield finding
    if ping_ai and configuration is not None and configuration.routes:
        for finding in await ask_models(configuration):
            yield finding


async def check_database(settings: Settings) -> AsyncIterator[Finding]:
    """Postgres, its schema and its clock; the latter two only where the first will do."""
    database = await asked("database", bootstrap.check_database, settings)
    yield database
    if database.level is Level.OK:
        yield schema(*await bootstrap.schema_revisions(settings))
        yield clock(await bootstrap.clock_offset_seconds(settings))


async def asked(subject: str, check: Callable[[Settings], Awaitable[str]], settings: Settings) -> Finding:
    """What a server said of itself, or why it will not do."""
    try:
        return Finding(subject, Level.OK, await check(settings))
    except GradelineError as error:
        found, _, advice = str(error).rpartition("; ")
        return Finding(subject, Level.FAIL, found or advice, advice if found else "")


async def running(connection: Connection | None, home: Path) -> Finding:
    """Whether a system runs in the home, and answers."""
    if connection is None:
        return Finding(
            "running system", Level.NOTE, f"none in {home}", "start one with `gradeline up`, if you want one here"
        )
    try:
        async with httpx.AsyncClient(timeout=PROBE_SECONDS, trust_env=False) as client:
            ready = (await client.get(f"{connection.url}/health/ready")).is_success
    except httpx.HTTPError:
        return Finding(
            "running system", Level.WARN, f"{connection.url} does not answer", "start it again with `gradeline up`"
        )
    if ready:
        return Finding("running system", Level.OK, f"ready at {connection.url}")
    return Finding("running system", Level.FAIL, f"{connection.url} is not ready", "look into logs/ in its home")


def schema(found: str | None, needed: str) -> Finding:
    """Whether the database has the tables this version needs."""
    if found == needed:
        return Finding("schema", Level.OK, needed)
    return Finding("schema", Level.FAIL, f"{found or 'none'}, but {needed} is needed", "run `gradeline migrate`")


def clock(offset_seconds: float) -> Finding:
    """Whether this machine's clock agrees with Postgres'."""
    found = f"{abs(offset_seconds):.1f} s {'behind' if offset_seconds > 0 else 'ahead of'} the database's"
    if abs(offset_seconds) <= CLOCK_TOLERANCE_SECONDS:
        return Finding("clock", Level.OK, found)
    return Finding("clock", Level.WARN, found, "synchronise both machines' clocks, for example with chrony")


def disk(home: Path) -> Finding:
    """Whether there is room where data and logs go."""
    place = next(path for path in (home.absolute(), *home.absolute().parents) if path.exists())
    free = shutil.disk_usage(place).free
    found = f"{free / GIB:.1f} GiB free at {place}"
    if free < TOO_LITTLE_BYTES:
        return Finding("disk", Level.FAIL, found, "make room, or choose another --home")
    if free < LITTLE_BYTES:
        return Finding("disk", Level.WARN, found, "make room before the data grows")
    return Finding("disk", Level.OK, found)
