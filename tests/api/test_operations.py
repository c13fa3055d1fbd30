"""Queues, pauses, dead letters, workers and the audit log over HTTP."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from pipeline.bootstrap import WorkerParts, build_worker, open_servers
from pipeline.lifecycle import Event, Stage
from pipeline.service.access import Role
from pipeline.settings import Settings
from pipeline.stages.run import first_step
from pipeline.stages.verdict import Verdict
from pipeline.store.engine import transaction
from tests.api.conftest import HAND_IN, OTHER_TENANT, Api

REASON = {"reason": "the provider has an incident"}
NOBODY = "019abc5e-77a1-7c3e-9d5b-2f8a61c04e11"


@pytest.fixture
async def worker(settings: Settings) -> AsyncIterator[WorkerParts]:
    """A worker's parts, registered, with no process taking rings."""
    async with open_servers(settings, pool_size=4, pool_wait_seconds=5) as servers:
        parts = build_worker(settings, servers)
        await parts.upkeep.register(parts.shop.worker_id, "host-1", 4711, list(Stage))
        yield parts


async def bury(worker: WorkerParts, submission_id: str, error: str = "it broke") -> None:
    """Let the score of a submission die of an error."""
    shop = worker.shop
    claims, _ = await shop.store.claim(Stage.SCORE, [submission_id], shop.worker_id, 30.0)
    async with shop.store.unit(Stage.SCORE, shop.worker_id) as unit:
        held = await unit.hold(claims)
        verdict = Verdict(claims[0], Event.EXHAUSTED, error=error, traceback="Traceback: line 1")
        await unit.record([first_step(Stage.SCORE, verdict, held[0][1])])


async def queue(api: Api, name: str) -> dict[str, object]:
    answered = await api.call("GET", "/v1/ops/queues")
    assert answered.status_code == 200
    return next(item for item in answered.json()["items"] if item["name"] == name)


async def test_queues_show_what_lies_in_them(api: Api, worker: WorkerParts) -> None:
    await api.save_question()
    ids = [await api.hand_in() for _ in range(3)]
    await worker.shop.store.claim(Stage.SCORE, ids[:1], worker.shop.worker_id, 30.0)
    await bury(worker, ids[1])
    await api.parts.intake.drain()
    shown = await queue(api, "score")
    assert {key: shown[key] for key in ("ready", "running", "scheduled", "dead", "paused")} == {
        "ready": 1,
        "running": 1,
        "scheduled": 0,
        "dead": 1,
        "paused": False,
    }
    assert isinstance(shown["oldest_ready_seconds"], float)
    assert (shown["in_per_minute"], shown["out_per_minute"]) == (3, 0)


async def test_deliveries_are_counted_like_a_stage(api: Api, worker: WorkerParts) -> None:
    await api.save_question()
    hand_in = {**HAND_IN, "callback_url": "https://hooks.example.com/done"}
    for _ in range(2):
        handed_in = await api.call("POST", "/v1/submissions", Role.SUBMITTER, json=hand_in)
        await bury(worker, handed_in.json()["id"])
    finish = "UPDATE deliveries SET state = 'dead', available_at = NULL, finished_at = now() WHERE submission_id = :id"
    async with transaction(worker.servers.engine) as connection:
        await connection.execute(text(finish), {"id": handed_in.json()["id"]})
    shown = await queue(api, "deliver")
    assert (shown["ready"], shown["running"], shown["dead"]) == (1, 0, 1)
    assert (shown["in_per_minute"], shown["out_per_minute"]) == (2, 1)


async def test_the_five_queues_come_in_order_with_the_fields_of_the_contract(api: Api) -> None:
    answered = (await api.call("GET", "/v1/ops/queues")).json()
    assert [item["name"] for item in answered["items"]] == [
        "score",
        "feedback",
        "recommend",
        "metrics",
        "deliver",
        "generate",
    ]
    assert answered["next"] is None
    assert all(
        list(item)
        == [
            "name",
            "ready",
            "running",
            "scheduled",
            "dead",
            "oldest_ready_seconds",
            "in_per_minute",
            "out_per_minute",
            "paused",
        ]
        for item in answered["items"]
    )


async def test_a_paused_stage_hands_out_nothing_and_keeps_what_it_has(api: Api, worker: WorkerParts) -> None:
    await api.save_question()
    paused = await api.call("POST", "/v1/ops/queues/score/pause", json=REASON)
    assert (paused.status_code, paused.json()["paused"]) == (200, True)
    submission_id = await api.hand_in()
    claims, _ = await worker.shop.store.claim(Stage.SCORE, [submission_id], worker.shop.worker_id, 30.0)
    assert claims == []
    assert (await queue(api, "score"))["ready"] == 1


async def test_a_resume_rings_what_waits(api: Api, worker: WorkerParts) -> None:
    await api.save_question()
    await api.call("POST", "/v1/ops/queues/score/pause", json=REASON)
    submission_id = await api.hand_in()
    await api.parts.intake.drain()
    await worker.servers.queues.flushdb()  # its first ring is gone
    resumed = await api.call("POST", "/v1/ops/queues/score/resume")
    assert (resumed.status_code, resumed.json()["paused"]) == (200, False)
    assert await worker.shop.bell.waiting(Stage.SCORE) == 1
    claims, _ = await worker.shop.store.claim(Stage.SCORE, [submission_id], worker.shop.worker_id, 30.0)
    assert [claim.submission_id for claim in claims] == [submission_id]


async def test_pausing_needs_a_reason_and_is_audited(api: Api) -> None:
    refused = await api.call("POST", "/v1/ops/queues/score/pause", json={})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/reason"
    await api.call("POST", "/v1/ops/queues/score/pause", json=REASON)
    await api.call("POST", "/v1/ops/queues/score/resume", json={"reason": "it is over"})
    await api.call("POST", "/v1/ops/queues/score/resume")
    acts = (await api.call("GET", "/v1/ops/audit")).json()["items"]
    assert [(act["action"], act["reason"], act["target"]) for act in acts] == [
        ("queue.resume", "it is over", {"queue": "score"}),
        ("queue.pause", REASON["reason"], {"queue": "score"}),
    ]


async def test_a_pause_is_in_every_operators_audit_log(api: Api) -> None:
    """The queue is everybody's; who paused it and why is shown to the operator's own tenant only."""
    await api.call("POST", "/v1/ops/queues/score/pause", json=REASON)
    await api.call("POST", "/v1/ops/queues/score/resume", json=REASON)
    theirs = (await api.call("GET", "/v1/ops/audit", key=api.stranger)).json()["items"]
    assert [(act["action"], act["actor"], act["reason"], act["target"]) for act in theirs] == [
        ("queue.resume", "an operator of another tenant", None, {"queue": "score"}),
        ("queue.pause", "an operator of another tenant", None, {"queue": "score"}),
    ]
    own = (await api.call("GET", "/v1/ops/audit")).json()["items"]
    assert [act["reason"] for act in own if act["action"].startswith("queue.")] == [REASON["reason"]] * 2


async def test_only_stages_can_be_paused(api: Api) -> None:
    refused = await api.call("POST", "/v1/ops/queues/nonsense/pause", json=REASON)
    assert refused.status_code == 404
    assert "score, feedback, recommend, metrics" in refused.json()["detail"]


async def test_dead_letters_show_every_attempt(api: Api, worker: WorkerParts) -> None:
    await api.save_question()
    submission_id = await api.hand_in()
    await bury(worker, submission_id)
    items = (await api.call("GET", "/v1/ops/dead")).json()["items"]
    assert [(item["submission_id"], item["stage"], item["error"]) for item in items] == [
        (submission_id, "score", "it broke")
    ]
    attempt = items[0]["attempts"][0]
    assert (attempt["attempt"], attempt["ended"], attempt["error"], attempt["traceback"]) == (
        1,
        "failed",
        "it broke",
        "Traceback: line 1",
    )
    assert attempt["worker_id"] == worker.shop.worker_id


async def test_dead_letters_come_in_parts_newest_first(api: Api, worker: WorkerParts) -> None:
    await api.save_question()
    ids = [await api.hand_in() for _ in range(3)]
    for submission_id in ids:
        await bury(worker, submission_id)
    first = (await api.call("GET", "/v1/ops/dead", params={"limit": 2})).json()
    rest = (await api.call("GET", "/v1/ops/dead", params={"limit": 2, "cursor": first["next"]})).json()
    assert [item["submission_id"] for item in [*first["items"], *rest["items"]]] == ids[::-1]
    assert rest["next"] is None


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"stage": "score"}, 2),
        ({"stage": "feedback"}, 0),
        ({"error": "TIMED"}, 1),
        ({"error": "100%"}, 0),
        ({"created_from": "2020-01-01T00:00:00Z"}, 2),
        ({"created_to": "2020-01-01T00:00:00Z"}, 0),
    ],
)
async def test_dead_letters_can_be_filtered(api: Api, worker: WorkerParts, wanted: dict[str, str], found: int) -> None:
    await api.save_question()
    await bury(worker, await api.hand_in(), "it timed out")
    await bury(worker, await api.hand_in(), "it broke")
    assert len((await api.call("GET", "/v1/ops/dead", params=wanted)).json()["items"]) == found


async def test_retry_gives_the_dead_another_round(api: Api, worker: WorkerParts) -> None:
    await api.save_question()
    submission_id = await api.hand_in()
    await bury(worker, submission_id)
    retried = await api.call("POST", "/v1/ops/dead/retry", json={**REASON, "ids": [submission_id, NOBODY, "nonsense"]})
    assert retried.json() == {
        "count": 1,
        "ids": [submission_id],
        "skipped": [NOBODY, "nonsense"],
        "more": False,
    }
    shown = (await api.call("GET", f"/v1/submissions/{submission_id}")).json()
    assert (shown["status"], shown["stages"]["score"]["state"]) == ("pending", "ready")
    acts = (await api.call("GET", "/v1/ops/audit")).json()["items"]
    assert [(act["action"], act["reason"]) for act in acts] == [("submission.retry", REASON["reason"])]


async def test_discard_by_filter_cancels_what_fits_and_nothing_else(api: Api, worker: WorkerParts) -> None:
    await api.save_question()
    timed_out, broken = await api.hand_in(), await api.hand_in()
    await bury(worker, timed_out, "it timed out")
    await bury(worker, broken, "it broke")
    discarded = await api.call("POST", "/v1/ops/dead/discard", json={**REASON, "filter": {"error": "timed out"}})
    assert discarded.json() == {"count": 1, "ids": [timed_out], "skipped": [], "more": False}
    assert (await api.call("GET", f"/v1/submissions/{timed_out}")).json()["status"] == "cancelled"
    assert (await api.call("GET", f"/v1/submissions/{broken}")).json()["status"] == "failed"


@pytest.mark.parametrize("body", [{"ids": ["a"], "filter": {}}, {}])
async def test_bulk_needs_ids_or_a_filter_and_not_both(api: Api, body: dict[str, object]) -> None:
    for act in ("retry", "discard"):
        refused = await api.call("POST", f"/v1/ops/dead/{act}", json={**REASON, **body})
        assert refused.status_code == 422


async def test_another_tenants_dead_letters_do_not_exist(api: Api, worker: WorkerParts) -> None:
    await api.save_question()
    submission_id = await api.hand_in()
    await bury(worker, submission_id)
    assert (await api.call("GET", "/v1/ops/dead", key=api.stranger)).json()["items"] == []
    bodies: list[dict[str, object]] = [{"ids": [submission_id]}, {"filter": {}}]
    for body in bodies:
        answered = await api.call("POST", "/v1/ops/dead/discard", key=api.stranger, json={**REASON, **body})
        assert answered.json()["count"] == 0
    assert len((await api.call("GET", "/v1/ops/dead")).json()["items"]) == 1
    assert (await api.call("GET", "/v1/ops/audit", key=api.stranger)).json()["items"] == []


async def test_workers_show_what_they_hold(api: Api, worker: WorkerParts) -> None:
    await api.save_question()
    rival = await api.parts.access.create_key(OTHER_TENANT, Role.SUBMITTER, "rival's")
    own, foreign = await api.hand_in(), await api.hand_in(rival.secret)
    await worker.shop.store.claim(Stage.SCORE, [own, foreign], worker.shop.worker_id, 30.0)
    listed = (await api.call("GET", "/v1/ops/workers")).json()
    assert [(item["id"], item["host"], item["pid"]) for item in listed["items"]] == [
        (worker.shop.worker_id, "host-1", 4711)
    ]
    assert listed["items"][0]["holds"] == {"score": 2}
    assert listed["items"][0]["submission_ids"] == [own]
    assert listed["items"][0]["stopping"] is False


async def test_the_audit_log_comes_in_parts(api: Api) -> None:
    for _ in range(3):
        await api.call("POST", "/v1/ops/queues/score/pause", json=REASON)
    first = (await api.call("GET", "/v1/ops/audit", params={"limit": 2})).json()
    rest = (await api.call("GET", "/v1/ops/audit", params={"limit": 2, "cursor": first["next"]})).json()
    assert (len(first["items"]), len(rest["items"]), rest["next"]) == (2, 1, None)
    assert len({act["id"] for act in [*first["items"], *rest["items"]]}) == 3


@pytest.mark.parametrize("path", ["/v1/ops/dead", "/v1/ops/audit"])
@pytest.mark.parametrize("query", ["cursor=nonsense", "limit=0", "limit=100000", "limit=two", "colour=red"])
async def test_a_wrong_query_is_refused_by_name(api: Api, path: str, query: str) -> None:
    refused = await api.call("GET", f"{path}?{query}")
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/" + query.partition("=")[0]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/ops/queues"),
        ("POST", "/v1/ops/queues/score/pause"),
        ("POST", "/v1/ops/queues/score/resume"),
        ("GET", "/v1/ops/dead"),
        ("POST", "/v1/ops/dead/retry"),
        ("POST", "/v1/ops/dead/discard"),
        ("GET", "/v1/ops/workers"),
        ("GET", "/v1/ops/audit"),
        ("GET", "/metrics"),
    ],
)
async def test_operators_calls_are_operators_only(api: Api, method: str, path: str) -> None:
    for role in (Role.SUBMITTER, Role.TEACHER):
        assert (await api.call(method, path, role)).status_code == 403
    assert (await api.call(method, path, None)).status_code == 401
