"""What it costs that everybody wants the same: all hand-ins of one learner, or all to the same questions.

A learner's skills move one hand-in after the other, and a question's rating is one row: both are locked while a
batch is recorded. Two worker processes meet there; hand-ins of many learners to many questions do not.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from itertools import count, islice
from typing import Any, Final, cast
from uuid import uuid4

import msgspec

from benchmarks.growth.bars import Bar, Bars
from benchmarks.growth.page import Section, table
from benchmarks.growth.system import Passage, System, pass_through, running_system
from cli.bench import load
from cli.bench.wire import wires
from pipeline.errors import Unavailable

WORKERS: Final = 2
NUMBER: Final = 4_000
ROUNDS: Final = 3
KINDS: Final[Mapping[str, Mapping[str, Any]]] = dict(islice(cast("Mapping[str, Any]", load.QUESTIONS).items(), 3))
COPIES: Final = 500
"""Of each of the three questions: so many that two batches of 200 need not share any."""
PER_LEARNER: Final = 4

TEXT: Final = """\
Hand-ins of three answers, two worker processes. Spread: four of each learner, each question asked in one hand-in of
{copies}. One learner: all of the same learner. Same questions: all hand-ins answer the same three. Of three rounds of
{number:,} hand-ins of each kind, in turn, the middle one by rate is shown. Times are from accepted to completed with
64 clients handing in as fast as they are let, so they tell how long the queues got."""
HEAD: Final = ("hand-ins", "completed per second", "of spread", "POST p99 ms", "completed p50 ms", "p99 ms")


def measure(scale: float, say: Callable[[str], None]) -> Section:
    """Rates of the three kinds."""
    number = max(200, round(NUMBER * scale))
    kinds = {"spread": (True, COPIES), "one learner": (False, COPIES), "same questions": (True, 1)}
    rounds: dict[str, list[Passage]] = {kind: [] for kind in kinds}
    with running_system(WORKERS, say) as system:
        asyncio.run(put_questions(system))
        for _ in range(ROUNDS):  # in turn, so that whatever else happens on the machine happens to all
            for kind, (learners, questions) in kinds.items():
                load_of_kind = bodies(learners=learners, questions=questions)
                rounds[kind].append(asyncio.run(pass_through(system, load_of_kind, number)))
                say(f"{kind}: {rounds[kind][-1].per_second:,.0f} a second")
    found = {kind: sorted(passages, key=lambda one: one.per_second)[ROUNDS // 2] for kind, passages in rounds.items()}
    return section(found, number)


async def put_questions(system: System) -> None:
    """Copies of three of the bench's questions."""
    lines = [
        msgspec.json.encode({"id": f"{name}-{copy}", **question})
        for name, question in KINDS.items()
        for copy in range(COPIES)
    ]
    async with wires(system.server, 1) as (wire,):
        request = system.server.post("/v1/questions/import", b"\n".join(lines))
        reply = await wire.ask(request.replace(b"application/json", b"application/x-ndjson"))
    if reply.status != load.OK:
        raise Unavailable(f"importing questions was answered with {reply.status}: {reply.body[:200]!r}")


def bodies(*, learners: bool, questions: int) -> Iterator[bytes]:
    """Hand-ins without end: of many learners or of one, to this many of each question in turn."""
    run = uuid4().hex[:8]
    for number in count():
        learner = number // PER_LEARNER if learners else 0
        asked = [f"{name}-{number % questions}" for name in KINDS]
        responses = load.RESPONSES[number % len(load.RESPONSES)]
        yield msgspec.json.encode(
            {
                "learner_id": f"hot-{run}-{learner}",
                "answers": [
                    {"question_id": question, "response": response, "response_time_ms": 5_000}
                    for question, response in zip(asked, responses, strict=True)
                ],
            }
        )


def section(found: dict[str, Passage], number: int) -> Section:
    """Everything found, for the page."""
    spread_rate = found["spread"].per_second
    rows = [
        [
            kind,
            f"{one.per_second:,.0f}",
            f"{one.per_second / spread_rate:.0%}",
            f"{one.post.p99:.0f}",
            f"{one.latency.p50:,.0f}",
            f"{one.latency.p99:,.0f}",
        ]
        for kind, one in found.items()
    ]
    chart = Bars("Completed per second", [Bar(kind, one.per_second) for kind, one in found.items()])
    return Section(
        "One learner, or the same questions",
        TEXT.format(number=number, copies=COPIES),
        {"hot": chart},
        table(HEAD, rows),
    )
