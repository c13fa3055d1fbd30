"""Which deliveries are sent when; receivers are scripted, deliveries are kept in memory."""

import asyncio
from collections.abc import Callable, Sequence

import pytest
from structlog.testing import capture_logs

from pipeline.delivery.reply import Answered, DeliveryPolicy, Failed, Message, Reply
from pipeline.errors import Unavailable
from pipeline.ports import DeliveryClaim, DueDelivery
from pipeline.service.delivering import LOSSES_FORGIVEN, Deliverer
from tests.contracts.delivery_memory import MemoryDeliveries

TAKEN = Answered(204)
SECRET_URL = "https://school.example/hook?password=swordfish"


class Receivers:
    """Answers by URL; a URL in `silent` is not answered before `release`."""

    def __init__(self, *silent: str, reply: Callable[[Message], Reply] = lambda _: TAKEN) -> None:
        self.silent = set(silent)
        self.reply = reply
        self.sent: list[Message] = []
        self.at_once: dict[str, int] = {}
        self.most_at_once: dict[str, int] = {}
        self.closed = False
        self._speak = asyncio.Event()

    def release(self) -> None:
        self._speak.set()

    def to(self, url: str) -> list[Message]:
        return [message for message in self.sent if message.url == url]

    async def send(self, message: Message) -> Reply:
        self.sent.append(message)
        self.at_once[message.url] = self.at_once.get(message.url, 0) + 1
        self.most_at_once[message.url] = max(self.most_at_once.get(message.url, 0), self.at_once[message.url])
        try:
            if message.url in self.silent:
                await self._speak.wait()
                return Failed("no answer within 10 seconds")
            await asyncio.sleep(0)
            return self.reply(message)
        finally:
            self.at_once[message.url] -= 1

    async def close(self) -> None:
        self.closed = True


def deliverer(deliveries: MemoryDeliveries, receivers: Receivers, worker_id: str = "w-1") -> Deliverer:
    return Deliverer(
        deliveries,
        receivers,
        worker_id=worker_id,
        policy=DeliveryPolicy(86_400),
        timeout_seconds=10,
        clock=lambda: deliveries.now,
    )


async def until(condition: Callable[[], bool]) -> None:
    """Let everything else run until the condition holds."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - there is no event; the loop only has to go round
            await asyncio.sleep(0)


async def test_a_receiver_that_never_answers_holds_nobody_else_up() -> None:
    deliveries, receivers = MemoryDeliveries(), Receivers("https://dead.example/")
    dead = [await deliveries.add(url="https://dead.example/", endpoint=False) for _ in range(200)]
    alive = [await deliveries.add(url="https://alive.example/", endpoint=False) for _ in range(200)]
    sending = deliverer(deliveries, receivers)
    await sending.ring(dead)
    for start in range(0, 200, 50):
        await sending.ring(alive[start : start + 50])
        await until(lambda done=start + 50: len(receivers.to("https://alive.example/")) == done)  # type: ignore[misc]
    assert receivers.most_at_once["https://dead.example/"] == 2
    assert receivers.most_at_once["https://alive.example/"] > 2
    await sending.stop(0)


async def test_a_hundred_dead_receivers_hold_a_living_one_up_no_more_than_one() -> None:
    urls = [f"https://dead-{number}.example/" for number in range(100)]
    deliveries, receivers = MemoryDeliveries(), Receivers(*urls)
    sending = deliverer(deliveries, receivers)
    await sending.ring([await deliveries.add(url="https://alive.example/", endpoint=False)])
    await sending.settle()
    await sending.ring([await deliveries.add(url=url, endpoint=False) for url in urls for _ in range(3)])
    await until(lambda: len(receivers.sent) == 33)
    await sending.ring([await deliveries.add(url="https://alive.example/", endpoint=False) for _ in range(10)])
    await until(lambda: len(receivers.to("https://alive.example/")) == 11)
    await sending.stop(0)


async def test_a_ring_returns_before_anything_is_answered() -> None:
    deliveries, receivers = MemoryDeliveries(), Receivers("https://dead.example/")
    sending = deliverer(deliveries, receivers)
    async with asyncio.timeout(5):
        await sending.ring([await deliveries.add(url="https://dead.example/")])
    await sending.stop(0)


async def test_a_receiver_that_failed_is_asked_with_one_at_a_time() -> None:
    deliveries, receivers = MemoryDeliveries(), Receivers(reply=lambda _: Answered(500))
    sending = deliverer(deliveries, receivers)
    await sending.ring([await deliveries.add(url="https://sick.example/", endpoint=False)])
    await sending.settle()
    receivers.most_at_once.clear()
    for _ in range(5):
        await sending.ring([await deliveries.add(url="https://sick.example/", endpoint=False) for _ in range(5)])
    await sending.settle()
    assert receivers.most_at_once == {"https://sick.example/": 1}


async def test_ringing_twice_sends_once() -> None:
    deliveries, receivers = MemoryDeliveries(), Receivers()
    sending = deliverer(deliveries, receivers)
    ids = [await deliveries.add() for _ in range(5)]
    await sending.ring(ids)
    await sending.ring(ids + ids)
    await sending.settle()
    assert sorted(message.id for message in receivers.sent) == sorted(ids)


async def test_a_zombies_answer_is_not_recorded() -> None:
    deliveries, slow = MemoryDeliveries(), Receivers("https://school.example/hook")
    zombie = deliverer(deliveries, slow)
    delivery_id = await deliveries.add()
    await zombie.ring([delivery_id])
    await until(lambda: len(slow.sent) == 1)
    await deliveries.pass_time(60)
    healthy = deliverer(deliveries, Receivers(), "w-2")
    await healthy.ring([delivery_id])
    await healthy.settle()
    slow.release()
    await zombie.settle()
    assert await deliveries.state(delivery_id) == "delivered"
    assert [noted.number for noted in await deliveries.ledger(delivery_id)] == [1, 2]


async def test_a_surprise_in_one_delivery_is_its_failed_try() -> None:
    def surprising(message: Message) -> Reply:
        if message.url == "https://odd.example/":
            raise ValueError("a text that might quote the URL")
        return TAKEN

    deliveries, receivers = MemoryDeliveries(), Receivers(reply=surprising)
    odd, plain = await deliveries.add(url="https://odd.example/"), await deliveries.add()
    sending = deliverer(deliveries, receivers)
    await sending.ring([odd, plain])
    await sending.settle()
    assert (await deliveries.state(odd), await deliveries.state(plain)) == ("ready", "delivered")
    (noted,) = await deliveries.ledger(odd)
    assert noted.error == "the request could not be made (ValueError)"


async def test_a_delivery_that_cost_several_workers_their_life_rests() -> None:
    deliveries, receivers = MemoryDeliveries(), Receivers()
    delivery_id = await deliveries.add()
    for number in range(LOSSES_FORGIVEN):
        await deliveries.claim([delivery_id], f"killed-{number}", 20)
        await deliveries.pass_time(21)
    sending = deliverer(deliveries, receivers)
    await sending.ring([delivery_id])
    await sending.settle()
    assert receivers.sent == []
    assert await deliveries.state(delivery_id) == "ready"
    await deliveries.pass_time(3_600)
    await sending.ring([delivery_id])
    await sending.settle()
    assert await deliveries.state(delivery_id) == "delivered"


async def test_stopping_finishes_what_answers_and_gives_back_what_does_not() -> None:
    deliveries, receivers = MemoryDeliveries(), Receivers("https://dead.example/")
    dead, alive = await deliveries.add(url="https://dead.example/"), await deliveries.add()
    sending = deliverer(deliveries, receivers)
    await sending.ring([dead, alive])
    await until(lambda: len(receivers.sent) == 2)
    await sending.stop(0.05)
    assert await deliveries.state(alive) == "delivered"
    assert await deliveries.state(dead) == "ready"
    assert deliveries.rows[dead].attempts == 0
    assert receivers.closed


async def test_a_stopped_one_takes_no_more() -> None:
    deliveries, receivers = MemoryDeliveries(), Receivers()
    sending = deliverer(deliveries, receivers)
    await sending.stop(0)
    await sending.ring([await deliveries.add()])
    await sending.settle()
    assert receivers.sent == []


class Away(MemoryDeliveries):
    """A store whose server is away when it is asked for what is due, or for a claim."""

    def __init__(self) -> None:
        super().__init__()
        self.away = ""

    async def due(self, ids: list[str]) -> list[DueDelivery]:  # type: ignore[override]
        if self.away == "due":
            raise Unavailable("Postgres is not available")
        return await super().due(ids)

    async def claim(self, ids: list[str], worker_id: str, lease_seconds: float) -> list[DeliveryClaim]:  # type: ignore[override]
        if self.away == "claim":
            raise Unavailable("Postgres is not available")
        return await super().claim(ids, worker_id, lease_seconds)


@pytest.mark.parametrize("step", ["due", "claim"])
async def test_what_could_not_be_taken_is_sent_when_it_is_rung_again(step: str) -> None:
    deliveries, receivers = Away(), Receivers()
    delivery_id = await deliveries.add()
    sending = deliverer(deliveries, receivers)
    deliveries.away = step
    await sending.ring([delivery_id])
    await sending.settle()
    assert receivers.sent == []
    deliveries.away = ""
    await sending.ring([delivery_id])
    await sending.settle()
    assert await deliveries.state(delivery_id) == "delivered"


class FaultyDeliveries(MemoryDeliveries):
    """A store with a bug, whose error quotes what it was about."""

    async def claim(self, ids: Sequence[str], worker_id: str, lease_seconds: float) -> list[DeliveryClaim]:
        raise LookupError(f"{SECRET_URL} {ids} {worker_id} {lease_seconds}")


async def test_a_surprise_is_logged_without_its_text() -> None:
    """A URL may hold a receiver's password; the log says what happened and where."""
    deliveries = FaultyDeliveries()
    sending = deliverer(deliveries, Receivers())
    with capture_logs() as lines:
        await sending.ring([await deliveries.add(url=SECRET_URL)])
        await sending.settle()
    assert [(line["event"], line["error"]) for line in lines] == [("delivery.surprised", "LookupError")]
    assert SECRET_URL not in str(lines)
