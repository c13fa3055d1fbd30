"""What the cache of question versions promises."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.model import Question
from pipeline.store.access import AccessStore
from pipeline.store.bank import BankStore
from pipeline.store.engine import create_engine, transaction
from pipeline.store.question import QuestionVersions
from tests.contracts.test_bank_store import a_question


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database_url, pool_size=1)
    yield engine
    await engine.dispose()


async def keys_of(engine: AsyncEngine, questions: list[Question]) -> list[int]:
    tenant = await AccessStore(engine).ensure_tenant("school", token_secret="t", callback_secret="c")
    bank = BankStore(engine)
    await bank.save(tenant, questions)
    stored = await bank.current(tenant, [question.id for question in questions])
    return [stored[question.id].version_key for question in questions]


async def test_a_full_cache_is_emptied_without_forgetting_what_is_asked_for(engine: AsyncEngine) -> None:
    """The one that was kept comes back too when the others it is asked for with don't fit."""
    first, second, third = await keys_of(engine, [a_question(name) for name in ("a", "b", "c")])
    versions = QuestionVersions(most=2)
    async with transaction(engine) as connection:
        assert set(await versions.load(connection, [first, second])) == {first, second}
        found = await versions.load(connection, [second, third])
    assert {key: found[key].question.id for key in (second, third)} == {second: "b", third: "c"}
