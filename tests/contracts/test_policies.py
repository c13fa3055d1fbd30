"""The contract of `pipeline.ports.generation.PolicyStore`, run against Postgres and the fake."""

import asyncio

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.errors import Unavailable
from pipeline.ports import generation
from pipeline.ports.generation import Budgets, Policy
from pipeline.store.engine import create_engine, transaction
from pipeline.store.policy import KEPT_SECONDS, PolicyStore
from tests.contracts.fakes.policy import MemoryPolicies

DEFAULT = Policy(budgets=Budgets(tenant=5_000_000_000, learner=None))
OWN = Policy("local", Budgets(tenant=0, learner=7), batch=True)


class World:
    """A store whose clock the test turns; `elsewhere` is that of another process."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.now = 1000.0
        self.store, self.elsewhere = [PolicyStore(engine, default=DEFAULT, clock=lambda: self.now) for _ in range(2)]


@pytest.fixture
async def world(engine: AsyncEngine) -> World:
    async with transaction(engine) as connection:
        await connection.execute(
            text("INSERT INTO tenants (name, token_secret, callback_secret) VALUES ('a', 's', 's'), ('b', 's', 's')")
        )
    return World(engine)


@pytest.fixture(params=["fake", "postgres"])
def store(request: pytest.FixtureRequest) -> generation.PolicyStore:
    if request.param == "fake":
        return MemoryPolicies(DEFAULT)
    found: World = request.getfixturevalue("world")
    return found.store


async def test_who_has_set_nothing_is_under_the_installations_policy(store: generation.PolicyStore) -> None:
    assert await store.of(1) == DEFAULT


async def test_what_is_set_holds_for_that_tenant_alone(store: generation.PolicyStore) -> None:
    await store.set(1, OWN, actor="key:1")
    assert await store.of(1) == OWN
    assert await store.of(2) == DEFAULT


async def test_the_last_policy_that_was_set_holds(store: generation.PolicyStore) -> None:
    for policy in (OWN, Policy("off", Budgets(1, 2))):
        await store.set(1, policy, actor="key:1")
    assert await store.of(1) == Policy("off", Budgets(1, 2))


async def test_a_budget_that_is_left_open_is_the_installations(store: generation.PolicyStore) -> None:
    await store.set(1, Policy("local"), actor="key:1")
    assert await store.of(1) == Policy("local", DEFAULT.budgets)


async def test_another_process_follows_within_seconds(world: World) -> None:
    assert (await world.elsewhere.of(1)).mode == "cloud"
    await world.store.set(1, OWN, actor="key:1")
    assert await world.store.of(1) == OWN
    world.now += KEPT_SECONDS
    assert await world.elsewhere.of(1) == OWN


async def test_two_hundred_who_ask_at_once_cost_one_statement_or_two(world: World, engine: AsyncEngine) -> None:
    asked: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        asked.append(statement)

    event.listen(engine.sync_engine, "before_cursor_execute", note)
    await asyncio.gather(*[world.store.of(1 + number % 2) for number in range(200)])
    await world.store.of(1)
    assert len(asked) <= 2


async def test_every_change_is_in_the_audit_log_with_its_reason(world: World, engine: AsyncEngine) -> None:
    await world.store.set(1, OWN, actor="key:1", reason="no consent")
    async with transaction(engine) as connection:
        [act] = (await connection.execute(text("SELECT tenant_id, actor, action, reason, target FROM audit_log"))).all()
    target = {"mode": "local", "tenant_budget": 0, "learner_budget": 7, "batch": True}
    assert tuple(act) == (1, "key:1", "llm.policy", "no consent", target)


async def test_without_postgres_nothing_is_allowed_once_it_is_not_known_any_more() -> None:
    engine = create_engine("postgresql://nobody@127.0.0.1:1/none", pool_size=1)
    with pytest.raises(Unavailable):
        await PolicyStore(engine, default=DEFAULT).of(1)
    await engine.dispose()
