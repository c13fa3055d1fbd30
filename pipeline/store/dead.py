"""Dead letters of one tenant: stages with no attempt left, with each failed attempt's error and traceback."""

from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.ports import DeadFilter, DeadLetter, DeadPlace
from pipeline.store.engine import LOOK_UP_SECONDS, transaction

MATCHING = """
    FROM stages t
    JOIN submissions s ON s.tenant_id = t.tenant_id AND s.id = t.submission_id
    LEFT JOIN LATERAL (
        SELECT a.error FROM attempts a WHERE a.submission_id = t.submission_id AND a.stage = t.stage
        ORDER BY a.epoch DESC LIMIT 1
    ) last ON true
    WHERE t.tenant_id = :tenant_id AND t.state = 'dead'
      AND (CAST(:stage AS text) IS NULL OR t.stage = :stage)
      AND (CAST(:error AS text) IS NULL OR position(lower(:error) IN lower(last.error)) > 0)
      AND (CAST(:created_from AS timestamptz) IS NULL OR s.created_at >= :created_from)
      AND (CAST(:created_to AS timestamptz) IS NULL OR s.created_at < :created_to)
"""

LIST = text(
    f"""
    SELECT t.submission_id::text, t.stage, s.learner_id, s.assignment_id, s.created_at, t.finished_at AS died_at,
        last.error,
        (SELECT coalesce(jsonb_agg(jsonb_build_object('attempt', a.attempt, 'ended', a.ended, 'error', a.error,
                'traceback', a.traceback, 'worker_id', a.worker_id, 'started_at', a.started_at,
                'ended_at', a.ended_at) ORDER BY a.epoch), '[]'::jsonb)
         FROM attempts a WHERE a.submission_id = t.submission_id AND a.stage = t.stage) AS attempts
    {MATCHING}
      AND (CAST(:before_id AS uuid) IS NULL
           OR (t.submission_id, t.stage) < (CAST(:before_id AS uuid), CAST(:before_stage AS text)))
    ORDER BY t.submission_id DESC, t.stage DESC LIMIT :most
    """
)

IDS = text(f"SELECT DISTINCT t.submission_id AS id {MATCHING} ORDER BY id LIMIT :most")


class DeadStore:
    """Postgres as the port `pipeline.ports.DeadStore`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def list_dead(
        self, tenant_id: int, wanted: DeadFilter, *, before: DeadPlace | None, most: int
    ) -> list[DeadLetter]:
        """Dead letters, the newest submissions first, from behind the place `before`."""
        place = {
            "before_id": None if before is None else before.submission_id,
            "before_stage": None if before is None else before.stage,
        }
        values = {**condition(tenant_id, wanted), **place, "most": most}
        async with transaction(self._engine, seconds=LOOK_UP_SECONDS) as connection:
            return [msgspec.convert(row._asdict(), DeadLetter) for row in await connection.execute(LIST, values)]

    async def dead_ids(self, tenant_id: int, wanted: DeadFilter, *, most: int) -> list[str]:
        """The submissions with a dead stage that fits, the oldest first."""
        async with transaction(self._engine, seconds=LOOK_UP_SECONDS) as connection:
            rows = await connection.execute(IDS, {**condition(tenant_id, wanted), "most": most})
            return [str(row.id) for row in rows]


def condition(tenant_id: int, wanted: DeadFilter) -> dict[str, Any]:
    return {"tenant_id": tenant_id, **msgspec.structs.asdict(wanted)}
