"""A process that stops amid a request: what was not sent costs nothing, and what was paid for is kept."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.exchange import Prompt, Reply, Trouble
from pipeline.generation.asking import Asker
from pipeline.generation.assignment import Assignment
from pipeline.generation.flight import Flights, Wish
from pipeline.ports.generation import Answered, Budgets, Tell, Wanted
from pipeline.store.engine import create_engine
from pipeline.store.erasure import LOCK_MONEY
from pipeline.store.journal import JournalStore
from pipeline.store.ledger import MONEY_LOCK
from tests.contracts.house import PostgresHouse
from tests.contracts.ledger_world import Noted, PostgresLedgers
from tests.integration.test_erased_money import somebody_waits
from tests.unit.generation.parts import GOOD, Clock, FlatMeter, OpenGate, assignment, route

BOUND = Budgets(tenant=10_000)


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database_url, pool_size=10, pool_wait_seconds=30)
    yield engine
    await engine.dispose()


class Obliging:
    """A provider that always does well; before it answers, something happens."""

    def __init__(self) -> None:
        self.route, self.asked = route("first"), list[Prompt]()
        self.meanwhile: Callable[[], Awaitable[Any]] | None = None

    async def send(self, prompt: Prompt, *, user: str, key: str, seconds: float, tell: Tell | None = None) -> Reply:
        assert (user, tell) == ("hash", None)
        assert (bool(key), seconds > 0) == (True, True)
        self.asked.append(prompt)
        if self.meanwhile is not None:
            await self.meanwhile()
        return GOOD

    async def close(self) -> None: ...


class Desk:
    """Flights of one process over real stores, to a provider that always does well."""

    def __init__(self, engine: AsyncEngine, house: PostgresHouse, submission_id: str) -> None:
        self.engine, self.clock, self.world = engine, Clock(), PostgresLedgers(engine)
        self.provider = Obliging()
        self.journal = JournalStore(engine)
        self.tenant_id = house.tenant_id
        self.wanted = Wanted(house.tenant_id, b"k" * 32, submission_id)
        self.flights = Flights(
            journal=self.journal,
            asker=Asker(
                providers={self.provider.route.name: self.provider},
                gate=OpenGate(self.clock),
                ledger=self.world.ledger,
                meter=FlatMeter(),
                deadline_seconds=60.0,
                queue_seconds=60.0,
                clock=self.clock,
                rest=self.clock.rest,
            ),
            fresh_seconds=600.0,
            patience_seconds=5.0,
        )

    def assignment(self) -> Assignment:
        return msgspec.structs.replace(
            assignment(self.provider.route),
            tenant_id=self.wanted.tenant_id,
            submission_id=self.wanted.submission_id,
            budgets=BOUND,
        )

    def take_off(self) -> "asyncio.Task[object]":
        return asyncio.create_task(self.flights.get(Wish(self.wanted, self.assignment())))

    async def attempts(self) -> list[Noted | None]:
        async with self.engine.begin() as connection:
            ids = await connection.execute(text("SELECT id::text FROM llm_attempts"))
        return [await self.world.noted(row.id) for row in ids]


@pytest.fixture
async def desk(engine: AsyncEngine) -> Desk:
    house = PostgresHouse(engine)
    await house.furnish()
    [submission_id] = await house.accept(1)
    return Desk(engine, house, submission_id)


async def test_who_is_stopped_while_it_is_booked_sends_nothing_and_pays_nothing(desk: Desk) -> None:
    """The booking is under way in Postgres when the process stops, and is committed after that."""
    async with desk.engine.begin() as erasing:
        await erasing.execute(LOCK_MONEY, {"space": MONEY_LOCK, "tenant_id": desk.tenant_id})
        flight = desk.take_off()
        await somebody_waits(desk.engine)
        closing = asyncio.create_task(desk.flights.close())
        await asyncio.sleep(0)
    await closing
    assert isinstance((await asyncio.gather(flight, return_exceptions=True))[0], asyncio.CancelledError)
    assert desk.provider.asked == []
    assert await desk.attempts() == [Noted("settled", 0, True, Trouble.CUT_OFF)]
    assert await desk.world.spent(desk.tenant_id) == 0


async def test_a_reply_that_was_paid_for_is_kept_though_the_process_stops(desk: Desk) -> None:
    """The reply is there, and what it cost waits for a lock when the process stops."""
    async with desk.engine.begin() as other:
        desk.provider.meanwhile = partial(other.execute, text("SELECT FROM llm_budgets FOR UPDATE"))
        flight = desk.take_off()
        await somebody_waits(desk.engine, "transactionid")
        closing = asyncio.create_task(desk.flights.close())
        await asyncio.sleep(0)
    await closing
    await asyncio.gather(flight, return_exceptions=True)
    assert await desk.attempts() == [Noted("settled", 15, True, None, 5, 1)]
    standing = await desk.journal.begin(desk.wanted, lease_seconds=1.0, fresh_seconds=600.0)
    assert isinstance(standing, Answered)
    assert (standing.text, len(desk.provider.asked)) == ("good", 1)
