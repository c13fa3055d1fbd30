"""What learning costs in a large school: advice, search, curriculum, reports and risk with a million answers there.

The bank is imported as teachers import it; the past is made by SQL (`school`). Calls are made one at a time on one
connection, by learners and groups drawn at random; hand-ins are of learners with a past, on questions of the bank.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from random import Random
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlencode

import msgspec

from benchmarks.growth.page import Section, table
from benchmarks.growth.school import GROUP, School, fill
from benchmarks.growth.system import System, completed, cpu_by_part, running_system, wait_for_completed
from cli.bench import load
from cli.bench.figures import Spread, spread
from cli.bench.wire import wires
from pipeline.errors import Unavailable

FULL: Final = School(questions=100_000, learners=10_000, answers=1_000_000)
WORKERS: Final = 1
HANDED_IN: Final = 1_500
WARMED: Final = 200
CALLS: Final = 300
FEW: Final = 10
GROUP_SIZE: Final = 1_000
JOBS: Final = ("at-risk", "items", "weekly-reports")
LONGEST_JOB_SECONDS: Final = 900.0
LOOK_SECONDS: Final = 0.25
FAILED: Final = 300

STAGES_CPU_MS: Final = 10.0
"""The recommend stage alone may take so much; all four stages and their share of the worker are held to it."""

HEAD: Final = ("call", "calls", "p50 ms", "p95 ms", "promised, p95", "held")
TEXT: Final = """\
{questions:,} questions in four languages, {learners:,} learners, {answers:,} answers. Calls are made one at a time.
Importing the bank by `POST /v1/questions/import` took {import_seconds:.0f} s. {handed_in:,} hand-ins of four answers by
learners with a past cost the worker {cpu_ms:.2f} ms of CPU each for all of their stages (promised: at most 10 ms for
`recommend` alone); the first of them, which had the bank's candidates read and indexed, was completed after
{first_ms:,.0f} ms. Periodic jobs for all of it took: {nightly}."""


class Asked(NamedTuple):
    """Calls of a kind: their paths, and the p95 in milliseconds that is promised of them; None: nothing is."""

    name: str
    paths: Sequence[str]
    promised_ms: float | None


class Found(NamedTuple):
    """What came of them."""

    asked: Asked
    spread: Spread

    @property
    def held(self) -> bool:
        """Whether the promise was kept, where there is one."""
        return self.asked.promised_ms is None or self.spread.p95 <= self.asked.promised_ms


class HandedIn(NamedTuple):
    """Hand-ins that went all the way: CPU milliseconds of the worker for each, and how long the first took."""

    cpu_ms: float
    first_ms: float


def measure(scale: float, say: Callable[[str], None]) -> Section:
    """One system, filled and then asked."""
    school = School(*(max(1_000, round(size * scale)) for size in FULL))
    with running_system(WORKERS, say) as system:
        seconds = fill(system, school, say)
        say("handing in")
        handed_in = asyncio.run(hand_in(system, school))
        asyncio.run(make_group(system, school))
        nightly = [asyncio.run(run_job(system, job, say)) for job in JOBS]
        found = [asyncio.run(ask(system, asked, say)) for asked in calls(school)]
    return section(school, handed_in, nightly, found, seconds)


async def hand_in(system: System, school: School) -> HandedIn:
    """Let learners with a past hand in; the first ones warm the worker and are not counted."""
    first = time.perf_counter()
    before = completed(system)
    await load.hand_in(system.server, bodies(school), concurrency=1, number=1)
    await wait_for_completed(system, before + 1)
    first_ms = 1_000 * (time.perf_counter() - first)
    await hand_in_all(system, school, WARMED)
    used = cpu_by_part(system)["workers"]
    await hand_in_all(system, school, HANDED_IN)
    return HandedIn(1_000 * (cpu_by_part(system)["workers"] - used) / HANDED_IN, first_ms)


async def hand_in_all(system: System, school: School, number: int) -> None:
    """So many, and wait until all are completed."""
    before = completed(system)
    await load.hand_in(system.server, bodies(school), concurrency=8, number=number)
    await wait_for_completed(system, before + number)


def bodies(school: School) -> Iterator[bytes]:
    """Hand-ins of four answers without end."""
    random = Random(time.monotonic_ns())  # noqa: S311 - made-up data, not a secret
    while True:
        answers = [
            {"question_id": f"large-{place:06}", "response": random.choice("abbbcd"), "response_time_ms": 9_000}
            for place in random.sample(range(school.questions), 4)
        ]
        yield msgspec.json.encode({"learner_id": learner(school, random), "answers": answers})


def learner(school: School, random: Random) -> str:
    """One of those with a past."""
    return f"old-{random.randint(1, school.learners)}"


async def make_group(system: System, school: School) -> None:
    """A group of a thousand learners."""
    members = [f"old-{number}" for number in range(1, min(GROUP_SIZE, school.learners) + 1)]
    async with wires(system.server, 1) as (wire,):
        for path, body in ((f"/v1/groups/{GROUP}", {"name": "Measured"}), (f"/v1/groups/{GROUP}/members", members)):
            sent = {"learner_ids": body} if isinstance(body, list) else body
            reply = await wire.ask(system.server.request("PUT", path, msgspec.json.encode(sent)))
            if reply.status >= FAILED:
                raise Unavailable(f"PUT {path} answered {reply.status}: {reply.body[:300]!r}")


async def run_job(system: System, job: str, say: Callable[[str], None]) -> float:
    """Have a periodic job run now; how many seconds it took by the server's clock."""
    async with wires(system.operator, 1) as (wire,):
        body = msgspec.json.encode({"reason": "to measure it"})
        reply = await wire.ask(system.operator.post(f"/v1/ops/jobs/{job}/run", body))
        if reply.status >= FAILED:
            raise Unavailable(f"running {job} answered {reply.status}: {reply.body[:300]!r}")
        slot = msgspec.json.decode(reply.body)["slot"]
        deadline = time.monotonic() + LONGEST_JOB_SECONDS
        while time.monotonic() < deadline:
            jobs = msgspec.json.decode((await wire.ask(system.operator.get("/v1/ops/jobs"))).body)["items"]
            [run] = [run for one in jobs if one["name"] == job for run in one["runs"] if run["slot"] == slot]
            if run["state"] == "done":
                begun, ended = (datetime.fromisoformat(run[name]) for name in ("started_at", "finished_at"))
                say(f"{job} took {(ended - begun).total_seconds():.1f} s")
                return (ended - begun).total_seconds()
            await asyncio.sleep(LOOK_SECONDS)
    raise Unavailable(f"{job} is not done: {run}")


def calls(school: School) -> Iterable[Asked]:
    """Everything that is asked, in the order of the table."""
    random = Random(2)  # noqa: S311 - made-up data, not a secret
    learners = [learner(school, random) for _ in range(CALLS)]
    yield Asked("recommendations of a learner", [f"/v1/learners/{one}/recommendations" for one in learners], 100)
    yield Asked("skills of a learner", [f"/v1/learners/{one}/skills" for one in learners], None)
    yield Asked("progress of a learner", [f"/v1/learners/{one}/progress" for one in learners], None)
    yield Asked("weekly report of a learner", [f"/v1/learners/{one}/report" for one in learners], None)
    yield Asked("curriculum: categories", ["/v1/curriculum/categories"] * CALLS, 20)
    tracks = "/v1/curriculum/categories/saas_development/tracks"
    yield Asked("curriculum: tracks of a category", [tracks] * CALLS, 20)
    modules = [f"/v1/curriculum/tracks/python_basics/modules?learner_id={one}" for one in learners]
    yield Asked("curriculum: modules of a track, for a learner", modules, 20)
    wanted = {"category": "saas_development", "hours_per_week": 8, "industry": "fintech"}
    paths = [f"/v1/curriculum/recommend-path?{urlencode({**wanted, 'learner_id': one})}" for one in learners]
    yield Asked("curriculum: path for a learner", paths, 20)
    yield Asked("at risk, group of 1,000", [f"/v1/analytics/at-risk?group={GROUP}"] * FEW, 1_000)
    yield Asked("at risk, everybody", ["/v1/analytics/at-risk"] * FEW, None)
    yield Asked("careers", ["/v1/analytics/careers"] * FEW, None)
    yield Asked("items, a page", ["/v1/analytics/items?limit=50"] * FEW, None)
    for name, texts in SEARCHES.items():
        yield Asked(f"search: {name}", [f"/v1/questions?{query}" for query in texts], 50)


def searched(*texts: str, **more: Any) -> list[str]:
    """Each text's query, several times."""
    return [urlencode({"q": text, **more}, quote_via=quote) for text in texts] * 20


SEARCHES: Final = {
    "a common word": searched("server", "table", "데이터", "查询", "配列"),
    "a rare number": searched("99990", "31415", "2718"),
    "two words": searched("server loop", "트리 그래프", "进程 内存", "配列 索引"),
    "part of a word": searched("erve", "시지", "程", "り返"),
    "one character": searched("树", "根", "값", "値"),
    "nothing fits": searched("zzzzqq", "없는말", "무지개 loop"),
    "with filters": searched("server", "查询", difficulty=3, industry="fintech", type="single_choice"),
}


async def ask(system: System, asked: Asked, say: Callable[[str], None]) -> Found:
    """Make the calls, one at a time; raises `Unavailable` where one is refused."""
    seconds: list[float] = []
    async with wires(system.server, 1) as (wire,):
        for path in asked.paths:
            begun = time.perf_counter()
            reply = await wire.ask(system.server.get(path))
            seconds.append(time.perf_counter() - begun)
            if reply.status >= FAILED:
                raise Unavailable(f"GET {path} answered {reply.status}: {reply.body[:300]!r}")
    found = Found(asked, spread(seconds))
    say(f"{asked.name}: p95 {found.spread.p95:.1f} ms")
    return found


def section(
    school: School, handed_in: HandedIn, nightly: Sequence[float], found: Sequence[Found], seconds: float
) -> Section:
    """Everything found, for the page."""
    broken = [f"{one.asked.name}: p95 {one.spread.p95:.1f} ms" for one in found if not one.held]
    if handed_in.cpu_ms > STAGES_CPU_MS:
        broken.append(f"stages: {handed_in.cpu_ms:.1f} ms of CPU")
    sizes = {**school._asdict(), "nightly": ", ".join(f"`{j}` {s:.0f} s" for j, s in zip(JOBS, nightly, strict=True))}
    return Section(
        heading="A large school",
        text=TEXT.format(**sizes, **handed_in._asdict(), handed_in=HANDED_IN, import_seconds=seconds),
        charts={},
        table=table(HEAD, [row(one) for one in found]),
        broken=broken,
    )


def row(one: Found) -> list[str]:
    promised, found = one.asked.promised_ms, one.spread
    verdict = "" if promised is None else "yes" if one.held else "**no**"
    promise = "" if promised is None else f"{promised:g} ms"
    return [one.asked.name, str(found.samples), f"{found.p50:.1f}", f"{found.p95:.1f}", promise, verdict]
