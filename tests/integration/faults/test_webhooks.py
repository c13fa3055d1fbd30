"""Webhooks of real worker processes: dead receivers, killed and stopped workers, lost rings."""

import json
import signal
from collections import Counter

import msgspec
import pytest
from standardwebhooks import Webhook

from pipeline.service.webhooks import CreatedWebhook
from pipeline.settings import Settings
from tests.integration.faults.system import System
from tests.receiver import Receiver, receiving, silence

MANY = 60


@pytest.fixture
def fault_settings(fault_settings: Settings) -> Settings:
    """Receivers are on this machine, and one that says nothing has all the time of the test to do so."""
    return msgspec.structs.replace(fault_settings, webhook_allow_private=True, webhook_timeout_seconds=120.0)


async def endpoint(system: System, receiver: Receiver) -> CreatedWebhook:
    return await system.parts.webhooks.create(system.tenant_id, msgspec.json.encode({"url": receiver.url}))


async def until_delivered(system: System, count: int) -> None:
    async def delivered() -> bool:
        return await system.count("SELECT count(*) FROM deliveries WHERE state = 'delivered'") >= count

    await system.until(delivered)


def ids_of(receiver: Receiver) -> Counter[str]:
    return Counter(received.headers["webhook-id"] for received in receiver.received)


async def test_a_receiver_that_never_answers_holds_up_neither_stages_nor_other_receivers(system: System) -> None:
    """More deliveries to the silent one than the worker has threads, and before those to the other."""
    async with receiving(silence) as dead, receiving() as alive:
        await endpoint(system, dead)
        system.worker()
        await system.submit(MANY, learner="first")
        await system.until_completed(MANY)
        await dead.until(1)
        healthy = await endpoint(system, alive)
        await system.submit(MANY, learner="second")
        await system.until_completed(2 * MANY)
        await until_delivered(system, MANY)
        assert set(ids_of(alive).values()) == {1}
        assert len(alive.received) == MANY
        assert len(dead.received) == 2
        for received in alive.received:
            Webhook(healthy.secret).verify(received.body, received.headers)


async def test_a_webhook_whose_worker_was_killed_is_sent_again_under_its_id(system: System) -> None:
    """kill -9 while the receiver thinks: the sweeper notices the silence, and another worker sends the same thing."""
    async with receiving(silence) as receiver:
        await endpoint(system, receiver)
        first = system.worker()
        await system.submit(1)
        await receiver.until(1)
        first.kill()
        receiver.answer = lambda _: b"HTTP/1.1 204 No Content\r\n\r\n"
        system.worker()
        await until_delivered(system, 1)
        before, after = receiver.received
        assert before.headers["webhook-id"] == after.headers["webhook-id"]
        assert json.loads(before.body) == json.loads(after.body)
    errors = [row.error for row in await system.rows("SELECT error FROM delivery_tries ORDER BY epoch")]
    assert errors == ["the worker was lost; it is not known whether the receiver was reached", None]


async def test_a_worker_told_to_stop_gives_back_what_its_receivers_still_think_about(system: System) -> None:
    """SIGTERM: exit 0 in time; the next worker sends it at once."""
    async with receiving(silence) as receiver:
        await endpoint(system, receiver)
        worker = system.worker()
        await system.submit(1)
        await receiver.until(1)
        worker.send(signal.SIGTERM)

        async def ended() -> bool:
            return not worker.lives

        await system.until(ended)
        assert worker.exit_code == 0, worker.logged()
        (row,) = await system.rows("SELECT state, attempts FROM deliveries")
        assert (row.state, row.attempts) == ("ready", 0)
        receiver.answer = lambda _: b"HTTP/1.1 204 No Content\r\n\r\n"
        system.worker()
        await until_delivered(system, 1)


async def test_rings_lost_with_redis_are_rung_again(system: System) -> None:
    """Workers of stages only; Redis is emptied; a worker of webhooks only finds everything by the sweeper."""
    async with receiving() as receiver:
        await endpoint(system, receiver)
        system.start("stages", "-m", "workers", "--stages", "score,feedback,recommend,metrics")
        await system.submit(MANY)
        await system.until_completed(MANY)
        assert receiver.received == []
        system.flush_redis()
        system.start("deliver", "-m", "workers", "--stages", "deliver")
        await until_delivered(system, MANY)
        assert len(ids_of(receiver)) == MANY
