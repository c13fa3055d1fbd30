"""Each port's makers: the real one, and the fake where there is one."""

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.store.access import AccessStore
from tests.contracts.house import FakeHouse, House, PostgresHouse


@pytest.fixture
async def tenants(engine: AsyncEngine) -> tuple[int, int]:
    """Two tenants of this test's database."""
    access = AccessStore(engine)
    first, second = [
        await access.ensure_tenant(name, token_secret="t", callback_secret="c") for name in ("school", "academy")
    ]
    return first, second


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
