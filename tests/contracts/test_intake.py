"""Many clients whose submissions share a transaction, on a real Postgres."""

import asyncio

from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.service.hand_in import AnswerIn, SubmissionIn
from pipeline.service.submitting import Intake, Submitted
from pipeline.store.bank import BankStore
from tests.contracts.fakes.live import FakeBell, FakeBoard
from tests.contracts.house import PostgresHouse
from tests.sums import query


def intake_of(house: PostgresHouse, bell: FakeBell, board: FakeBoard | None = None) -> Intake:
    return Intake(store=house.intake, bank=BankStore(house.engine), bell=bell, board=board or FakeBoard())


def given(learner_id: str) -> SubmissionIn:
    return SubmissionIn(learner_id=learner_id, answers=[AnswerIn("q0", response="a")])


async def test_one_that_postgres_refuses_fails_for_its_client_only(
    postgres_house: PostgresHouse, engine: AsyncEngine
) -> None:
    """Checks keep such a text out; should one slip through, its neighbours in the batch are accepted and rung."""
    bell = FakeBell()
    intake = intake_of(postgres_house, bell)
    learners = ["ada", "nul\x00", "bob", "eve"]
    replies = await asyncio.gather(
        *[intake.submit(postgres_house.tenant_id, given(learner)) for learner in learners], return_exceptions=True
    )
    await intake.drain()
    kinds = [type(reply) for reply in replies]
    assert kinds[:1] + kinds[2:] == [Submitted] * 3
    assert isinstance(replies[1], Exception)
    stored = {row[0] for row in await query(engine, "SELECT id::text FROM submissions")}
    assert stored == {reply.id for reply in replies if isinstance(reply, Submitted)}
    assert {id_ for _, ids, _ in bell.rung for id_ in ids} == stored


async def test_accepted_without_a_bell_is_accepted_and_shown(postgres_house: PostgresHouse) -> None:
    bell, board = FakeBell(), FakeBoard()
    bell.away = True
    intake = intake_of(postgres_house, bell, board)
    submitted = await intake.submit(postgres_house.tenant_id, given("ada"))
    await intake.drain()
    assert (await postgres_house.status(submitted.id))[1] == 1
    assert set(board.shown) == {submitted.id}


async def test_accepted_without_a_board_is_accepted_and_rung(postgres_house: PostgresHouse) -> None:
    bell, board = FakeBell(), FakeBoard()
    board.away = True
    intake = intake_of(postgres_house, bell, board)
    submitted = await intake.submit(postgres_house.tenant_id, given("ada"))
    await intake.drain()
    assert bell.rung == [("score", (submitted.id,), False)]
