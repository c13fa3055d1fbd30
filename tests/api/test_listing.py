"""Lists of submissions: filters, order, cursors."""

from typing import Any

import pytest

from pipeline.bootstrap import WorkerParts
from pipeline.lifecycle import Event, Stage, Status
from pipeline.stages.run import first_step
from pipeline.stages.verdict import Verdict
from tests.api.live import LiveApi
from tests.staging import build_stage_by_stage


async def listed(live: LiveApi, query: str = "") -> list[str]:
    answer = await live.get(f"/v1/submissions{query}")
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


async def end(worker: WorkerParts, stage: Stage, submission_id: str, event: Event | None) -> None:
    """Claim a stage, and let `event` happen to it, if one is given."""
    claims, _ = await worker.shop.store.claim(stage, [submission_id], worker.shop.worker_id, 30.0)
    if event is not None:
        async with worker.shop.store.unit(stage, worker.shop.worker_id) as unit:
            held = await unit.hold(claims)
            await unit.record([first_step(stage, Verdict(claims[0], event, error="it broke"), held[0][1])])


async def in_every_status(live: LiveApi) -> dict[Status, str]:
    """One submission in each status."""
    worker = build_stage_by_stage(live.parts.settings, live.parts.servers)
    ids = {status: await live.hand_in(f"u-{status}") for status in Status}
    await end(worker, Stage.SCORE, ids[Status.SCORING], None)
    await worker.runners[Stage.SCORE].ring([ids[Status.AI_PROCESSING], ids[Status.FAILED]])
    await end(worker, Stage.FEEDBACK, ids[Status.FAILED], Event.EXHAUSTED)
    await live.post(f"/v1/submissions/{ids[Status.CANCELLED]}/cancel")
    for stage in Stage:
        await worker.runners[stage].ring([ids[Status.COMPLETED]])
    return ids


async def test_each_status_can_be_asked_for(live: LiveApi) -> None:
    """And what is listed says the same status as what is read."""
    ids = await in_every_status(live)
    for status, submission_id in ids.items():
        assert (status, await listed(live, f"?status={status}")) == (status, [submission_id])
        assert (await live.get(f"/v1/submissions/{submission_id}")).json()["status"] == status


async def test_the_newest_comes_first_and_cursors_lead_through_all(live: LiveApi) -> None:
    """No gap, no repetition, also when new ones come in meanwhile."""
    ids = [await live.hand_in(f"u-{n}") for n in range(7)]
    page: dict[str, Any] = (await live.get("/v1/submissions?limit=3")).json()
    found = [item["id"] for item in page["items"]]
    await live.hand_in("u-late")
    while page["next"] is not None:
        page = (await live.get(f"/v1/submissions?limit=3&cursor={page['next']}")).json()
        found += [item["id"] for item in page["items"]]
    assert found == ids[::-1]


async def test_filters_go_together(live: LiveApi) -> None:
    wanted = await live.hand_in("u-1", assignment_id="hw-1")
    await live.hand_in("u-1", assignment_id="hw-2")
    await live.hand_in("u-2", assignment_id="hw-1")
    assert await listed(live, "?learner_id=u-1&assignment_id=hw-1&status=pending") == [wanted]
    assert len(await listed(live, "?assignment_id=hw-1")) == 2
    assert await listed(live, "?learner_id=nobody") == []


async def test_a_range_of_time_includes_its_beginning_and_not_its_end(live: LiveApi) -> None:
    first, second = await live.hand_in(), await live.hand_in()
    moment = (await live.get(f"/v1/submissions/{second}")).json()["created_at"]
    assert await listed(live, f"?created_after={moment}") == [second]
    assert await listed(live, f"?created_before={moment}") == [first]
    assert await listed(live, "?created_after=0001-01-01T00:00:00Z&created_before=9999-12-31T23:59:59Z") == [
        second,
        first,
    ]


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("created_after=yesterday", "/created_after"),
        ("created_before=2026-01-31T09:00:00", "/created_before"),
        ("created_after=2026-01-31", "/created_after"),
        ("status=lost", "/status"),
        ("limit=0", "/limit"),
        ("limit=201", "/limit"),
        ("limit=many", "/limit"),
        ("cursor=abc", "/cursor"),
        ("cursor=WyJub3QtYW4taWQiXQ", "/cursor"),
        ("colour=red", "/colour"),
        ("status=failed&status=completed", "/status"),
        ("learner_id=%00", "/learner_id"),
        ("learner_id=", "/learner_id"),
    ],
)
async def test_a_bad_query_is_refused_at_its_parameter(live: LiveApi, query: str, pointer: str) -> None:
    answer = await live.get(f"/v1/submissions?{query}")
    assert answer.status_code == 422, answer.text
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
