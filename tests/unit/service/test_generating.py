"""Which jobs are worked on when; models are scripted, jobs are kept in memory."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from structlog.testing import capture_logs

from pipeline.errors import Unavailable
from pipeline.generation.composing import Composed, Uncomposed
from pipeline.ports.job import JobClaim, JobKind, JobResult, JobState, JobView, NewJob
from pipeline.service.generating import POLICY, Generator, judge, look_after
from tests.contracts.fakes.job import MemoryJobs

SECRET_TEXT = "the sword is in the fish"
DONE = Composed({"summary": "It boils."})


@dataclass
class Bells:
    """What was rung; `untaken` rings lie there, None where Redis is away."""

    rung: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    untaken: int | None = 0

    async def ring(self, queue: str, ids: object, *, solo: bool = False) -> None:
        assert not solo
        self.rung.append((queue, tuple(ids)))  # type: ignore[arg-type] # ids of any kind

    async def waiting(self, queue: str) -> int:
        assert queue == "generate"
        if self.untaken is None:
            raise Unavailable("Redis is away")
        return self.untaken


class House:
    """Jobs, a generator, and a model that answers when it may."""

    def __init__(self, says: Composed | Uncomposed | Exception = DONE, *, room: int = 20, at_once: bool = True) -> None:
        self.jobs, self.bells, self.says = MemoryJobs(), Bells(), says
        self.composing: list[str] = []
        self.may_answer = asyncio.Event()
        if at_once:
            self.may_answer.set()
        self.generator = Generator(self.jobs, self.bells, self.compose, worker_id="w-1", room=room)

    async def compose(self, claim: JobClaim) -> Composed | Uncomposed:
        self.composing.append(claim.id)
        await self.may_answer.wait()
        if isinstance(self.says, Exception):
            raise self.says
        return self.says

    async def add(self, count: int = 1) -> list[str]:
        job = NewJob(JobKind.SUMMARY, {"text": SECRET_TEXT})
        views = [await self.jobs.add(1, job, most_open=10_000) for _ in range(count)]
        return [view.id for view in views if isinstance(view, JobView)]

    async def run(self, job_id: str) -> JobView:
        await self.generator.ring([job_id])
        await self.generator.settle()
        return self.jobs.rows[job_id].view

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not condition():  # noqa: ASYNC110 - there is no event; the loop only has to go round
                await asyncio.sleep(0)


async def test_a_rung_job_is_done() -> None:
    house = House()
    [job_id] = await house.add()
    view = await house.run(job_id)
    assert (view.status, view.result) == (JobState.COMPLETED, DONE.result)


async def test_a_ring_returns_before_a_model_has_written() -> None:
    house = House(at_once=False)
    async with asyncio.timeout(5):
        await house.generator.ring(await house.add(3))
    await house.generator.stop(0)


async def test_ringing_again_does_it_once() -> None:
    house = House()
    ids = await house.add()
    for _ in range(3):
        await house.generator.ring(ids)
    await house.generator.settle()
    await house.generator.ring(ids)
    await house.generator.settle()
    assert house.composing == ids


async def test_no_more_are_held_than_there_is_room_for() -> None:
    house = House(room=2, at_once=False)
    ids = await house.add(5)
    await house.generator.ring(ids)
    await house.until(lambda: len(house.composing) == 2)
    assert sum(row.view.status is JobState.RUNNING for row in house.jobs.rows.values()) == 2
    house.may_answer.set()
    await house.generator.settle()
    assert sorted(house.composing) == sorted(ids)


async def test_a_failed_try_rests_and_the_last_one_fails_the_job() -> None:
    house = House(Uncomposed("They are all busy."))
    [job_id] = await house.add()
    seen = []
    for _ in range(POLICY.max_attempts + 1):
        seen.append((await house.run(job_id)).status)
        house.jobs.now += 1_000
    assert seen == [JobState.PENDING, JobState.PENDING, JobState.FAILED, JobState.FAILED]
    assert house.jobs.rows[job_id].view.error == "They are all busy."
    assert len(house.composing) == POLICY.max_attempts


async def test_what_no_try_can_help_fails_at_once() -> None:
    house = House(Uncomposed("No budget.", final=True))
    [job_id] = await house.add()
    view = await house.run(job_id)
    assert (view.status, view.error, view.attempts) == (JobState.FAILED, "No budget.", 1)


async def test_a_surprise_is_a_failed_try_and_quotes_nobody() -> None:
    house = House(RuntimeError(SECRET_TEXT))
    [job_id] = await house.add()
    with capture_logs() as logs:
        view = await house.run(job_id)
    assert view.status is JobState.PENDING
    assert SECRET_TEXT not in str(logs) + str(view.error)


async def test_postgres_away_while_composing_is_a_failed_try() -> None:
    house = House(Unavailable("Postgres is away"))
    [job_id] = await house.add()
    assert (await house.run(job_id)).status is JobState.PENDING


async def test_a_job_that_kills_its_workers_is_given_up() -> None:
    house = House()
    [job_id] = await house.add()
    for number in range(POLICY.max_attempts):
        await house.jobs.claim([job_id], f"lost-{number}", 30)
        house.jobs.now += 31
    view = await house.run(job_id)
    assert (view.status, house.composing) == (JobState.FAILED, [])
    assert view.error == "Each worker that tried it was lost."


async def test_a_job_cancelled_meanwhile_stays_cancelled() -> None:
    house = House(at_once=False)
    [job_id] = await house.add()
    await house.generator.ring([job_id])
    await house.until(lambda: bool(house.composing))
    await house.jobs.cancel(1, job_id)
    house.may_answer.set()
    await house.generator.settle()
    assert house.jobs.rows[job_id].view.status is JobState.CANCELLED


async def test_a_stopping_worker_gives_back_what_it_holds_and_passes_on_the_rest() -> None:
    house = House(room=1, at_once=False)
    first, second = await house.add(2)
    await house.generator.ring([first, second])
    await house.until(lambda: house.composing == [first])
    await house.generator.stop(0)
    assert [(row.view.status, row.view.attempts) for row in house.jobs.rows.values()] == [(JobState.PENDING, 0)] * 2
    assert house.bells.rung == [("generate", (second, first))]
    await house.generator.ring([first])
    assert house.composing == [first]


async def test_a_stopping_worker_lets_a_model_finish() -> None:
    house = House(at_once=False)
    [job_id] = await house.add()
    await house.generator.ring([job_id])
    await house.until(lambda: bool(house.composing))
    stopping = asyncio.create_task(house.generator.stop(5))
    house.may_answer.set()
    await stopping
    assert house.jobs.rows[job_id].view.status is JobState.COMPLETED


async def test_what_waits_is_rung_for_and_what_is_old_is_forgotten() -> None:
    house = House()
    done, lost = await house.add(2)
    await house.run(done)
    house.jobs.now += 1_000
    await look_after(house.jobs, house.bells, grace_seconds=3, keep_seconds=500)
    assert house.bells.rung == [("generate", (lost,))]
    assert [*house.jobs.rows] == [lost]


async def test_where_many_rings_lie_or_none_can_be_counted_no_more_are_added() -> None:
    house = House()
    await house.add(2)
    house.jobs.now += 1_000
    for untaken in (51, None):
        house.bells.untaken = untaken
        await look_after(house.jobs, house.bells, grace_seconds=3, keep_seconds=500)
    assert house.bells.rung == []


def test_the_rest_after_a_failure_is_longer_than_the_journal_keeps_quiet() -> None:
    claim = JobClaim("j", 1, JobKind.SUMMARY, {}, 1, 1)
    result: JobResult = judge(claim, Uncomposed("busy"), POLICY, 0.0)
    assert (result.state, result.delay_seconds) == (JobState.PENDING, 5.0)
