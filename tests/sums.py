"""What must add up after any run: one result each, skills as a replay gives them, figures as a recount does."""

from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.lifecycle import Stage, StageState, Status, status_of
from pipeline.service.rebuilding import Rebuilder
from pipeline.store.engine import transaction
from pipeline.store.rebuilding import RebuildStore

OF_TENANT = "(CAST(:tenant AS int) IS NULL OR {}.tenant_id = :tenant)"


async def query(engine: AsyncEngine, sql: str, **values: Any) -> list[Any]:
    async with transaction(engine) as connection:
        return list((await connection.execute(text(sql), values)).all())


async def assert_all_completed_once(engine: AsyncEngine, count: int) -> None:
    """Every accepted submission is completed, each stage's result is there once, nothing counted twice."""
    assert await query(engine, "SELECT status, count(*) FROM submissions GROUP BY 1") == [("completed", count)]
    results = await query(engine, "SELECT stage, count(*) FROM results GROUP BY 1 ORDER BY 1")
    assert [tuple(row) for row in results] == [("feedback", count), ("recommend", count), ("score", count)]
    await assert_sums_hold(engine)


async def assert_sums_hold(engine: AsyncEngine) -> None:
    """Skills and item ratings equal a replay one by one; figures equal a recount; no status lies."""
    assert await differences(engine) == []


async def differences(engine: AsyncEngine, tenant_id: int | None = None) -> list[str]:
    """What does not add up, of one tenant or of all: a sentence each."""
    return [
        *await learning_differences(engine, tenant_id),
        *await minute_differences(engine),
        *await status_differences(engine, tenant_id),
    ]


async def learning_differences(engine: AsyncEngine, tenant_id: int | None) -> list[str]:
    """Skills, memories, ratings, steps and figures, to the last digit, against a replay of all answers in order."""
    rebuilder = Rebuilder(RebuildStore(engine))
    wanted = [tenant_id] if tenant_id is not None else (await rebuilder.tenants()).values()
    return [str(one) for each in wanted for one in (await rebuilder.check(each)).first]


async def minute_differences(engine: AsyncEngine) -> list[str]:
    """Figures per minute belong to no tenant: they count every submission whose metrics are done."""
    (done,) = await query(engine, "SELECT count(*)::int FROM stages WHERE stage = 'metrics' AND state = 'done'")
    minutes = await query(engine, "SELECT stage, sum(count)::int FROM stage_minutes GROUP BY 1")
    counted = {stage.value: done[0] for stage in Stage} if done[0] else {}
    return compare("the minutes of", {row[0]: row[1] for row in minutes}, counted)


def compare(what: str, stored: dict[Any, Any], expected: dict[Any, Any]) -> list[str]:
    """A sentence for each key whose value is not what it should be."""
    keys = sorted(stored.keys() | expected.keys(), key=str)
    return [
        f"{what} {key} is {stored.get(key)}, and should be {expected.get(key)}"
        for key in keys
        if stored.get(key) != expected.get(key)
    ]


async def status_differences(engine: AsyncEngine, tenant_id: int | None) -> list[str]:
    """A submission's stored status is what its stages say (a claim may be ahead of `pending`)."""
    found = await query(
        engine,
        "SELECT s.id, s.status, jsonb_object_agg(t.stage, t.state) AS states FROM submissions s"
        " JOIN stages t ON t.submission_id = s.id WHERE " + OF_TENANT.format("s") + " GROUP BY s.tenant_id, s.id",
        tenant=tenant_id,
    )
    return [
        f"submission {row.id} is {row.status} while its stages are {row.states}"
        for row in found
        if not follows(row.status, row.states)
    ]


def follows(status: str, states: dict[str, str]) -> bool:
    expected = status_of({Stage(stage): StageState(state) for stage, state in states.items()})
    return status == expected or {status, expected} == {Status.PENDING, Status.SCORING}
