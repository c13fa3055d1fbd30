"""Imports of the same bank at the same time, on real Postgres."""

import asyncio
from random import Random
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.model import Question
from pipeline.store.access import AccessStore
from pipeline.store.bank import BankStore, save_questions
from pipeline.store.engine import transaction

IMPORTERS = 6
ROUNDS = 4
QUESTIONS = 60


@pytest.fixture
async def tenant_id(engine: AsyncEngine) -> int:
    return await AccessStore(engine).ensure_tenant("school", token_secret="t", callback_secret="c")


def a_question(number: int, prompt: str) -> Question:
    return Question(id=f"q{number}", version=0, type="true_false", prompt=prompt, answer={"value": True})


async def rows(engine: AsyncEngine, statement: str) -> list[Any]:
    async with transaction(engine) as connection:
        return list(await connection.execute(text(statement)))


async def test_imports_at_once_neither_deadlock_nor_lose_or_double_a_version(
    engine: AsyncEngine, tenant_id: int
) -> None:
    """Six importers save the same sixty questions in orders of their own, each round with words of their own."""

    async def importer(number: int) -> None:
        store, random = BankStore(engine), Random(number)  # noqa: S311 - an order, not a secret
        for again in range(ROUNDS):
            order = random.sample(range(QUESTIONS), QUESTIONS)
            await store.save(tenant_id, [a_question(n, f"importer {number}, round {again}") for n in order])

    await asyncio.gather(*[importer(number) for number in range(IMPORTERS)])
    saves = IMPORTERS * ROUNDS
    found = await rows(
        engine,
        "SELECT q.id, q.version, count(v.key) AS versions, min(v.version) AS first, max(v.version) AS last,"
        " count(DISTINCT v.body) AS bodies, bool_or(v.key = q.version_key AND v.version = q.version) AS agrees"
        " FROM questions q JOIN question_versions v ON v.question_key = q.key GROUP BY q.key",
    )
    assert len(found) == QUESTIONS
    assert {tuple(row)[1:] for row in found} == {(saves, saves, 1, saves, saves, True)}
    assert (await rows(engine, "SELECT bank_version FROM tenants"))[0].bank_version == saves


async def test_the_same_file_imported_at_once_is_stored_once(engine: AsyncEngine, tenant_id: int) -> None:
    questions = [a_question(n, "the same") for n in range(QUESTIONS)]
    saved = await asyncio.gather(*[BankStore(engine).save(tenant_id, questions) for _ in range(IMPORTERS)])
    assert sum(one.changed for report in saved for one in report) == QUESTIONS
    assert {one.version for report in saved for one in report} == {1}
    assert (await rows(engine, "SELECT count(*) FROM question_versions"))[0][0] == QUESTIONS
    assert (await rows(engine, "SELECT bank_version FROM tenants"))[0].bank_version == 1


async def test_whoever_waited_for_an_import_sees_what_it_wrote(engine: AsyncEngine, tenant_id: int) -> None:
    """The second begins while the first holds its locks, and says the same: it must find nothing to change."""
    store = BankStore(engine)
    await store.save(tenant_id, [a_question(1, "before")])
    async with engine.connect() as first:
        async with first.begin():
            await save_questions(first, tenant_id, [a_question(1, "after")])
            second = asyncio.create_task(store.save(tenant_id, [a_question(1, "after")]))
            await until_somebody_waits(engine)
        saved = await second
    assert [(one.version, one.changed) for one in saved] == [(2, False)]


async def until_somebody_waits(engine: AsyncEngine) -> None:
    """Until a session of this database waits for a lock."""
    waiting = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with asyncio.timeout(10):
        while not await rows(engine, waiting):
            continue
