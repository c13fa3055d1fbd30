"""What operators may ask of periodic jobs. They are the installation's, so every tenant's operators see them."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Final

import msgspec

from pipeline.errors import FieldProblem, InvalidInput, NotFound
from pipeline.ports.periodic import JobPlan, JobsStore, JobView, RunState, RunView
from pipeline.service.access import Principal
from pipeline.service.periodic import runs_due

RUNS_SHOWN: Final = 10


class ScheduledJob(msgspec.Struct, frozen=True):
    """A periodic job as operators see it.

    `schedule` is a crontab line, and all times are UTC by Postgres' clock. `catches_up` says whether each time that
    was missed is run, or only the last. `last_run` is the newest run that began, `runs` are the newest runs, whatever
    became of them, those under way first; of all that are kept, so many are `waiting`, `failed` or `skipped`.
    """

    name: str
    schedule: str
    catches_up: bool
    next_due_at: datetime
    last_run: RunView | None
    waiting: int
    running: int
    failed: int
    skipped: int
    runs: tuple[RunView, ...]


class Jobs:
    """Shows periodic jobs and has them run, in the name of a tenant's operator."""

    def __init__(self, store: JobsStore, plans: Sequence[JobPlan]) -> None:
        self._store = store
        self._plans = {plan.name: plan for plan in plans}

    async def list(self) -> list[ScheduledJob]:
        """Every job, in the order of their names."""
        now, views = await self._store.look(sorted(self._plans), most=RUNS_SHOWN)
        return [scheduled(self._plans[name], now, view) for name, view in views.items()]

    async def run(self, principal: Principal, name: str, reason: str, slot: datetime | None) -> RunView:
        """Have a job run as soon as a worker is free; for a time of before, once more.

        Raises `NotFound` for an unknown job or time, `Conflict` for a run that is under way.
        """
        if name not in self._plans:
            raise NotFound(f"There is no such job; there are {', '.join(sorted(self._plans))}.")
        if slot is not None and slot.tzinfo is None:
            raise InvalidInput([FieldProblem("/slot", "must say its time zone")])
        decide = partial(runs_due, list(self._plans.values()))
        return await self._store.request(principal.tenant_id, principal.actor, reason, name, slot, decide)


def scheduled(plan: JobPlan, now: datetime, view: JobView) -> ScheduledJob:
    counts = view.counts
    return ScheduledJob(
        name=plan.name,
        schedule=plan.schedule.line,
        catches_up=plan.each,
        next_due_at=plan.schedule.after(now),
        last_run=next((run for run in view.runs if run.started_at is not None), None),
        waiting=counts.get(RunState.WAITING, 0),
        running=counts.get(RunState.RUNNING, 0),
        failed=counts.get(RunState.FAILED, 0),
        skipped=counts.get(RunState.SKIPPED, 0),
        runs=view.runs,
    )
