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

    async def ring(self, queue: str, ids: Sequence[str], *, solo: bool = False) -> None:
        """Enqueue rings of at most 100 ids each and wake idle workers; raises `Unavailable`."""
        with reaching():
            async with self._client.pipeline(transaction=True) as pipe:
                for start in range(0, len(ids), IDS_PER_RING):
                    ring_id, message = ring_message(queue, ids[start : start + IDS_PER_RING], solo=solo)
                    pipe.hset(f"{NAMESPACE}:{queue}.msgs", ring_id, message)
                    pipe.rpush(f"{NAMESPACE}:{queue}", ring_id)
                pipe.publish(WAKE_CHANNEL, queue)
                await pipe.execute()

    async def waiting(self, queue: str) -> int:
        """How many rings lie untaken in a queue; raises `Unavailable`."""
        with reaching():
            return int(await self._client.llen(f"{NAMESPACE}:{queue}"))
