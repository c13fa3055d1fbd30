"""Heartbeat and sweeper of a real worker whose connections are all taken."""

import asyncio

import msgspec

from pipeline.bootstrap import build_worker, open_servers
from pipeline.settings import Settings
from pipeline.store.engine import transaction
from tests.sums import query

SECONDS = 5.0


async def test_stages_that_take_every_connection_starve_neither_heartbeat_nor_sweeper(settings: Settings) -> None:
    """A worker that is only busy must not be taken for dead, nor stop looking after others."""
    busy = msgspec.structs.replace(settings, worker_pool_size=1)
    async with open_servers(busy, pool_size=busy.worker_pool_size, pool_wait_seconds=60) as servers:
        worker = build_worker(busy, servers)
        await worker.heartbeat.introduce()
        [before] = await query(servers.engine, "SELECT heartbeat_at FROM workers")
        async with transaction(servers.engine), asyncio.timeout(SECONDS):
            await worker.heartbeat.beat()
            await worker.sweeper.sweep()
        [after] = await query(servers.engine, "SELECT heartbeat_at FROM workers")
    assert after.heartbeat_at > before.heartbeat_at
