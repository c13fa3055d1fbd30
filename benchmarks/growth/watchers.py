"""What open event streams cost one API process: memory, CPU at rest, and how late its answers and events come."""

import asyncio
import resource
import time
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from benchmarks.growth.chart import Chart, Series
from benchmarks.growth.page import Section, table
from benchmarks.growth.seed import put_off_copies, settle
from benchmarks.growth.stream import Stream, open_stream
from benchmarks.growth.system import System, running_system
from cli.bench import load
from cli.bench.cost import MIB, cpu_seconds, memory_mib
from cli.bench.figures import Spread, spread
from cli.bench.wire import Server, Wire, wires
from pipeline.errors import Unavailable

LEVELS: Final = (0, 100, 1_000, 10_000)
OPENED_AT_ONCE: Final = 50
REST_SECONDS: Final = 15.0
"""Long enough for a heartbeat of every stream."""
PROBES: Final = 100
GIVE_UP_SECONDS: Final = 120.0

RELEASE: Final = b"UPDATE stages SET available_at = now() WHERE stage = 'feedback' AND state = 'ready'"
ENDS: Final = """
    SELECT id::text, extract(epoch FROM completed_at)::float FROM submissions
    WHERE id = ANY(%(ids)s::uuid[]) AND status = 'completed'
"""

TEXT: Final = """\
So many streams (`GET /v1/submissions/{id}/events`) are open, each of a submission of its own that waits for its next
try; the client is on the same machine. Memory is the API process' own (proportional set size). CPU at rest is what
heartbeats and the look into Postgres take of one core. A probe is a fresh hand-in whose stream is opened as well: its
time from POST to the event that says `completed`. Then all that waits is let go at once: each event's delay counts
from Postgres' `completed_at` until the client has it."""
HEAD: Final = (
    "open streams", "memory MiB", "KiB per stream", "opened per second", "CPU at rest", "POST p50 ms", "POST p99 ms",
    "POST to event p50 ms", "p99 ms", "all at once: event delay p50 ms", "p99 ms",
)  # fmt: skip


class Level(NamedTuple):
    """What was found with so many streams open."""

    streams: int
    mib: float
    opened_per_second: float
    rest: float
    post: Spread
    probe: Spread
    delay: Spread | None


def measure(scale: float, say: Callable[[str], None]) -> Section:
    """Each number of streams, on one API process."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    levels = [round(level * scale) for level in LEVELS]
    with running_system(1, say) as system:
        return section([asyncio.run(with_streams(system, level, say)) for level in levels])


async def with_streams(system: System, number: int, say: Callable[[str], None]) -> Level:
    """Open so many, look, let their submissions be completed, and close."""
    ids = put_off_copies(system, number, f"watched-{number}") if number else []
    settle(system)
    say(f"opening {number:,} streams")
    started = time.monotonic()
    streams = await open_all(system.server, ids)
    opened_seconds = time.monotonic() - started
    rest = await cpu_at_rest(system)
    mib = memory_mib({"api": system.connection.pids["api"]})["api"]
    post, probe = await probed(system.server)
    delay = await released(system, ids, streams) if number else None
    for stream in streams:
        stream.close()
    say(f"{mib:.0f} MiB, {rest:.1%} of a core at rest, POST to event {probe.p50:.1f} ms")
    return Level(number, mib, number / opened_seconds, rest, post, probe, delay)


async def open_all(server: Server, ids: Sequence[str]) -> list[Stream]:
    """A stream of each, all of them begun."""
    streams: list[Stream] = []
    for start in range(0, len(ids), OPENED_AT_ONCE):
        opened = await asyncio.gather(*[open_stream(server, id_) for id_ in ids[start : start + OPENED_AT_ONCE]])
        async with asyncio.timeout(GIVE_UP_SECONDS):
            await asyncio.gather(*[stream.standing for stream in opened])
        streams += opened
    return streams


async def cpu_at_rest(system: System) -> float:
    """The share of a core that the API process takes while nothing is asked."""
    pid = system.connection.pids["api"]
    before, started = cpu_seconds(pid), time.monotonic()
    await asyncio.sleep(REST_SECONDS)
    return (cpu_seconds(pid) - before) / (time.monotonic() - started)


async def probed(server: Server) -> tuple[Spread, Spread]:
    """Fresh hand-ins, one at a time: how long the POST takes, and until the event that says `completed`."""
    posts, wholes = [], []
    bodies = load.bodies()
    async with wires(server, 1) as (wire,):
        for _ in range(PROBES):
            post, whole = await probe_once(server, wire, next(bodies))
            posts.append(post)
            wholes.append(whole)
    return spread(posts), spread(wholes)


async def probe_once(server: Server, wire: Wire, body: bytes) -> tuple[float, float]:
    started = time.time()
    reply = await wire.ask(server.post("/v1/submissions", body))
    posted = time.time()
    if reply.status != load.ACCEPTED:
        raise Unavailable(f"a hand-in was answered with {reply.status}")
    stream = await open_stream(server, load.id_in(reply.body))
    async with asyncio.timeout(GIVE_UP_SECONDS):
        completed = await stream.completed
    stream.close()
    return posted - started, completed - started


async def released(system: System, ids: Sequence[str], streams: Sequence[Stream]) -> Spread:
    """Let all that is watched be completed; how late each watcher hears of it."""
    system.database.execute(RELEASE)
    async with asyncio.timeout(GIVE_UP_SECONDS):
        heard = dict(zip(ids, await asyncio.gather(*[stream.completed for stream in streams]), strict=True))
    ends = system.database.execute(ENDS.encode(), {"ids": list(ids)}).fetchall()
    return spread([max(0.0, heard[id_] - completed_at) for id_, completed_at in ends])


def section(found: Sequence[Level]) -> Section:
    """Everything found, for the page."""
    alone = found[0].mib
    open_ones = [one for one in found if one.streams]
    return Section(
        heading="With open event streams",
        text=TEXT,
        charts={
            "watchers-memory": line("Memory of one API process", "MiB", [
                Series("memory", [(one.streams, one.mib) for one in open_ones])
            ]),
            "watchers-latency": line("A hand-in beside open streams", "milliseconds", [
                Series("POST to completed event, p50", [(one.streams, one.probe.p50) for one in open_ones]),
                Series("p99", [(one.streams, one.probe.p99) for one in open_ones]),
            ]),
        },
        table=table(HEAD, [row(one, alone) for one in found]),
    )  # fmt: skip


def line(title: str, y_label: str, series: Sequence[Series]) -> Chart:
    """A chart over the number of streams."""
    return Chart(title, "open streams on one API process", y_label, series, log_x=True)


def row(one: Level, alone_mib: float) -> list[str]:
    if one.delay is None:
        per_stream, opened, delays = "", "", ["", ""]
    else:
        per_stream = f"{(one.mib - alone_mib) * MIB / 1024 / one.streams:.1f}"
        opened, delays = f"{one.opened_per_second:,.0f}", [f"{one.delay.p50:,.0f}", f"{one.delay.p99:,.0f}"]
    times = [f"{ms:.1f}" for ms in (one.post.p50, one.post.p99, one.probe.p50, one.probe.p99)]
    return [f"{one.streams:,}", f"{one.mib:.0f}", per_stream, opened, f"{one.rest:.1%}", *times, *delays]
