"""What it takes one worker process to hold 200 calls to a model at once, and what that does to others' scores.

    .venv/bin/python -m benchmarks.llm.holding [--rate 100] [--seconds 8] [--burst 200] [--kind openai] [--piece 12]
        [--spread 0.8] [--apart] [--only idle,rate,burst]

Runs Postgres, Valkey, workers and a stand-in for the model of its own, all on this machine. Every submission has one
answer that nobody gave before; replies are streamed, as always. With `--apart` models have a worker of their own.

- idle: one submission at a time, by a model that takes 0.3 s;
- rate: the model takes two seconds for each reply, so 100 submissions a second keep 200 calls under way. Meanwhile
  somebody hands in blank answers, which no model is asked about, and it is measured how soon they are scored. Then
  others give the same answers once more, and the journal has the reply;
- burst: all are handed in at once to idle workers.

CPU is that of the workers by the kernel's count. The rate's is taken while the submissions come in; the burst's is all
that the workers take for it, by the time from the first that was handed in to the last whose feedback is recorded. What
is added to a call is the time until its feedback is recorded, by Postgres' clock, less what the stand-in took for it:
from the worker's claim of the submission, and from when the score made its feedback ready.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import msgspec

from benchmarks.llm.system import APART, TOGETHER, Bench, opened, standing_in, working
from pipeline.bootstrap import migrate
from pipeline.embedded import EmbeddedPostgres, EmbeddedValkey
from pipeline.settings import Settings

MODEL_SECONDS: Final = 2.0
IDLE_MODEL_SECONDS: Final = 0.3
ONE_BY_ONE: Final = 100
IDLE_SECONDS: Final = 3.0
BLANKS_PER_SECOND: Final = 10
RAMP_SECONDS: Final = 2.5
POLL_SECONDS: Final = 0.02
CACHED_MOST: Final = 300
AT_ONCE_RATE: Final = 100_000.0
REPLY_CHARS: Final = 440
"""About as long as the stand-in's replies are."""
SPANS: Final = """
SELECT a.request_id, 1000 * extract(epoch FROM s.finished_at - s.started_at) AS claimed,
    1000 * extract(epoch FROM s.finished_at - s.queued_at) AS ready, s.state
FROM stages s LEFT JOIN llm_attempts a ON a.submission_id = s.submission_id
WHERE s.stage = 'feedback' AND s.submission_id::text = ANY(:ids)
"""
SCORED: Final = """
SELECT 1000 * extract(epoch FROM finished_at - queued_at) FROM stages
WHERE stage = 'score' AND submission_id::text = ANY(:ids)
"""
WINDOW: Final = """
SELECT extract(epoch FROM max(t.finished_at) - min(s.created_at)) FROM submissions s
JOIN stages t ON t.submission_id = s.id AND t.stage = 'feedback' WHERE s.id::text = ANY(:ids)
"""


class Plan(msgspec.Struct, frozen=True):
    """What is to be measured: submissions a second and for how long, how many at once, over which wire, in pieces.

    `spread` is the share of a reply's time over which its pieces come; 0: all at its end.
    """

    rate: float
    seconds: float
    burst: int
    kind: str
    piece: int
    spread: float


class Calls(msgspec.Struct, frozen=True):
    """What some calls came to; times in milliseconds."""

    count: int
    most_at_once: int
    degraded: int
    claimed: list[float]
    ready: list[float]


async def seen(bench: Bench, ids: Sequence[str]) -> Calls:
    """What the stand-in and Postgres have of the calls for these submissions."""
    told = bench.calls()
    calls = {call["request_id"]: 1000 * (call["ended"] - call["began"]) for call in told["calls"]}
    spans = await bench.rows(SPANS, ids=list(ids))
    ours = [(span, calls[span.request_id]) for span in spans if span.request_id in calls]
    return Calls(
        count=len(calls),
        most_at_once=told["most_at_once"],
        degraded=sum(span.state != "done" for span in spans),
        claimed=[float(span.claimed) - took for span, took in ours],
        ready=[float(span.ready) - took for span, took in ours],
    )


async def one_by_one(bench: Bench, plan: Plan) -> None:
    """Nothing else is to be done."""
    begin(bench, plan, IDLE_MODEL_SECONDS)
    ids = []
    for number in range(ONE_BY_ONE):
        ids.append(await bench.submit(f"eve-{number}", f"All alone, as number {number}"))
        await bench.finished(POLL_SECONDS)
    blanks = await bench.pace(BLANKS_PER_SECOND, int(IDLE_SECONDS * BLANKS_PER_SECOND), "idle", None)
    await bench.finished()
    show_calls("one at a time", await seen(bench, ids))
    show_times("handed in to scored, no calls", await scores(bench, blanks))


async def steadily(bench: Bench, plan: Plan) -> None:
    """So many a second, for a while; then the same once more from the journal."""
    begin(bench, plan, MODEL_SECONDS)
    count = int(plan.rate * plan.seconds)
    before, began = bench.cpu_seconds(), asyncio.get_running_loop().time()
    working = asyncio.create_task(bench.pace(plan.rate, count, "ada", "I think that it repeats, in my words"))
    await asyncio.sleep(RAMP_SECONDS)
    ramped, ramped_at = bench.cpu_seconds(), asyncio.get_running_loop().time()
    left = int((plan.seconds - RAMP_SECONDS) * BLANKS_PER_SECOND)
    blanks = asyncio.create_task(bench.pace(BLANKS_PER_SECOND, left, "blank", None))
    ids = await working
    share = shares(ramped, bench.cpu_seconds(), asyncio.get_running_loop().time() - ramped_at)
    others = await blanks
    await bench.finished()
    whole = shares(before, bench.cpu_seconds(), 1.0)
    show_calls(f"{plan.rate:.0f} a second", await seen(bench, ids))
    show_cpu(share, {name: seconds / count for name, seconds in whole.items()})
    show_times("handed in to scored, meanwhile", await scores(bench, others))
    again = await bench.pace(20, min(count, CACHED_MOST), "bob", "I think that it repeats, in my words")
    await bench.finished()
    spans = await bench.rows(SPANS, ids=again)
    show_times("feedback from the journal", [float(span.claimed) for span in spans if span.request_id is None])
    print(f"(in all {asyncio.get_running_loop().time() - began:.0f} s)")


async def all_at_once(bench: Bench, plan: Plan) -> None:
    """Everybody at the same moment."""
    begin(bench, plan, MODEL_SECONDS)
    before = bench.cpu_seconds()
    working = asyncio.create_task(bench.pace(AT_ONCE_RATE, plan.burst, "zoe", "At the same moment, as number"))
    await asyncio.sleep(MODEL_SECONDS / 4)
    blanks = await bench.pace(BLANKS_PER_SECOND, int(MODEL_SECONDS / 2 * BLANKS_PER_SECOND), "also", None)
    ids = await working
    await bench.finished(POLL_SECONDS)
    taken = bench.cpu_seconds()
    [(window,)] = await bench.rows(WINDOW, ids=ids)
    each = shares(before, taken, plan.burst)
    show_calls(f"{plan.burst} at once, {float(window):.2f} s in all", await seen(bench, ids))
    show_cpu(shares(before, taken, float(window)), each)
    show_times("handed in to scored, meanwhile", await scores(bench, blanks))


MEASURES: Final[Mapping[str, Callable[[Bench, Plan], Coroutine[Any, Any, None]]]] = MappingProxyType(
    {"idle": one_by_one, "rate": steadily, "burst": all_at_once}
)


def begin(bench: Bench, plan: Plan, model_seconds: float) -> None:
    """From now on the model takes so long; calls are counted anew."""
    script: dict[str, Any] = {"latency_seconds": model_seconds, "piece_characters": plan.piece}
    if plan.spread:
        pause = plan.spread * model_seconds * plan.piece / REPLY_CHARS
        script |= {"latency_seconds": (1 - plan.spread) * model_seconds, "slow_seconds": pause}
        script["rules"] = [{"fault": "slow_stream"}]
    bench.play(script)
    bench.forget_calls()


def shares(before: Mapping[str, float], after: Mapping[str, float], parts: float) -> dict[str, float]:
    """What each worker took between, by so many parts."""
    return {name: (after[name] - before[name]) / parts for name in before}


async def scores(bench: Bench, ids: Sequence[str]) -> list[float]:
    return [float(ms) for (ms,) in await bench.rows(SCORED, ids=list(ids))]


def show_calls(name: str, calls: Calls) -> None:
    print(f"\n{name}: {calls.count} calls, {calls.most_at_once} at once at most, {calls.degraded} degraded")
    show_times("added to the model's time, from claim", calls.claimed)
    show_times("added to the model's time, from ready", calls.ready)


def show_cpu(share: Mapping[str, float], per_call: Mapping[str, float]) -> None:
    for name, part in share.items():
        print(f"{f'CPU of {name}':38} {part:7.1%} of a core   {1000 * per_call[name]:6.2f} ms a call")


def show_times(name: str, found: Sequence[float]) -> None:
    ordered = sorted(found)
    p50, p95, p99 = (ordered[int(len(ordered) * part)] for part in (0.5, 0.95, 0.99))
    print(f"{name:38} p50 {p50:7.2f} ms   p95 {p95:7.2f} ms   p99 {p99:7.2f} ms   ({len(ordered)})")


async def run(settings: Settings, home: Path, plan: Plan, only: Sequence[str], *, apart: bool) -> None:
    await migrate(settings)
    with standing_in() as url, working(settings, home, url, plan.kind, APART if apart else TOGETHER) as workers:
        print(*[f"{name} is {process.pid}" for name, process in workers.items()], sep=", ", file=sys.stderr)
        async with opened(settings, url, workers) as bench:
            begin(bench, plan, IDLE_MODEL_SECONDS)
            await bench.pace(20, 40, "warm", "To warm up, number")
            await bench.finished()
            for name in only:
                await MEASURES[name](bench, plan)


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.llm.holding")
    arguments.add_argument("--rate", type=float, default=100.0, help="submissions a second")
    arguments.add_argument("--seconds", type=float, default=8.0)
    arguments.add_argument("--burst", type=int, default=200, help="submissions handed in at once")
    arguments.add_argument("--kind", choices=("openai", "anthropic"), default="openai")
    arguments.add_argument("--piece", type=int, default=12, help="characters in each piece of a streamed reply")
    arguments.add_argument("--spread", type=float, default=0.0, help="share of its time over which a reply comes")
    arguments.add_argument("--apart", action="store_true", help="a worker for models, and one for all else")
    arguments.add_argument("--only", default=",".join(MEASURES), help="of idle,rate,burst")
    given = arguments.parse_args()
    plan = Plan(given.rate, given.seconds, given.burst, given.kind, given.piece, given.spread)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        with EmbeddedPostgres(home) as postgres, EmbeddedValkey(home) as valkey:
            settings = Settings(database_url=postgres.url, redis_url=valkey.url, home=home, rate_limits="off")
            asyncio.run(run(settings, home, plan, given.only.split(","), apart=given.apart))


if __name__ == "__main__":
    main()
