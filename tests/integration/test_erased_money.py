"""Erasing a learner and what was spent on models for him: the money stays, his name does not."""

import asyncio
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils import uuid7

from pipeline.exchange import Usage
from pipeline.ports.generation import Attempt, Budgets, Settlement, Spent
from pipeline.store.engine import as_json
from pipeline.store.erasure import LOCK_MONEY, ErasureStore
from pipeline.store.ledger import MONEY_LOCK, SHARE_MONEY, LedgerStore
from pipeline.store.money import BOOK_FREELY
from pipeline.store.submission import IntakeStore
from tests.contracts.ledger_world import PostgresLedgers, an_attempt
from tests.samples import a_hand_in, new_tenant, stored_questions

BOOK_ON_ADA = text(
    "INSERT INTO llm_budgets (tenant_id, learner_id, day, spent)"
    " VALUES (:tenant_id, 'ada', CAST(now() AT TIME ZONE 'UTC' AS date), 1)"
)
BUDGETS = Budgets(tenant=10_000, learner=500)


async def handed_in(engine: AsyncEngine, learner_id: str = "ada") -> Attempt:
    """A submission of the first tenant, and a request to a model that it needs."""
    tenant_id = await new_tenant(engine)
    one = a_hand_in(tenant_id, await stored_questions(engine, tenant_id), learner_id=learner_id)
    await IntakeStore(engine).accept([one])
    return request_for(tenant_id, one.id, learner_id)


def request_for(tenant_id: int, submission_id: str, learner_id: str = "ada") -> Attempt:
    return msgspec.structs.replace(an_attempt(tenant_id, learner_id), submission_id=submission_id)


async def erase(engine: AsyncEngine, attempt: Attempt) -> None:
    """What the service does, for the one submission there is."""
    store = ErasureStore(engine)
    await store.erase_submissions(attempt.tenant_id, [str(attempt.submission_id)])
    assert await store.erase_learner(
        attempt.tenant_id, str(attempt.learner_id), actor="key:1", audit_id=str(uuid7()), learner_hash="h"
    )


async def named(engine: AsyncEngine, learner_id: str = "ada") -> list[Any]:
    """Every row of the ledger and the budgets that names the learner."""
    query = (
        "SELECT id::text FROM llm_attempts WHERE learner_id = :learner_id"
        " UNION ALL SELECT day::text FROM llm_budgets WHERE learner_id = :learner_id"
    )
    async with engine.begin() as connection:
        return list(await connection.execute(text(query), {"learner_id": learner_id}))


async def test_money_spent_on_an_erased_learner_stays_without_the_name(engine: AsyncEngine) -> None:
    world = PostgresLedgers(engine)
    attempt, neighbour = await handed_in(engine), await handed_in(engine, "bob")
    for one in (attempt, neighbour):
        assert await world.ledger.reserve(one, BUDGETS) is None
    await erase(engine, attempt)
    assert await named(engine) == []
    assert len(await named(engine, "bob")) == 2
    assert await world.spent(attempt.tenant_id) == 200
    noted = await world.noted(attempt.id)
    assert noted is not None
    assert noted.state == "open"


async def test_a_request_under_way_settles_after_the_erasure_without_the_name(engine: AsyncEngine) -> None:
    world = PostgresLedgers(engine)
    attempt = await handed_in(engine)
    await world.ledger.reserve(attempt, BUDGETS)
    await erase(engine, attempt)
    await world.ledger.settle(Settlement(attempt.id, None, Usage(1, 0, 0, 1), 40, known=True, seconds=1.0))
    assert await world.spent(attempt.tenant_id) == 40
    assert await named(engine) == []


async def test_a_request_that_comes_after_the_erasure_counts_for_the_tenant_alone(engine: AsyncEngine) -> None:
    """Its worker does not know yet; the tenant's budget holds all the same."""
    world = PostgresLedgers(engine)
    attempt = await handed_in(engine)
    await erase(engine, attempt)
    assert await world.ledger.reserve(attempt, BUDGETS) is None
    assert await world.spent(attempt.tenant_id) == 100
    assert await named(engine) == []
    refused = msgspec.structs.replace(attempt, id=str(uuid7()))
    assert await world.ledger.reserve(refused, Budgets(tenant=150)) == Spent("tenant", 150)


async def test_requests_amid_an_erasure_leave_no_name_behind(engine: AsyncEngine) -> None:
    """Several processes book and settle while the learner is erased: none of their rows keeps the name."""
    attempt = await handed_in(engine)
    ledgers = [LedgerStore(engine) for _ in range(4)]

    async def spend(ledger: LedgerStore) -> int:
        one = request_for(attempt.tenant_id, str(attempt.submission_id))
        if await ledger.reserve(one, Budgets()) is not None:
            return 0
        await ledger.settle(Settlement(one.id, None, Usage(1, 0, 0, 1), 40, known=True, seconds=1.0))
        return 40

    async def spend_on(ledger: LedgerStore) -> int:
        return sum([await spend(ledger) for _ in range(25)])

    spending = asyncio.gather(*[spend_on(ledger) for ledger in ledgers])
    spent, _ = await asyncio.gather(spending, erase(engine, attempt))
    assert await named(engine) == []
    assert await PostgresLedgers(engine).spent(attempt.tenant_id) == sum(spent) == 4_000


async def test_an_erasure_waits_for_who_is_booking_on_the_learner(engine: AsyncEngine) -> None:
    """And finds what was booked."""
    attempt = await handed_in(engine)
    async with engine.begin() as booking:
        await booking.execute(SHARE_MONEY, {"space": MONEY_LOCK, "tenants": [attempt.tenant_id]})
        erasing = asyncio.create_task(erase(engine, attempt))
        await somebody_waits(engine)
        await booking.execute(BOOK_ON_ADA, {"tenant_id": attempt.tenant_id})
    await erasing
    assert await named(engine) == []


async def test_who_books_waits_for_an_erasure_and_finds_the_learner_gone(engine: AsyncEngine) -> None:
    attempt = await handed_in(engine)
    async with engine.begin() as erasing:
        await erasing.execute(LOCK_MONEY, {"space": MONEY_LOCK, "tenant_id": attempt.tenant_id})
        booking = asyncio.create_task(LedgerStore(engine).reserve(attempt, BUDGETS))
        await somebody_waits(engine)
        await erasing.execute(text("DELETE FROM submissions"))
    assert await booking is None
    assert await named(engine) == []
    assert await PostgresLedgers(engine).spent(attempt.tenant_id) == 100


async def test_an_erasure_waits_for_who_is_booking_without_a_limit(engine: AsyncEngine) -> None:
    """Who does so holds the submission, and both are found when it is gone."""
    attempt = await handed_in(engine)
    async with engine.begin() as booking:
        await booking.execute(BOOK_FREELY, {"rows": as_json([attempt])})
        erasing = asyncio.create_task(erase(engine, attempt))
        await somebody_waits(engine, "transactionid")
    await erasing
    assert await named(engine) == []
    assert await PostgresLedgers(engine).spent(attempt.tenant_id) == 100


async def test_who_books_without_a_limit_waits_for_an_erasure_and_finds_the_learner_gone(engine: AsyncEngine) -> None:
    attempt = await handed_in(engine)
    async with engine.begin() as erasing:
        await erasing.execute(text("DELETE FROM submissions"))
        booking = asyncio.create_task(LedgerStore(engine).reserve(attempt, Budgets()))
        await somebody_waits(engine, "transactionid")
    assert await booking is None
    assert await named(engine) == []
    assert await PostgresLedgers(engine).spent(attempt.tenant_id) == 100


async def somebody_waits(engine: AsyncEngine, lock: str = "advisory") -> None:
    """Until somebody waits: for the lock on a tenant's money, or for another transaction to end."""
    waiting = text(f"SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = '{lock}' AND NOT granted)")
    async with asyncio.timeout(10), engine.connect() as watching:
        while not (await watching.execute(waiting)).scalar_one():  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0)
