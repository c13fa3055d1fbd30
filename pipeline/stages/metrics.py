"""Counting a finished submission: per learner and day, per question, per stage and minute."""

from collections.abc import Sequence
from datetime import datetime

from pipeline.learning.metrics import FinishedAnswer, FinishedSubmission, Increments, StageRun, count_up
from pipeline.lifecycle import Stage
from pipeline.model import StageTiming, Work
from pipeline.stages.outcome import Done, Outcome


def decide(works: Sequence[Work]) -> tuple[list[Outcome], Increments]:
    """The figures a batch adds. They are stored as sums, so the result of each submission is empty."""
    outcomes: list[Outcome] = [Done({}) for _ in works]
    return outcomes, count_up(finished(work) for work in works)


def finished(work: Work) -> FinishedSubmission:
    """A submission as the figures see it; this stage itself is counted as if it ended when it was loaded or began."""
    return FinishedSubmission(
        tenant_id=work.tenant_id,
        learner_id=work.learner_id,
        submitted_at=work.handed_in_at,
        answers=tuple(
            FinishedAnswer(one.answer.question.id, one.score.outcome, one.score.fraction, one.answer.response_time_ms)
            for one in work.scored_answers
        ),
        stages=tuple(run for timing in work.timings if (run := stage_run(timing, work.loaded_at))),
    )


def stage_run(timing: StageTiming, now: datetime) -> StageRun | None:
    """How long a stage waited and ran; None for one that never ran."""
    if timing.queued_at is None or timing.started_at is None:
        return None
    end = max(now, timing.started_at) if timing.stage is Stage.METRICS else timing.finished_at
    if end is None:
        return None
    return StageRun(
        timing.stage,
        end,
        wait_ms=milliseconds(timing.queued_at, timing.started_at),
        run_ms=milliseconds(timing.started_at, end),
    )


def milliseconds(start: datetime, end: datetime) -> int:
    return max(0, round((end - start).total_seconds() * 1000))
