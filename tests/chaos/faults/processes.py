"""Processes of ours that are killed, frozen or told to stop."""

import signal
import time
from typing import Final

from tests.chaos.fault import Fault, Moment
from tests.chaos.system import System
from tests.process import Process

HELD: Final = """
SELECT count(*) FROM stages t JOIN workers w ON w.id = t.worker_id WHERE t.state = 'running' AND w.pid = :pid
"""


async def frozen_with_work(system: System) -> Process:
    """Freeze a worker at a moment at which it holds work: whoever kills it now kills it in the middle."""
    caught: list[Process] = []

    async def catch() -> bool:
        for worker in system.workers:
            worker.send(signal.SIGSTOP)
            if await system.count(HELD, pid=worker.pid):
                caught.append(worker)
                return True
            worker.send(signal.SIGCONT)
        return False

    await system.until(catch, "a worker is in the middle of work")
    return caught[0]


async def kill_worker(system: System) -> Moment:
    """SIGKILL a worker that holds work."""
    worker = await frozen_with_work(system)
    worker.kill()
    return time.time()


PROCESS_FAULTS: Final = (
    Fault(
        name="worker-kill",
        title="kill -9 of a worker that holds work",
        promise="its work is done elsewhere within 15 s",
        rests_on="claims are leases in Postgres; whoever falls silent for 8 s loses them to the sweeper",
        inject=kill_worker,
        drains_within=15.0,
        short=True,
        combines=True,
    ),
)
