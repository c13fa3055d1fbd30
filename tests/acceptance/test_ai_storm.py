"""Models that fail three times of ten, and workers that die: everything is completed, and nothing is paid twice."""

import asyncio
import os
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import structlog

from pipeline.bootstrap import build_api
from tests.chaos.load import School
from tests.chaos.models import CONCURRENCY, QUESTION, own_words, storm, with_models
from tests.chaos.system import System, open_system
from tests.chaos.witness import Witness

log = structlog.get_logger()

HAND_INS: Final = int(os.environ.get("STORM_HAND_INS", "200"))
"""1,000 takes a minute or two."""
KILLS: Final = 3
BUDGET_USD: Final = "0.10"
BUDGET: Final = 100_000_000
OPEN: Final = """
SELECT count(*) FROM submissions WHERE tenant_id = :tenant_id AND status NOT IN ('completed', 'failed', 'cancelled')
"""
STATUSES: Final = "SELECT status, count(*) FROM submissions WHERE tenant_id = :tenant_id GROUP BY status"
FEEDBACK: Final = """
SELECT t.state, r.body ->> 'shortfall' AS shortfall, count(*) AS count
FROM stages t JOIN submissions s ON s.id = t.submission_id
LEFT JOIN results r ON r.submission_id = t.submission_id AND r.stage = t.stage
WHERE s.tenant_id = :tenant_id AND t.stage = 'feedback' GROUP BY 1, 2
"""


@pytest.fixture
async def system(tmp_path: Path) -> AsyncIterator[System]:
    async with open_system(tmp_path, random.Random(4)) as system:  # noqa: S311 - dice
        yield system


async def hand_in(system: System, school: School, count: int) -> None:
    """All at once, as an application that catches up would."""
    headers = {"authorization": f"Bearer {school.key}"}
    async with httpx.AsyncClient(base_url=system.addresses["api-1"], headers=headers, timeout=30.0) as client:
        answer = await client.post("/v1/submissions/batch", json=own_words(range(count)))
    assert [item["status"] for item in answer.json()["items"]] == [202] * count


async def a_school(system: System, name: str) -> School:
    school = await system.new_school(name)
    await build_api(system.settings, system.parts.servers).bank.save(school.tenant_id, [QUESTION])
    return school


async def kill_on_the_way(system: System, witness: Witness) -> None:
    """Kill workers that have requests in the air, each after another part of the work."""
    for kill in range(1, KILLS + 1):
        enough = kill * HAND_INS // (KILLS + 1)

        async def far_enough(enough: int = enough) -> bool:
            return len(witness.stand_in.calls) >= enough

        await system.until(far_enough, f"{enough} requests have come")
        await kill_one_in_the_middle(system, witness)


async def kill_one_in_the_middle(system: System, witness: Witness) -> None:
    async def killed() -> bool:
        for worker in system.workers:
            if worker.lives and await witness.kill_if_asking(system, worker):
                return True
        return False

    await system.until(killed, "a worker was killed with texts in the air")


async def finished(system: System, school: School) -> None:
    async def nothing_open() -> bool:
        return await system.count(OPEN, tenant_id=school.tenant_id) == 0

    await system.until(nothing_open, "everything is final")


async def test_a_storm_of_failures_and_kills_loses_nothing_and_pays_nothing_twice(system: System) -> None:
    school = await a_school(system, "storm")
    async with with_models(system, storm(seed=4)) as witness:
        await hand_in(system, school, HAND_INS)
        await asyncio.gather(kill_on_the_way(system, witness), finished(system, school))
        await finished(system, school)
    assert await statuses(system, school) == {"completed": HAND_INS}
    assert list(witness.paid_twice()) == []
    assert await witness.misbooked(system, school.tenant_id) == []
    assert witness.stand_in.record.most_at_once <= CONCURRENCY
    log.info("storm", **await summary(system, school, witness))


async def test_a_budget_is_reached_and_not_overshot_by_a_storm(system: System) -> None:
    school = await a_school(system, "budget")
    async with with_models(system, storm(seed=5), GRADELINE_AI_TENANT_DAILY_USD=BUDGET_USD) as witness:
        await hand_in(system, school, HAND_INS)
        await finished(system, school)
    assert await statuses(system, school) == {"completed": HAND_INS}
    assert await witness.misbooked(system, school.tenant_id) == []
    spent = await system.count(
        "SELECT spent FROM llm_budgets WHERE tenant_id = :t AND learner_id = ''", t=school.tenant_id
    )
    assert BUDGET / 2 < spent <= BUDGET
    shortfalls = {row.shortfall for row in await system.rows(FEEDBACK, tenant_id=school.tenant_id)}
    assert "tenant_budget_spent" in shortfalls


async def statuses(system: System, school: School) -> dict[str, int]:
    return {row[0]: row[1] for row in await system.rows(STATUSES, tenant_id=school.tenant_id)}


async def summary(system: System, school: School, witness: Witness) -> dict[str, Any]:
    rows = await system.rows(FEEDBACK, tenant_id=school.tenant_id)
    return {
        "requests": len(witness.stand_in.calls),
        "feedback": {f"{row.state} {row.shortfall or ''}".strip(): row.count for row in rows},
        "in the air at kills": [(len(kill.texts), len(kill.requests)) for kill in witness.kills],
        "paid again": sum(witness.paid_again.values()),
        "most at once": witness.stand_in.record.most_at_once,
    }
