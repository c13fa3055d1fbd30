"""A system whose models are a stand-in that takes its time: servers, workers, and an intake in this process."""

import asyncio
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import psutil
from sqlalchemy import text

from pipeline.bootstrap import ApiParts, build_api, open_servers
from pipeline.scoring.bank import parse_question
from pipeline.service.access import Role
from pipeline.service.hand_in import AnswerIn, SubmissionIn
from pipeline.settings import Settings
from pipeline.store.engine import transaction

PLACES: Final = 250
"""More than will be needed: what is measured is holding, not waiting for a place."""
PATIENCE_SECONDS: Final = 40.0
POLL_SECONDS: Final = 0.2
QUESTION: Final = {
    "type": "short_text",
    "prompt": "What does `for` do in Python?",
    "answer": {"accepted": ["it runs a block once for each item"]},
    "topics": ["loops"],
}
CONFIGURATION: Final = """
[[providers]]
name = "stand-in"
kind = "{kind}"
model = "stand-in-1"
base_url = "{url}"
place = "local"
concurrency = {places}
"""
OPEN: Final = "SELECT count(*) FROM submissions WHERE completed_at IS NULL"
TOGETHER: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({"worker": ()})
APART: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"models": ("--stages", "feedback,generate"), "others": ("--stages", "score,recommend,metrics,deliver")}
)
"""The worker processes, by what they are called here, and their arguments; the first one asks the models."""


class Bench:
    """A system of its own, with an intake in this process."""

    def __init__(self, parts: ApiParts, tenant_id: int, stand_in: str, workers: Mapping[str, psutil.Process]) -> None:
        self.parts = parts
        self.tenant_id = tenant_id
        self.stand_in = stand_in
        self.workers = workers

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

    async def finished(self, poll_seconds: float = POLL_SECONDS) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (await self.rows(OPEN))[0][0]:  # noqa: ASYNC110 - another process's doing
                await asyncio.sleep(poll_seconds)

    def cpu_seconds(self) -> dict[str, float]:
        """The CPU that each worker has taken so far, by the kernel's count."""
        times = {name: worker.cpu_times() for name, worker in self.workers.items()}
        return {name: float(time.user + time.system) for name, time in times.items()}

    def calls(self) -> dict[str, Any]:
        """What the stand-in saw since it was last told to forget."""
        return self._asked("/_calls")

    def forget_calls(self) -> None:
        self._asked("/_reset", b"")

    def play(self, script: Mapping[str, Any]) -> None:
        """Tell the stand-in what to do from now on."""
        self._asked("/_script", json.dumps(script).encode())

    def _asked(self, path: str, body: bytes | None = None) -> dict[str, Any]:
        request = urllib.request.Request(self.stand_in + path, data=body)  # noqa: S310 - our own stand-in
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - the same
            found: dict[str, Any] = json.load(answer)
        return found


@asynccontextmanager
async def opened(settings: Settings, stand_in: str, workers: Mapping[str, psutil.Process]) -> AsyncIterator[Bench]:
    async with open_servers(settings, pool_size=8, pool_wait_seconds=10.0) as servers:
        parts = build_api(settings, servers)
        await parts.access.create_key("bench", Role.OPERATOR, "bench")
        async with transaction(servers.engine) as connection:
            tenant_id = int((await connection.execute(text("SELECT id FROM tenants"))).scalar_one())
        await parts.bank.save(tenant_id, [parse_question(QUESTION, question_id="q")])
        yield Bench(parts, tenant_id, stand_in, workers)
        await parts.intake.drain()


@contextmanager
def standing_in() -> Iterator[str]:
    """The address of a stand-in, a process of its own."""
    command = [sys.executable, "-m", "tests.standin"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:  # noqa: S603 - our own program
        try:
            assert process.stdout is not None  # noqa: S101 - as asked for above
            yield json.loads(process.stdout.readline())["url"]
        finally:
            process.terminate()


@contextmanager
def working(
    settings: Settings, home: Path, stand_in: str, kind: str, workers: Mapping[str, tuple[str, ...]]
) -> Iterator[dict[str, psutil.Process]]:
    """Worker processes that ask the stand-in, by name."""
    environment = os.environ | variables(settings, home, stand_in, kind)
    with ExitStack() as stack:
        started = {}
        for name, arguments in workers.items():
            command = [sys.executable, "-m", "workers", *arguments]
            process = stack.enter_context(subprocess.Popen(command, env=environment))  # noqa: S603 - our own program
            stack.callback(process.terminate)
            started[name] = psutil.Process(process.pid)
        yield started


def variables(settings: Settings, home: Path, stand_in: str, kind: str) -> dict[str, str]:
    """What a worker is told: the servers, and a model that is the stand-in."""
    file = home / "models.toml"
    url = stand_in + ("/v1" if kind == "openai" else "")
    file.write_text(CONFIGURATION.format(kind=kind, url=url, places=PLACES))
    return {
        "GRADELINE_DATABASE_URL": settings.database_url or "",
        "GRADELINE_REDIS_URL": settings.redis_url or "",
        "GRADELINE_RATE_LIMITS": "off",
        "GRADELINE_AI_CONFIG": str(file),
        "GRADELINE_AI_CONCURRENCY": str(PLACES),
        "GRADELINE_AI_SLOTS": str(PLACES),
        "GRADELINE_WORKER_NICE": "0",
        "GRADELINE_LOG_LEVEL": "warning",
    }
