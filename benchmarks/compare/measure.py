"""Measuring one running system: first what needs quiet, then load. The same for every system."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

import psycopg

from benchmarks.compare.contender import Contender
from benchmarks.compare.database import Database, Size
from benchmarks.compare.figures import SERVERS, EndToEnd, Measured
from benchmarks.compare.same_work import check_work
from cli.bench import load
from cli.bench.cost import cost, family, memory_mib, usage
from cli.bench.figures import Accepting
from cli.bench.wire import Server, server_at
from cli.connection import Connection

CONCURRENCIES: Final = (1, 32, 256)
WARM_UP: Final = 300
END_TO_END_CONCURRENCY: Final = 64
FEWEST: Final = 64
MILLISECONDS: Final = 1000


class Effort(NamedTuple):
    """How long or how often each thing is measured."""

    idle: int = 100
    door_seconds: float = 1.5
    accept_seconds: float = 2.5
    end_to_end_seconds: float = 7.0

    def scaled(self, scale: float) -> "Effort":
        """A shorter or longer measuring of the same shape."""
        return Effort(max(10, round(self.idle * scale)), *(seconds * scale for seconds in self[1:]))


async def measure(contender: Contender, connection: Connection, effort: Effort, say: Callable[[str], None]) -> Measured:
    """Measure a system that was just started."""
    async with await psycopg.AsyncConnection.connect(connection.database_url, autocommit=True) as asked:
        return await Measuring(contender, connection, Database(asked), effort, say).whole()


class Measuring:
    """One system under measurement."""

    def __init__(
        self,
        contender: Contender,
        connection: Connection,
        database: Database,
        effort: Effort,
        say: Callable[[str], None],
    ) -> None:
        self._contender = contender
        self._connection = connection
        self._database = database
        self._effort = effort
        self._say = say
        self._server: Server = server_at(connection.url, connection.api_key)
        self._bodies = load.bodies()

    async def whole(self) -> Measured:
        """Everything, in an order in which nothing disturbs what comes after it."""
        await load.put_questions(self._server)
        self._say("warming up")
        rate = (await self._end_to_end(WARM_UP)).per_second
        warm = await self._database.size()  # from here on: the first pages of each table are there whatever comes
        self._say("measuring latency on an idle system")
        idle = await load.idle_poll(self._server, self._bodies, self._effort.idle)
        door = await self._door()
        accepting, backlog, rate = await self._accepting(rate)
        end_to_end, cpu_ms, generator_ms = await self._costed(rate)
        full = await self._database.size()
        check_work(self._contender.name, await self._database.counted(), full.submissions)
        return Measured(
            letter=self._contender.letter,
            name=self._contender.name,
            title=self._contender.title,
            processes=self._processes(),
            idle=idle,
            door=door,
            accepting=accepting,
            backlog=backlog,
            end_to_end=end_to_end,
            cpu_ms=cpu_ms,
            generator_cpu_ms=generator_ms,
            **grown(warm, full),
            memory_mib=memory_mib(self._connection.pids),
        )

    async def _door(self) -> tuple[Accepting, ...]:
        """Handing in while the workers are frozen: what the door alone can take."""
        self._say("handing in while the workers rest")
        with frozen(pid for part, pid in self._connection.pids.items() if part.startswith("worker")):
            return tuple([await self._handing_in(number, self._effort.door_seconds) for number in CONCURRENCIES])

    async def _accepting(self, rate: float) -> tuple[tuple[Accepting, ...], tuple[int, ...], float]:
        """Handing in while the workers have all they can do: there is a backlog before each measurement.

        Answers the open ones after each, too, and the rate at which all were completed.
        """
        found, left = [], []
        first, before = await self._database.now(), await self._database.open_submissions()
        for concurrency in CONCURRENCIES:
            self._say(f"handing in with {concurrency} at once, on a backlog")
            await self._backlog(rate * self._effort.accept_seconds)
            found.append(await self._handing_in(concurrency, self._effort.accept_seconds))
            left.append(await self._database.open_submissions())
        self._say(f"waiting for the backlog of {left[-1]}")
        await self._database.all_completed()
        count, last = await self._database.since(first)
        return tuple(found), tuple(left), (before + count) / (last - first).total_seconds()

    async def _handing_in(self, concurrency: int, seconds: float) -> Accepting:
        turns = load.lasting(seconds)
        posted = await load.take_turns(self._server, self._bodies, concurrency=concurrency, turns=turns)
        return load.accepting(posted, concurrency)

    async def _backlog(self, wanted: float) -> None:
        """Let there be so many open submissions."""
        missing = round(wanted) - await self._database.open_submissions()
        if missing > 0:
            await load.hand_in(self._server, self._bodies, concurrency=END_TO_END_CONCURRENCY, number=missing)

    async def _costed(self, rate: float) -> tuple[EndToEnd, dict[str, float], float]:
        """The rate all the way, and the CPU that it took."""
        number = max(FEWEST, round(rate * self._effort.end_to_end_seconds))
        self._say(f"taking {number} submissions all the way")
        before, generator_before = usage(self._connection), time.process_time()
        found = await self._end_to_end(number)
        generator_seconds = time.process_time() - generator_before
        spent = cost(before, usage(self._connection), found.submissions)
        return found, spent.cpu_ms, round(generator_seconds * MILLISECONDS / found.submissions, 3)

    async def _end_to_end(self, number: int) -> EndToEnd:
        first = await self._database.now()
        await load.hand_in(self._server, self._bodies, concurrency=END_TO_END_CONCURRENCY, number=number)
        await self._database.all_completed()
        count, last = await self._database.since(first)
        seconds = (last - first).total_seconds()
        return EndToEnd(count, round(seconds, 2), round(count / seconds, 1))

    def _processes(self) -> int:
        return sum(len(family(pid)) for part, pid in self._connection.pids.items() if part not in SERVERS)


@contextmanager
def frozen(pids: Iterable[int]) -> Iterator[None]:
    """Stop these processes and their children for a while."""
    stopped = [process for pid in pids for process in family(pid)]
    for process in stopped:
        process.suspend()
    try:
        yield
    finally:
        for process in reversed(stopped):
            process.resume()


def grown(warm: Size, full: Size) -> dict[str, float]:
    """What each submission added."""
    count = full.submissions - warm.submissions
    return {
        "database_bytes": round((full.database_bytes - warm.database_bytes) / count, 1),
        "wal_bytes": round((full.wal_bytes - warm.wal_bytes) / count, 1),
    }
