"""Rings that come twice, in the wrong order, or as something nobody can read."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final
from uuid import uuid4

from dramatiq import Message
from redis.asyncio import Redis
from redis.exceptions import RedisError

from pipeline.errors import Unavailable
from pipeline.execution import DELIVER
from pipeline.lifecycle import Stage
from pipeline.live.bell import NAMESPACE, RedisBell
from tests.chaos.fault import Fault, Moment, Trial, Violation
from tests.chaos.keeper import Part
from tests.chaos.system import WORKERS, System
from tests.process import HOOKED_WORKER

QUEUES: Final = (*(stage.value for stage in Stage), DELIVER)
ROUNDS: Final = 10
BETWEEN_ROUNDS_SECONDS: Final = 0.5
NEWEST: Final = 100
POISON: Final = "poison"
POISON_ATTEMPTS: Final = 2

RECENT: Final = "SELECT id::text FROM submissions WHERE tenant_id = :tenant_id ORDER BY id DESC LIMIT :most"
RECENT_DELIVERIES: Final = "SELECT id::text FROM deliveries WHERE tenant_id = :tenant_id ORDER BY id DESC LIMIT :most"
POISONED: Final = """
SELECT s.status, t.state, t.attempts FROM submissions s
JOIN stages t ON t.submission_id = s.id AND t.stage = 'score'
WHERE s.tenant_id = :tenant_id AND s.learner_id = :learner_id
"""
FAILED: Final = """
SELECT id::text FROM submissions WHERE tenant_id = :tenant_id AND status <> 'completed' AND learner_id <> :learner_id
"""


async def ring_twice_and_backwards(system: System) -> Moment:
    """Ring everything recent in all queues, many times, shuffled, and turn round what waits in the queues."""
    return await again_and_again(system, ring_all)


async def again_and_again(system: System, act: Callable[[System], Awaitable[None]]) -> Moment:
    """Act in rounds; one for which another fault has taken away the server has nothing to act on."""
    for _ in range(ROUNDS):
        with suppress(Unavailable, RedisError):
            await act(system)
        await asyncio.sleep(BETWEEN_ROUNDS_SECONDS)
    return time.time()


async def ring_all(system: System) -> None:
    bell = RedisBell(system.parts.servers.queues)
    ids = await recent(system, RECENT)
    deliveries = await recent(system, RECENT_DELIVERIES)
    for queue in reversed(QUEUES):
        wanted = deliveries if queue == DELIVER else ids
        doubled = shuffled(system, [*wanted, *wanted])
        await bell.ring(queue, doubled)
        await bell.ring(queue, doubled[:10], solo=True)
        await turn_round(system.parts.servers.queues, queue)


async def recent(system: System, sql: str) -> list[str]:
    rows = await system.rows(sql, tenant_id=system.current_load.school.tenant_id, most=NEWEST)
    return [row.id for row in rows]


def shuffled(system: System, ids: Sequence[str]) -> list[str]:
    return system.chances.sample(ids, len(ids))


async def turn_round(queues: Redis, queue: str) -> None:
    """What waits in a queue, last come first."""
    waiting = await queues.lpop(f"{NAMESPACE}:{queue}", 1_000)
    if waiting:
        await queues.lpush(f"{NAMESPACE}:{queue}", *waiting)


async def garble(system: System) -> Moment:
    """Put everything a queue can't mean into every queue."""
    return await again_and_again(system, garble_all)


async def garble_all(system: System) -> None:
    queues = system.parts.servers.queues
    for queue in QUEUES:
        async with queues.pipeline(transaction=True) as pipe:
            for ring_id, message in garbage(queue):
                if message is not None:
                    pipe.hset(f"{NAMESPACE}:{queue}.msgs", ring_id, message)
                pipe.rpush(f"{NAMESPACE}:{queue}", ring_id)
            await pipe.execute()


def garbage(queue: str) -> Iterator[tuple[str, bytes | None]]:
    """Ring ids and messages: none at all, no JSON, no message, nobody's, and with arguments that mean nothing."""
    yield str(uuid4()), None
    for raw in (b"", b"\xff\xfe\x00", b"null", b"[]", b"{", b'{"queue_name": 1}'):
        yield str(uuid4()), raw
    yield message_to(queue, "nobody", [])
    meaningless: tuple[tuple[Any, ...], ...] = ((), (["no-uuid"], False), ([None], False), ("text", 7), ({}, [], 3))
    for arguments in meaningless:
        yield message_to(queue, queue, arguments)


def message_to(queue: str, actor: str, arguments: Iterable[Any]) -> tuple[str, bytes]:
    ring_id = str(uuid4())
    message: Message[None] = Message(
        queue_name=queue,
        actor_name=actor,
        args=tuple(arguments),
        kwargs={},
        options={"redis_message_id": ring_id},
    )
    return ring_id, message.encode()


@asynccontextmanager
async def mortal_workers(system: System) -> AsyncIterator[None]:
    """All workers die of submissions of one learner."""
    hooks = {"FAULT_POISON": POISON, "GRADELINE_MAX_ATTEMPTS": str(POISON_ATTEMPTS)}
    await system.replace_all(dict.fromkeys(WORKERS, Part((str(HOOKED_WORKER),), hooks)))
    try:
        yield
    finally:
        await system.replace_all({name: system.shipped(name) for name in WORKERS})


async def poison(system: System) -> Moment:
    """Hand in one that kills whoever scores it, and wait until it is buried."""
    load = system.current_load
    load.hand_in(POISON)

    async def buried() -> bool:
        rows = await system.rows(POISONED, tenant_id=load.school.tenant_id, learner_id=POISON)
        return [row.status for row in rows] == ["failed"]

    await system.until(buried, "the poison is a dead letter")
    return time.time()


async def only_poison_died(trial: Trial) -> list[Violation]:
    """It was given its attempts and no more, and every neighbour is completed."""
    tenant_id = trial.school.tenant_id
    (row,) = await trial.system.rows(POISONED, tenant_id=tenant_id, learner_id=POISON)
    wrong = [] if (row.state, row.attempts) == ("dead", POISON_ATTEMPTS) else [f"the poison is {tuple(row)}"]
    harmed = await trial.system.rows(FAILED, tenant_id=tenant_id, learner_id=POISON)
    return [Violation("broken", text) for text in (*wrong, *(f"neighbour {row.id} was harmed" for row in harmed))]


MESSAGE_FAULTS: Final = (
    Fault(
        name="poison",
        title="a submission that kills its process, beside healthy ones",
        promise="a dead letter after its attempts; neighbours are completed",
        rests_on="attempts are counted when work is handed out; what was lost with its worker runs alone from then on",
        inject=poison,
        drains_within=15.0,
        short=True,
        scene=mortal_workers,
        checks=(only_poison_died,),
    ),
    Fault(
        name="doubled-rings",
        title="every ring many times, shuffled, before its time and after it",
        promise="each effect once; nothing waits for it",
        rests_on="a ring carries ids and no work; only what is ready in Postgres is handed out",
        inject=ring_twice_and_backwards,
        drains_within=10.0,
        short=True,
        touches="messages",
    ),
    Fault(
        name="garbled-rings",
        title="undecodable messages in every queue",
        promise="each harms only itself; rings that were fetched with it are rung again",
        rests_on="a message that can't be read is dropped with a log line; the sweeper rings for whatever it stood for",
        inject=garble,
        drains_within=10.0,
        touches="messages",
    ),
)
