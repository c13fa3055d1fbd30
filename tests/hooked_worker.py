"""A worker with two hooks that faults need: a submission that kills it, and feedback that waits for leave.

`FAULT_POISON` names a learner whose submissions kill the process while they are scored; `FAULT_HOLD` is a
file: while it exists, feedback does not end. Neither exists in the product.
"""

import asyncio
import os
import signal
from pathlib import Path

from pipeline import telemetry
from pipeline.bootstrap import WORKER_POOL_WAIT_SECONDS, build_worker, open_servers, write_feedback
from pipeline.execution import StageRunner, each_alone
from pipeline.lifecycle import Stage
from pipeline.llm.template import TemplateProvider
from pipeline.model import Work
from pipeline.settings import read_settings
from pipeline.stages import score
from pipeline.stages.outcome import Outcome
from workers import process

POISON = os.environ.get("FAULT_POISON")
HOLD = os.environ.get("FAULT_HOLD")


def poisoned_score(work: Work) -> Outcome:
    if work.learner_id == POISON:
        os.kill(os.getpid(), signal.SIGKILL)
    return score.decide(work)


async def held_feedback(work: Work) -> Outcome:
    while HOLD is not None and await asyncio.to_thread(Path(HOLD).exists):  # noqa: ASYNC110 - another process's file
        await asyncio.sleep(0.01)
    return write_feedback(TemplateProvider(), work)


async def main() -> None:
    settings = read_settings()
    telemetry.configure(settings.log_level, settings.log_format)
    async with open_servers(
        settings, pool_size=settings.worker_pool_size, pool_wait_seconds=WORKER_POOL_WAIT_SECONDS
    ) as servers:
        parts = build_worker(settings, servers)
        parts.runners[Stage.SCORE] = StageRunner(Stage.SCORE, parts.shop, perform=each_alone(poisoned_score))
        parts.runners[Stage.FEEDBACK] = StageRunner(
            Stage.FEEDBACK, parts.shop, perform_alone=held_feedback, concurrency=settings.worker_concurrency
        )
        await process.run(parts)


if __name__ == "__main__":
    asyncio.run(main())
