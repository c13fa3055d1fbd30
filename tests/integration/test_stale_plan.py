"""What is kept of calls to models grows within seconds; a plan made before that must do afterwards."""

from typing import Any, Final

import msgspec
import pytest
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.store import journal, money
from tests.plans import pages_read_by_prepared
from tests.samples import new_tenant

FEW: Final = 50
MANY: Final = 3_000
MOST_PAGES: Final = 100
"""All the pages of one of these tables are more, and so are those of its index."""

ATTEMPTS: Final = text(
    """
    INSERT INTO llm_attempts (id, tenant_id, learner_id, submission_id, question_id, purpose, provider, model, account,
        prompt_version, state, estimate, started_at)
    SELECT gen_random_uuid(), :tenant_id, 'learner-' || n, gen_random_uuid(), 'q', 'feedback', 'openai',
        'gpt-6-luna', 'main', 'p@1', 'open', 10, now()
    FROM generate_series(CAST(:begin AS int), :end) AS n
    """
)
BUDGETS: Final = text(
    """
    INSERT INTO llm_budgets (tenant_id, learner_id, day, spent)
    SELECT :tenant_id, 'learner-' || n, CAST(now() AT TIME ZONE 'UTC' AS date), 10
    FROM generate_series(CAST(:begin AS int), :end) AS n
    """
)
REPLIES: Final = text(
    """
    INSERT INTO llm_replies (tenant_id, key, state, token, asker_id, lease_expires_at)
    SELECT :tenant_id, decode(lpad(to_hex(n), 64, '0'), 'hex'), 'asked', gen_random_uuid(), gen_random_uuid(), now()
    FROM generate_series(CAST(:begin AS int), :end) AS n
    """
)
ANY_ATTEMPT: Final = text("SELECT id::text FROM llm_attempts LIMIT 1")
ANY_REPLY: Final = text(
    "SELECT tenant_id, encode(key, 'hex') AS key, token::text, token::text AS seen, state AS seen_state,"
    " gen_random_uuid()::text AS asker_id, 12.0 AS lease_seconds, 3.0 AS quiet_seconds, 'stopped' AS reason,"
    " 'So.' AS text, 'openai' AS provider, 'gpt-6-luna' AS model, 'p@1' AS prompt_version FROM llm_replies LIMIT 1"
)
SETTLED: Final[dict[str, Any]] = {"cost": 5, "known": True, "cut_quotations": 0}

STATEMENTS: Final = {
    "settle": (money.SETTLE, ANY_ATTEMPT, SETTLED),
    "begin": (journal.BEGIN, ANY_REPLY, {}),
    "take": (journal.TAKE, ANY_REPLY, {}),
    "renew": (journal.RENEW, ANY_REPLY, {}),
    "answer": (journal.ANSWER, ANY_REPLY, {}),
    "abandon": (journal.ABANDON, ANY_REPLY, {}),
}


@pytest.mark.parametrize(("query", "look", "more"), STATEMENTS.values(), ids=STATEMENTS)
async def test_one_row_costs_no_more_when_there_are_many(
    engine: AsyncEngine, query: TextClause, look: TextClause, more: dict[str, Any]
) -> None:
    """The plan is made when the tables have 50 rows, and used when they have 3,000."""
    tenant_id = await new_tenant(engine)
    async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:

        async def fill(begin: int, end: int) -> None:
            for insert in (ATTEMPTS, BUDGETS, REPLIES):
                await connection.execute(insert, {"tenant_id": tenant_id, "begin": begin, "end": end})

        await fill(1, FEW)
        await connection.execute(text("ANALYZE llm_attempts, llm_budgets, llm_replies"))
        read = await pages_read_by_prepared(connection, query)
        await fill(FEW + 1, MANY)
        row = (await connection.execute(look)).one()._asdict() | more
        pages = await read(msgspec.json.encode([row]).decode())
    assert pages < MOST_PAGES
