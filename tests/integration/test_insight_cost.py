"""What a look at language models reads, counted in pages, so that the machine's speed does not matter."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from api.llm_metrics import BOUNDS
from pipeline.store.engine import create_engine, transaction
from pipeline.store.insight import OPINIONS, REPLIES, SERVINGS, SPENT, SUMS, TALLIES, TROUBLES
from tests.plans import pages_read

MANY = 100_000
FEW = 100
FEW_PAGES = 150

ATTEMPTS = text(
    "INSERT INTO llm_attempts (id, tenant_id, purpose, provider, model, account, prompt_version, state, estimate, cost,"
    " cost_known, settled_at, started_at, duration_ms, input_tokens, output_tokens)"
    " SELECT gen_random_uuid(), :tenant_id, 'feedback', 'p', 'm', 'a', 'v', 'settled', 1, 1, true, now(),"
    " now() - make_interval(days => :days_ago, secs => n * 0.001), n, n, n FROM generate_series(1, :many) n"
)
ASSIGNMENTS = text(
    "INSERT INTO feedback_assignments (tenant_id, submission_id, question_id, experiment, arm, source, created_at)"
    " SELECT 1, gen_random_uuid(), 'q', 'e', 'a', 'template', now() - make_interval(days => 3)"
    " FROM generate_series(1, :many) n"
)
RATINGS = text(
    "INSERT INTO feedback_ratings (tenant_id, submission_id, question_id, learner_id, rating, arm, created_at)"
    " SELECT 1, gen_random_uuid(), 'q', 'u', 3, 'e/a', now() - make_interval(days => 3)"
    " FROM generate_series(1, :many) n"
)
OLD_OTHERS_AND_NEW = ((1, 3, MANY), (2, 0, MANY), (1, 0, FEW))
"""Tenant, days ago, how many: what was long ago, what another tenant does now, and what is to be found."""
WINDOW: dict[str, Any] = {"tenant_id": 1, "minutes": 60}
BUCKETS: dict[str, Any] = {"tenant_id": 1, "durations": list(BOUNDS.durations_ms), "tokens": list(BOUNDS.tokens)}


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """A database with a long past, and a busy neighbour."""
    engine = create_engine(database_url, pool_size=1, pool_wait_seconds=5)
    async with transaction(engine, seconds=120) as connection:
        for tenant_id, days_ago, many in OLD_OTHERS_AND_NEW:
            await connection.execute(ATTEMPTS, {"tenant_id": tenant_id, "days_ago": days_ago, "many": many})
        await connection.execute(ASSIGNMENTS, {"many": MANY})
        await connection.execute(RATINGS, {"many": MANY})
    yield engine
    await engine.dispose()


async def test_a_look_reads_no_more_than_the_tenants_own_calls_of_the_time(engine: AsyncEngine) -> None:
    """However long the past is, and whatever others do."""
    tenant = {"tenant_id": 1}
    looks = [(SUMS, WINDOW), (TROUBLES, WINDOW), (REPLIES, tenant), (SERVINGS, WINDOW), (OPINIONS, WINDOW)]
    for query, values in [*looks, (SPENT, tenant), (TALLIES, BUCKETS)]:
        read = await pages_read(engine, query, values)
        assert read < FEW_PAGES, (query.text, read)
