"""Periodic jobs on a real Postgres, by its clock: nothing waits, rows are moved in time instead."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils import uuid7

from pipeline.errors import Conflict, NotFound
from pipeline.ports.periodic import JobPlan, Piece, RunClaim, RunEnd, RunState
from pipeline.schedule import read_schedule
from pipeline.service.periodic import PeriodicJob, PeriodicWorker, for_each_tenant, plan_runs, runs_due
from pipeline.stages.verdict import RetryPolicy
from pipeline.store.engine import create_engine, transaction
from pipeline.store.expiry import ExpiryStore
from pipeline.store.periodic import PeriodicStore
from pipeline.store.upkeep import UpkeepStore
from tests.contracts.house import watching
from tests.samples import new_tenant
from tests.sums import query

HOUR = (datetime.now(UTC).hour + 12) % 24
"""Half a day away: no test begins before a run is due and ends after it."""
NIGHTLY = read_schedule("X", f"0 {HOUR} * * *")
DAILY = JobPlan("daily", NIGHTLY)
DAY = timedelta(days=1)
FIRST, SECOND = str(uuid7()), str(uuid7())
POLICY = RetryPolicy(max_attempts=3, base_seconds=60.0, cap_seconds=600.0)
LEASE_SECONDS = 60.0
MANY = 6


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database_url, pool_size=12, pool_wait_seconds=30)
    yield engine
    await engine.dispose()


@pytest.fixture
def store(engine: AsyncEngine) -> PeriodicStore:
    return PeriodicStore(engine)


async def execute(engine: AsyncEngine, sql: str, **values: Any) -> None:
    async with transaction(engine) as connection:
        await connection.execute(text(sql), values)


async def runs(engine: AsyncEngine) -> list[Any]:
    return await query(engine, "SELECT job, slot, state, attempts, error FROM periodic_runs ORDER BY job, slot")


async def states(engine: AsyncEngine, job: str = "daily") -> list[str]:
    return [row.state for row in await runs(engine) if row.job == job]


async def last_noted(engine: AsyncEngine, ago: timedelta, *jobs: str) -> None:
    """Let the last time that was noted of each job be so long ago."""
    for job in jobs or ("daily",):
        await execute(
            engine,
            "INSERT INTO periodic_runs (job, slot, state, finished_at)"
            " VALUES (:job, clock_timestamp() - :ago, 'done', clock_timestamp() - :ago)",
            job=job,
            ago=ago,
        )


def counting(done: list[datetime], pieces: int = 1) -> Piece:
    """A job of so many pieces that tells when it is done with a time."""

    async def piece(slot: datetime, progress: Any) -> Any:
        number = 1 if progress is None else progress + 1
        if number < pieces:
            return number
        done.append(slot)
        return None

    return piece


def a_worker(store: PeriodicStore, *jobs: PeriodicJob, worker_id: str = FIRST) -> PeriodicWorker:
    return PeriodicWorker(store, jobs, worker_id=worker_id, policy=POLICY)


async def work(worker: PeriodicWorker) -> None:
    """Until nothing is due."""
    await worker.work(asyncio.Event())


async def test_the_first_start_runs_nothing_of_the_past(engine: AsyncEngine, store: PeriodicStore) -> None:
    done: list[datetime] = []
    for _ in range(2):
        await plan_runs(store, [DAILY])
    await work(a_worker(store, PeriodicJob(DAILY, counting(done))))
    assert (await states(engine), done) == (["skipped"], [])


async def test_many_sweepers_at_once_note_each_time_once(engine: AsyncEngine) -> None:
    await last_noted(engine, 3 * DAY)
    await asyncio.gather(*[plan_runs(PeriodicStore(engine), [DAILY]) for _ in range(MANY)])
    noted = await runs(engine)
    assert [row.state for row in noted] == ["done", "waiting", "waiting", "waiting"]
    assert [(row.slot.hour, row.slot.minute) for row in noted[1:]] == [(HOUR, 0)] * 3


async def test_many_workers_at_once_run_each_time_once_and_never_two_together(
    engine: AsyncEngine, store: PeriodicStore
) -> None:
    await last_noted(engine, 8 * DAY)
    await plan_runs(store, [DAILY])
    under_way, most, done = 0, 0, []

    async def piece(slot: datetime, progress: Any) -> Any:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await query(engine, "SELECT 1")  # lets the others run
        under_way -= 1
        if progress is not None:
            done.append(slot)
        return None if progress is not None else 1

    everybody = [a_worker(store, PeriodicJob(DAILY, piece), worker_id=str(uuid7())) for _ in range(MANY)]
    while "waiting" in await states(engine):
        await asyncio.gather(*[work(one) for one in everybody])
    assert set(await states(engine)) == {"done"}
    assert done == sorted(set(done))
    assert (len(done), most) == (8, 1)


async def test_missed_times_are_caught_up_oldest_first_and_too_old_ones_are_told(
    engine: AsyncEngine, store: PeriodicStore
) -> None:
    done: list[datetime] = []
    await last_noted(engine, 40 * DAY)
    await plan_runs(store, [DAILY])
    await work(a_worker(store, PeriodicJob(DAILY, counting(done))))
    assert (len(done), done) == (35, sorted(done))
    _, views = await store.look(["daily"], most=50)
    skipped = [run for run in views["daily"].runs if run.state is RunState.SKIPPED]
    assert {run.error for run in skipped} == {"It was missed for more than 35 days."}
    assert views["daily"].counts == {RunState.DONE: 36, RunState.SKIPPED: 5}


async def test_a_failing_job_dies_after_its_attempts_and_the_others_go_on(
    engine: AsyncEngine, store: PeriodicStore
) -> None:
    done: list[datetime] = []
    broken, sound = JobPlan("broken", NIGHTLY), JobPlan("sound", NIGHTLY)
    await last_noted(engine, 2 * DAY, "broken", "sound")
    await plan_runs(store, [broken, sound])

    async def fail(_: datetime, __: Any) -> Any:
        raise ZeroDivisionError

    worker = a_worker(store, PeriodicJob(broken, fail), PeriodicJob(sound, counting(done)))
    await work(worker)
    assert len(done) == 2
    assert await states(engine, "broken") == ["done", "waiting", "waiting"]
    for _ in range(POLICY.max_attempts - 1):
        await execute(engine, "UPDATE periodic_runs SET available_at = clock_timestamp() WHERE state = 'waiting'")
        await work(worker)
    failed = [row for row in await runs(engine) if row.job == "broken"][1:]
    assert [(row.state, row.attempts) for row in failed] == [("failed", 3), ("failed", 3)]
    assert all(row.error.startswith("ZeroDivisionError at integration/test_periodic.py:") for row in failed)


async def test_a_tenant_whose_part_fails_for_good_keeps_no_other_from_its_own(
    engine: AsyncEngine, store: PeriodicStore
) -> None:
    """And the run tells of it in the end, without saying whose it was."""
    tenants = [await new_tenant(engine, name) for name in ("one", "two", "three")]
    done: list[int] = []
    await last_noted(engine, DAY)
    await plan_runs(store, [DAILY])

    async def step(tenant_id: int, slot: datetime, *, after: str | None, most: int) -> str | None:
        assert (slot.hour, after, most) == (HOUR, None, 5)
        if tenant_id == tenants[1]:
            raise ZeroDivisionError
        done.append(tenant_id)
        return None

    expiry = ExpiryStore(engine, reports_seconds=1, risks_seconds=1, runs_seconds=1)
    worker = a_worker(store, PeriodicJob(DAILY, for_each_tenant(expiry.next_tenant, step, most=5)))
    for _ in range(POLICY.max_attempts):
        await work(worker)
        await execute(engine, "UPDATE periodic_runs SET available_at = clock_timestamp() WHERE state = 'waiting'")
    assert done == [tenants[0], tenants[2]]
    [_, run] = await runs(engine)
    assert run.state == "failed"
    assert run.error.startswith("Parts left out: 1. The last: ZeroDivisionError at integration/test_periodic.py:")


async def test_a_run_that_failed_rests_before_it_is_tried_again(engine: AsyncEngine, store: PeriodicStore) -> None:
    await last_noted(engine, DAY)
    await plan_runs(store, [DAILY])
    tried = 0

    async def fail(_: datetime, __: Any) -> Any:
        nonlocal tried
        tried += 1
        raise ZeroDivisionError

    for _ in range(3):
        await work(a_worker(store, PeriodicJob(DAILY, fail)))
    assert tried == 1


async def claimed(store: PeriodicStore, worker_id: str = FIRST) -> RunClaim:
    claim = await store.claim(["daily"], worker_id, LEASE_SECONDS)
    assert claim is not None
    return claim


async def expire(engine: AsyncEngine) -> None:
    await execute(engine, "UPDATE periodic_runs SET lease_expires_at = clock_timestamp() WHERE state = 'running'")


async def test_who_lost_its_lease_writes_nothing_any_more(engine: AsyncEngine, store: PeriodicStore) -> None:
    await last_noted(engine, DAY)
    await plan_runs(store, [DAILY])
    old = await claimed(store)
    assert await store.advance(old, FIRST, progress="a", pieces=1, lease_seconds=LEASE_SECONDS)
    await expire(engine)
    new = await claimed(store, SECOND)
    assert (new.slot, new.progress, new.pieces) == (old.slot, "a", 1)
    before = await query(engine, "SELECT * FROM periodic_runs ORDER BY slot")
    assert not await store.advance(old, FIRST, progress="b", pieces=2, lease_seconds=LEASE_SECONDS)
    assert not await store.end(old, FIRST, RunEnd(RunState.DONE, 2))
    assert await query(engine, "SELECT * FROM periodic_runs ORDER BY slot") == before


async def test_not_even_the_same_worker_writes_under_an_older_claim(engine: AsyncEngine, store: PeriodicStore) -> None:
    await last_noted(engine, DAY)
    await plan_runs(store, [DAILY])
    old = await claimed(store)
    await expire(engine)
    new = await claimed(store)
    assert not await store.end(old, FIRST, RunEnd(RunState.DONE, 1))
    assert await store.end(new, FIRST, RunEnd(RunState.DONE, 1))


async def test_a_run_that_kills_each_worker_fails_after_its_attempts(engine: AsyncEngine, store: PeriodicStore) -> None:
    done: list[datetime] = []
    await last_noted(engine, DAY)
    await plan_runs(store, [DAILY])
    for _ in range(POLICY.max_attempts):
        await claimed(store)
        await expire(engine)
    await work(a_worker(store, PeriodicJob(DAILY, counting(done))))
    assert (await states(engine), done) == (["done", "failed"], [])


async def test_getting_on_counts_attempts_anew(engine: AsyncEngine, store: PeriodicStore) -> None:
    """A long run may outlive more crashes than a short one is allowed."""
    await last_noted(engine, DAY)
    await plan_runs(store, [DAILY])
    for pieces in range(1, 3 * POLICY.max_attempts):
        claim = await claimed(store)
        assert claim.attempt <= 2
        assert await store.advance(claim, FIRST, progress="x", pieces=pieces, lease_seconds=LEASE_SECONDS)
        await expire(engine)


async def test_a_silent_workers_run_is_free_before_its_lease_is_over(engine: AsyncEngine, store: PeriodicStore) -> None:
    await last_noted(engine, DAY)
    await plan_runs(store, [DAILY])
    await claimed(store)
    assert await store.claim(["daily"], SECOND, LEASE_SECONDS) is None
    await UpkeepStore(engine).sweep(watching(), dead_seconds=8.0, max_attempts=3)  # no worker is known at all
    await claimed(store, SECOND)


async def test_a_worker_that_stops_puts_its_run_down_uncounted(engine: AsyncEngine, store: PeriodicStore) -> None:
    stop, done = asyncio.Event(), []
    await last_noted(engine, DAY)
    await plan_runs(store, [DAILY])

    async def piece(_: datetime, __: Any) -> Any:
        stop.set()
        return "so far"

    await a_worker(store, PeriodicJob(DAILY, piece)).work(stop)
    [_, put_down] = await runs(engine)
    assert (put_down.state, put_down.attempts) == ("waiting", 0)

    async def go_on(_: datetime, progress: Any) -> Any:
        done.append(progress)

    await work(a_worker(store, PeriodicJob(DAILY, go_on), worker_id=SECOND))
    assert (await states(engine), done) == (["done", "done"], ["so far"])


async def test_an_operator_has_a_failed_run_go_on_where_it_was(engine: AsyncEngine, store: PeriodicStore) -> None:
    tenant_id = await new_tenant(engine)
    request = partial(store.request, tenant_id, "key:1", "the disk was full", "daily")
    decide = partial(runs_due, [DAILY])
    await last_noted(engine, DAY)
    await plan_runs(store, [DAILY])
    claim = await claimed(store)
    with pytest.raises(Conflict):
        await request(claim.slot, decide)
    await store.end(claim, FIRST, RunEnd(RunState.FAILED, 4, "here", "the disk was full"))
    again = await request(claim.slot, decide)
    assert (again.state, again.pieces, again.error) == (RunState.WAITING, 4, None)
    assert (await claimed(store)).progress == "here"
    with pytest.raises(NotFound):
        await request(claim.slot + timedelta(minutes=1), decide)
    acts = await query(engine, "SELECT action, reason, target FROM audit_log")
    assert [(act.action, act.reason, act.target["job"]) for act in acts] == [
        ("job.run", "the disk was full", "daily"),
    ]


async def test_a_run_asked_for_does_not_swallow_one_that_is_due(engine: AsyncEngine, store: PeriodicStore) -> None:
    """Its time is later than the due one's, which is not noted yet."""
    tenant_id = await new_tenant(engine)
    await last_noted(engine, DAY)
    await store.request(tenant_id, "key:1", "now", "daily", None, partial(runs_due, [DAILY]))
    assert await states(engine) == ["done", "waiting", "waiting"]


async def test_only_what_is_too_old_expires(engine: AsyncEngine) -> None:
    tenant_id = await new_tenant(engine)
    year = 365 * 86_400.0
    expiry = ExpiryStore(engine, reports_seconds=year, risks_seconds=year, runs_seconds=year)
    for days in (1, 300, 364, 366, 500):
        values = {"tenant": tenant_id, "day": (datetime.now(UTC) - days * DAY).date()}
        await execute(engine, "INSERT INTO learner_reports VALUES (:tenant, 'ada', :day, '{}')", **values)
        await execute(engine, "INSERT INTO risk_assessments VALUES (:tenant, 'ada', :day, 0.5, '{}')", **values)
        await execute(engine, "INSERT INTO risk_nights VALUES (:tenant, :day)", **values)
        await last_noted(engine, days * DAY, "daily")
    await last_noted(engine, 700 * DAY, "gone")
    now, progress = datetime.now(UTC), None
    while (progress := await expiry.expire_reports(now, progress)) is not None:
        continue
    assert await expiry.expire_risks(tenant_id, now, after=None, most=1) == "more"
    assert await expiry.expire_risks(tenant_id, now, after="more", most=10) is None
    await expiry.expire_runs(now, None)
    counts = {
        table: (await query(engine, f"SELECT count(*) FROM {table}"))[0][0]
        for table in ("learner_reports", "risk_assessments", "risk_nights", "periodic_runs")
    }
    assert counts == {"learner_reports": 3, "risk_assessments": 3, "risk_nights": 3, "periodic_runs": 4}
    assert [row.job for row in await runs(engine)].count("gone") == 1  # or the job would count as never seen
