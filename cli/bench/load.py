"""The load: submissions of three answers, handed in as fast as the server takes them, and watched."""

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import count, takewhile
from typing import Any, Final, NamedTuple
from uuid import uuid4

import msgspec

from cli.bench.figures import Accepting, Pipeline, Spread, spread
from cli.bench.wire import Reply, Server, Wire, wires
from cli.watching import FINAL
from pipeline.errors import GradelineError, Unavailable

KINDS: Final[Mapping[str, Mapping[str, Any]]] = {
    "bench-choice": {
        "type": "single_choice",
        "prompt": "Which is even?",
        "options": [{"id": "a", "text": "1"}, {"id": "b", "text": "2"}, {"id": "c", "text": "3"}],
        "answer": {"option": "b"},
        "topics": ["numbers"],
    },
    "bench-number": {
        "type": "numeric",
        "prompt": "What is 6 × 7?",
        "answer": {"value": 42, "tolerance": 0.5},
        "topics": ["numbers", "products"],
    },
    "bench-text": {
        "type": "short_text",
        "prompt": "Name the colour of a clear sky.",
        "answer": {"accepted": ["blue", "azure"]},
        "topics": ["words"],
    },
}
OF_EACH_KIND: Final = 20
"""A bank in which concurrent hand-ins mostly answer different questions, as in a course and not as in one exam."""

QUESTIONS: Final[Mapping[str, Mapping[str, Any]]] = {
    f"{kind}-{number}": {**question, "difficulty": number % 5 + 1}
    for number in range(OF_EACH_KIND)
    for kind, question in KINDS.items()
}
RESPONSES: Final = (("b", 42, "blue"), ("a", 42, "blue"), ("b", 41, "green"), ("c", 7, "azure"))
PER_LEARNER: Final = 4  # below the default limit per learner, so that a limited server can be measured too
ACCEPTED: Final = 202
OK: Final = 200
Bodies = Iterator[bytes]

POLL_SECONDS: Final = 0.002
DRAIN_POLL_SECONDS: Final = 0.05
GIVE_UP_SECONDS: Final = 60.0


class Posted(NamedTuple):
    """What handing in gave: ids of accepted ones, seconds of each POST, refusals, and the wall time."""

    ids: list[str]
    seconds: list[float]
    refused: int
    wall_seconds: float


class Waited(NamedTuple):
    """A hand-in that was answered with its end, and the seconds from POST to that answer."""

    id: str
    seconds: float


def bodies() -> Iterator[bytes]:
    """Hand-ins without end, four of each learner, learners of this run only."""
    run = uuid4().hex[:8]
    for number in count():
        choice, quantity, word = RESPONSES[number % len(RESPONSES)]
        which = number % OF_EACH_KIND
        yield (
            f'{{"learner_id":"bench-{run}-{number // PER_LEARNER}","answers":['
            f'{{"question_id":"bench-choice-{which}","response":"{choice}","response_time_ms":4000}},'
            f'{{"question_id":"bench-number-{which}","response":{quantity},"response_time_ms":9000}},'
            f'{{"question_id":"bench-text-{which}","response":"{word}","response_time_ms":7000}}]}}'
        ).encode()


async def put_questions(server: Server) -> None:
    """Put the bench's questions into the bank; raises `Unavailable` where that is refused."""
    async with wires(server, 1) as (wire,):
        for name, question in QUESTIONS.items():
            reply = await wire.ask(server.request("PUT", f"/v1/questions/{name}", msgspec.json.encode(question)))
            if reply.status not in (OK, 201):
                raise refused("putting a question", reply)


def lasting(seconds: float) -> Iterator[int]:
    """Turns to take for so long."""
    end = time.perf_counter() + seconds
    yield from takewhile(lambda _: time.perf_counter() < end, count())


async def hand_in(server: Server, load: Iterator[bytes], *, concurrency: int, number: int) -> Posted:
    """Hand in `number` submissions, each connection sending its next one when the last was answered."""
    return await take_turns(server, load, concurrency=concurrency, turns=range(number))


async def take_turns(server: Server, load: Iterator[bytes], *, concurrency: int, turns: Iterable[int]) -> Posted:
    """Hand in a submission per turn, on so many connections."""
    posted = Posted([], [], 0, 0.0)
    budget = iter(turns)
    refusals: list[Reply] = []

    async def send(wire: Wire) -> None:
        for _ in budget:
            request = server.post("/v1/submissions", next(load))
            started = time.perf_counter()
            reply = await wire.ask(request)
            posted.seconds.append(time.perf_counter() - started)
            if reply.status == ACCEPTED:
                posted.ids.append(id_in(reply.body))
            else:
                refusals.append(reply)

    async with wires(server, concurrency) as opened:
        started = time.perf_counter()
        await asyncio.gather(*(send(wire) for wire in opened))
        wall_seconds = time.perf_counter() - started
    if not posted.ids:
        raise refused("handing in", refusals[0])
    return posted._replace(refused=len(refusals), wall_seconds=wall_seconds)


def accepting(posted: Posted, concurrency: int) -> Accepting:
    """The figures of a hand-in."""
    rate = round(len(posted.ids) / posted.wall_seconds, 1)
    return Accepting(concurrency, len(posted.ids), rate, spread(posted.seconds), posted.refused)


async def drain(server: Server, ids: Sequence[str]) -> list[dict[str, Any]]:
    """The documents of these submissions, each read once it is final: last come first, as it tells the most."""
    async with wires(server, 1) as (wire,):
        return [await final(server, wire, submission_id, DRAIN_POLL_SECONDS) for submission_id in reversed(ids)]


async def final(server: Server, wire: Wire, submission_id: str, poll_seconds: float) -> dict[str, Any]:
    """A submission as soon as it is seen to be final; raises `Unavailable` if that takes a minute."""
    deadline = time.monotonic() + GIVE_UP_SECONDS
    while time.monotonic() < deadline:
        reply = await wire.ask(server.get(f"/v1/submissions/{submission_id}"))
        if reply.status != OK:
            raise refused("reading a submission", reply)
        document: dict[str, Any] = msgspec.json.decode(reply.body)
        if document["status"] in FINAL:
            return document
        await asyncio.sleep(poll_seconds)
    raise Unavailable(f"submission {submission_id} is not final after {GIVE_UP_SECONDS:.0f} s; do workers run?")


def pipeline(documents: Sequence[dict[str, Any]]) -> Pipeline:
    """Rate and latency from the server's own timestamps; raises `Unavailable` if one was not completed."""
    broken = [document["status"] for document in documents if document["status"] != "completed"]
    if broken:
        raise Unavailable(f"{len(broken)} submissions ended {broken[0]}; see `gradeline dead list`")
    created = [datetime.fromisoformat(document["created_at"]) for document in documents]
    completed = [datetime.fromisoformat(document["completed_at"]) for document in documents]
    seconds = (max(completed) - min(created)).total_seconds()
    latency = [(end - start).total_seconds() for start, end in zip(created, completed, strict=True)]
    return Pipeline(len(documents), round(len(documents) / seconds, 1), spread(latency))


async def idle_wait(server: Server, load: Iterator[bytes], number: int) -> Spread:
    """From POST to the finished submission in its answer (`Prefer: wait`), one at a time."""
    return spread([one.seconds for one in await waited(server, load, number)])


async def waited(server: Server, load: Iterator[bytes], number: int) -> list[Waited]:
    """Hand-ins that wait for their end, each made when the last was answered."""
    found = []
    async with wires(server, 1) as (wire,):
        for body in (next(load) for _ in range(number)):
            started = time.perf_counter()
            reply = await wire.ask(server.post("/v1/submissions", body, "Prefer: wait=10"))
            seconds = time.perf_counter() - started
            if reply.status != OK:
                raise refused("waiting for a submission", reply)
            found.append(Waited(id_in(reply.body), seconds))
    return found


async def idle_poll(server: Server, load: Iterator[bytes], number: int) -> Spread:
    """From POST until a poll every 2 ms sees it completed, one at a time."""
    seconds = []
    async with wires(server, 1) as (wire,):
        for body in (next(load) for _ in range(number)):
            started = time.perf_counter()
            reply = await wire.ask(server.post("/v1/submissions", body))
            if reply.status != ACCEPTED:
                raise refused("handing in", reply)
            await final(server, wire, id_in(reply.body), POLL_SECONDS)
            seconds.append(time.perf_counter() - started)
    return spread(seconds)


def id_in(body: bytes) -> str:
    """The submission's id, found without decoding the rest."""
    return msgspec.json.decode(body, type=Identified).id


class Identified(msgspec.Struct):
    """The one field of a submission that the load needs."""

    id: str


def refused(doing: str, reply: Reply) -> GradelineError:
    """A reply that ends the measuring, in one line."""
    text = reply.body[:200].decode(errors="replace")
    return Unavailable(f"{doing} was answered with {reply.status}: {text}")
