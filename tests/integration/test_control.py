"""Cancel, retry and discard on a real Postgres."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from pipeline.bootstrap import ApiParts, WorkerParts, build_api, open_servers
from pipeline.lifecycle import Event, Stage, StageState, Status
from pipeline.model import Claim, SubmissionView
from pipeline.scoring.bank import parse_question
from pipeline.service.access import Role
from pipeline.service.intake import IntakeLimits, check_submission
from pipeline.settings import Settings
from pipeline.stages.run import first_step
from pipeline.stages.verdict import Verdict
from pipeline.store.control import ControlStore
from pipeline.store.engine import transaction
from tests.staging import build_stage_by_stage

QUESTION = {"type": "true_false", "prompt": "Is a list mutable?", "answer": {"value": True}, "topics": ["lists"]}


class House:
    """One tenant's API parts and a worker's parts on the same servers, with no process running."""

    def __init__(self, api: ApiParts, worker: WorkerParts, tenant_id: int) -> None:
        self.api = api
        self.worker = worker
        self.tenant_id = tenant_id
        self.control = ControlStore(api.servers.engine)

    async def submit(self) -> str:
        raw = {"learner_id": "u-1", "answers": [{"question_id": "q-1", "response": True}]}
        given = check_submission(raw, IntakeLimits(500, 16_384), datetime.now(UTC))
        return (await self.api.intake.submit(self.tenant_id, given)).id

    async def claim(self, submission_id: str, stage: Stage = Stage.SCORE) -> Claim:
        store, worker_id = self.worker.shop.store, self.worker.shop.worker_id
        claims, _ = await store.claim(stage, [submission_id], worker_id, 30.0)
        return claims[0]

    async def bury(self, submission_id: str, stage: Stage = Stage.SCORE) -> None:
        claim = await self.claim(submission_id, stage)
        async with self.worker.shop.store.unit(stage, self.worker.shop.worker_id) as unit:
            held = await unit.hold([claim])
            await unit.record([first_step(stage, Verdict(claim, Event.EXHAUSTED, error="it broke"), held[0][1])])

    async def run(self, submission_id: str, *stages: Stage) -> None:
        for stage in stages:
            await self.worker.runners[stage].ring([submission_id])

    async def look(self, submission_id: str) -> SubmissionView:
        return (await self.api.reading.read(self.tenant_id, [submission_id]))[0]

    async def acts(self) -> list[tuple[Any, ...]]:
        async with transaction(self.api.servers.engine) as connection:
            rows = await connection.execute(text("SELECT actor, action, reason, target FROM audit_log ORDER BY id"))
            return [tuple(row) for row in rows]


@pytest.fixture
async def house(settings: Settings) -> AsyncIterator[House]:
    async with open_servers(settings, pool_size=4, pool_wait_seconds=5) as servers:
        api = build_api(settings, servers)
        key = await api.access.create_key("school", Role.TEACHER, "test")
        tenant_id = (await api.access.authenticate(f"Bearer {key.secret}")).tenant_id
        await api.bank.save(tenant_id, [parse_question(QUESTION, question_id="q-1")])
        yield House(api, build_stage_by_stage(settings, servers), tenant_id)
        await api.intake.drain()


async def test_a_cancel_fences_out_the_worker_that_is_at_it(house: House) -> None:
    """A result that comes after the cancel finds its claim gone, and stores nothing."""
    submission_id = await house.submit()
    claim = await house.claim(submission_id)
    recorded = await house.control.cancel(house.tenant_id, [submission_id], "key:1")
    assert [change.status for change in recorded.changes] == [Status.CANCELLED]
    async with house.worker.shop.store.unit(Stage.SCORE, house.worker.shop.worker_id) as unit:
        assert await unit.hold([claim]) == []
    view = await house.look(submission_id)
    assert {stage.state for stage in view.stages.values()} == {StageState.CANCELLED}
    assert view.results == {}


async def test_a_cancel_keeps_what_was_finished(house: House) -> None:
    """The score stays; what was still open is cancelled."""
    submission_id = await house.submit()
    await house.run(submission_id, Stage.SCORE)
    await house.control.cancel(house.tenant_id, [submission_id], "key:1")
    view = await house.look(submission_id)
    assert (view.status, view.stages[Stage.SCORE].state) == (Status.CANCELLED, StageState.DONE)
    assert set(view.results) == {"score"}


async def test_a_retry_readies_dead_stages_and_keeps_results(house: House) -> None:
    """After a retry only the dead stage runs again, with its attempts counted anew, and the rest follows."""
    submission_id = await house.submit()
    await house.run(submission_id, Stage.SCORE, Stage.RECOMMEND)
    await house.bury(submission_id, Stage.FEEDBACK)
    assert (await house.look(submission_id)).status is Status.FAILED
    recorded = await house.control.retry(house.tenant_id, [submission_id], "key:1")
    assert [change.ready for change in recorded.changes] == [(Stage.FEEDBACK,)]
    feedback = (await house.look(submission_id)).stages[Stage.FEEDBACK]
    assert (feedback.state, feedback.attempts, feedback.finished_at) == (StageState.READY, 0, None)
    await house.run(submission_id, Stage.FEEDBACK, Stage.METRICS)
    assert (await house.look(submission_id)).status is Status.COMPLETED


async def test_a_completed_submission_can_neither_be_cancelled_nor_retried(house: House) -> None:
    """Nothing changes, and nothing is written to the audit log."""
    submission_id = await house.submit()
    await house.run(submission_id, *Stage)
    before = await house.look(submission_id)
    assert before.status is Status.COMPLETED
    for act in (house.control.cancel, house.control.retry, house.control.discard):
        assert (await act(house.tenant_id, [submission_id], "key:1")).changes == ()
    assert await house.look(submission_id) == before
    assert await house.acts() == []


async def test_a_discard_takes_only_submissions_with_a_dead_stage(house: House) -> None:
    """One that was retried meanwhile is left to its workers."""
    dead, alive = await house.submit(), await house.submit()
    await house.bury(dead)
    recorded = await house.control.discard(house.tenant_id, [dead, alive], "key:1", "not worth it")
    assert [change.submission_id for change in recorded.changes] == [dead]
    assert (await house.look(alive)).status is Status.PENDING


async def test_every_act_is_in_the_audit_log(house: House) -> None:
    """Who, what, why and to which."""
    submission_id = await house.submit()
    await house.bury(submission_id)
    await house.control.retry(house.tenant_id, [submission_id], "key:1", "provider is back")
    await house.control.cancel(house.tenant_id, [submission_id], "key:2")
    target = {"submission_ids": [submission_id]}
    assert await house.acts() == [
        ("key:1", "submission.retry", "provider is back", target),
        ("key:2", "submission.cancel", None, target),
    ]


async def test_another_tenants_submissions_cannot_be_touched(house: House) -> None:
    """To another tenant they are not there."""
    submission_id = await house.submit()
    recorded = await house.control.cancel(house.tenant_id + 1, [submission_id], "key:9")
    assert recorded.changes == ()
    assert (await house.look(submission_id)).status is Status.PENDING
