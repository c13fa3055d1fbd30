"""What every store of jobs must do: hand each out to one worker at a time, and believe nobody who lost it."""

import asyncio
from typing import Any, Protocol
from uuid import uuid4

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.ports.job import Earlier, JobClaim, JobKind, JobResult, JobState, JobView, NewJob
from pipeline.ports.job import JobStore as JobPort
from pipeline.store.job import JobStore
from pipeline.store.upkeep import UpkeepStore
from tests.contracts.fakes.job import MemoryJobs
from tests.contracts.house import OTHER, WORKER, watching
from tests.samples import new_tenant

REQUEST: dict[str, Any] = {"text": "Water boils.", "locale": "en", "text_chars": 12}
JOB = NewJob(JobKind.SUMMARY, REQUEST)
NOBODY = str(uuid4())
PASS_TIME = text(
    """
    UPDATE generations SET available_at = available_at - make_interval(secs => :seconds),
        lease_expires_at = lease_expires_at - make_interval(secs => :seconds),
        finished_at = finished_at - make_interval(secs => :seconds)
    """
)


class World(Protocol):
    store: JobPort
    tenant_id: int
    stranger_id: int

    async def pass_time(self, seconds: float) -> None: ...


class FakeWorld:
    def __init__(self) -> None:
        self.memory = MemoryJobs()
        self.store: JobPort = self.memory
        self.tenant_id, self.stranger_id = 1, 2

    async def pass_time(self, seconds: float) -> None:
        self.memory.now += seconds


class PostgresWorld:
    """Real rows; time passes by moving theirs back."""

    def __init__(self, engine: AsyncEngine, tenant_id: int, stranger_id: int) -> None:
        self.engine = engine
        self.store: JobPort = JobStore(engine)
        self.tenant_id, self.stranger_id = tenant_id, stranger_id

    async def pass_time(self, seconds: float) -> None:
        async with self.engine.begin() as connection:
            await connection.execute(PASS_TIME, {"seconds": seconds})


@pytest.fixture
async def postgres_world(engine: AsyncEngine) -> PostgresWorld:
    return PostgresWorld(engine, await new_tenant(engine, "school"), await new_tenant(engine, "academy"))


@pytest.fixture(params=["fake", "postgres"])
def world(request: pytest.FixtureRequest) -> World:
    if request.param == "fake":
        return FakeWorld()
    found: PostgresWorld = request.getfixturevalue("postgres_world")
    return found


async def add(world: World, job: NewJob = JOB) -> str:
    view = await world.store.add(world.tenant_id, job, most_open=100)
    assert isinstance(view, JobView)
    return view.id


async def claim_one(world: World, job_id: str, worker_id: str = WORKER) -> JobClaim:
    [claim] = await world.store.claim([job_id], worker_id, 30)
    return claim


async def look(world: World, job_id: str) -> JobView:
    view = await world.store.find(world.tenant_id, job_id)
    assert view is not None
    return view


def completed(claim: JobClaim, **result: Any) -> JobResult:
    return JobResult(claim, JobState.COMPLETED, result=result or {"summary": "It boils."})


async def test_a_new_job_waits_and_shows_no_text(world: World) -> None:
    view = await look(world, await add(world))
    assert (view.status, view.version, view.attempts, view.kind) == (JobState.PENDING, 1, 0, JobKind.SUMMARY)
    assert view.request == {"locale": "en", "text_chars": 12}
    assert (view.result, view.error, view.finished_at) == (None, None, None)


async def test_another_tenant_finds_nothing(world: World) -> None:
    job_id = await add(world)
    assert await world.store.find(world.stranger_id, job_id) is None
    assert not await world.store.cancel(world.stranger_id, job_id)
    assert await world.store.browse(world.stranger_id, kind=None, state=None, before=None, most=10) == []


async def test_unfinished_jobs_of_a_tenant_are_bounded(world: World) -> None:
    first = await world.store.add(world.tenant_id, JOB, most_open=2)
    added = await asyncio.gather(*[world.store.add(world.tenant_id, JOB, most_open=2) for _ in range(5)])
    assert sum(one is not None for one in added) == 1
    assert await world.store.add(world.stranger_id, JOB, most_open=2) is not None
    assert isinstance(first, JobView)
    await world.store.cancel(world.tenant_id, first.id)
    assert await world.store.add(world.tenant_id, JOB, most_open=2) is not None


async def test_a_key_makes_one_job_however_often_and_at_once_it_comes(world: World) -> None:
    keyed = msgspec.structs.replace(JOB, idempotency_key="k", fingerprint=b"same")
    added = await asyncio.gather(*[world.store.add(world.tenant_id, keyed, most_open=9) for _ in range(5)])
    [view] = [one for one in added if isinstance(one, JobView)]
    assert [one for one in added if one is not view] == [Earlier(view, same=True)] * 4
    assert await world.store.earlier(world.tenant_id, keyed) == Earlier(view, same=True)


async def test_a_key_under_which_something_else_was_asked_says_so(world: World) -> None:
    keyed = msgspec.structs.replace(JOB, idempotency_key="k", fingerprint=b"one")
    await add(world, keyed)
    other = msgspec.structs.replace(keyed, fingerprint=b"another")
    added = await world.store.add(world.tenant_id, other, most_open=9)
    assert isinstance(added, Earlier)
    assert not added.same


async def test_keys_of_tenants_and_jobs_without_any_do_not_meet(world: World) -> None:
    keyed = msgspec.structs.replace(JOB, idempotency_key="k", fingerprint=b"one")
    await add(world, keyed)
    assert await world.store.earlier(world.stranger_id, keyed) is None
    assert isinstance(await world.store.add(world.stranger_id, keyed, most_open=9), JobView)
    assert await add(world) != await add(world)


async def test_a_claim_holds_the_text_and_excludes_others(world: World) -> None:
    job_id = await add(world)
    claim = await claim_one(world, job_id)
    assert (claim.tenant_id, claim.kind, claim.epoch, claim.attempt) == (world.tenant_id, JobKind.SUMMARY, 1, 1)
    assert claim.request == REQUEST
    assert await world.store.claim([job_id], OTHER, 30) == []
    assert (await look(world, job_id)).status is JobState.RUNNING


async def test_racing_claims_hand_each_job_to_one_worker(world: World) -> None:
    ids = [await add(world) for _ in range(20)]
    claims = await asyncio.gather(*[world.store.claim(ids, str(uuid4()), 30) for _ in range(6)])
    assert sorted(claim.id for batch in claims for claim in batch) == sorted(ids)


async def test_a_result_is_stored_once_and_the_text_is_gone(world: World) -> None:
    claim = await claim_one(world, await add(world))
    assert await world.store.record(completed(claim), WORKER)
    assert not await world.store.record(completed(claim, summary="Another."), WORKER)
    view = await look(world, claim.id)
    assert (view.status, view.version, view.result) == (JobState.COMPLETED, 3, {"summary": "It boils."})
    assert view.finished_at is not None
    assert view.request["text_chars"] == 12
    await world.pass_time(1_000)
    assert await world.store.claim([claim.id], OTHER, 30) == []


async def test_a_worker_that_lost_its_job_cannot_write_over_its_successor(world: World) -> None:
    lost = await claim_one(world, await add(world))
    await world.pass_time(31)
    found = await claim_one(world, lost.id, OTHER)
    assert (found.epoch, found.attempt, found.request) == (2, 2, REQUEST)
    assert not await world.store.record(completed(lost, summary="Late."), WORKER)
    assert not await world.store.record(completed(lost, summary="Late."), OTHER)
    assert await world.store.record(completed(found), OTHER)
    assert (await look(world, lost.id)).result == {"summary": "It boils."}


async def test_a_renewed_lease_lasts(world: World) -> None:
    claim = await claim_one(world, await add(world))
    await world.pass_time(20)
    await world.store.renew([claim], WORKER, 30)
    await world.pass_time(20)
    assert await world.store.claim([claim.id], OTHER, 30) == []
    await world.store.renew([claim], OTHER, 1_000)
    await world.pass_time(20)
    assert len(await world.store.claim([claim.id], OTHER, 30)) == 1


async def test_a_failed_try_rests_and_says_why(world: World) -> None:
    claim = await claim_one(world, await add(world))
    rest = JobResult(claim, JobState.PENDING, error="They are all busy.", delay_seconds=60)
    assert await world.store.record(rest, WORKER)
    assert await world.store.claim([claim.id], WORKER, 30) == []
    assert await world.store.untaken(grace_seconds=0, most=10) == []
    assert (await look(world, claim.id)).error == "They are all busy."
    await world.pass_time(61)
    assert await world.store.untaken(grace_seconds=1_000, most=10) == [claim.id]
    again = await claim_one(world, claim.id)
    assert (again.attempt, again.request) == (2, REQUEST)
    assert await world.store.record(completed(again), WORKER)
    assert (await look(world, claim.id)).error is None


async def test_a_failed_job_says_why_for_good(world: World) -> None:
    claim = await claim_one(world, await add(world))
    assert await world.store.record(JobResult(claim, JobState.FAILED, error="No budget."), WORKER)
    view = await look(world, claim.id)
    assert (view.status, view.error, view.result) == (JobState.FAILED, "No budget.", None)


async def test_a_cancelled_job_takes_no_result(world: World) -> None:
    claim = await claim_one(world, await add(world))
    assert await world.store.cancel(world.tenant_id, claim.id)
    assert not await world.store.cancel(world.tenant_id, claim.id)
    assert not await world.store.record(completed(claim), WORKER)
    assert (await look(world, claim.id)).status is JobState.CANCELLED
    await world.pass_time(1_000)
    assert await world.store.claim([claim.id], OTHER, 30) == []


async def test_what_is_given_back_costs_no_attempt(world: World) -> None:
    claim = await claim_one(world, await add(world))
    assert await world.store.give_back([claim], OTHER) == []
    assert await world.store.give_back([claim], WORKER) == [claim.id]
    again = await claim_one(world, claim.id, OTHER)
    assert (again.epoch, again.attempt) == (2, 1)


async def test_what_nobody_took_and_what_was_lost_is_found(world: World) -> None:
    waiting, lost = await add(world), (await claim_one(world, await add(world))).id
    assert await world.store.untaken(grace_seconds=5, most=10) == []
    await world.pass_time(40)
    assert set(await world.store.untaken(grace_seconds=5, most=10)) == {waiting, lost}
    assert len(await world.store.untaken(grace_seconds=5, most=1)) == 1


async def test_lists_are_newest_first_and_go_on_behind_an_id(world: World) -> None:
    ids = [await add(world) for _ in range(5)]
    ended = await claim_one(world, ids[2])
    await world.store.record(completed(ended), WORKER)
    page = await world.store.browse(world.tenant_id, kind=None, state=None, before=None, most=3)
    assert [view.id for view in page] == ids[:1:-1]
    assert [view.result for view in page] == [None] * 3
    rest = await world.store.browse(world.tenant_id, kind=None, state=None, before=page[-1].id, most=3)
    assert [view.id for view in rest] == ids[1::-1]
    only = await world.store.browse(world.tenant_id, kind=None, state=JobState.COMPLETED, before=None, most=3)
    assert [view.id for view in only] == [ids[2]]
    assert await world.store.browse(world.tenant_id, kind=JobKind.QUESTIONS, state=None, before=None, most=3) == []


async def test_accepted_drafts_are_noted_once(world: World) -> None:
    claim = await claim_one(world, await add(world))
    await world.store.record(completed(claim, drafts=[], accepted=[]), WORKER)
    await asyncio.gather(*[world.store.note_accepted(world.tenant_id, claim.id, [one]) for one in ("b", "a")])
    view = await look(world, claim.id)
    assert (view.result, view.version) == ({"drafts": [], "accepted": ["a", "b"]}, 5)
    await world.store.note_accepted(world.tenant_id, claim.id, ["a"])
    assert (await look(world, claim.id)).version == 5


async def test_only_what_was_finished_long_ago_is_forgotten(world: World) -> None:
    waiting, claim = await add(world), await claim_one(world, await add(world))
    await world.store.record(completed(claim), WORKER)
    assert await world.store.forget(older_seconds=100, most=10) == 0
    await world.pass_time(200)
    assert await world.store.forget(older_seconds=100, most=10) == 1
    assert await world.store.find(world.tenant_id, claim.id) is None
    assert await world.store.find(world.tenant_id, waiting) is not None


async def test_a_sweep_ends_the_lease_of_a_dead_workers_job(postgres_world: PostgresWorld) -> None:
    world = postgres_world
    upkeep = UpkeepStore(world.engine)
    await upkeep.register(WORKER, "here", 1, ["generate"])
    living = await claim_one(world, await add(world))
    lost = await claim_one(world, await add(world), NOBODY)
    await upkeep.sweep(watching(), dead_seconds=8, max_attempts=3)
    assert await world.store.claim([living.id], OTHER, 30) == []
    assert len(await world.store.claim([lost.id], OTHER, 30)) == 1
