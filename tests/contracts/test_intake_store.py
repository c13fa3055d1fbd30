"""Accepting submissions on a real Postgres: whole or not at all, once per key."""

import asyncio

import pytest
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.model import NewSubmission, Question
from pipeline.ports import Accepted, IntakeStore, Repeated, Stale
from pipeline.store.bank import BankStore
from tests.contracts.house import PostgresHouse
from tests.samples import a_hand_in, a_question, new_tenant, stored_questions
from tests.sums import query


@pytest.fixture
def house(postgres_house: PostgresHouse) -> PostgresHouse:
    return postgres_house


@pytest.fixture
def intake(house: PostgresHouse) -> IntakeStore:
    return house.intake


def keyed(house: PostgresHouse, key: str, fingerprint: bytes = b"one") -> NewSubmission:
    return a_hand_in(house.tenant_id, house.questions, idempotency_key=key, fingerprint=fingerprint)


async def stored(engine: AsyncEngine) -> int:
    return int((await query(engine, "SELECT count(*) FROM submissions"))[0][0])


async def test_the_same_key_from_many_at_once_makes_one_row(
    house: PostgresHouse, intake: IntakeStore, engine: AsyncEngine
) -> None:
    """Twenty transactions at once: one is accepted, the others are shown it."""
    batches = [[keyed(house, "k")] for _ in range(20)]
    answers = [answer for [answer] in await asyncio.gather(*[intake.accept(batch) for batch in batches])]
    [winner] = [batch[0].id for batch, answer in zip(batches, answers, strict=True) if isinstance(answer, Accepted)]
    assert answers.count(Repeated(winner, same_body=True)) == 19
    assert await stored(engine) == 1


async def test_a_look_up_that_fails_undoes_nothing_of_what_was_stored_before_it(
    house: PostgresHouse, intake: IntakeStore, engine: AsyncEngine
) -> None:
    """The new one is accepted; the one that was there before, and cannot be found just now, may try again."""
    [first] = await intake.accept([keyed(house, "k")])
    assert isinstance(first, Accepted)

    def fail(_: object, __: object, sql: str, *___: object) -> None:
        if "encode(s.fingerprint" in sql:
            raise OperationalError("look-up", None, Exception("the connection broke"))

    event.listen(engine.sync_engine, "before_cursor_execute", fail)
    try:
        answers = await intake.accept([keyed(house, "new"), keyed(house, "k")])
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", fail)
    assert isinstance(answers[0], Accepted)
    assert answers[1] == Stale(())
    assert await stored(engine) == 2


async def test_batches_with_the_same_keys_in_opposite_order_do_not_block_each_other(
    house: PostgresHouse, intake: IntakeStore, engine: AsyncEngine
) -> None:
    keys = [f"k{i}" for i in range(20)]
    batches = [[keyed(house, key) for key in (keys if i % 2 else reversed(keys))] for i in range(10)]
    await asyncio.gather(*[intake.accept(batch) for batch in batches])
    assert await stored(engine) == 20


async def test_the_same_key_twice_in_one_batch_makes_one_row(house: PostgresHouse, intake: IntakeStore) -> None:
    first, second = keyed(house, "k"), keyed(house, "k")
    answers = dict(zip((first.id, second.id), await intake.accept([first, second]), strict=True))
    [accepted] = [id_ for id_, answer in answers.items() if isinstance(answer, Accepted)]
    assert Repeated(accepted, same_body=True) in answers.values()


async def test_the_same_key_with_another_body_is_told(house: PostgresHouse, intake: IntakeStore) -> None:
    first = keyed(house, "k")
    await intake.accept([first])
    assert await intake.accept([keyed(house, "k", b"two")]) == [Repeated(first.id, same_body=False)]


async def test_another_tenants_key_is_another_key(
    house: PostgresHouse, intake: IntakeStore, engine: AsyncEngine
) -> None:
    await intake.accept([keyed(house, "k")])
    tenant_id = await new_tenant(engine, "elsewhere")
    questions = await stored_questions(engine, tenant_id)
    [answer] = await intake.accept([a_hand_in(tenant_id, questions, idempotency_key="k", fingerprint=b"one")])
    assert isinstance(answer, Accepted)


async def test_a_stale_question_is_refused_then_accepted_after_a_new_look(
    house: PostgresHouse, intake: IntakeStore, engine: AsyncEngine
) -> None:
    """Its neighbour in the batch is accepted all the same; nothing of the refused one is stored."""
    stale = a_hand_in(house.tenant_id, house.questions, ("a", "b"))
    fresh = a_hand_in(house.tenant_id, house.questions[1:], ("a",))
    await BankStore(engine).save(house.tenant_id, [changed(a_question(0))])
    answers = await intake.accept([stale, fresh])
    assert answers[0] == Stale(("q0",))
    assert isinstance(answers[1], Accepted)
    for table in ("submissions", "answers", "stages"):
        column = "id" if table == "submissions" else "submission_id"
        found = await query(engine, f"SELECT DISTINCT {column}::text FROM {table}")
        assert [row[0] for row in found] == [fresh.id]
    bank = await BankStore(engine).current(house.tenant_id, ["q0", "q1"])
    [again] = await intake.accept([a_hand_in(house.tenant_id, [bank["q0"], bank["q1"]], ("a", "b"))])
    assert isinstance(again, Accepted)


def changed(question: Question) -> Question:
    return Question(**{name: getattr(question, name) for name in question.__struct_fields__} | {"prompt": "New?"})


async def test_accepted_means_its_first_stage_is_ready(house: PostgresHouse, engine: AsyncEngine) -> None:
    [id_] = await house.accept(1)
    found = await query(engine, "SELECT stage, state, available_at IS NOT NULL FROM stages ORDER BY stage")
    assert [tuple(row) for row in found] == [
        ("feedback", "waiting", False),
        ("metrics", "waiting", False),
        ("recommend", "waiting", False),
        ("score", "ready", True),
    ]
    assert (await house.status(id_))[1] == 1


async def test_a_batch_with_one_bad_row_stores_nothing(
    house: PostgresHouse, intake: IntakeStore, engine: AsyncEngine
) -> None:
    """Postgres cannot hold a NUL; the whole batch is refused, and who sent it may send the others again."""
    bad = a_hand_in(house.tenant_id, house.questions, learner_id="a\x00b")
    with pytest.raises(DBAPIError, match="unsupported Unicode escape"):
        await intake.accept([a_hand_in(house.tenant_id, house.questions), bad])
    assert await stored(engine) == 0
