"""How often Postgres is asked for one text by a model: counted, so that it cannot creep up unseen."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from io import FileIO
from pathlib import Path
from typing import Any, Final

import msgspec
from psycopg.pq.abc import PGconn
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils import uuid7

from pipeline.bootstrap import WorkerParts, build_worker, open_servers
from pipeline.lifecycle import Stage
from pipeline.scoring.bank import parse_question
from pipeline.settings import Settings
from pipeline.store.bank import BankStore
from pipeline.store.engine import alone
from pipeline.store.submission import IntakeStore
from tests.samples import a_hand_in, new_tenant
from tests.standin.server import standing_in

ONE_TEXT: Final = 11
"""Claim, load; policy; background and skills, picture kept; journal begun; request booked, settled; reply journalled.

Then one transaction: begun with the submission locked, its states and scores read; written; committed.
"""
MANY: Final = 20
ENDED: Final = re.compile(rb"^[^\n]*\tReadyForQuery\t", re.MULTILINE)
NOT_COUNTED: Final = re.compile(rb'^[^\n]*\tParse\t *("[^"]|"" "BEGIN")', re.MULTILINE)
"""A statement that is prepared, by its name; a BEGIN as pipelines have it, which goes ahead of what is waited for."""
QUESTION: Final = {"type": "short_text", "prompt": "What does a loop do?", "answer": {"accepted": ["it iterates"]}}


class Exchanges:
    """How often Postgres was asked, by what libpq says of each message that went there and came back.

    How often somebody waits for a socket would tell of the machine as well: a slow reply is waited for again and
    again, and a long one comes in parts. But each ends with `ReadyForQuery`. What a connection prepares, which it does
    once in its life, doesn't count: which of them takes a statement, and so has yet to prepare it, is chance.
    """

    def __init__(self, engine: AsyncEngine, folder: Path) -> None:
        self._folder = folder
        self._all: list[PGconn] = []
        self._files: list[FileIO] = []
        self._listening = False
        for pool in (engine, alone(engine)):
            event.listen(pool.sync_engine, "connect", self._meet)

    @asynccontextmanager
    async def told(self) -> AsyncIterator[list[bytes]]:
        """What each connection says while the context lasts; complete afterwards."""
        told: list[bytes] = []
        self._listening = True
        for connection in self._all:
            self._listen(connection)
        yield told
        self._listening = False
        for connection, file in zip(self._all, self._files, strict=True):
            connection.untrace()
            file.seek(0)
            told.append(file.readall())
            file.close()

    def _meet(self, connection: Any, _: object) -> None:
        self._all.append(connection.driver_connection.pgconn)
        if self._listening:
            self._listen(self._all[-1])

    def _listen(self, connection: PGconn) -> None:
        file = FileIO(self._folder / f"messages-{len(self._files)}", "w+")
        self._files.append(file)
        connection.trace(file.fileno())


def exchanges_in(told: Sequence[bytes]) -> int:
    """How many exchanges these messages are."""
    return sum(len(ENDED.findall(messages)) - len(NOT_COUNTED.findall(messages)) for messages in told)


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


async def exchanges_for(count: int, settings: Settings, folder: Path) -> tuple[int, list[str]]:
    """How often Postgres was asked for so many texts at once, by a worker that has written some, and how each ended."""
    warm, ids = await scored(settings, MANY), await scored(settings, count)
    async with writing(settings, folder) as parts:
        exchanges = Exchanges(parts.servers.engine, folder)
        for one in warm:
            await written(parts, [one])
        async with exchanges.told() as told:
            await written(parts, ids)
        async with parts.servers.engine.connect() as connection:
            query = text("SELECT state FROM stages WHERE stage = 'feedback' AND submission_id::text = ANY(:ids)")
            return exchanges_in(told), [*(await connection.execute(query, {"ids": ids})).scalars()]


async def test_one_text_takes_few_exchanges_with_postgres(settings: Settings, tmp_path: Path) -> None:
    exchanges, states = await exchanges_for(1, settings, tmp_path)
    assert states == ["done"]
    assert exchanges <= ONE_TEXT


async def test_texts_that_are_written_at_once_share_their_exchanges(settings: Settings, tmp_path: Path) -> None:
    exchanges, states = await exchanges_for(MANY, settings, tmp_path)
    assert states == ["done"] * MANY
    assert exchanges <= 4 * ONE_TEXT
