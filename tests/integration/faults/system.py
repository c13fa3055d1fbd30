"""A whole system whose parts can be killed: real processes on servers of its own."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
import psycopg
import redis

from pipeline.bootstrap import ApiParts, build_api, open_servers
from pipeline.embedded import EmbeddedPostgres, EmbeddedValkey
from pipeline.embedded.port import free_port
from pipeline.service.hand_in import AnswerIn, SubmissionIn
from pipeline.settings import Settings
from tests.process import HOOKED_WORKER, Process, start_process
from tests.samples import FIRST_QUESTIONS, new_tenant
from tests.sums import query

SECONDS: Final = 40.0
"""Longer than anything here may take; a test that waits so long has failed."""


class System:
    """Servers, processes and an intake in this process."""

    def __init__(
        self, settings: Settings, postgres: EmbeddedPostgres, valkey: EmbeddedValkey, parts: ApiParts, tenant_id: int
    ) -> None:
        self.settings = settings
        self.postgres = postgres
        self.valkey = valkey
        self.parts = parts
        self.tenant_id = tenant_id
        self.processes: list[Process] = []

    def start(self, name: str, *command: str | Path, **environment: str) -> Process:
        log = self.settings.home / f"{name}-{len(self.processes)}.log"
        process = start_process(name, self.settings, log, *command, **environment)
        self.processes.append(process)
        return process

    def worker(self) -> Process:
        """A worker process as it is shipped."""
        return self.start("worker", "-m", "workers")

    def hooked_worker(self, **environment: str) -> Process:
        """A worker process with the hooks of `hooked_worker.py`."""
        return self.start("hooked", HOOKED_WORKER, **environment)

    def api(self) -> tuple[Process, str]:
        """An API process and its address."""
        port = free_port()
        return self.start("api", "-m", "api", GRADELINE_PORT=str(port)), f"http://127.0.0.1:{port}"

    async def submit(self, count: int, learner: str = "learner") -> list[str]:
        """Accept `count` submissions of ten learners in this process, rings included."""
        given = [a_submission(f"{learner}-{i % 10}", i) for i in range(count)]
        return [s.id for s in await asyncio.gather(*[self.parts.intake.submit(self.tenant_id, one) for one in given])]

    async def count(self, sql: str, **values: Any) -> int:
        return int((await self.rows(sql, **values))[0][0])

    async def rows(self, sql: str, **values: Any) -> list[Any]:
        return await query(self.parts.servers.engine, sql, **values)

    async def completed(self) -> int:
        return await self.count("SELECT count(*) FROM submissions WHERE status = 'completed'")

    async def until_completed(self, at_least: int) -> None:
        await self.until(lambda: self._completed_at_least(at_least))

    async def _completed_at_least(self, count: int) -> bool:
        return await self.completed() >= count

    async def until_workers(self, count: int) -> None:
        async def known() -> bool:
            return await self.count("SELECT count(*) FROM workers") >= count

        await self.until(known)

    async def until(self, condition: Callable[[], Awaitable[bool]], seconds: float = SECONDS) -> None:
        """Wait for a condition; fails with the processes' last words after the deadline."""
        deadline = time.monotonic() + seconds
        while not await condition():
            assert time.monotonic() < deadline, await self._last_words()
            await asyncio.sleep(0.02)

    async def _last_words(self) -> str:
        states = await self.rows("SELECT stage, state, solo, count(*) FROM stages GROUP BY 1, 2, 3 ORDER BY 1, 2, 3")
        sessions = await self.rows(
            "SELECT application_name, pid, state, wait_event_type, wait_event, clock_timestamp() - state_change,"
            " left(query, 60), pg_blocking_pids(pid) FROM pg_stat_activity WHERE datname = current_database()"
        )
        workers = await self.rows("SELECT pid, clock_timestamp() - heartbeat_at FROM workers")
        for process in self.processes:
            process.abort()
        logs = [f"--- {process.name} ({process.exit_code})\n{process.tail()}" for process in self.processes]
        return "\n".join([str([tuple(row) for row in states]), *map(str, sessions), *map(str, workers), *logs])

    def flush_redis(self) -> None:
        with redis.Redis.from_url(self.valkey.url) as client:
            client.flushall()

    def stop(self) -> None:
        for process in self.processes:
            process.kill()


def a_submission(learner_id: str, number: int) -> SubmissionIn:
    """Answers to three questions, right and wrong in turn."""
    answers = [
        AnswerIn(question.id, response="a" if (number + i) % 2 else "b", response_time_ms=1000 + number)
        for i, question in enumerate(FIRST_QUESTIONS[number % 3 : number % 3 + 3])
    ]
    return SubmissionIn(learner_id=learner_id, answers=answers)


def body(submission: SubmissionIn) -> bytes:
    """The submission as a client would send it."""
    return msgspec.json.encode(submission)


@asynccontextmanager
async def open_system(settings: Settings, postgres: EmbeddedPostgres, valkey: EmbeddedValkey) -> AsyncIterator[System]:
    with redis.Redis.from_url(valkey.url) as client:
        client.flushall()
    async with open_servers(settings, pool_size=8, pool_wait_seconds=5.0) as servers:
        parts = build_api(settings, servers)
        tenant_id = await new_tenant(servers.engine)
        await parts.bank.save(tenant_id, FIRST_QUESTIONS)
        system = System(settings, postgres, valkey, parts, tenant_id)
        try:
            yield system
        finally:
            system.stop()
            await parts.intake.drain()


def open_transactions(system: System) -> int:
    """How many sessions of the database are in the middle of something."""
    with psycopg.connect(system.settings.database_url or "", autocommit=True) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND state <> 'idle'"
        ).fetchone()
    return int(row[0]) if row else 0
