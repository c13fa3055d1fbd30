"""Rows that are not there yet can't be locked: who starts them at the same time never waits in a circle.

Each story is told by Postgres' own locks: one that waits is told from one that works by `pg_blocking_pids`, and a
circle would be broken by Postgres as a deadlock, which is an error here.
"""

import asyncio
from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pipeline.lifecycle import Stage
from pipeline.model import StoredQuestion, Work
from pipeline.store.engine import transaction
from tests.contracts.house import WORKER, PostgresHouse, run
from tests.samples import a_hand_in
from tests.sums import query

BLOCKED = """
    SELECT count(*)::int FROM pg_stat_activity
    WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0
"""
START_ITEM = """
    INSERT INTO item_ratings (question_key, tenant_id, rating, answers)
    SELECT key, tenant_id, 0, 0 FROM questions WHERE tenant_id = :tenant AND id = :id
"""
START_LEARNER = "INSERT INTO learners (tenant_id, id) VALUES (:tenant, :id)"
FORGET_LEARNERS = "DELETE FROM learners WHERE tenant_id = :tenant"


async def waiting(house: PostgresHouse, count: int) -> None:
    """Until so many wait for locks of others."""
    async with asyncio.timeout(30):
        blocked = 0
        while blocked < count:
            [(blocked,)] = await query(house.engine, BLOCKED)


async def handed_in(house: PostgresHouse, learner: str, questions: Sequence[StoredQuestion]) -> str:
    hand_in = a_hand_in(house.tenant_id, questions, ["a"] * len(questions), learner_id=learner)
    await house.intake.accept([hand_in])
    await run(house, Stage.SCORE, [hand_in.id])
    return hand_in.id


async def lock(house: PostgresHouse, ids: Sequence[str]) -> None:
    """Lock whatever a worker needs to learn from these, and let it go again."""
    claims, _ = await house.store.claim(Stage.RECOMMEND, list(ids), WORKER, 30.0)
    async with house.store.unit(Stage.RECOMMEND, WORKER) as unit:
        works: list[Work] = await unit.load([claim for claim, _ in await unit.hold(claims)])
        await unit.lock_learning(works)


async def start(connection: AsyncConnection, sql: str, house: PostgresHouse, id_: str) -> None:
    await connection.execute(text(sql), {"tenant": house.tenant_id, "id": id_})


async def told(house: PostgresHouse, sql: str, names: tuple[str, str], batches: tuple[list[str], list[str]]) -> None:
    """One finds all three rows missing and waits for the second; another finds the third, started meanwhile."""
    second, third = names
    async with asyncio.timeout(30), asyncio.TaskGroup() as group, transaction(house.engine) as somebody:
        await start(somebody, sql, house, second)
        group.create_task(lock(house, batches[0]))
        await waiting(house, 1)
        async with transaction(house.engine) as connection:
            await start(connection, sql, house, third)
        group.create_task(lock(house, batches[1]))
        await waiting(house, 2)


async def test_first_answers_to_questions_never_wait_in_a_circle(postgres_house: PostgresHouse) -> None:
    house = postgres_house
    first, second, third, *_ = house.questions
    all_three = await handed_in(house, "ada", [first, second, third])
    two = await handed_in(house, "bob", [first, third])
    await told(house, START_ITEM, (second.question.id, third.question.id), ([all_three], [two]))


async def test_learners_without_a_row_never_wait_in_a_circle(postgres_house: PostgresHouse) -> None:
    """Their rows went when they were erased, just as they handed in again."""
    house = postgres_house
    ids = {
        name: [await handed_in(house, learner, [question]) for learner in learners]
        for name, learners, question in (
            ("all three", ("ada", "bob", "cat"), house.questions[0]),
            ("two", ("ada", "cat"), house.questions[1]),
        )
    }
    await query(house.engine, FORGET_LEARNERS + " RETURNING id", tenant=house.tenant_id)
    await told(house, START_LEARNER, ("bob", "cat"), (ids["all three"], ids["two"]))
