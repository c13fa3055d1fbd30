"""What it takes one worker process to hold 200 calls to a model at once, and what that does to others' scores.

    .venv/bin/python -m benchmarks.llm.holding [--rate 100] [--seconds 20] [--kind openai] [--piece 12]

Runs Postgres, Valkey, one worker process and a stand-in for the model of its own, all on this machine. The stand-in
takes two seconds for each reply, so a rate of 100 submissions a second keeps 200 calls under way. Every submission has
one answer that nobody gave before; replies are streamed, as always. Then others give the same answers once more. All
the while somebody hands in blank answers, which no model is asked about, and it is measured how soon they are scored.

CPU is the worker's own, by the kernel's count, while the calls are under way. What is added to a call is the time from
the worker's claim of the submission to its recorded feedback, by Postgres' clock, less what the stand-in took for it.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import psutil
from sqlalchemy import text

from pipeline.bootstrap import ApiParts, build_api, migrate, open_servers
from pipeline.embedded import EmbeddedPostgres, EmbeddedValkey
from pipeline.scoring.bank import parse_question
from pipeline.service.access import Role
from pipeline.service.intake import AnswerIn, SubmissionIn
from pipeline.settings import Settings
from pipeline.store.engine import transaction

MODEL_SECONDS = 2.0
PLACES = 250
"""More than will be needed: what is measured is holding, not waiting for a place."""
IDLE_SECONDS = 5.0
BLANKS_PER_SECOND = 10
RAMP_SECONDS = 4.0
PATIENCE_SECONDS = 40.0
QUESTION = {
    "type": "short_text",
    "prompt": "What does `for` do in Python?",
    "answer": {"accepted": ["it runs a block once for each item"]},
    "topics": ["loops"],
}
CONFIGURATION = """
[[providers]]
name = "stand-in"
kind = "{kind}"
model = "stand-in-1"
base_url = "{url}"
place = "local"
concurrency = {places}
"""
SPANS = """
SELECT a.request_id, 1000 * extract(epoch FROM s.finished_at - s.started_at), s.state
FROM stages s LEFT JOIN llm_attempts a ON a.submission_id = s.submission_id
WHERE s.stage = 'feedback' AND s.submission_id::text = ANY(:ids)
"""
SCORED = """
SELECT 1000 * extract(epoch FROM finished_at - queued_at) FROM stages
WHERE stage = 'score' AND submission_id::text = ANY(:ids)
"""
OPEN = "SELECT count(*) FROM submissions WHERE completed_at IS NULL"


class Plan(msgspec.Struct, frozen=True):
    """What is to be measured: submissions a second, for how long, over which wire, in pieces of so many characters."""

    rate: float
    seconds: float
    kind: str
    piece: int


class Bench:
    """A system of its own, with an intake in this process."""

    def __init__(self, parts: ApiParts, tenant_id: int, stand_in: str) -> None:
        self.parts = parts
        self.tenant_id = tenant_id
        self.stand_in = stand_in

    async def submit(self, learner: str, response: str | None) -> str:
        given = SubmissionIn(learner_id=learner, answers=[AnswerIn("q", response=response)])
        return (await self.parts.intake.submit(self.tenant_id, given)).id

    async def pace(self, rate: float, count: int, learner: str, answer: str | None) -> list[str]:
        """Hand in `count` submissions, evenly spread."""
        began = asyncio.get_running_loop().time()
        ids = []
        for number in range(count):
            await asyncio.sleep(began + number / rate - asyncio.get_running_loop().time())
            response = None if answer is None else f"{answer} {number}"
            ids.append(asyncio.create_task(self.submit(f"{learner}-{number}", response)))
        return list(await asyncio.gather(*ids))

    async def rows(self, sql: str, **values: Any) -> list[Any]:
        async with transaction(self.parts.servers.engine) as connection:
            return list(await connection.execute(text(sql), values))

    async def finished(self) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (await self.rows(OPEN))[0][0]:  # noqa: ASYNC110 - another process's doing
                await asyncio.sleep(0.2)

    def calls(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.stand_in}/_calls") as answer:  # noqa: S310 - our own stand-in
            found: dict[str, Any] = json.load(answer)
        return found


class Findings(msgspec.Struct):
    """Times in milliseconds; shares of one core."""

    calls: int
    most_at_once: int
    degraded: int
    worker_share: float
    idle_scores: list[float]
    scores: list[float]
    added: list[float]
    cached: list[float]


async def measure(bench: Bench, plan: Plan, worker: psutil.Process) -> Findings:
    count = int(plan.rate * plan.seconds)
    await bench.pace(20, 20, "warm", "To warm up, number")
    await bench.finished()
    idle = await bench.pace(BLANKS_PER_SECOND, int(IDLE_SECONDS * BLANKS_PER_SECOND), "idle", None)
    await bench.finished()
    working = asyncio.create_task(bench.pace(plan.rate, count, "ada", "I think that it repeats, in my words"))
    await asyncio.sleep(RAMP_SECONDS)
    blanks = asyncio.create_task(
        bench.pace(BLANKS_PER_SECOND, int((plan.seconds - RAMP_SECONDS) * BLANKS_PER_SECOND), "blank", None)
    )
    share = await share_of_a_core(worker, working)
    ids, others = await working, await blanks
    await bench.finished()
    seen = bench.calls()
    calls = {call["request_id"]: 1000 * (call["ended"] - call["began"]) for call in seen["calls"]}
    again = await bench.pace(20, min(count, 300), "bob", "I think that it repeats, in my words")
    await bench.finished()
    spans = await bench.rows(SPANS, ids=ids)
    return Findings(
        calls=len(calls),
        most_at_once=seen["most_at_once"],
        degraded=sum(state != "done" for _, _, state in spans),
        worker_share=share,
        idle_scores=[float(ms) for (ms,) in await bench.rows(SCORED, ids=idle)],
        scores=[float(ms) for (ms,) in await bench.rows(SCORED, ids=others)],
        added=[float(ms) - calls[request_id] for request_id, ms, _ in spans if request_id in calls],
        cached=[float(ms) for request_id, ms, _ in await bench.rows(SPANS, ids=again) if request_id is None],
    )


async def share_of_a_core(worker: psutil.Process, while_this: "asyncio.Task[Any]") -> float:
    """The CPU that the worker takes until the task is done."""
    loop = asyncio.get_running_loop()
    before, began = worker.cpu_times(), loop.time()
    await asyncio.wait({while_this})
    after, ended = worker.cpu_times(), loop.time()
    return (after.user + after.system - before.user - before.system) / (ended - began)


def show(findings: Findings) -> None:
    print(f"{findings.calls} calls, {findings.most_at_once} at once at most, {findings.degraded} degraded")
    print(f"{'CPU of the worker':38} {findings.worker_share:7.1%} of a core")
    show_times("added to the provider's time", findings.added)
    show_times("feedback from the journal", findings.cached)
    show_times("handed in to scored, no calls", findings.idle_scores)
    show_times("handed in to scored, meanwhile", findings.scores)


def show_times(name: str, found: Sequence[float]) -> None:
    ordered = sorted(found)
    p50, p95, p99 = (ordered[int(len(ordered) * part)] for part in (0.5, 0.95, 0.99))
    print(f"{name:38} p50 {p50:7.2f} ms   p95 {p95:7.2f} ms   p99 {p99:7.2f} ms   ({len(ordered)})")


@asynccontextmanager
async def opened(settings: Settings, stand_in: str) -> AsyncIterator[Bench]:
    async with open_servers(settings, pool_size=8, pool_wait_seconds=10.0) as servers:
        parts = build_api(settings, servers)
        await parts.access.create_key("bench", Role.OPERATOR, "bench")
        async with transaction(servers.engine) as connection:
            tenant_id = int((await connection.execute(text("SELECT id FROM tenants"))).scalar_one())
        await parts.bank.save(tenant_id, [parse_question(QUESTION, question_id="q")])
        yield Bench(parts, tenant_id, stand_in)
        await parts.intake.drain()


@contextmanager
def standing_in(home: Path, piece: int) -> Iterator[str]:
    """The address of a stand-in, a process of its own."""
    script = home / "script.json"
    script.write_text(json.dumps({"latency_seconds": MODEL_SECONDS, "piece_characters": piece}))
    command = [sys.executable, "-m", "tests.standin", "--script", str(script)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:  # noqa: S603 - our own program
        try:
            assert process.stdout is not None  # noqa: S101 - as asked for above
            yield json.loads(process.stdout.readline())["url"]
        finally:
            process.terminate()


@contextmanager
def working(settings: Settings, home: Path, stand_in: str, kind: str) -> Iterator[psutil.Process]:
    """One worker process that asks the stand-in."""
    file = home / "models.toml"
    url = stand_in + ("/v1" if kind == "openai" else "")
    file.write_text(CONFIGURATION.format(kind=kind, url=url, places=PLACES))
    variables = {
        "GRADELINE_DATABASE_URL": settings.database_url,
        "GRADELINE_REDIS_URL": settings.redis_url,
        "GRADELINE_RATE_LIMITS": "off",
        "GRADELINE_AI_CONFIG": str(file),
        "GRADELINE_AI_CONCURRENCY": str(PLACES),
        "GRADELINE_AI_SLOTS": str(PLACES),
        "GRADELINE_WORKER_NICE": "0",
        "GRADELINE_LOG_LEVEL": "warning",
    }
    environment = os.environ | {name: value for name, value in variables.items() if value is not None}
    command = [sys.executable, "-m", "workers"]
    with subprocess.Popen(command, env=environment) as process:  # noqa: S603 - our own program
        try:
            yield psutil.Process(process.pid)
        finally:
            process.terminate()


async def run(settings: Settings, home: Path, plan: Plan) -> Findings:
    await migrate(settings)
    with standing_in(home, plan.piece) as url, working(settings, home, url, plan.kind) as worker:
        async with opened(settings, url) as bench:
            return await measure(bench, plan, worker)


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.llm.holding")
    arguments.add_argument("--rate", type=float, default=100.0, help="submissions a second")
    arguments.add_argument("--seconds", type=float, default=20.0)
    arguments.add_argument("--kind", choices=("openai", "anthropic"), default="openai")
    arguments.add_argument("--piece", type=int, default=12, help="characters in each piece of a streamed reply")
    given = arguments.parse_args()
    plan = Plan(given.rate, given.seconds, given.kind, given.piece)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        with EmbeddedPostgres(home) as postgres, EmbeddedValkey(home) as valkey:
            settings = Settings(database_url=postgres.url, redis_url=valkey.url, home=home, rate_limits="off")
            show(asyncio.run(run(settings, home, plan)))


if __name__ == "__main__":
    main()
