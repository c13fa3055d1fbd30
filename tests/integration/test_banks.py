"""Candidates of many and of large banks, from a real Postgres."""

import asyncio
import threading
from collections.abc import Sequence
from typing import Any, cast

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from pipeline.learning.candidate import Candidate
from pipeline.learning.start import GUESSED
from pipeline.scoring.bank import parse_question
from pipeline.store.bank import BankStore
from pipeline.store.candidates import FRESH_SECONDS, RATINGS, Banks, TenantBank, fresh_seconds
from pipeline.store.engine import transaction
from pipeline.store.shelving import Row, candidates_of
from tests.samples import new_tenant

QUESTION = {"type": "true_false", "prompt": "Is it?", "answer": {"value": True}, "topics": ["logic"]}
SECONDS = 10.0


class Reader:
    """Makes candidates of what was read, and counts it."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def __call__(self, rows: Sequence[Row]) -> dict[int, Candidate]:
        self.sizes.append(len(rows))
        return candidates_of(rows)


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

    def read(rows: Sequence[Row]) -> dict[int, Candidate]:
        assert turned.wait(SECONDS), "the event loop stood still"
        return candidates_of(rows)

    tenant_id = await tenant_with(engine, 7)
    loading = asyncio.create_task(load(engine, Banks(computed_at_once=3, reading=read), tenant_id))
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


async def test_a_bank_that_two_batches_miss_is_read_once(engine: AsyncEngine) -> None:
    tenant_id = await tenant_with(engine, 4)
    reader = Reader()
    banks = Banks(reading=reader)
    await asyncio.gather(*[load(engine, banks, tenant_id) for _ in range(3)])
    assert reader.sizes == [4]


async def test_of_a_bank_that_changed_only_what_changed_is_read(engine: AsyncEngine) -> None:
    tenant_id = await tenant_with(engine, 4)
    reader = Reader()
    banks = Banks(reading=reader)
    before = await bank_of(engine, banks, tenant_id)
    changed = parse_question({**QUESTION, "topics": ["sets"], "language": "ko"}, question_id="q-001")
    await BankStore(engine).save(tenant_id, [changed, parse_question(QUESTION, question_id="another")])
    after = await bank_of(engine, banks, tenant_id)
    await bank_of(engine, banks, tenant_id)
    assert reader.sizes == [4, 2]
    assert (before.candidates["en"].topics, after.candidates["en"].topics) == (("logic",), ("logic",))
    assert after.candidates["ko"].topics == ("sets",)
    assert after.candidates == (await bank_of(engine, Banks(), tenant_id)).candidates


async def test_saves_at_the_same_time_are_all_seen_by_whoever_reads_in_between(engine: AsyncEngine) -> None:
    """Keys of versions are given out in the order of commits: none stays behind the last one that was read."""
    tenant_id = await tenant_with(engine, 0)
    banks, store = Banks(), BankStore(engine)

    async def save(number: int) -> None:
        new = [parse_question(QUESTION, question_id=f"q-{number}-{part}") for part in range(number % 3 + 1)]
        await store.save(tenant_id, new)
        await load(engine, banks, tenant_id)

    await asyncio.gather(*[save(number) for number in range(12)])
    assert (await load(engine, banks, tenant_id)) == (await load(engine, Banks(), tenant_id))
    assert len((await load(engine, banks, tenant_id))[tenant_id]) == 24


async def test_difficulties_learnt_meanwhile_are_taken_in_now_and_then(engine: AsyncEngine) -> None:
    tenant_id = await tenant_with(engine, 3)
    now = [100.0]
    banks = Banks(lambda: now[0])
    await load(engine, banks, tenant_id)
    await execute(
        engine,
        "INSERT INTO item_ratings (question_key, tenant_id, rating, answers)"
        " SELECT key, tenant_id, CASE WHEN id = 'q-001' THEN 1.5 ELSE 0.01 END, 1 FROM questions",
    )
    assert difficulties(await bank_of(engine, banks, tenant_id)) == [0.0, 0.0, 0.0]
    now[0] += FRESH_SECONDS + 1
    assert difficulties(await bank_of(engine, banks, tenant_id)) == [0.01, 1.5, 0.01]
    await execute(engine, "UPDATE item_ratings SET rating = rating + CASE WHEN rating > 1 THEN 0.5 ELSE 0.02 END")
    now[0] += FRESH_SECONDS + 1
    assert difficulties(await bank_of(engine, banks, tenant_id)) == [0.01, 2.0, 0.01]


async def test_questions_that_nobody_answered_begin_where_those_of_their_topics_are(engine: AsyncEngine) -> None:
    """As soon as difficulties are taken in, and so do questions that come later, and a process that starts then."""
    tenant_id = await tenant_with(engine, 3)
    now = [100.0]
    banks = Banks(lambda: now[0])
    await load(engine, banks, tenant_id)
    await execute(
        engine,
        "INSERT INTO item_ratings (question_key, tenant_id, rating, answers)"
        " SELECT key, tenant_id, 1.0, 9 FROM questions WHERE id <> 'q-001'",
    )
    now[0] += FRESH_SECONDS + 1
    begin = pytest.approx((2 + GUESSED * 2 / (2 + GUESSED)) / (2 + GUESSED))
    assert difficulties(await bank_of(engine, banks, tenant_id)) == [1.0, begin, 1.0]
    assert difficulties(await bank_of(engine, Banks(), tenant_id)) == [1.0, begin, 1.0]
    await BankStore(engine).save(tenant_id, [parse_question(QUESTION, question_id="q-007")])
    assert difficulties(await bank_of(engine, banks, tenant_id)) == [1.0, begin, 1.0, begin]


class Breaking:
    """A connection that breaks where difficulties are asked for."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def execute(self, statement: Any, values: Any = None) -> Any:
        if statement is RATINGS:
            raise ConnectionResetError
        return await self._connection.execute(statement, values)


async def test_a_bank_whose_renewal_broke_off_half_way_is_whole_after_the_next(engine: AsyncEngine) -> None:
    tenant_id = await tenant_with(engine, 3)
    now = [100.0]
    banks = Banks(lambda: now[0])
    await load(engine, banks, tenant_id)
    changed = parse_question({**QUESTION, "topics": ["sets"]}, question_id="q-001")
    await BankStore(engine).save(tenant_id, [changed])
    now[0] += FRESH_SECONDS + 1
    async with transaction(engine) as connection:
        with pytest.raises(ConnectionResetError):
            await banks.load(cast("AsyncConnection", Breaking(connection)), {tenant_id})
    after = await bank_of(engine, banks, tenant_id)
    assert after.candidates == (await bank_of(engine, Banks(), tenant_id)).candidates


async def test_a_curriculum_comes_with_the_bank_and_anew_when_it_changed(engine: AsyncEngine) -> None:
    tenant_id = await tenant_with(engine, 1)
    banks = Banks()
    assert (await bank_of(engine, banks, tenant_id)).guide.curriculum.version == 0
    await execute(
        engine,
        "INSERT INTO curriculum_entries (tenant_id, kind, id, position, body) VALUES"
        ' (1, \'resource\', \'r\', 0, \'{"title": "T", "kind": "video", "url": "https://example.org",'
        ' "topics": ["logic"]}\')',
    )
    await execute(engine, "UPDATE tenants SET curriculum_version = 1")
    guide = (await bank_of(engine, banks, tenant_id)).guide
    assert guide.curriculum.version == 1
    assert [resource.title for resource in guide.by_topic["logic"].resources] == ["T"]


def test_the_larger_a_bank_the_longer_its_difficulties_serve() -> None:
    assert [fresh_seconds(count) for count in (0, 2_000, 10_000, 100_000)] == [60.0, 60.0, 300.0, 600.0]


async def bank_of(engine: AsyncEngine, banks: Banks, tenant_id: int) -> TenantBank:
    async with transaction(engine) as connection:
        return (await banks.load(connection, {tenant_id}))[tenant_id]


async def execute(engine: AsyncEngine, statement: str) -> None:
    async with transaction(engine) as connection:
        await connection.exec_driver_sql(statement)


def difficulties(bank: TenantBank) -> list[float]:
    found = {one.question_id: one for index in bank.candidates.values() for one in candidates_in(index)}
    return [found[id_].difficulty for id_ in sorted(found)]


def candidates_in(index: Any) -> list[Candidate]:
    return [one for shelves in index.shelves.values() for row in shelves.rows for one in row]
