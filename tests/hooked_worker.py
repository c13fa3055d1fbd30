"""A worker with hooks that faults need: a submission that kills it, feedback or a periodic job that waits for leave.

`FAULT_JOB` is a folder: the one periodic job, `counting`, writes which piece it does into its file `pieces`, and does
not end the fourth while its file `hold` exists. `FAULT_POISON` names a learner whose
submissions kill the process while they are scored; `FAULT_HOLD` is a file: while it exists, feedback does not end,
as if a slow model wrote it. None exists in the product. All else is `python -m workers`.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from pipeline.bootstrap import Servers, worker, write_feedback
from pipeline.bootstrap.writers import Writers
from pipeline.execution import ApartRunner, Runner, Shop, each_alone
from pipeline.follow_through import Perform
from pipeline.learning.mix import Plan
from pipeline.lifecycle import Stage
from pipeline.llm.template import TemplateProvider
from pipeline.model import JsonValue, Work
from pipeline.ports.periodic import JobPlan
from pipeline.service.periodic import PeriodicJob, PeriodicWorker
from pipeline.settings import Settings
from pipeline.stages import score
from pipeline.stages.outcome import Outcome
from pipeline.stages.recommend import USUAL_PLAN
from pipeline.store.periodic import PeriodicStore
from workers.__main__ import main

POISON = os.environ.get("FAULT_POISON")
HOLD = os.environ.get("FAULT_HOLD")
JOB = os.environ.get("FAULT_JOB")
HELD_AT_ONCE = 40
HELD_PIECE, LAST_PIECE = 3, 5
TEMPLATES = TemplateProvider()

shipped_performs, shipped_runner = worker.build_performs, worker.build_runner
shipped_periodic_worker = worker.build_periodic_worker


def build_performs(plan: Plan = USUAL_PLAN) -> dict[Stage, Perform]:
    return {**shipped_performs(plan), Stage.SCORE: each_alone(poisoned_score)}


def build_runner(stage: Stage, shop: Shop, stages: Sequence[Stage], writers: Writers | None = None) -> Runner:
    if HOLD is None:
        return shipped_runner(stage, shop, stages, writers)
    if stage is Stage.FEEDBACK:
        return ApartRunner(stage, shop, held_feedback, room=HELD_AT_ONCE)
    return shipped_runner(stage, shop, [other for other in stages if other is not Stage.FEEDBACK])


def poisoned_score(work: Work) -> Outcome:
    if work.learner_id == POISON:
        os.kill(os.getpid(), signal.SIGKILL)
    return score.decide(work)


async def held_feedback(work: Work) -> Outcome:
    while await asyncio.to_thread(Path(HOLD or "").exists):  # noqa: ASYNC110 - another process's file
        await asyncio.sleep(0.01)
    return write_feedback(TEMPLATES, work)


def build_periodic_worker(settings: Settings, servers: Servers, worker_id: str) -> PeriodicWorker:
    if JOB is None:
        return shipped_periodic_worker(settings, servers, worker_id)
    jobs = [PeriodicJob(JobPlan("counting", settings.nightly_schedule), count_on)]
    return PeriodicWorker(PeriodicStore(servers.engine), jobs, worker_id=worker_id)


async def count_on(_: datetime, progress: JsonValue) -> JsonValue:
    """Do the piece after `progress`, six in all."""
    piece = 0 if progress is None else progress + 1
    with Path(JOB or "", "pieces").open("a") as pieces:  # noqa: ASYNC230 - a line
        pieces.write(f"{os.getpid()} {piece}\n")
    while piece == HELD_PIECE and await asyncio.to_thread(Path(JOB or "", "hold").exists):  # noqa: ASYNC110 - as above
        await asyncio.sleep(0.01)
    return piece if piece < LAST_PIECE else None


if __name__ == "__main__":
    worker.build_periodic_worker = build_periodic_worker
    worker.build_performs, worker.build_runner = build_performs, build_runner
    main(sys.argv[1:])
