"""The history that the chaos driver keeps accuses whoever breaks a rule, and nobody else."""

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.store.engine import transaction
from pipeline.store.submission import IntakeStore
from tests.chaos import history
from tests.samples import a_hand_in, new_tenant, stored_questions

CLAIM = """UPDATE stages SET state = 'running', epoch = epoch + 1, attempts = attempts + 1, available_at = NULL,
    worker_id = gen_random_uuid(), started_at = now(), lease_expires_at = now() WHERE stage = 'score'"""
END = """UPDATE stages SET state = 'done', worker_id = NULL, lease_expires_at = NULL, finished_at = now()
    WHERE stage = 'score'"""
STORE = "INSERT INTO results SELECT submission_id, stage, tenant_id, '{}' FROM stages WHERE stage = 'score'"
FOLLOW = """UPDATE stages SET state = 'done', epoch = epoch + 1, attempts = attempts + 1, finished_at = now()
    WHERE stage = 'feedback'"""
LOSE = """UPDATE stages SET state = 'ready', worker_id = NULL, lease_expires_at = NULL, available_at = now()
    WHERE stage = 'score'"""
COMPLETE = "UPDATE submissions SET status = 'completed', version = version + 1, completed_at = now()"


@pytest.fixture
async def tenant_id(engine: AsyncEngine) -> int:
    """A tenant with one submission, under observation."""
    await history.install(engine)
    tenant_id = await new_tenant(engine)
    questions = await stored_questions(engine, tenant_id)
    await IntakeStore(engine).accept([a_hand_in(tenant_id, questions)])
    return tenant_id


async def happen(engine: AsyncEngine, *transactions: tuple[str, ...]) -> None:
    for statements in transactions:
        async with transaction(engine) as connection:
            for statement in statements:
                await connection.execute(text(statement))


async def rules_broken(engine: AsyncEngine, tenant_id: int) -> set[str]:
    found = await history.broken_rules(engine, tenant_id)
    return {rule for rule in history.RULES for one in found if one.startswith(f"{rule}: ")}


async def test_a_life_by_the_rules_is_not_accused(engine: AsyncEngine, tenant_id: int) -> None:
    """A lease that is lost, the work done under the next one, a follower ended in the same write."""
    await happen(engine, (CLAIM,), (LOSE,), (CLAIM,), (END, FOLLOW, STORE), (COMPLETE,))
    assert await rules_broken(engine, tenant_id) == set()


@pytest.mark.parametrize(
    ("transactions", "rule"),
    [
        ([(CLAIM,), (LOSE,), ("UPDATE stages SET epoch = 0, attempts = 0",)], "epochs only grow"),
        ([(CLAIM.replace("epoch + 1", "epoch + 2"),), (END, STORE)], "each handing-out has the next epoch"),
        ([(CLAIM,), (END,), (FOLLOW,)], "a stage is handed out only when it is ready"),
        ([(CLAIM,), ("UPDATE stages SET worker_id = gen_random_uuid() WHERE stage = 'score'",)], "a lease does not"),
        ([(CLAIM,), (END.replace("SET", "SET epoch = epoch + 1,"),)], "only the epoch that runs is ended"),
        (
            [(CLAIM,), (END, STORE), (LOSE.replace("available_at", "finished_at = NULL, available_at"),)],
            "a final stage",
        ),
        ([(COMPLETE,), (COMPLETE.replace("completed'", "failed'").replace("now()", "NULL"),)], "a final submission"),
        ([(COMPLETE.replace("version + 1", "version + 2"),)], "versions of a submission"),
        ([(CLAIM,), (END,), (STORE,)], "a result is stored in the transaction"),
        ([(CLAIM,), (END, STORE), ("UPDATE results SET body = '{\"other\": 1}'",)], "a result is stored"),
        ([("DELETE FROM stages WHERE stage = 'metrics'",)], "nothing is deleted"),
    ],
)
async def test_a_broken_rule_is_named(
    engine: AsyncEngine, tenant_id: int, transactions: list[tuple[str, ...]], rule: str
) -> None:
    await happen(engine, *transactions)
    assert [one for one in await rules_broken(engine, tenant_id) if one.startswith(rule)] != []


async def test_moments_of_recovery_are_those_of_postgres(engine: AsyncEngine, tenant_id: int) -> None:
    """Nothing became final before it did; afterwards both questions have the same answer."""
    assert await history.first_final_after(engine, tenant_id, 0.0) is None
    await happen(engine, (COMPLETE,))
    first = await history.first_final_after(engine, tenant_id, 0.0)
    assert first is not None
    assert await history.last_final_of_earlier(engine, tenant_id, first) == first
    assert await history.first_final_after(engine, tenant_id, first) is None
