"""Candidates of many and of large banks, from a real Postgres."""

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.scoring.bank import parse_question
from pipeline.store.bank import BankStore
from pipeline.store.candidates import FRESH_SECONDS, Banks, candidates_by_language
from pipeline.store.engine import create_engine, transaction
from tests.samples import new_tenant

QUESTION = {"type": "true_false", "prompt": "Is it?", "answer": {"value": True}, "topics": ["logic"]}
SECONDS = 10.0


class Builder:
    """Builds banks and counts them."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def __call__(self, rows: Sequence[Any]) -> Any:
        self.sizes.append(len(rows))
        return candidates_by_language(rows)


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database_url, pool_size=5)
    yield engine
    await engine.dispose()


async def tenant_with(engine: AsyncEngine, count: int, name: str = "school") -> int:
    """A tenant with so many questions."""
    tenant_id = await new_tenant(engine, name)
    await BankStore(engine).save(tenant_id, [parse_question(QUESTION, question_id=f"q-{n:03}") for n in range(count)])
    return tenant_id


async def load(engine: AsyncEngine, banks: Banks, *tenant_ids: int) -> dict[int, list[str]]:
    """The ids of the questions in the banks of these tenants."""
    async with transaction(engine) as connection:
        loaded = await banks.load(connection, set(tenant_ids))
    return {tenant_id: sorted(bank.key_by_id) for tenant_id, bank in loaded.items()}


@pytest.mark.parametrize("count", [0, 1, 3, 4, 6, 7])
async def test_a_bank_read_in_parts_is_whole(engine: AsyncEngine, count: int) -> None:
    tenant_id = await tenant_with(engine, count)
    found = await load(engine, Banks(read_at_once=3), tenant_id)
    assert found == {tenant_id: [f"q-{n:03}" for n in range(count)]}


async def test_a_large_bank_is_built_while_the_event_loop_goes_on(engine: AsyncEngine) -> None:
    """The build waits for the loop to turn: built on the loop, it would wait for ever, and heartbeats with it."""
    turned = threading.Event()

    def build(rows: Sequence[Any]) -> Any:
        assert turned.wait(SECONDS), "the event loop stood still"
        return candidates_by_language(rows)

    tenant_id = await tenant_with(engine, 7)
    loading = asyncio.create_task(load(engine, Banks(read_at_once=3, build=build), tenant_id))
    while not loading.done():
        await asyncio.sleep(0.01)
        turned.set()
    assert len((await loading)[tenant_id]) == 7


async def test_banks_not_asked_for_the_longest_are_dropped(engine: AsyncEngine) -> None:
    first, second, third = [await tenant_with(engine, 4, name) for name in ("first", "second", "third")]
    banks = Banks(most_questions=10)
    await load(engine, banks, first)
    await load(engine, banks, second)
    await load(engine, banks, first)
    await load(engine, banks, third)
    assert list(banks.kept) == [first, third]


async def test_a_batch_gets_all_its_banks_though_they_are_more_than_are_kept(engine: AsyncEngine) -> None:
    tenants = [await tenant_with(engine, 4, name) for name in ("first", "second", "third")]
    banks = Banks(most_questions=4)
    assert {len(ids) for ids in (await load(engine, banks, *tenants)).values()} == {4}
    assert len(banks.kept) == 1


async def test_a_bank_that_two_batches_miss_is_built_once(engine: AsyncEngine) -> None:
    tenant_id = await tenant_with(engine, 4)
    builder = Builder()
    banks = Banks(build=builder)
    await asyncio.gather(*[load(engine, banks, tenant_id) for _ in range(3)])
    assert builder.sizes == [4]


async def test_a_bank_is_built_anew_when_it_changed_and_now_and_then(engine: AsyncEngine) -> None:
    tenant_id = await tenant_with(engine, 1)
    builder, now = Builder(), [100.0]
    banks = Banks(lambda: now[0], build=builder)
    await load(engine, banks, tenant_id)
    await load(engine, banks, tenant_id)
    await BankStore(engine).save(tenant_id, [parse_question(QUESTION, question_id="another")])
    await load(engine, banks, tenant_id)
    now[0] += FRESH_SECONDS + 1
    await load(engine, banks, tenant_id)
    assert builder.sizes == [1, 2, 2]
