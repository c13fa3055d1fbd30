"""Finding what waits for a person costs the same, however much waits for nobody."""

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.ports import SubmissionFilter
from pipeline.store.browsing import browsing
from pipeline.store.engine import transaction
from tests.plans import pages_read
from tests.samples import new_tenant

SUBMISSIONS = 20_000
WAITING = 50
MOST_PAGES = 400
"""A few for each of the submissions found; reading all would take thousands."""

FILL = """
    WITH made AS (
        INSERT INTO submissions (id, tenant_id, learner_id, status, version, completed_at)
        SELECT gen_random_uuid(), :tenant, 'u-' || n % 100, 'completed', 3, now() FROM generate_series(1, :count) AS n
        RETURNING id
    )
    INSERT INTO results (submission_id, stage, tenant_id, body)
    SELECT id, stage, :tenant, jsonb_build_object('provisional', row_number() OVER () <= :waiting, 'answers', '[]')
    FROM made CROSS JOIN (VALUES ('score'), ('recommend')) AS s(stage)
"""


@pytest.mark.parametrize("analysed", [False, True])
async def test_what_waits_is_found_without_looking_at_the_rest(engine: AsyncEngine, analysed: bool) -> None:
    tenant_id = await new_tenant(engine)
    async with transaction(engine) as connection:
        filling = {"tenant": tenant_id, "count": SUBMISSIONS, "waiting": 2 * WAITING}
        await connection.execute(text(FILL), filling)
        if analysed:
            await connection.execute(text("ANALYZE submissions, results"))
    statement, values = browsing(tenant_id, SubmissionFilter(needs_review=True), None, 20)
    assert await pages_read(engine, statement, values) < MOST_PAGES
