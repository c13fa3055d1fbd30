"""One submission's way through a unit of work: the stage it was claimed for, and those that followed at once."""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from pipeline.lifecycle import Event, Stage, StageState, StageStates, advance, move
from pipeline.model import Claim, Held, StageTiming, Work
from pipeline.stages.outcome import Done, Outcome
from pipeline.stages.score import scores_in
from pipeline.stages.verdict import Verdict


class Step(msgspec.Struct, frozen=True):
    """What came of one stage.

    `begun_at` is None for a stage that had been claimed before; one that followed was handed out at this moment,
    by the store's clock, and ends in the same write.
    """

    stage: Stage
    verdict: Verdict
    begun_at: datetime | None = None


class Run(msgspec.Struct, frozen=True):
    """A held submission, the steps it took since, and the states of its stages after them."""

    before: Held
    steps: tuple[Step, ...]
    states: StageStates


def first_step(stage: Stage, verdict: Verdict, before: Held) -> Run:
    """A run whose claimed stage came to an end."""
    return Run(before, (Step(stage, verdict),), advance(before.states, stage, verdict.event))


def may_follow(run: Run, stage: Stage) -> bool:
    """True where this very run made the stage ready: one that was ready before may be somebody else's by now."""
    return run.states[stage] is StageState.READY and run.before.states[stage] is StageState.WAITING


def claim_to_follow(run: Run, stage: Stage) -> Claim:
    """The right to run a stage that follows; the submission's lock stands in for the lease."""
    before = run.before
    return Claim(before.submission_id, before.tenant_id, before.epochs[stage] + 1, before.attempts[stage] + 1)


def next_step(run: Run, stage: Stage, verdict: Verdict, begun_at: datetime) -> Run:
    """The run after one more stage was handed out and came to an end."""
    running = {**run.states, stage: move(run.states[stage], Event.CLAIMED)}
    return Run(run.before, (*run.steps, Step(stage, verdict, begun_at)), advance(running, stage, verdict.event))


def begun(work: Work, stage: Stage, at: datetime) -> Work:
    """The work as a stage sees it that begins at this moment, without having waited."""
    return msgspec.structs.replace(work, timings=(*others(work, stage), StageTiming(stage, at, at, None)))


def ended(work: Work, stage: Stage, at: datetime, outcome: Outcome) -> Work:
    """The work as the next stage will know it: when this one ended and, if it scored, the scores."""
    timings = tuple(ended_at(timing, at) if timing.stage is stage else timing for timing in work.timings)
    scores = scores_in(outcome.body) if stage is Stage.SCORE and isinstance(outcome, Done) else work.scores
    return msgspec.structs.replace(work, timings=timings, scores=scores)


def ended_at(timing: StageTiming, at: datetime) -> StageTiming:
    return StageTiming(timing.stage, timing.queued_at, timing.started_at, at)


def others(work: Work, stage: Stage) -> Iterator[StageTiming]:
    return (timing for timing in work.timings if timing.stage is not stage)
