"""The contract of `pipeline.ports.DeliveryStore`, run against Postgres and the fake."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from pipeline.delivery.reply import DeliveryState, DeliveryVerdict
from pipeline.ports import DeliveryClaim, DeliveryResult
from pipeline.store.engine import create_engine
from tests.contracts.delivery_memory import MemoryDeliveries
from tests.contracts.delivery_postgres import PostgresDeliveries
from tests.contracts.delivery_world import DeliveryWorld, Noted

WORKER, OTHER = str(uuid4()), str(uuid4())
DELIVERED = DeliveryVerdict(DeliveryState.DELIVERED, status=204)
AGAIN = DeliveryVerdict(DeliveryState.READY, 30.0, status=503, error="the receiver answered 503")
DEAD = DeliveryVerdict(DeliveryState.DEAD, error="refused")
GONE = DeliveryVerdict(DeliveryState.DEAD, status=410, error="gone", disable=True)


@pytest.fixture(params=["postgres", "memory"])
def database(request: pytest.FixtureRequest) -> str | None:
    """The database of each implementation in turn; None for the one that needs none."""
    return request.getfixturevalue("database_url") if request.param == "postgres" else None


@pytest.fixture
async def world(database: str | None) -> AsyncIterator[DeliveryWorld]:
    if database is None:
        yield MemoryDeliveries()
        return
    engine = create_engine(database, pool_size=8)
    yield PostgresDeliveries(engine)
    await engine.dispose()


async def claim_one(world: DeliveryWorld, delivery_id: str, worker: str = WORKER) -> DeliveryClaim:
    (claim,) = await world.store.claim([delivery_id], worker, 20)
    return claim


def result(claim: DeliveryClaim, verdict: DeliveryVerdict = DELIVERED) -> DeliveryResult:
    return DeliveryResult(claim, verdict, 12)


async def test_what_is_due_is_told_with_its_lane_oldest_first(world: DeliveryWorld) -> None:
    first, second = await world.add(), await world.add()
    due = await world.store.due([second, str(uuid4()), first])
    assert [delivery.id for delivery in due] == [first, second]
    assert due[0].lane != due[1].lane


async def test_callbacks_of_one_origin_share_a_lane(world: DeliveryWorld) -> None:
    ids = [await world.add(url="https://school.example/a", endpoint=False) for _ in range(2)]
    assert len({delivery.lane for delivery in await world.store.due(ids)}) == 1


async def test_a_claimed_delivery_is_not_due_and_not_claimed_again(world: DeliveryWorld) -> None:
    delivery_id = await world.add()
    claim = await claim_one(world, delivery_id)
    assert (claim.id, claim.epoch, claim.attempt, claim.resumed) == (delivery_id, 1, 1, False)
    assert claim.secret is not None
    assert await world.store.due([delivery_id]) == []
    assert await world.store.claim([delivery_id], OTHER, 20) == []


async def test_racing_claims_hand_each_delivery_to_one_worker(world: DeliveryWorld) -> None:
    ids = [await world.add() for _ in range(20)]
    claims = await asyncio.gather(*[world.store.claim(ids, str(uuid4()), 20) for _ in range(6)])
    assert sorted(claim.id for batch in claims for claim in batch) == sorted(ids)


async def test_a_delivered_one_is_done(world: DeliveryWorld) -> None:
    claim = await claim_one(world, await world.add())
    assert await world.store.record([result(claim)], WORKER) == {claim.id}
    assert await world.state(claim.id) == "delivered"
    assert await world.ledger(claim.id) == [Noted(1, 204, None)]
    await world.pass_time(100_000)
    assert await world.store.claim([claim.id], WORKER, 20) == []


async def test_a_failed_one_rests_as_long_as_its_verdict_says(world: DeliveryWorld) -> None:
    claim = await claim_one(world, await world.add())
    await world.store.record([result(claim, AGAIN)], WORKER)
    await world.pass_time(25)
    assert await world.store.claim([claim.id], WORKER, 20) == []
    await world.pass_time(6)
    again = await claim_one(world, claim.id)
    assert (again.attempt, again.epoch, again.payload) == (2, 2, claim.payload)
    assert again.age_seconds == pytest.approx(31, abs=1)
    assert await world.ledger(claim.id) == [Noted(1, 503, "the receiver answered 503")]


async def test_a_dead_one_is_not_handed_out(world: DeliveryWorld) -> None:
    claim = await claim_one(world, await world.add())
    await world.store.record([result(claim, DEAD)], WORKER)
    await world.pass_time(100_000)
    assert await world.store.due([claim.id]) == []
    assert await world.ledger(claim.id) == [Noted(1, None, "refused")]


async def test_an_expired_lease_is_handed_out_anew_and_the_ledger_says_so(world: DeliveryWorld) -> None:
    claim = await claim_one(world, await world.add())
    await world.pass_time(21)
    again = await claim_one(world, claim.id, OTHER)
    assert (again.epoch, again.attempt, again.resumed) == (2, 2, True)
    (lost,) = await world.ledger(claim.id)
    assert lost.number == 1
    assert "the worker was lost" in (lost.error or "")


async def test_a_zombies_result_changes_nothing(world: DeliveryWorld) -> None:
    zombie = await claim_one(world, await world.add())
    await world.pass_time(21)
    owner = await claim_one(world, zombie.id, OTHER)
    before = await world.ledger(zombie.id)
    assert await world.store.record([result(zombie, DEAD)], WORKER) == set()
    assert await world.state(zombie.id) == "running"
    assert await world.ledger(zombie.id) == before
    assert await world.store.record([result(owner)], OTHER) == {owner.id}


async def test_a_result_under_a_strangers_name_is_refused(world: DeliveryWorld) -> None:
    claim = await claim_one(world, await world.add())
    assert await world.store.record([result(claim)], OTHER) == set()
    assert await world.state(claim.id) == "running"


async def test_a_result_is_recorded_once(world: DeliveryWorld) -> None:
    claim = await claim_one(world, await world.add())
    assert await world.store.record([result(claim, AGAIN)], WORKER) == {claim.id}
    assert await world.store.record([result(claim, AGAIN)], WORKER) == set()
    assert len(await world.ledger(claim.id)) == 1


async def test_a_zombie_in_a_batch_does_not_keep_its_neighbours_from_being_recorded(world: DeliveryWorld) -> None:
    zombie = await claim_one(world, await world.add())
    await world.pass_time(21)
    await claim_one(world, zombie.id, OTHER)
    alive = await claim_one(world, await world.add())
    assert await world.store.record([result(zombie), result(alive)], WORKER) == {alive.id}
    assert await world.state(alive.id) == "delivered"


async def test_what_is_given_back_is_due_at_once_and_did_not_count(world: DeliveryWorld) -> None:
    claim = await claim_one(world, await world.add())
    assert await world.store.give_back([claim], WORKER) == [claim.id]
    again = await claim_one(world, claim.id, OTHER)
    assert (again.attempt, again.epoch, again.resumed) == (1, 2, False)
    assert await world.store.give_back([claim], WORKER) == []


async def test_a_gone_receiver_gets_nothing_more(world: DeliveryWorld) -> None:
    claim = await claim_one(world, await world.add())
    await world.store.record([result(claim, GONE)], WORKER)
    assert not await world.endpoint_enabled(claim.id)


async def test_a_deleted_endpoints_delivery_is_claimed_without_a_secret(world: DeliveryWorld) -> None:
    delivery_id = await world.add()
    await world.remove_endpoint(delivery_id)
    assert (await claim_one(world, delivery_id)).secret is None
