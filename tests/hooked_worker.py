"""A worker with two hooks that faults need: a submission that kills it, and feedback that waits for leave.

`FAULT_POISON` names a learner whose submissions kill the process while they are scored; `FAULT_HOLD` is a
file: while it exists, feedback does not end, as if a slow model wrote it. Neither exists in the product. All
else is `python -m workers`.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from pipeline.bootstrap import worker, write_feedback
from pipeline.bootstrap.writers import Writers
from pipeline.execution import ApartRunner, Runner, Shop, each_alone
from pipeline.follow_through import Perform
from pipeline.lifecycle import Stage
from pipeline.llm.template import TemplateProvider
from pipeline.model import Work
from pipeline.stages import score
from pipeline.stages.outcome import Outcome
from workers.__main__ import main

POISON = os.environ.get("FAULT_POISON")
HOLD = os.environ.get("FAULT_HOLD")
HELD_AT_ONCE = 40
TEMPLATES = TemplateProvider()

shipped_performs, shipped_runner = worker.build_performs, worker.build_runner


def build_performs() -> dict[Stage, Perform]:
    return {**shipped_performs(), Stage.SCORE: each_alone(poisoned_score)}


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


if __name__ == "__main__":
    worker.build_performs, worker.build_runner = build_performs, build_runner
    main(sys.argv[1:])
