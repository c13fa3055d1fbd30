"""What a sweep reads, counted in pages, so that the machine's speed does not matter."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.lifecycle import Stage
from pipeline.store.background import FORGET as FORGET_BACKGROUNDS
from pipeline.store.delivery_upkeep import UNTAKEN_DELIVERIES, UNTAKEN_OF_EVERY_LANE
from pipeline.store.engine import create_engine, transaction
from pipeline.store.journal import FORGET
from pipeline.store.ledger import CLOSE_LOST, FORGET_ATTEMPTS, FORGET_BUDGETS
from pipeline.store.upkeep import FIND_UNTAKEN
from tests.plans import pages_read

MANY = 20_000
FEW_PAGES = 50

PUT_OFF_STAGES = text(
    "INSERT INTO stages (submission_id, stage, tenant_id, state, attempts, epoch, available_at, queued_at)"
    " SELECT gen_random_uuid(), 'feedback', 1, 'ready', 1, 1, now() + interval '1 hour', now()"
    " FROM generate_series(1, :many)"
)
PUT_OFF_DELIVERIES = text(
    "INSERT INTO deliveries (id, tenant_id, submission_id, event, url, lane, payload, state, attempts, epoch,"
    " available_at) SELECT gen_random_uuid(), 1, gen_random_uuid(), 'submission.completed', 'https://a.example', 'a',"
    " '{}', 'ready', 1, 1, now() + interval '1 hour' FROM generate_series(1, :many)"
)


REPLIES = text(
    "INSERT INTO llm_replies (tenant_id, key, state, token, asker_id, lease_expires_at)"
    " SELECT 1, uuid_send(gen_random_uuid()), 'asked', gen_random_uuid(), gen_random_uuid(), now()"
    " FROM generate_series(1, :many)"
)
BACKGROUNDS = text(
    "INSERT INTO feedback_backgrounds (submission_id, tenant_id, picture)"
    " SELECT gen_random_uuid(), 1, '{}' FROM generate_series(1, :many)"
)
ATTEMPTS = text(
    "INSERT INTO llm_attempts (id, tenant_id, purpose, provider, model, account, prompt_version, state, estimate, cost,"
    " cost_known, settled_at) SELECT gen_random_uuid(), 1, 'feedback', 'p', 'm', 'a', 'v', 'settled', 1, 1, true, now()"
    " FROM generate_series(1, :many)"
)
BUDGETS = text(
    "INSERT INTO llm_budgets (tenant_id, learner_id, day, spent)"
    " SELECT n, '', current_date - 100, 1 FROM generate_series(1, :many) n"
    " UNION ALL SELECT 1, 'u-' || n, current_date, 1 FROM generate_series(1, :many) n"
)


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """A database in which thousands of stages and deliveries wait for their next try."""
    engine = create_engine(database_url, pool_size=1, pool_wait_seconds=5)
    async with transaction(engine) as connection:
        await connection.execute(PUT_OFF_STAGES, {"many": MANY})
        await connection.execute(PUT_OFF_DELIVERIES, {"many": MANY})
    yield engine
    await engine.dispose()


@pytest.mark.parametrize("with_retries", [True, False])
async def test_a_sweep_does_not_walk_stages_that_are_put_off(engine: AsyncEngine, *, with_retries: bool) -> None:
    values = {"stage": Stage.FEEDBACK, "grace_seconds": 3.0, "most": 5_000, "with_retries": with_retries}
    assert await pages_read(engine, FIND_UNTAKEN, values) < FEW_PAGES


async def test_a_sweep_does_not_walk_deliveries_that_are_put_off(engine: AsyncEngine) -> None:
    assert await pages_read(engine, UNTAKEN_DELIVERIES, {"grace_seconds": 3.0, "most": 5_000}) < FEW_PAGES


async def test_a_look_into_every_lane_does_not_walk_what_is_put_off(engine: AsyncEngine) -> None:
    assert await pages_read(engine, UNTAKEN_OF_EVERY_LANE, {"of_each": 100}) < FEW_PAGES


@pytest.mark.parametrize("forgetting", [FORGET, FORGET_BACKGROUNDS, CLOSE_LOST, FORGET_ATTEMPTS, FORGET_BUDGETS])
async def test_forgetting_does_not_walk_what_is_kept(engine: AsyncEngine, forgetting: TextClause) -> None:
    """Replies and requests of today, learners' budgets of today, and tenants' sums of all days."""
    async with transaction(engine) as connection:
        for filling in (REPLIES, BACKGROUNDS, ATTEMPTS, BUDGETS):
            await connection.execute(filling, {"many": MANY})
    values = {"older_seconds": 86_400.0, "most": 1_000}
    assert await pages_read(engine, forgetting, values) < FEW_PAGES
