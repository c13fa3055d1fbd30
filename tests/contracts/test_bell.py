"""A ring as Dramatiq itself reads it, on a real Valkey; the fake bell keeps the same promises."""

from collections.abc import AsyncIterator, Iterator

import pytest
import redis
from dramatiq.brokers.redis import RedisBroker
from dramatiq.message import Message

from pipeline.errors import Unavailable
from pipeline.live.bell import IDS_PER_RING, NAMESPACE, RedisBell
from pipeline.live.client import create_client
from pipeline.ports import Bell
from tests.contracts.fakes.live import FakeBell


@pytest.fixture
async def redis_bell(redis_url: str) -> AsyncIterator[RedisBell]:
    client = create_client(redis_url)
    yield RedisBell(client)
    await client.aclose()


@pytest.fixture(params=["fake", "redis"])
def bell(request: pytest.FixtureRequest) -> Bell:
    found: Bell = FakeBell() if request.param == "fake" else request.getfixturevalue("redis_bell")
    return found


@pytest.fixture
def dramatiq_broker(redis_url: str) -> Iterator[RedisBroker]:
    """Dramatiq as it is installed, without anything of ours."""
    with redis.Redis.from_url(redis_url) as client:
        broker = RedisBroker(client=client, namespace=NAMESPACE, middleware=[])  # type: ignore[no-untyped-call] # untyped
        yield broker


def taken(broker: RedisBroker, queue: str) -> list[Message[object]]:
    """What Dramatiq's own consumer takes out of a queue, acknowledged."""
    consumer = broker.consume(queue, prefetch=100, timeout=1)
    messages = []
    while (message := next(consumer)) is not None:
        consumer.ack(message)
        messages.append(message._message)  # noqa: SLF001 - the proxy hides its message
    return messages


async def test_waiting_counts_rings_by_queue(bell: Bell) -> None:
    await bell.ring("score", ["a", "b"])
    await bell.ring("score", ["c"])
    assert (await bell.waiting("score"), await bell.waiting("metrics")) == (2, 0)


async def test_dramatiqs_own_consumer_reads_a_ring(redis_bell: RedisBell, dramatiq_broker: RedisBroker) -> None:
    """Actor, queue and arguments are those the worker declares; afterwards nothing is left of it."""
    await redis_bell.ring("score", ["a", "b"])
    await redis_bell.ring("score", ["c"], solo=True)
    messages = taken(dramatiq_broker, "score")
    assert [(m.actor_name, m.queue_name) for m in messages] == [("score", "score")] * 2
    assert [m.args for m in messages] == [(["a", "b"], False), (["c"], True)]
    assert await redis_bell.waiting("score") == 0
    assert dramatiq_broker.client.hlen(f"{NAMESPACE}:score.msgs") == 0


async def test_many_ids_are_spread_over_several_rings(redis_bell: RedisBell, dramatiq_broker: RedisBroker) -> None:
    ids = [str(n) for n in range(2 * IDS_PER_RING + 1)]
    await redis_bell.ring("score", ids)
    rung = [message.args[0] for message in taken(dramatiq_broker, "score")]
    assert [len(part) for part in rung] == [IDS_PER_RING, IDS_PER_RING, 1]
    assert [id_ for part in rung for id_ in part] == ids


async def test_a_bell_that_is_away_says_so() -> None:
    client = create_client("redis://127.0.0.1:1/0")
    with pytest.raises(Unavailable):
        await RedisBell(client).ring("score", ["a"])
    with pytest.raises(Unavailable):
        await RedisBell(client).waiting("score")
    await client.aclose()
