"""What feedback is written with: read once, and the same ever after."""

import asyncio

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.ports.generation import Learning
from pipeline.store.background import BackgroundStore
from pipeline.store.engine import transaction
from tests.contracts.house import PostgresHouse
from tests.samples import new_tenant

SKILL = """
    INSERT INTO skills (tenant_id, learner_id, topic, rating, answers, correct, updated_at)
    VALUES (:tenant_id, 'ada', :topic, :rating, 10, 5, clock_timestamp())
"""


async def run(engine: AsyncEngine, sql: str, **values: object) -> None:
    async with transaction(engine) as connection:
        await connection.execute(text(sql), values)


async def test_a_repeated_stage_sees_the_learner_as_at_first(
    postgres_house: PostgresHouse, engine: AsyncEngine
) -> None:
    """What the learner did meanwhile would change the request, and so pay for it twice."""
    [id_] = await postgres_house.accept(1)
    await run(engine, SKILL, tenant_id=postgres_house.tenant_id, topic="loops", rating=3.0)
    learning = Learning(postgres_house.tenant_id, id_, "ada")
    first = await BackgroundStore(engine).of(learning)
    await run(engine, "UPDATE skills SET rating = -3.0")
    again = await BackgroundStore(engine).of(learning)
    assert first is not None
    assert (first.picture.level, again) == ("advanced", first)


async def test_many_at_once_each_get_their_own(postgres_house: PostgresHouse, engine: AsyncEngine) -> None:
    ids = await postgres_house.accept(30)
    await run(engine, SKILL, tenant_id=postgres_house.tenant_id, topic="loops", rating=3.0)
    store, tenant_id = BackgroundStore(engine), postgres_house.tenant_id
    found = await asyncio.gather(
        *[store.of(Learning(tenant_id, id_, "ada" if i % 2 else "bob")) for i, id_ in enumerate(ids)]
    )
    assert [one and one.picture.level for one in found] == [None, "advanced"] * 15


async def test_another_tenants_submission_has_no_background(postgres_house: PostgresHouse, engine: AsyncEngine) -> None:
    [id_] = await postgres_house.accept(1)
    stranger = await new_tenant(engine, "another school")
    assert await BackgroundStore(engine).of(Learning(stranger, id_, "ada")) is None


async def test_what_was_erased_has_no_background(postgres_house: PostgresHouse, engine: AsyncEngine) -> None:
    [id_] = await postgres_house.accept(1)
    await run(engine, "DELETE FROM submissions")
    assert await BackgroundStore(engine).of(Learning(postgres_house.tenant_id, id_, "ada")) is None


async def test_old_pictures_are_forgotten(postgres_house: PostgresHouse, engine: AsyncEngine) -> None:
    store = BackgroundStore(engine)
    for id_ in await postgres_house.accept(2):
        await store.of(Learning(postgres_house.tenant_id, id_, "ada"))
    assert await store.forget(older_seconds=60.0, most=10) == 0
    await run(engine, "UPDATE feedback_backgrounds SET created_at = created_at - interval '2 minutes'")
    assert await store.forget(older_seconds=60.0, most=1) == 1
    assert await store.forget(older_seconds=60.0, most=10) == 1
