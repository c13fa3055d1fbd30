"""Postgres and Redis that restart, crash or forget, in the middle of work."""

from tests.integration.faults.system import System
from tests.process import Process
from tests.sums import assert_all_completed_once

MANY = 300


async def test_flushing_redis_in_the_middle_loses_nothing(system: System) -> None:
    """All rings and statuses are gone; what nobody took is rung again."""
    await started(system)
    system.flush_redis()
    await all_complete(system)


async def test_a_restart_of_valkey_in_the_middle_loses_nothing(system: System) -> None:
    """Workers reconnect and go on; Valkey came back empty."""
    await started(system)
    system.valkey.restart()
    await all_complete(system)


async def test_a_restart_of_postgres_in_the_middle_loses_nothing(system: System) -> None:
    """A fast shutdown cuts every session; workers wait for it and go on."""
    worker = await started(system)
    system.postgres.restart()
    await all_complete(system)
    assert worker.lives


async def test_a_crash_of_postgres_in_the_middle_loses_nothing(system: System) -> None:
    """kill -9 of the postmaster: what was accepted is recovered from its log, what was not recorded is done again."""
    worker = await started(system)
    system.postgres.kill()
    system.postgres.start()
    await all_complete(system)
    assert worker.lives


async def started(system: System) -> Process:
    """A worker that has completed some of many submissions and has most before it."""
    worker = system.worker()
    await system.until_workers(1)
    await system.submit(MANY)
    await system.until_completed(1)
    assert await system.completed() < MANY
    return worker


async def all_complete(system: System) -> None:
    await system.until_completed(MANY)
    await assert_all_completed_once(system.parts.servers.engine, MANY)
