"""The contract of `pipeline.ports.generation.Ledger`, run against Postgres and the fake."""

import asyncio
from collections.abc import AsyncIterator, Callable
from itertools import cycle

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.exchange import Purpose, Trouble, Usage
from pipeline.ports.generation import Attempt, Budgets, Settlement, Spent
from pipeline.store.engine import create_engine
from pipeline.store.ledger import LedgerStore
from tests.contracts.ledger_world import LedgerWorld, MemoryLedgers, Noted, PostgresLedgers, an_attempt

DAY = 86_400
USAGE = Usage(input_tokens=120, cached_input_tokens=100, output_tokens=40, reasoning_tokens=10)


@pytest.fixture(params=["fake", "postgres"])
def world(request: pytest.FixtureRequest) -> LedgerWorld:
    """A ledger of either kind."""
    return MemoryLedgers() if request.param == "fake" else PostgresLedgers(request.getfixturevalue("engine"))


@pytest.fixture
async def engines(database_url: str) -> AsyncIterator[Callable[[int], list[AsyncEngine]]]:
    """Connections to the same database for so many processes."""
    opened: list[AsyncEngine] = []

    def connections(count: int) -> list[AsyncEngine]:
        fresh = [create_engine(database_url, pool_size=3, pool_wait_seconds=30) for _ in range(count)]
        opened.extend(fresh)
        return fresh

    yield connections
    for engine in opened:
        await engine.dispose()


def paid(attempt: Attempt, cost: int, trouble: Trouble | None = None) -> Settlement:
    return Settlement(attempt.id, trouble, USAGE, cost, known=True, seconds=1.5, cut_quotations=2)


async def test_a_reservation_counts_against_tenant_and_learner(world: LedgerWorld) -> None:
    ada, bob = an_attempt(estimate=100), an_attempt(learner_id="bob", estimate=30)
    assert await world.ledger.reserve(ada, Budgets(1000, 500)) is None
    assert await world.ledger.reserve(bob, Budgets()) is None
    assert await world.ledger.reserve(an_attempt(learner_id=None, estimate=7), Budgets(1000, 500)) is None
    assert [await world.spent(1), await world.spent(1, "ada"), await world.spent(1, "bob")] == [137, 100, 30]
    assert await world.noted(ada.id) == Noted("open", None, None)


async def test_a_budget_may_be_spent_to_the_last_unit_and_not_beyond(world: LedgerWorld) -> None:
    assert await world.ledger.reserve(an_attempt(estimate=100), Budgets(100, 100)) is None
    assert await world.ledger.reserve(an_attempt(estimate=0), Budgets(100, 100)) is None
    assert await world.ledger.reserve(an_attempt(estimate=1), Budgets(100, 200)) == Spent("tenant", 100)
    assert await world.ledger.reserve(an_attempt(estimate=1), Budgets(200, 100)) == Spent("learner", 100)


async def test_a_refused_request_books_nothing_anywhere(world: LedgerWorld) -> None:
    """A tenant with room does not pay for a learner without."""
    refused = an_attempt(estimate=60)
    assert await world.ledger.reserve(refused, Budgets(1000, 50)) == Spent("learner", 50)
    assert await world.noted(refused.id) is None
    assert (await world.spent(1), await world.spent(1, "ada")) == (0, 0)


async def test_a_zero_budget_lets_only_free_requests_through(world: LedgerWorld) -> None:
    assert await world.ledger.reserve(an_attempt(estimate=1), Budgets(tenant=0)) == Spent("tenant", 0)
    assert await world.ledger.reserve(an_attempt(estimate=0), Budgets(tenant=0)) is None


async def test_the_same_reservation_twice_is_booked_once(world: LedgerWorld) -> None:
    attempt = an_attempt(estimate=80)
    assert await world.ledger.reserve(attempt, Budgets(100)) is None
    assert await world.another().reserve(attempt, Budgets(100)) is None
    assert await asyncio.gather(*[world.ledger.reserve(attempt, Budgets(100)) for _ in range(2)]) == [None, None]
    assert await world.spent(1) == 80


async def test_settling_puts_the_true_cost_in_place_of_the_estimate(world: LedgerWorld) -> None:
    dear, cheap = an_attempt(estimate=100), an_attempt(estimate=100)
    for attempt in (dear, cheap):
        assert await world.ledger.reserve(attempt, Budgets(1000, 1000)) is None
    await asyncio.gather(world.ledger.settle(paid(dear, 130)), world.ledger.settle(paid(cheap, 20)))
    assert (await world.spent(1), await world.spent(1, "ada")) == (150, 150)
    assert await world.noted(dear.id) == Noted("settled", 130, True, None, 40, 2)


async def test_settling_twice_changes_nothing(world: LedgerWorld) -> None:
    attempt = an_attempt(estimate=100)
    await world.ledger.reserve(attempt, Budgets())
    first = paid(attempt, 20, Trouble.INVALID_REPLY)
    await asyncio.gather(*[world.ledger.settle(one) for one in (first, paid(attempt, 90))])
    await world.another().settle(paid(attempt, 90))
    assert await world.noted(attempt.id) == Noted("settled", 20, True, "invalid_reply", 40, 2)
    assert (await world.spent(1), await world.spent(1, "ada")) == (20, 20)


async def test_what_was_withdrawn_costs_nothing(world: LedgerWorld) -> None:
    attempt = an_attempt(estimate=100)
    assert await world.ledger.reserve(attempt, Budgets(1000, 500)) is None
    await world.ledger.withdraw(attempt.id)
    assert await world.noted(attempt.id) == Noted("settled", 0, True, Trouble.CUT_OFF)
    assert [await world.spent(1), await world.spent(1, "ada")] == [0, 0]


async def test_withdrawing_what_was_never_booked_notes_nothing(world: LedgerWorld) -> None:
    attempt = an_attempt()
    await world.ledger.withdraw(attempt.id)
    assert (await world.noted(attempt.id), await world.spent(1)) == (None, 0)


async def test_settling_what_was_never_reserved_books_nothing(world: LedgerWorld) -> None:
    await world.ledger.settle(paid(an_attempt(), 500))
    assert await world.spent(1) == 0


async def test_what_settling_frees_can_be_spent_again(world: LedgerWorld) -> None:
    attempt = an_attempt(estimate=100)
    await world.ledger.reserve(attempt, Budgets(100))
    assert await world.ledger.reserve(an_attempt(estimate=90), Budgets(100)) == Spent("tenant", 100)
    await world.ledger.settle(paid(attempt, 10))
    assert await world.ledger.reserve(an_attempt(estimate=90), Budgets(100)) is None


async def test_every_day_has_a_budget_of_its_own(world: LedgerWorld) -> None:
    """What was reserved yesterday and is settled today moves yesterday's sum."""
    yesterday = an_attempt(estimate=100)
    await world.ledger.reserve(yesterday, Budgets(100))
    await world.pass_time(DAY)
    assert await world.ledger.reserve(an_attempt(estimate=100), Budgets(100)) is None
    await world.ledger.settle(paid(yesterday, 40))
    assert (await world.spent(1), await world.spent(1, days_ago=1)) == (100, 40)
    assert (await world.spent(1, "ada"), await world.spent(1, "ada", days_ago=1)) == (100, 40)


async def test_tenants_budgets_are_their_own(world: LedgerWorld) -> None:
    await world.ledger.reserve(an_attempt(1, estimate=100), Budgets(100, 100))
    assert await world.ledger.reserve(an_attempt(2, estimate=100), Budgets(100, 100)) is None
    assert (await world.spent(2), await world.spent(2, "ada")) == (100, 100)


async def test_an_attempt_whose_worker_is_gone_stays_booked_at_its_estimate(world: LedgerWorld) -> None:
    lost = an_attempt(estimate=100)
    await world.ledger.reserve(lost, Budgets())
    await world.pass_time(DAY)
    young = an_attempt(estimate=100)
    await world.ledger.reserve(young, Budgets())
    assert await world.ledger.close_lost(older_seconds=600, most=10) == 1
    assert await world.ledger.close_lost(older_seconds=600, most=10) == 0
    assert await world.noted(lost.id) == Noted("lost", 100, False)
    assert await world.noted(young.id) == Noted("open", None, None)
    assert await world.spent(1, days_ago=1) == 100


async def test_closing_lost_attempts_is_bounded(world: LedgerWorld) -> None:
    for _ in range(3):
        await world.ledger.reserve(an_attempt(), Budgets())
    await world.pass_time(DAY)
    assert await world.ledger.close_lost(older_seconds=600, most=2) == 2


async def test_one_who_was_given_up_may_settle_after_all(world: LedgerWorld) -> None:
    late = an_attempt(estimate=100)
    await world.ledger.reserve(late, Budgets())
    await world.pass_time(DAY)
    await world.ledger.close_lost(older_seconds=600, most=10)
    await world.ledger.settle(paid(late, 25))
    assert await world.noted(late.id) == Noted("settled", 25, True, None, 40, 2)
    assert await world.spent(1, days_ago=1) == 25


async def test_replies_served_from_the_journal_are_counted(world: LedgerWorld) -> None:
    served = [world.ledger.note_served(1, arm, Purpose.FEEDBACK, "openai") for arm in ("a", "a", None, "b")]
    await asyncio.gather(*served)
    await world.another().note_served(1, "a", Purpose.FEEDBACK, "anthropic")
    assert [await world.served(1, arm) for arm in ("a", "b", None)] == [3, 1, 1]
    assert await world.served(2, "a") == 0


@pytest.mark.parametrize("processes", [1, 4])
async def test_a_storm_of_requests_cannot_overshoot_a_budget(
    engines: Callable[[int], list[AsyncEngine]], processes: int
) -> None:
    """Two hundred at once, of ten learners and with mixed prices, in several processes, some settling meanwhile."""
    ledgers = cycle([LedgerStore(engine) for engine in engines(processes)])
    budgets = Budgets(tenant=3_000, learner=400)
    attempts = [an_attempt(learner_id=f"u-{n % 10}", estimate=20 + 7 * (n % 13)) for n in range(200)]

    async def spend(ledger: LedgerStore, attempt: Attempt) -> int:
        if await ledger.reserve(attempt, budgets) is not None:
            return 0
        if attempt.estimate % 2:
            await ledger.settle(paid(attempt, attempt.estimate - 5))
            return attempt.estimate - 5
        return attempt.estimate

    costs = await asyncio.gather(*[spend(next(ledgers), attempt) for attempt in attempts])
    check = PostgresLedgers(engines(1)[0])
    assert await check.spent(1) == sum(costs)
    assert 2_500 < await check.spent(1) <= 3_000
    of_learners = [await check.spent(1, f"u-{n}") for n in range(10)]
    assert max(of_learners) <= 400
    assert sum(of_learners) == sum(costs)


async def test_a_wish_without_room_does_not_keep_out_its_neighbours_of_the_same_flush(engine: AsyncEngine) -> None:
    ledger = LedgerStore(engine)
    attempts = [an_attempt(estimate=estimate) for estimate in (60, 500, 40, 1)]
    spent = Spent("tenant", 100)
    assert await asyncio.gather(*[ledger.reserve(attempt, Budgets(100)) for attempt in attempts]) == [
        None,
        spent,
        None,
        spent,
    ]


async def test_what_a_provider_makes_up_harms_no_other_settlement(engine: AsyncEngine) -> None:
    """Numbers beyond all measure, and characters that cannot be stored."""
    world = PostgresLedgers(engine)
    bad, good = an_attempt(), an_attempt()
    for attempt in (bad, good):
        await world.ledger.reserve(attempt, Budgets())
    made_up = msgspec.structs.replace(
        paid(bad, -5), usage=Usage(10**30, -1, 0, 10**30, 0), code="\x00", request_id="\ud800"
    )
    await asyncio.gather(world.ledger.settle(made_up), world.ledger.settle(paid(good, 10)))
    assert (await world.noted(bad.id)) == Noted("settled", 0, True, None, 2**53, 2)
    assert (await world.noted(good.id)) == Noted("settled", 10, True, None, 40, 2)


async def test_what_waits_in_a_batch_is_not_lost(engine: AsyncEngine) -> None:
    world = PostgresLedgers(engine)
    attempt = an_attempt()
    await world.ledger.reserve(attempt, Budgets())
    async with engine.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO llm_batch_items (custom_id, batch_id, tenant_id, key, submission_id, prompt, route, state,"
                " attempt_id, deadline_at) VALUES ('c', gen_random_uuid(), 1, '0123456789abcdef', gen_random_uuid(),"
                " '{}', 'openai/gpt-6-luna', 'sent', CAST(:id AS uuid), now())"
            ),
            {"id": attempt.id},
        )
    await world.pass_time(DAY)
    assert await world.ledger.close_lost(older_seconds=600, most=10) == 0


async def test_old_attempts_and_budgets_of_learners_are_forgotten_and_sums_of_tenants_stay(engine: AsyncEngine) -> None:
    world = PostgresLedgers(engine)
    settled, still_open = an_attempt(), an_attempt()
    for attempt in (settled, still_open):
        await world.ledger.reserve(attempt, Budgets())
    await world.ledger.settle(paid(settled, 30))
    assert await world.ledger.forget(older_seconds=600, most=10) == 0
    await world.pass_time(3 * DAY)
    assert await world.ledger.forget(older_seconds=600, most=10) == 2
    assert await world.noted(settled.id) is None
    assert await world.noted(still_open.id) == Noted("open", None, None)
    assert (await world.spent(1, days_ago=3), await world.spent(1, "ada", days_ago=3)) == (130, 0)
