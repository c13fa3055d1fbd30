"""The whole way of a webhook on real Postgres and real HTTP: claimed, signed, sent, judged, recorded."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from standardwebhooks import Webhook

from pipeline.delivery.reply import DeliveryPolicy
from pipeline.service.delivering import Deliverer
from pipeline.store.engine import create_engine
from pipeline.webhook import WebhookSender
from tests.contracts.delivery_postgres import CALLBACK_SECRET, SECRET, PostgresDeliveries
from tests.receiver import receiving, silence, status


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[PostgresDeliveries]:
    engine = create_engine(database_url, pool_size=8)
    yield PostgresDeliveries(engine)
    await engine.dispose()


def deliverer(
    world: PostgresDeliveries,
    *,
    timeout_seconds: float = 10,
    give_up_seconds: float = 86_400,
    allow_private: bool = True,
) -> Deliverer:
    return Deliverer(
        world.store,
        WebhookSender(timeout_seconds=timeout_seconds, allow_private=allow_private),
        worker_id=str(uuid4()),
        policy=DeliveryPolicy(give_up_seconds),
        timeout_seconds=timeout_seconds,
    )


async def deliver(sending: Deliverer, *ids: str) -> None:
    await sending.ring(ids)
    await sending.settle()


async def test_a_webhook_arrives_signed_with_its_endpoints_secret(world: PostgresDeliveries) -> None:
    payload = '{"type":"submission.completed","data":{"learner_id":"학생"}}'
    async with receiving() as receiver:
        delivery_id = await world.add(url=receiver.url, payload=payload)
        await deliver(deliverer(world), delivery_id)
        (received,) = receiver.received
    assert Webhook(SECRET).verify(received.body, received.headers)["data"] == {"learner_id": "학생"}
    assert (received.method, received.path, received.body) == ("POST", "/hook", payload)
    assert received.headers["webhook-id"] == delivery_id
    assert received.headers["content-type"] == "application/json"
    assert await world.state(delivery_id) == "delivered"
    assert [(noted.status, noted.error) for noted in await world.ledger(delivery_id)] == [(204, None)]


async def test_a_callback_is_signed_with_the_tenants_secret(world: PostgresDeliveries) -> None:
    async with receiving() as receiver:
        await deliver(deliverer(world), await world.add(url=receiver.url, endpoint=False))
        (received,) = receiver.received
    Webhook(CALLBACK_SECRET).verify(received.body, received.headers)


async def test_retries_carry_the_same_id_and_content_until_one_is_taken(world: PostgresDeliveries) -> None:
    sending = deliverer(world)
    async with receiving(status(503)) as receiver:
        delivery_id = await world.add(url=receiver.url)
        for rest_seconds in (7, 40, 150):
            await deliver(sending, delivery_id)
            assert await world.state(delivery_id) == "ready"
            await deliver(sending, delivery_id)  # too early: nothing is sent
            await world.pass_time(rest_seconds)
        receiver.answer = status(200)
        await deliver(sending, delivery_id)
        received = receiver.received
    assert len(received) == 4
    assert {one.headers["webhook-id"] for one in received} == {delivery_id}
    assert len({one.body for one in received}) == 1
    assert await world.state(delivery_id) == "delivered"
    assert [noted.status for noted in await world.ledger(delivery_id)] == [503, 503, 503, 200]


async def test_a_receiver_that_never_answers_is_given_up_after_a_day(world: PostgresDeliveries) -> None:
    sending = deliverer(world, timeout_seconds=0.2)
    async with receiving(silence) as receiver:
        delivery_id = await world.add(url=receiver.url)
        await deliver(sending, delivery_id)
        assert await world.state(delivery_id) == "ready"
        await world.pass_time(86_400)
        await deliver(sending, delivery_id)
    assert await world.state(delivery_id) == "dead"
    assert [noted.error for noted in await world.ledger(delivery_id)] == ["no answer within 0.2 seconds"] * 2


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(world: PostgresDeliveries, code: int) -> None:
    async with receiving() as inside, receiving(status(code, f"Location: {inside.url}")) as receiver:
        delivery_id = await world.add(url=receiver.url)
        await deliver(deliverer(world), delivery_id)
        assert inside.received == []
    assert await world.state(delivery_id) == "ready"
    assert "redirects are not followed" in ((await world.ledger(delivery_id))[0].error or "")


async def test_private_addresses_get_nothing(world: PostgresDeliveries) -> None:
    async with receiving() as receiver:
        ids = [
            await world.add(url=url)
            for url in (receiver.url, receiver.url.replace("127.0.0.1", "localhost"), f"http://0x7f.1:{receiver.port}/")
        ]
        await deliver(deliverer(world, allow_private=False), *ids)
        assert receiver.received == []
    assert [await world.state(delivery_id) for delivery_id in ids] == ["dead"] * 3


async def test_a_gone_receiver_is_disabled(world: PostgresDeliveries) -> None:
    async with receiving(status(410)) as receiver:
        delivery_id = await world.add(url=receiver.url)
        await deliver(deliverer(world), delivery_id)
    assert await world.state(delivery_id) == "dead"
    assert not await world.endpoint_enabled(delivery_id)


async def test_nobody_listening_is_a_failed_try(world: PostgresDeliveries) -> None:
    async with receiving() as receiver:
        url = receiver.url
    delivery_id = await world.add(url=url)
    await deliver(deliverer(world), delivery_id)
    assert await world.state(delivery_id) == "ready"
    assert [noted.error for noted in await world.ledger(delivery_id)] == ["the connection failed"]


async def test_a_deleted_endpoints_delivery_is_not_sent(world: PostgresDeliveries) -> None:
    async with receiving() as receiver:
        delivery_id = await world.add(url=receiver.url)
        await world.remove_endpoint(delivery_id)
        await deliver(deliverer(world), delivery_id)
        assert receiver.received == []
    assert await world.state(delivery_id) == "dead"


async def test_a_stopping_worker_gives_back_what_it_is_sending(world: PostgresDeliveries) -> None:
    sending = deliverer(world)
    async with receiving(silence) as receiver:
        delivery_id = await world.add(url=receiver.url)
        await sending.ring([delivery_id])
        await receiver.until(1)
        await sending.stop(0)
        assert await world.state(delivery_id) == "ready"
        receiver.answer = status(200)
        await deliver(deliverer(world), delivery_id)
        assert [one.headers["webhook-id"] for one in receiver.received] == [delivery_id] * 2
    assert await world.state(delivery_id) == "delivered"


async def test_two_workers_rung_for_the_same_deliveries_send_each_once(world: PostgresDeliveries) -> None:
    workers = [deliverer(world) for _ in range(3)]
    async with receiving() as receiver:
        ids = [await world.add(url=receiver.url) for _ in range(30)]
        for worker in workers:
            await worker.ring(ids)
        for worker in workers:
            await worker.settle()
        assert sorted(one.headers["webhook-id"] for one in receiver.received) == sorted(ids)
