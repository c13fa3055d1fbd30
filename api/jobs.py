"""Operators' calls on periodic jobs: what ran, what is due, and having one run."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final

import msgspec
from litestar import get, post
from litestar.params import FromPath

from api.caller import AnyRequest, allow
from api.description import Answer, Body, Page, described
from api.operations import TAG, Moment, Reason
from api.reading import body_of
from pipeline.ports.periodic import RunState, RunView
from pipeline.service.access import Permission
from pipeline.service.jobs import ScheduledJob

ACCEPTED: Final = 202


class RunIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a job is to run; with `slot`, once more for that time, as where a run failed."""

    reason: Reason
    slot: Annotated[Moment | None, msgspec.Meta(description="`slot` of an earlier run; null: now.")] = None


RUN_EXAMPLE: Final = RunView(
    slot=datetime(2026, 11, 20, 3, tzinfo=UTC),
    state=RunState.DONE,
    attempts=1,
    pieces=12,
    error=None,
    started_at=datetime(2026, 11, 20, 3, 0, 4, tzinfo=UTC),
    finished_at=datetime(2026, 11, 20, 3, 0, 9, tzinfo=UTC),
    next_attempt_at=None,
)
WAITING_EXAMPLE: Final = msgspec.structs.replace(
    RUN_EXAMPLE,
    state=RunState.WAITING,
    attempts=0,
    pieces=0,
    started_at=None,
    finished_at=None,
    next_attempt_at=datetime(2026, 11, 20, 9, 30, tzinfo=UTC),
)
JOB_EXAMPLE: Final = ScheduledJob(
    name="expiry",
    schedule="0 3 * * *",
    catches_up=False,
    next_due_at=datetime(2026, 11, 21, 3, tzinfo=UTC),
    last_run=RUN_EXAMPLE,
    waiting=0,
    running=0,
    failed=0,
    skipped=0,
    runs=(RUN_EXAMPLE,),
)


@get(
    "/v1/ops/jobs",
    opt=described(
        TAG,
        {200: Answer("The periodic jobs.", Page[ScheduledJob], Page([JOB_EXAMPLE]))},
        permission=Permission.OPERATE,
    ),
)
async def list_jobs(request: AnyRequest) -> Page[ScheduledJob]:
    """Show the periodic jobs: when each comes, what became of its last runs, and how far one under way is.

    They are the installation's: a run goes through every tenant's things, and its progress is told in pieces done.
    """
    parts, _ = await allow(request, Permission.OPERATE)
    return Page(await parts.jobs.list())


@post(
    "/v1/ops/jobs/{job:str}/run",
    status_code=ACCEPTED,
    opt=described(
        TAG,
        {ACCEPTED: Answer("The run, which a worker takes up within seconds.", RunView, WAITING_EXAMPLE)},
        permission=Permission.OPERATE,
        body=Body(
            RunIn,
            {
                "now": {"reason": "the bank was imported today"},
                "again": {"reason": "the disk was full", "slot": "2026-11-20T03:00:00Z"},
            },
        ),
        problems=(409,),
    ),
)
async def run_job(request: AnyRequest, job: FromPath[str]) -> RunView:
    """Have a periodic job run now, or once more for an earlier time.

    A run that failed goes on where it was. Runs of one job never overlap: this one may wait for another.
    """
    parts, principal = await allow(request, Permission.OPERATE)
    given = await body_of(request, RunIn)
    return await parts.jobs.run(principal, job, given.reason, given.slot)


def job_handlers() -> list[Any]:
    return [list_jobs, run_job]
