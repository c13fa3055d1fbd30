"""How often Postgres is asked for one text by a model: counted, so that it cannot creep up unseen."""

from collections.abc import AsyncIterator, Generator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from psycopg.waiting import Wait
from sqlalchemy import text
from uuid_utils import uuid7

from pipeline.bootstrap import WorkerParts, build_worker, open_servers
from pipeline.lifecycle import Stage
from pipeline.scoring.bank import parse_question
from pipeline.settings import Settings
from pipeline.store import engine as store_engine
from pipeline.store.bank import BankStore
from pipeline.store.submission import IntakeStore
from tests.samples import a_hand_in, new_tenant
from tests.standin.server import standing_in

ONE_TEXT: Final = 12
"""Claim, load; policy; background and skills, picture kept; journal begun; request booked, settled; reply journalled.

Then one transaction: begun with the submission locked and its states read, written, committed.
"""
MANY: Final = 20
QUESTION: Final = {"type": "short_text", "prompt": "What does a loop do?", "answer": {"accepted": ["it iterates"]}}


class Exchanges:
    """How often Postgres was waited for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        wait = store_engine.Connection.wait

        def watched(exchange: Generator[Wait, Any, Any]) -> Generator[Wait, Any, Any]:
            """Psycopg's side of an exchange: it yields what it waits for, `R` where that is Postgres' reply."""
            ready = None
            while True:
                try:
                    wanted = exchange.send(ready)
                except StopIteration as end:
                    return end.value
                self.count += wanted is Wait.R
                ready = yield wanted

        async def counted(connection: Any, exchange: Any, *given: Any, **named: Any) -> Any:
            return await wait(connection, watched(exchange), *given, **named)

        monkeypatch.setattr(store_engine.Connection, "wait", counted)


@asynccontextmanager
async def writing(settings: Settings, folder: Path) -> AsyncIterator[WorkerParts]:
    """A worker that has a stand-in write feedback, and does nothing else."""
    async with standing_in() as model:
        declared = folder / "ai.toml"
        declared.write_text(
            f'[[providers]]\nname = "stand-in"\nkind = "openai"\nmodel = "m"\nbase_url = "{model.url}/v1"\n'
            f'place = "local"\nconcurrency = {MANY}\n'
        )
        told = msgspec.structs.replace(settings, ai_config=str(declared), ai_concurrency=MANY, rate_limits="off")
        async with open_servers(told, pool_size=8, alone=4, pool_wait_seconds=10) as servers:
            parts = build_worker(told, servers, (Stage.FEEDBACK,), besides=())
            await parts.heartbeat.introduce()
            yield parts
            assert parts.writers is not None
            await parts.writers.close()


async def scored(settings: Settings, count: int) -> list[str]:
    """Submissions whose feedback is ready to be written, each with an answer of its own."""
    async with open_servers(settings, pool_size=4, pool_wait_seconds=10) as servers:
        tenant_id = await new_tenant(servers.engine)
        await BankStore(servers.engine).save(tenant_id, [parse_question(QUESTION, question_id="q")])
        questions = [*(await BankStore(servers.engine).current(tenant_id, ["q"])).values()]
        given = [
            a_hand_in(tenant_id, questions, [f"it repeats {uuid7()}"], learner_id=str(uuid7())) for _ in range(count)
        ]
        await IntakeStore(servers.engine).accept(given)
        quick = build_worker(settings, servers, (Stage.SCORE, Stage.RECOMMEND, Stage.METRICS), besides=())
        await quick.heartbeat.introduce()
        ids = [one.id for one in given]
        await quick.runners[Stage.SCORE].ring(ids)
        return ids


async def written(parts: WorkerParts, ids: Sequence[str]) -> None:
    await parts.runners[Stage.FEEDBACK].ring(ids)
    await parts.runners[Stage.FEEDBACK].drain()


async def exchanges_for(
    count: int, settings: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[int, list[str]]:
    """How often Postgres was asked for so many texts at once, by a worker that has written some, and how each ended."""
    warm, ids = await scored(settings, MANY), await scored(settings, count)
    async with writing(settings, folder) as parts:
        for one in warm:
            await written(parts, [one])
        exchanges = Exchanges(monkeypatch)
        await written(parts, ids)
        found = exchanges.count
        async with parts.servers.engine.connect() as connection:
            query = text("SELECT state FROM stages WHERE stage = 'feedback' AND submission_id::text = ANY(:ids)")
            return found, [*(await connection.execute(query, {"ids": ids})).scalars()]


async def test_one_text_takes_few_exchanges_with_postgres(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchanges, states = await exchanges_for(1, settings, tmp_path, monkeypatch)
    assert states == ["done"]
    assert exchanges <= ONE_TEXT


async def test_texts_that_are_written_at_once_share_their_exchanges(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchanges, states = await exchanges_for(MANY, settings, tmp_path, monkeypatch)
    assert states == ["done"] * MANY
    assert exchanges <= 4 * ONE_TEXT
