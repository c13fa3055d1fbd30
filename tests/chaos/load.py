"""A steady stream of hand-ins by clients that do as they should, and what they saw: the witness of every 202."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx
import msgspec

from tests.samples import FIRST_QUESTIONS

PER_SECOND: Final = 40.0
LEARNERS: Final = 20
CALLBACK_EVERY: Final = 4
HOT_EVERY: Final = 5
ACCEPTED: Final = 202
OK: Final = 200
UNAVAILABLE: Final = 503
TIMEOUT_SECONDS: Final = 15.0
PATIENCE_SECONDS: Final = 45.0
"""How long a client repeats a hand-in before it gives up."""
REST_SECONDS: Final = (0.2, 0.5, 1.0, 2.0)


class School(msgspec.Struct, frozen=True):
    """A tenant of its own for every trial, so that its sums can be checked alone."""

    tenant_id: int
    key: str


class Try(msgspec.Struct, frozen=True):
    """One request as its client saw it."""

    at: float
    seconds: float
    status: int | None
    """None: there was no answer."""
    retry_after: str | None


class HandIn(msgspec.Struct, frozen=True):
    """What is handed in, under which key."""

    key: str
    body: bytes
    calls_back: bool


class Load:
    """What clients handed in, and what they were answered."""

    def __init__(
        self, school: School, addresses: Mapping[str, str], callback_url: str, name: str, client: httpx.AsyncClient
    ) -> None:
        self.school: Final = school
        self.given: dict[str, HandIn] = {}
        self.accepted: dict[str, str] = {}
        """By key, the id that a 202 named."""
        self.answered_twice: list[str] = []
        """Keys for which two answers named different submissions."""
        self.given_up: list[str] = []
        self.refused: list[Try] = []
        self.reads: list[Try] = []
        """What those were answered who asked where a submission stands."""
        self.repeated: set[str] = set()
        self._late: deque[tuple[float, float]] = deque(maxlen=1_000)
        """When this process itself came late, and by how much."""
        self._name = name
        self._client = client
        self._addresses = tuple(addresses.values())
        self._callback_url = callback_url
        self._authorization = {"authorization": f"Bearer {school.key}", "content-type": "application/json"}
        self._under_way: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Hand in at the same pace, however slowly answers come, until cancelled."""
        started = time.monotonic()
        while True:
            number = len(self.given)
            # Every fifth is the same learner's.
            self.hand_in("hot" if number % HOT_EVERY == 0 else f"learner-{number % LEARNERS}")
            due = max(started + (number + 1) / PER_SECOND, time.monotonic())
            await asyncio.sleep(due - time.monotonic())
            self._late.append((time.monotonic(), time.monotonic() - due))

    def hand_in(self, learner_id: str) -> str:
        """Begin to hand in for a learner; the key under which that is done."""
        number = len(self.given)
        made = self._made(learner_id, number)
        self.given[made.key] = made
        task = asyncio.create_task(self._insist(made, number))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return made.key

    async def hand_in_all(self, bodies: Sequence[dict[str, Any]]) -> list[int]:
        """Hand in these as one batch, under keys of the load's; the status of each."""
        keys = [f"{self._name}-batch-{number}" for number in range(len(bodies))]
        items = [{**body, "idempotency_key": key} for body, key in zip(bodies, keys, strict=True)]
        answer = await self._client.post(
            f"{self._addresses[0]}/v1/submissions/batch",
            content=msgspec.json.encode(items),
            headers=self._authorization,
        )
        found = answer.json()["items"]
        for key, body, item in zip(keys, bodies, found, strict=True):
            self.given[key] = HandIn(key, msgspec.json.encode(body), calls_back=False)
            if item["status"] == ACCEPTED:
                self._accept(key, item["submission"]["id"])
        return [item["status"] for item in found]

    async def settle(self) -> None:
        """Wait until every client has its answer or gave up."""
        while self._under_way:
            await asyncio.gather(*self._under_way)

    async def _insist(self, hand_in: HandIn, number: int) -> None:
        """Hand in until it is accepted, at one API process after the other, under the same key."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        tries = 0
        while time.monotonic() < deadline:
            address = self._addresses[(number + tries) % len(self._addresses)]
            if await self._try(address, hand_in):
                return
            self.repeated.add(hand_in.key)
            await asyncio.sleep(REST_SECONDS[min(tries, len(REST_SECONDS) - 1)])
            tries += 1
        self.given_up.append(hand_in.key)

    async def _try(self, address: str, hand_in: HandIn) -> bool:
        at, started = time.time(), time.monotonic()
        headers = {**self._authorization, "idempotency-key": hand_in.key}
        try:
            answer = await self._client.post(f"{address}/v1/submissions", content=hand_in.body, headers=headers)
        except httpx.TransportError:
            self.refused.append(Try(at, self._waited_since(started), None, None))
            return False
        if answer.status_code == ACCEPTED:
            self._accept(hand_in.key, answer.json()["id"])
            return True
        self.refused.append(Try(at, self._waited_since(started), answer.status_code, answer.headers.get("retry-after")))
        return False

    async def read(self, address: str, submission_id: str) -> None:
        """Ask where a submission stands, and remember what came."""
        at, started, status = time.time(), time.monotonic(), None
        try:
            answer = await self._client.get(f"{address}/v1/submissions/{submission_id}", headers=self._authorization)
            status = answer.status_code
        except httpx.TransportError:
            pass  # no answer, and remembered as such
        self.reads.append(Try(at, self._waited_since(started), status, None))

    def _waited_since(self, started: float) -> float:
        """Seconds of waiting for an answer, without those for which this process was too busy to read it."""
        own = max((late for moment, late in self._late if moment >= started), default=0.0)
        return max(0.0, time.monotonic() - started - own)

    def _accept(self, key: str, submission_id: str) -> None:
        if self.accepted.setdefault(key, submission_id) != submission_id:
            self.answered_twice.append(key)

    def _made(self, learner_id: str, number: int) -> HandIn:
        """Answers to three questions, right and wrong in turn."""
        body: dict[str, Any] = {
            "learner_id": learner_id,
            "answers": [
                {"question_id": question.id, "response": "ab"[(number + i) % 2], "response_time_ms": 1000 + number}
                for i, question in enumerate(FIRST_QUESTIONS[number % 3 : number % 3 + 3])
            ],
        }
        calls_back = number % CALLBACK_EVERY == 0
        if calls_back:
            body["callback_url"] = self._callback_url
        return HandIn(f"{self._name}-{number}", msgspec.json.encode(body), calls_back)


@asynccontextmanager
async def loading(school: School, addresses: Mapping[str, str], callback_url: str, name: str) -> AsyncIterator[Load]:
    """A load inside the block; after it every client has had its answer or gave up."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=50)
    async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS, limits=limits) as client:
        load = Load(school, addresses, callback_url, name, client)
        running = asyncio.create_task(load.run())
        try:
            yield load
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await load.settle()
