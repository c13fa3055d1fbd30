"""The consumer of rings on a real Valkey: what it cannot read leaves nothing behind."""

from collections.abc import Iterator
from typing import Any

import pytest
import redis
from dramatiq.message import Message
from structlog.testing import capture_logs

from pipeline.live.bell import NAMESPACE, ring_message
from workers.broker import RingBroker, Wakes

SECRET = b'{"answer": "the learner wrote this"'


@pytest.fixture
def broker(redis_url: str) -> Iterator[RingBroker]:
    with redis.Redis.from_url(redis_url) as client:
        yield RingBroker(client, Wakes(client))


def put(broker: RingBroker, ring_id: str, data: bytes | None) -> None:
    """Put a message into the queue `score`; None: its id alone, as where the content was lost."""
    if data is not None:
        broker.client.hset(f"{NAMESPACE}:score.msgs", ring_id, data)
    broker.client.rpush(f"{NAMESPACE}:score", ring_id)


def in_flight(broker: RingBroker) -> int:
    """What the queue's books say: messages kept, and fetched by this process."""
    fetched: Any = broker.client.scard(f"{NAMESPACE}:__acks__.{broker.broker_id}.score")
    kept: Any = broker.client.hlen(f"{NAMESPACE}:score.msgs")
    return int(fetched) + int(kept)


@pytest.mark.parametrize(
    "data", [SECRET, b"\xff\xfe", b"[]", b"null", Message("score", "score", (), {}, {}).encode(), None]
)
def test_an_unreadable_ring_is_taken_off_the_books_and_its_neighbours_are_read(
    broker: RingBroker, data: bytes | None
) -> None:
    """Also two alike; the log names queue and size, never the content."""
    put(broker, "garbled", data)
    put(broker, *ring_message("score", ["a"], solo=False))
    put(broker, "garbled too", data)
    put(broker, *ring_message("score", ["b"], solo=False))
    consumer: Any = broker.consume("score", prefetch=10, timeout=1)
    with capture_logs() as logs:
        read = [message for message in (next(consumer) for _ in range(4)) if message is not None]
    assert [message.args for message in read] == [(["a"], False), (["b"], False)]
    assert in_flight(broker) == 4  # two that are read, each kept and fetched
    for message in read:
        consumer.ack(message)
    assert in_flight(broker) == 0
    told = [{name: log[name] for name in ("event", "queue", "bytes")} for log in logs]
    assert told == [{"event": "ring.unreadable", "queue": "score", "bytes": len(data or b"")}] * 2
    assert "learner" not in str(logs)


def test_redis_away_while_a_ring_is_discarded_stops_no_consumer(broker: RingBroker) -> None:
    put(broker, "garbled", SECRET)
    consumer: Any = broker.consume("score", prefetch=10, timeout=1)
    consumer.message_cache = broker.do_fetch("score", 1)
    broker.client = redis.Redis(port=1)
    with capture_logs() as logs:
        assert next(consumer) is None
    assert [log["event"] for log in logs] == ["ring.unreadable", "ring.unsettled"]
