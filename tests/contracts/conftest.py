"""Each port's makers: the real one, and the fake where there is one."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.store.engine import create_engine
from tests.contracts.house import FakeHouse, House, PostgresHouse


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """Connections to this test's database, enough for many at once."""
    engine = create_engine(database_url, pool_size=20, pool_wait_seconds=30)
    yield engine
    await engine.dispose()


@pytest.fixture
async def postgres_house(engine: AsyncEngine) -> PostgresHouse:
    house = PostgresHouse(engine)
    await house.furnish()
    return house


@pytest.fixture(params=["fake", "postgres"])
def house(request: pytest.FixtureRequest) -> House:
    """A work store of either kind."""
    if request.param == "fake":
        return FakeHouse()
    found: PostgresHouse = request.getfixturevalue("postgres_house")
    return found
