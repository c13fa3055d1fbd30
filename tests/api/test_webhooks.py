"""Webhook endpoints and deliveries over HTTP, with a real receiver."""

import asyncio
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from standardwebhooks import Webhook

from pipeline.service.access import Role
from pipeline.settings import Settings
from pipeline.store.access import AccessStore
from pipeline.store.control import ControlStore
from tests.api.installation import Caller, Installation, question
from tests.receiver import Receiver, receiving, status

HOOK = {"url": "https://school.example/hook"}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Receivers of these tests are on this machine."""
    return msgspec.structs.replace(settings, webhook_allow_private=True)


async def add_endpoint(caller: Caller, url: str = HOOK["url"], **more: Any) -> dict[str, Any]:
    created = await caller.post("/v1/webhooks", {"url": url, **more})
    assert created.status_code == 201, created.text
    return dict(created.json())


async def complete(installation: Installation, caller: Caller, **fields: Any) -> str:
    """Hand in one answer and take it to the end; its deliveries wait in the outbox."""
    await caller.put("/v1/questions/q-1", question("q-1"))
    submission_id = await caller.hand_in("u-1", {"q-1": "a"}, **fields)
    await installation.run([submission_id])
    return submission_id


async def cancel(installation: Installation, submission_id: str) -> None:
    """Cancel a submission of the first tenant."""
    engine = installation.worker.servers.engine
    tenant_id = await AccessStore(engine).ensure_tenant("school", token_secret="t", callback_secret="c")
    assert (await ControlStore(engine).cancel(tenant_id, [submission_id], "a test")).changes


async def deliveries(caller: Caller, query: str = "") -> list[dict[str, Any]]:
    listed = await caller.get(f"/v1/webhooks/deliveries{query}")
    assert listed.status_code == 200, listed.text
    return list(listed.json()["items"])


async def send(installation: Installation, caller: Caller) -> None:
    """What a worker does when it is rung for everything there is."""
    deliverer = installation.worker.deliverer
    assert deliverer is not None
    await deliverer.ring([delivery["id"] for delivery in await deliveries(caller)])
    await deliverer.settle()


async def test_a_completed_submission_reaches_its_endpoint_signed(installation: Installation) -> None:
    caller = installation.caller()
    async with receiving() as receiver:
        endpoint = await add_endpoint(caller, receiver.url)
        submission_id = await complete(installation, caller, metadata={"class": "3b"})
        await send(installation, caller)
        (received,) = receiver.received
    event = Webhook(endpoint["secret"]).verify(received.body, received.headers)
    assert event["type"] == "submission.completed"
    assert event["timestamp"].endswith("Z")
    assert event["data"]["id"] == submission_id
    assert (event["data"]["status"], event["data"]["learner_id"]) == ("completed", "u-1")
    assert event["data"]["metadata"] == {"class": "3b"}
    assert event["data"]["score"]["points"] == 1.0
    (delivery,) = await deliveries(caller)
    assert (delivery["id"], delivery["state"]) == (received.headers["webhook-id"], "delivered")
    assert (delivery["submission_id"], delivery["webhook_id"]) == (submission_id, endpoint["id"])
    assert [(one["number"], one["response_status"]) for one in delivery["tries"]] == [(1, 204)]


async def test_a_callback_url_is_told_and_signed_with_the_callback_secret(installation: Installation) -> None:
    caller = installation.caller()
    secret = (await caller.post("/v1/webhooks/callback-secret")).json()["secret"]
    async with receiving() as receiver:
        await complete(installation, caller, callback_url=receiver.url)
        await send(installation, caller)
        (received,) = receiver.received
    assert Webhook(secret).verify(received.body, received.headers)["type"] == "submission.completed"
    (delivery,) = await deliveries(caller)
    assert delivery["webhook_id"] is None


async def test_a_cancelled_submission_is_told_to_who_asked_for_it(installation: Installation) -> None:
    caller = installation.caller()
    await caller.put("/v1/questions/q-1", question("q-1"))
    wants = await add_endpoint(caller, events=["submission.cancelled"])
    await add_endpoint(caller, events=["submission.failed"])
    submission_id = await caller.hand_in("u-1", {"q-1": "a"})
    await cancel(installation, submission_id)
    assert [(one["event"], one["webhook_id"]) for one in await deliveries(caller)] == [
        ("submission.cancelled", wants["id"])
    ]


async def test_each_event_has_one_id_however_often_its_stages_are_rung(installation: Installation) -> None:
    caller = installation.caller()
    await add_endpoint(caller)
    submission_id = await complete(installation, caller)
    await asyncio.gather(*[installation.run([submission_id]) for _ in range(5)])
    assert len(await deliveries(caller)) == 1


async def test_redelivery_sends_the_same_id_and_content_again(installation: Installation) -> None:
    caller = installation.caller()
    async with receiving() as receiver:
        await add_endpoint(caller, receiver.url)
        await complete(installation, caller)
        await send(installation, caller)
        (delivery,) = await deliveries(caller)
        again = await caller.post(f"/v1/webhooks/deliveries/{delivery['id']}/redeliver")
        assert (again.status_code, again.json()["state"]) == (202, "ready")
        await send(installation, caller)
        first, second = receiver.received
    assert (first.headers["webhook-id"], first.body) == (second.headers["webhook-id"], second.body)
    (delivery,) = await deliveries(caller)
    assert (delivery["state"], [one["number"] for one in delivery["tries"]]) == ("delivered", [1, 2])


async def test_redelivery_rings_the_workers(installation: Installation) -> None:
    caller = installation.caller()
    await add_endpoint(caller)
    await complete(installation, caller)
    before = await installation.worker.shop.bell.waiting("deliver")
    (delivery,) = await deliveries(caller)
    await caller.post(f"/v1/webhooks/deliveries/{delivery['id']}/redeliver")
    assert await installation.worker.shop.bell.waiting("deliver") == before + 1


async def test_a_receiver_that_said_it_is_gone_gets_nothing_until_someone_redelivers(
    installation: Installation,
) -> None:
    caller = installation.caller()
    async with receiving(status(410)) as receiver:
        await add_endpoint(caller, receiver.url)
        await complete(installation, caller)
        await send(installation, caller)
        await complete(installation, caller)
        assert [one["state"] for one in await deliveries(caller)] == ["dead"]
        assert (await caller.get("/v1/webhooks")).json()["items"][0]["disabled_at"] is not None
        receiver.answer = status(204)
        (delivery,) = await deliveries(caller)
        await caller.post(f"/v1/webhooks/deliveries/{delivery['id']}/redeliver")
        await send(installation, caller)
    assert [one["state"] for one in await deliveries(caller)] == ["delivered"]
    assert (await caller.get("/v1/webhooks")).json()["items"][0]["disabled_at"] is None


async def test_a_secret_is_shown_when_it_is_made_and_never_again(installation: Installation) -> None:
    caller = installation.caller()
    created = await caller.post("/v1/webhooks", HOOK)
    secret = created.json()["secret"]
    assert secret.startswith("whsec_")
    assert created.headers["cache-control"] == "no-store"
    listed = await caller.get("/v1/webhooks")
    assert [one["id"] for one in listed.json()["items"]] == [created.json()["id"]]
    assert "secret" not in listed.json()["items"][0]
    assert secret not in listed.text


async def test_an_endpoint_gets_every_event_unless_it_chooses(installation: Installation) -> None:
    caller = installation.caller()
    every = await add_endpoint(caller)
    assert every["events"] == [
        "submission.completed",
        "submission.failed",
        "submission.cancelled",
        "submission.settled",
    ]
    some = await add_endpoint(caller, events=["submission.failed", "submission.failed"], description="alerts")
    assert (some["events"], some["description"]) == (["submission.failed"], "alerts")


async def test_a_deleted_endpoint_gets_nothing_more(installation: Installation) -> None:
    caller = installation.caller()
    async with receiving() as receiver:
        endpoint = await add_endpoint(caller, receiver.url)
        await complete(installation, caller)
        assert (await caller.delete(f"/v1/webhooks/{endpoint['id']}")).status_code == 204
        await send(installation, caller)
        assert receiver.received == []
    (delivery,) = await deliveries(caller)
    assert (delivery["state"], [one["error"] for one in delivery["tries"]]) == ("dead", ["the endpoint was deleted"])
    refused = await caller.post(f"/v1/webhooks/deliveries/{delivery['id']}/redeliver")
    assert refused.status_code == 409
    assert (await caller.delete(f"/v1/webhooks/{endpoint['id']}")).status_code == 404


async def test_a_delivery_under_way_is_not_redelivered(installation: Installation) -> None:
    caller = installation.caller()
    deliverer = installation.worker.deliverer
    assert deliverer is not None
    async with receiving(lambda _: None) as receiver:
        await add_endpoint(caller, receiver.url)
        await complete(installation, caller)
        (delivery,) = await deliveries(caller)
        await deliverer.ring([delivery["id"]])
        await receiver.until(1)
        assert (await caller.post(f"/v1/webhooks/deliveries/{delivery['id']}/redeliver")).status_code == 409
        await deliverer.stop(0)


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, {"/url"}),
        ({"url": "ftp://school.example/"}, {"/url"}),
        ({"url": "http://user:pw@school.example/"}, {"/url"}),
        ({"url": 7, "events": ["submission.lost"], "colour": "red"}, {"/url", "/events/0", "/colour"}),
        ({"url": "nonsense", "events": []}, {"/url", "/events"}),
        ({**HOOK, "description": "a\x00b"}, {"/description"}),
        ([], {""}),
    ],
)
async def test_every_mistake_in_an_endpoint_is_reported(
    installation: Installation, body: Any, pointers: set[str]
) -> None:
    caller = installation.caller()
    refused = await caller.post("/v1/webhooks", body)
    assert refused.status_code == 422
    assert {problem["pointer"] for problem in refused.json()["errors"]} == pointers
    assert (await caller.get("/v1/webhooks")).json() == {"items": [], "next": None}


async def test_a_tenant_may_have_twenty_endpoints_also_when_they_come_at_once(installation: Installation) -> None:
    caller = installation.caller()
    answers = await asyncio.gather(*[caller.post("/v1/webhooks", HOOK) for _ in range(25)])
    assert sorted(answer.status_code for answer in answers) == [201] * 20 + [409] * 5
    assert len((await caller.get("/v1/webhooks")).json()["items"]) == 20


async def test_another_tenant_neither_sees_nor_touches_anything(installation: Installation) -> None:
    ours, theirs = installation.caller(), installation.caller(tenant="academy")
    endpoint = await add_endpoint(ours)
    await complete(installation, ours)
    (delivery,) = await deliveries(ours)
    assert (await theirs.get("/v1/webhooks")).json()["items"] == []
    assert await deliveries(theirs) == []
    assert await deliveries(theirs, f"?webhook_id={endpoint['id']}") == []
    assert (await theirs.delete(f"/v1/webhooks/{endpoint['id']}")).status_code == 404
    assert (await theirs.post(f"/v1/webhooks/deliveries/{delivery['id']}/redeliver")).status_code == 404
    assert [one["state"] for one in await deliveries(ours)] == ["ready"]


async def test_a_new_callback_secret_leaves_other_tenants_alone(installation: Installation) -> None:
    ours, theirs = installation.caller(), installation.caller(tenant="academy")
    kept = (await theirs.post("/v1/webhooks/callback-secret")).json()["secret"]
    assert (await ours.post("/v1/webhooks/callback-secret")).json()["secret"] != kept
    async with receiving() as receiver:
        await complete(installation, theirs, callback_url=receiver.url)
        await send(installation, theirs)
        Webhook(kept).verify(receiver.received[0].body, receiver.received[0].headers)


@pytest.mark.parametrize("role", [Role.SUBMITTER, Role.TEACHER, Role.OPERATOR])
async def test_every_key_may_look_after_webhooks(installation: Installation, role: Role) -> None:
    caller = installation.caller(role)
    endpoint = await add_endpoint(caller)
    assert (await caller.delete(f"/v1/webhooks/{endpoint['id']}")).status_code == 204


async def test_nobody_without_a_key_and_no_learner_may(installation: Installation) -> None:
    minted = await installation.caller(Role.SUBMITTER).post("/v1/learners/u-1/token")
    learner = installation.bearer(minted.json()["token"])
    for caller, expected in ((installation.bearer(None), 401), (learner, 403)):
        assert (await caller.post("/v1/webhooks", HOOK)).status_code == expected
        assert (await caller.get("/v1/webhooks")).status_code == expected
        assert (await caller.get("/v1/webhooks/deliveries")).status_code == expected
        assert (await caller.post("/v1/webhooks/callback-secret")).status_code == expected


async def test_deliveries_are_filtered_and_come_in_pages(installation: Installation) -> None:
    caller = installation.caller()
    endpoints = [await add_endpoint(caller) for _ in range(3)]
    first, second = await complete(installation, caller), await complete(installation, caller)
    every = await deliveries(caller)
    assert len(every) == 6
    assert [one["id"] for one in every] == sorted((one["id"] for one in every), reverse=True)
    assert {one["submission_id"] for one in await deliveries(caller, f"?submission_id={first}")} == {first}
    of_endpoint = await deliveries(caller, f"?webhook_id={endpoints[0]['id']}")
    assert {one["submission_id"] for one in of_endpoint} == {first, second}
    assert len(await deliveries(caller, "?state=ready&event=submission.completed")) == 6
    assert await deliveries(caller, "?state=dead") == []
    assert await deliveries(caller, f"?submission_id={uuid4()}") == []
    paged: list[str] = []
    cursor = ""
    while True:
        page = (await caller.get(f"/v1/webhooks/deliveries?limit=4{cursor}")).json()
        paged += [one["id"] for one in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert paged == [one["id"] for one in every]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=x", "state=lost", "event=x", "cursor=x", "webhook_id=1", "colour=red"]
)
async def test_a_filter_that_makes_no_sense_is_refused(installation: Installation, query: str) -> None:
    refused = await installation.caller().get(f"/v1/webhooks/deliveries?{query}")
    assert refused.status_code == 422
    assert [one["pointer"] for one in refused.json()["errors"]] == [f"/{query.partition('=')[0]}"]


@pytest.mark.parametrize("delivery_id", ["nonsense", "019abc5e-77a1-7c3e-9d5b-2f8a61c04e99", "%00"])
async def test_what_does_not_exist_is_not_found(installation: Installation, delivery_id: str) -> None:
    caller = installation.caller()
    assert (await caller.post(f"/v1/webhooks/deliveries/{delivery_id}/redeliver")).status_code == 404
    assert (await caller.delete(f"/v1/webhooks/{delivery_id}")).status_code == 404


async def test_a_submission_with_a_callback_to_nowhere_is_not_accepted(installation: Installation) -> None:
    caller = installation.caller()
    await caller.put("/v1/questions/q-1", question("q-1"))
    body = {"learner_id": "u-1", "answers": [{"question_id": "q-1"}], "callback_url": "http://user@school.example/"}
    refused = await caller.post("/v1/submissions", body)
    assert refused.status_code == 422
    assert [one["pointer"] for one in refused.json()["errors"]] == ["/callback_url"]


async def test_the_sweeper_finds_deliveries_whose_ring_was_lost(installation: Installation) -> None:
    caller = installation.caller()
    async with receiving() as receiver:
        await add_endpoint(caller, receiver.url)
        submission_id = await complete(installation, caller)
        upkeep = installation.worker.upkeep
        untaken = await upkeep.untaken_deliveries(grace_seconds=0, most=10)
        (delivery,) = await deliveries(caller)
        assert untaken.ids == (delivery["id"],)
        assert delivery["submission_id"] == submission_id
        await arrive(installation, receiver, untaken.ids)
    assert (await upkeep.untaken_deliveries(grace_seconds=0, most=10)).ids == ()


async def arrive(installation: Installation, receiver: Receiver, ids: tuple[str, ...]) -> None:
    deliverer = installation.worker.deliverer
    assert deliverer is not None
    await deliverer.ring(ids)
    await receiver.until(len(ids))
    await deliverer.settle()


async def test_the_sweeper_rings_for_every_receiver_when_one_has_very_much_waiting(installation: Installation) -> None:
    caller = installation.caller()
    crowded = await add_endpoint(caller, events=["submission.completed"])
    for _ in range(6):
        await complete(installation, caller)
    late = await add_endpoint(caller, "https://late.example/", events=["submission.cancelled"])
    submission_id = await caller.hand_in("u-1", {"q-1": "a"})
    await cancel(installation, submission_id)
    untaken = await installation.worker.upkeep.untaken_deliveries(grace_seconds=0, most=4)
    by_id = {one["id"]: one["webhook_id"] for one in await deliveries(caller)}
    assert {by_id[delivery_id] for delivery_id in untaken.ids} == {crowded["id"], late["id"]}
