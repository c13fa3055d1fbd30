"""Rows that make no sense are refused by Postgres itself, whoever writes them."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.store.engine import create_engine

UUID = "gen_random_uuid()"
REPLY = (
    "INSERT INTO llm_replies (tenant_id, key, token, asker_id, {}) VALUES (1, uuid_send({uuid}), {uuid}, {uuid}, {})"
)
ATTEMPT = (
    "INSERT INTO llm_attempts (id, tenant_id, purpose, provider, model, account, prompt_version, {})"
    " VALUES ({uuid}, 1, 'feedback', 'p', 'm', 'a', 'v', {})"
)
JOB = "INSERT INTO generations (id, tenant_id, kind, input, {}) VALUES ({uuid}, 1, 'summary', '{{}}', {})"
BATCH = "INSERT INTO llm_batches (id, provider, account, {}) VALUES ({uuid}, 'p', 'a', {})"
BUDGET = "INSERT INTO llm_budgets (tenant_id, learner_id, day, {}) VALUES (1, '', current_date, {})"
ASSIGNMENT = (
    "INSERT INTO feedback_assignments (tenant_id, submission_id, question_id, experiment, arm, {})"
    " VALUES (1, {uuid}, 'q', 'tone', 'warm', {})"
)
RATING = (
    "INSERT INTO feedback_ratings (tenant_id, submission_id, question_id, learner_id, {})"
    " VALUES (1, {uuid}, 'q', 'ada', {})"
)

LEGAL = [
    (REPLY, "state, lease_expires_at", "'asked', now()"),
    (REPLY, "state, quiet_until, reason", "'abandoned', now(), 'deadline'"),
    (ATTEMPT, "state, estimate", "'open', 5"),
    (ATTEMPT, "state, estimate, cost, cost_known, settled_at", "'lost', 5, 5, false, now()"),
    (ATTEMPT, "state, estimate, cost, cost_known, settled_at, trouble", "'settled', 5, 0, true, now(), 'overloaded'"),
    (JOB, "state, available_at", "'pending', now()"),
    (JOB, "state, finished_at, result", "'completed', now(), '{{}}'"),
    (BATCH, "state", "'collecting'"),
    (BATCH, "state, remote_id, sent_at", "'sent', 'b', now()"),
    (BUDGET, "spent", "0"),
    (ASSIGNMENT, "source", "'template'"),
    (RATING, "rating", "5"),
]

ILLEGAL = [
    (REPLY, "state", "'asked'"),
    (REPLY, "state", "'answered'"),
    (REPLY, "state, text", "'answered', 'text'"),
    (REPLY, "state, lease_expires_at, reason", "'asked', now(), 'deadline'"),
    (REPLY, "state, quiet_until", "'abandoned', now()"),
    (REPLY, "state, lease_expires_at", "'lost', now()"),
    (ATTEMPT, "state, estimate", "'open', -1"),
    (ATTEMPT, "state, estimate, cost, cost_known", "'open', 5, 5, true"),
    (ATTEMPT, "state, estimate, settled_at", "'settled', 5, now()"),
    (ATTEMPT, "state, estimate, cost, cost_known, settled_at", "'lost', 5, 5, true, now()"),
    (ATTEMPT, "state, estimate, trouble", "'open', 5, 'overloaded'"),
    (ATTEMPT, "state, estimate, cost, cost_known, settled_at, input_tokens", "'settled', 5, 5, true, now(), 1"),
    (JOB, "state", "'pending'"),
    (JOB, "state, lease_expires_at", "'running', now()"),
    (JOB, "state, finished_at", "'completed', now()"),
    (JOB, "state, finished_at", "'failed', now()"),
    (JOB, "state, available_at, attempts", "'pending', now(), 1"),
    (BATCH, "state", "'sent'"),
    (BATCH, "state, remote_id, sent_at", "'done', 'b', now()"),
    (BATCH, "state, size", "'sending', 0"),
    (BATCH, "state, tries", "'sending', -1"),
    (BUDGET, "spent", "-1"),
    (ASSIGNMENT, "source", "'ai'"),
    (RATING, "rating", "0"),
    (RATING, "rating", "6"),
]


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database_url, pool_size=1)
    yield engine
    await engine.dispose()


async def insert(engine: AsyncEngine, row: tuple[str, str, str]) -> None:
    statement, columns, values = row
    async with engine.begin() as connection:
        await connection.exec_driver_sql(statement.format(columns, values, uuid=UUID).replace("{{}}", "{}"))


async def test_rows_as_they_should_be_are_taken(engine: AsyncEngine) -> None:
    """So that those below are refused for what is wrong with them."""
    for row in LEGAL:
        await insert(engine, row)


async def test_rows_that_make_no_sense_are_refused(engine: AsyncEngine) -> None:
    for row in ILLEGAL:
        with pytest.raises(IntegrityError, match="check constraint"):
            await insert(engine, row)


async def test_one_key_waits_in_one_batch_only(engine: AsyncEngine) -> None:
    """Nobody pays twice for the same by sending it twice."""
    item = (
        "INSERT INTO llm_batch_items (custom_id, tenant_id, key, submission_id, prompt, route, state, deadline_at)"
        " VALUES (:id, :tenant_id, '0123456789abcdef', gen_random_uuid(), '{}', 'p/m', :state, now())"
    )
    async with engine.begin() as connection:
        for number, (tenant_id, state) in enumerate([(1, "failed"), (1, "waiting"), (2, "waiting")]):
            values = {"id": str(number), "tenant_id": tenant_id, "state": state}
            await connection.execute(text(item), values)
    with pytest.raises(IntegrityError, match="llm_batch_items_open_key"):
        async with engine.begin() as connection:
            await connection.execute(text(item), {"id": "again", "tenant_id": 1, "state": "waiting"})
