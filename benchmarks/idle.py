"""How soon an idle system answers: pick-up of each stage, and from accepted to completed.

    .venv/bin/python -m benchmarks.idle [--submissions 200]

Runs Postgres, Valkey and one worker process of its own. Times are Postgres' own: from `queued_at` to
`started_at` of each stage (an idle worker picks up what is rung), and from `created_at` to `completed_at`.
One submission is under way at a time.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.bootstrap import ApiParts, build_api, migrate, open_servers
from pipeline.embedded import EmbeddedPostgres, EmbeddedValkey
from pipeline.lifecycle import Stage
from pipeline.scoring.bank import parse_question
from pipeline.service.access import Role
from pipeline.service.hand_in import AnswerIn, SubmissionIn
from pipeline.settings import Settings
from pipeline.store.engine import transaction

WARM_UP = 30
QUESTION = {
    "type": "single_choice",
    "prompt": "Which one?",
    "answer": {"option": "a"},
    "options": [{"id": "a", "text": "this"}, {"id": "b", "text": "that"}],
    "topics": ["one"],
}
PICK_UP = "SELECT 1000 * extract(epoch FROM started_at - queued_at) FROM stages WHERE stage = :stage"
RUN = "SELECT 1000 * extract(epoch FROM finished_at - started_at) FROM stages WHERE stage = :stage"
WHOLE = "SELECT 1000 * extract(epoch FROM completed_at - created_at) FROM submissions"
COMPLETED = "SELECT count(*) FROM submissions WHERE status = 'completed'"


async def values(engine: AsyncEngine, sql: str, **parameters: str) -> list[float]:
    async with transaction(engine) as connection:
        return [float(value) for value in (await connection.execute(text(sql), parameters)).scalars()]


async def submit_one(parts: ApiParts, tenant_id: int, number: int, completed: int) -> None:
    """Submit, then wait until it is completed."""
    answers = [AnswerIn(f"q{i}", response="a" if (number + i) % 2 else "b") for i in range(3)]
    await parts.intake.submit(tenant_id, SubmissionIn(learner_id=f"learner-{number % 20}", answers=answers))
    while (await values(parts.servers.engine, COMPLETED))[0] < completed:  # noqa: ASYNC110 - another process's doing
        await asyncio.sleep(0.02)


def show(name: str, found: Sequence[float]) -> None:
    ordered = sorted(found)
    p50, p95, p99 = (ordered[int(len(ordered) * part)] for part in (0.5, 0.95, 0.99))
    print(f"{name:28} p50 {p50:7.2f} ms   p95 {p95:7.2f} ms   p99 {p99:7.2f} ms")


async def measure(settings: Settings, submissions: int) -> None:
    await migrate(settings)
    async with open_servers(settings, pool_size=4, pool_wait_seconds=5.0) as servers:
        parts = build_api(settings, servers)
        await parts.access.create_key("bench", Role.OPERATOR, "bench")
        tenant_id = int((await values(servers.engine, "SELECT id FROM tenants"))[0])
        await parts.bank.save(tenant_id, [parse_question(QUESTION, question_id=f"q{i}") for i in range(3)])
        for number in range(WARM_UP):
            await submit_one(parts, tenant_id, number, number + 1)
        async with transaction(servers.engine) as connection:
            await connection.execute(text("TRUNCATE submissions, stages"))
        for number in range(submissions):
            await submit_one(parts, tenant_id, number, number + 1)
        for stage in Stage:
            show(f"{stage}: rung to started", await values(servers.engine, PICK_UP, stage=stage))
        for stage in Stage:
            show(f"{stage}: started to recorded", await values(servers.engine, RUN, stage=stage))
        show("accepted to completed", await values(servers.engine, WHOLE))
        await parts.intake.drain()


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--submissions", type=int, default=200)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        with EmbeddedPostgres(home) as postgres, EmbeddedValkey(home) as valkey:
            settings = Settings(database_url=postgres.url, redis_url=valkey.url, home=home, rate_limits="off")
            variables = {"GRADELINE_DATABASE_URL": postgres.url, "GRADELINE_REDIS_URL": valkey.url}
            worker = subprocess.Popen([sys.executable, "-m", "workers"], env={**os.environ, **variables})
            try:
                asyncio.run(measure(settings, given.submissions))
            finally:
                worker.terminate()
                worker.wait()


if __name__ == "__main__":
    main()
