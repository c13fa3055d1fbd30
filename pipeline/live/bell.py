"""Rings as Dramatiq messages, written from asyncio in the broker's own format.

The format (a hash of messages and a list of their ids per queue) is what dramatiq 2.2's `dispatch.lua`
reads; a contract test takes a ring out with Dramatiq's own consumer.
"""

from collections.abc import Sequence
from typing import Final
from uuid import uuid4

from dramatiq import Message
from redis.asyncio import Redis

from pipeline.live.client import reaching

NAMESPACE: Final = "gradeline"
WAKE_CHANNEL: Final = "gradeline:wake"
IDS_PER_RING: Final = 100

# ARGV: the channel to wake on, the queue, then two values for each ring. One command costs a client a third less
# than the same as a transaction.
RING: Final = """
for i = 3, #ARGV, 2 do
    redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1])
    redis.call('RPUSH', KEYS[1], ARGV[i])
end
redis.call('PUBLISH', ARGV[1], ARGV[2])
"""


def ring_message(queue: str, ids: Sequence[str], *, solo: bool) -> tuple[str, bytes]:
    """One ring: its id in Redis and its encoded message."""
    ring_id = str(uuid4())
    message: Message[None] = Message(
        queue_name=queue,
        actor_name=queue,
        args=(list(ids), solo),
        kwargs={},
        options={"redis_message_id": ring_id},
    )
    return ring_id, message.encode()


class RedisBell:
    """The port `pipeline.ports.Bell` on a Redis shared with the workers' Dramatiq broker."""

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._ring = client.register_script(RING)

    async def ring(self, queue: str, ids: Sequence[str], *, solo: bool = False) -> None:
        """Enqueue rings of at most 100 ids each and wake idle workers; raises `Unavailable`."""
        told: list[str | bytes] = [WAKE_CHANNEL, queue]
        for start in range(0, len(ids), IDS_PER_RING):
            told += ring_message(queue, ids[start : start + IDS_PER_RING], solo=solo)
        with reaching():
            await self._ring(keys=[f"{NAMESPACE}:{queue}", f"{NAMESPACE}:{queue}.msgs"], args=told)

    async def waiting(self, queue: str) -> int:
        """How many rings lie untaken in a queue; raises `Unavailable`."""
        with reaching():
            return int(await self._client.llen(f"{NAMESPACE}:{queue}"))
