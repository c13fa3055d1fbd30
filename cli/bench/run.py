"""The order in which things are measured: first what needs quiet, then load."""

import time
from collections.abc import Callable
from typing import Final, NamedTuple

from cli.bench import load
from cli.bench.cost import Usage, cost, memory_mib, usage
from cli.bench.figures import Accepting, Cost, Findings, Pipeline
from cli.bench.wire import Server, server_at
from cli.connection import Connection
from cli.target import Target

WARM_UP: Final = 200
CONCURRENCIES: Final = (1, 32, 256)


class Size(NamedTuple):
    """How many submissions each part of the measuring hands in."""

    idle: int = 100
    accept: int = 2_000
    pipeline: int = 3_000
    pipeline_concurrency: int = 64


def scaled(size: Size, scale: float) -> Size:
    """A smaller or larger measuring of the same shape."""
    return size._replace(
        idle=max(5, round(size.idle * scale)),
        accept=max(20, round(size.accept * scale)),
        pipeline=max(20, round(size.pipeline * scale)),
    )


async def measure(target: Target, running: Connection | None, size: Size, say: Callable[[str], None]) -> Findings:
    """Measure a server; `running` is its system where it runs on this machine, so that its costs can be seen."""
    server = server_at(target.url, target.key)
    bodies = load.bodies()
    await load.put_questions(server)
    say("warming up")
    await load.drain(server, (await load.hand_in(server, bodies, concurrency=8, number=WARM_UP)).ids)
    started, cpu_started = time.monotonic(), time.process_time()
    say("measuring latency on an idle system")
    idle_wait = await load.idle_wait(server, bodies, size.idle)
    idle_poll = await load.idle_poll(server, bodies, size.idle)
    accepted = [await measure_accepting(server, bodies, concurrency, size, say) for concurrency in CONCURRENCIES]
    pipeline, spent = await measure_pipeline(server, bodies, running, size, say)
    return Findings(
        idle_wait=idle_wait,
        idle_poll=idle_poll,
        accepting=tuple(accepted),
        pipeline=pipeline,
        cost=spent,
        memory_mib=memory_mib(running.pids) if running else None,
        generator_cpu_share=round((time.process_time() - cpu_started) / (time.monotonic() - started), 3),
    )


async def measure_accepting(
    server: Server, bodies: load.Bodies, concurrency: int, size: Size, say: Callable[[str], None]
) -> Accepting:
    """How fast hand-ins are accepted while workers work on them; the backlog is gone when it returns."""
    say(f"handing in with {concurrency} at once")
    posted = await load.hand_in(server, bodies, concurrency=concurrency, number=size.accept)
    await load.drain(server, posted.ids)
    return load.accepting(posted, concurrency)


async def measure_pipeline(
    server: Server, bodies: load.Bodies, running: Connection | None, size: Size, say: Callable[[str], None]
) -> tuple[Pipeline, Cost | None]:
    """How fast hand-ins go all the way, and what each costs."""
    say(f"taking {size.pipeline} submissions through every stage")
    before: Usage | None = usage(running) if running else None
    posted = await load.hand_in(server, bodies, concurrency=size.pipeline_concurrency, number=size.pipeline)
    found = load.pipeline(await load.drain(server, posted.ids))
    spent = cost(before, usage(running), len(posted.ids)) if running and before else None
    return found, spent
