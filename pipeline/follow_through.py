"""Going on at once: stages that a batch makes ready are run in the same transaction, where they can be.

Such a stage is handed out and ended by one write. It needs no ring, no claim, no second look at the submission,
and whoever waits for the result waits for one commit instead of four. Stages that take their time (a model writes
the feedback), that this worker doesn't serve or that are paused are left to their own rings.
"""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final

import msgspec

from pipeline.lifecycle import Stage
from pipeline.model import Work
from pipeline.ports import WorkUnit
from pipeline.stages.outcome import Outcome
from pipeline.stages.run import Run, begun, claim_to_follow, ended, may_follow, next_step
from pipeline.stages.verdict import RetryPolicy, judge

Perform = Callable[[WorkUnit, Sequence[Work]], Awaitable[Sequence[Outcome]]]
Performs = Mapping[Stage, Perform]
"""The stages that can be run inside a transaction, in the order of the life cycle."""

NOTHING_FOLLOWS: Final[Performs] = MappingProxyType({})
NEVER: Final = datetime.min.replace(tzinfo=UTC)


class Clock:
    """The store's clock, as far as it is known: the moment a batch was loaded, and what has passed since."""

    def __init__(self, works: Sequence[Work], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._loaded_at = max((work.loaded_at for work in works), default=NEVER)
        self._monotonic = monotonic
        self._since = monotonic()

    def now(self) -> datetime:
        return self._loaded_at + timedelta(seconds=self._monotonic() - self._since)


class Journey(msgspec.Struct, frozen=True):
    """A run together with what its next stage will know."""

    run: Run
    work: Work


async def follow_through(
    unit: WorkUnit, journeys: Sequence[Journey], performs: Performs, policy: RetryPolicy, clock: Clock
) -> list[Run]:
    """Run what became ready, stage after stage; answers every run with all its steps.

    Raises `Contended` where others hold what these stages share, such as a worker that froze in the middle: what
    was reached so far must not wait with them.
    """
    if performs:
        await unit.hurry()
    for stage, perform in performs.items():
        if stage not in unit.paused:
            journeys = await _go_on(unit, journeys, stage, perform, policy, clock)
    return [journey.run for journey in journeys]


async def _go_on(
    unit: WorkUnit, journeys: Sequence[Journey], stage: Stage, perform: Perform, policy: RetryPolicy, clock: Clock
) -> Sequence[Journey]:
    due = [journey for journey in journeys if may_follow(journey.run, stage)]
    if not due:
        return journeys
    begun_at = clock.now()
    works = [begun(journey.work, stage, begun_at) for journey in due]
    outcomes = await perform(unit, works)
    ended_at = clock.now()
    moved = {}
    for journey, work, outcome in zip(due, works, outcomes, strict=True):
        verdict = judge(claim_to_follow(journey.run, stage), outcome, policy)
        run = next_step(journey.run, stage, verdict, begun_at)
        moved[work.submission_id] = Journey(run, ended(work, stage, ended_at, outcome))
    return [moved.get(journey.work.submission_id, journey) for journey in journeys]
