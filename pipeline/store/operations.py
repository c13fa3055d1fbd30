"""What operators see and steer: queues, pauses, workers, the audit log.

Queues and workers are the installation's and so count everybody's work; ids and acts are shown of one tenant.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from pipeline.execution import DELIVER, GENERATE
from pipeline.lifecycle import Stage
from pipeline.ports import Act, LiveWorker, QueueDepth
from pipeline.store.control import record_act
from pipeline.store.engine import LOOK_UP_SECONDS, transaction

ANOTHER_TENANT: Final = "an operator of another tenant"

# One scan per state, so that each reads its own partial index and none the finished rows, which are nearly all.
DEPTHS = text(
    """
    SELECT stage AS name, count(*) FILTER (WHERE available_at <= clock_timestamp()) AS ready, 0 AS running,
        count(*) FILTER (WHERE available_at > clock_timestamp()) AS scheduled, 0 AS dead,
        extract(epoch FROM clock_timestamp() - min(available_at))::float AS oldest
    FROM stages WHERE state = 'ready' GROUP BY stage
    UNION ALL
    SELECT stage, 0, count(*), 0, 0, NULL FROM stages WHERE state = 'running' GROUP BY stage
    UNION ALL
    SELECT stage, 0, 0, 0, count(*), NULL FROM stages WHERE state = 'dead' GROUP BY stage
    UNION ALL
    SELECT 'deliver', count(*) FILTER (WHERE available_at <= clock_timestamp()), 0,
        count(*) FILTER (WHERE available_at > clock_timestamp()), 0,
        extract(epoch FROM clock_timestamp() - min(available_at))::float
    FROM deliveries WHERE state = 'ready'
    UNION ALL
    SELECT 'deliver', 0, count(*), 0, 0, NULL FROM deliveries WHERE state = 'running'
    UNION ALL
    SELECT 'deliver', 0, 0, 0, count(*), NULL FROM deliveries WHERE state = 'dead'
    UNION ALL
    SELECT 'generate', count(*) FILTER (WHERE available_at <= clock_timestamp()), 0,
        count(*) FILTER (WHERE available_at > clock_timestamp()), 0,
        extract(epoch FROM clock_timestamp() - min(available_at))::float
    FROM generations WHERE state = 'pending'
    UNION ALL
    SELECT 'generate', 0, count(*), 0, 0, NULL FROM generations WHERE state = 'running'
    """
)
# Ids of both are UUIDv7, so those of the last minute are a range of the primary key. now() rather than
# clock_timestamp(), which no index can be asked with.
FLOW = text(
    """
    WITH since AS MATERIALIZED (
        SELECT CAST(lpad(to_hex(((extract(epoch FROM now()) - 60) * 1000)::bigint), 12, '0')
            || '70008000000000000000' AS uuid) AS id
    )
    SELECT
        (SELECT count(*) FROM deliveries WHERE id >= (SELECT id FROM since)) AS delivered_in,
        (SELECT count(*) FROM deliveries WHERE finished_at > now() - interval '1 minute') AS delivered_out,
        (SELECT count(*) FROM generations WHERE id >= (SELECT id FROM since)) AS generated_in,
        (SELECT count(*) FROM generations WHERE finished_at > now() - interval '1 minute') AS generated_out
    """
)
PAUSES = text("SELECT stage FROM stage_pauses")
PAUSE = text(
    "INSERT INTO stage_pauses (stage, reason) VALUES (:stage, :reason)"
    " ON CONFLICT (stage) DO UPDATE SET reason = excluded.reason"
)
RESUME = text("DELETE FROM stage_pauses WHERE stage = :stage")

TENANTS_WITH_OPERATORS = text(
    "SELECT DISTINCT tenant_id FROM api_keys WHERE role = 'operator' AND revoked_at IS NULL ORDER BY tenant_id"
)

LIVE_WORKERS = text(
    """
    SELECT w.id::text, w.host, w.pid, w.stages, w.started_at, w.heartbeat_at, w.stopping,
        (SELECT coalesce(jsonb_object_agg(h.stage, h.held), '{}'::jsonb) FROM (
            SELECT t.stage, count(*) AS held FROM stages t
            WHERE t.state = 'running' AND t.worker_id = w.id GROUP BY t.stage
            UNION ALL
            SELECT 'deliver', count(*) FROM deliveries d
            WHERE d.state = 'running' AND d.worker_id = w.id HAVING count(*) > 0
            UNION ALL
            SELECT 'generate', count(*) FROM generations g
            WHERE g.state = 'running' AND g.worker_id = w.id HAVING count(*) > 0
        ) h) AS holds,
        ARRAY(SELECT t.submission_id::text FROM stages t
            WHERE t.state = 'running' AND t.worker_id = w.id AND t.tenant_id = :tenant_id
            ORDER BY t.started_at, t.submission_id LIMIT :most_ids) AS submission_ids
    FROM workers w
    WHERE w.heartbeat_at > clock_timestamp() - make_interval(secs => :dead_seconds)
    ORDER BY w.started_at, w.id
    """
)
COUNT_WORKERS = text(
    "SELECT count(*) FROM workers WHERE heartbeat_at > clock_timestamp() - make_interval(secs => :dead_seconds)"
)

ACTS = text(
    """
    SELECT id::text, actor, action, reason, target, created_at FROM audit_log
    WHERE tenant_id = :tenant_id AND (CAST(:before AS uuid) IS NULL OR id < CAST(:before AS uuid))
    ORDER BY id DESC LIMIT :most
    """
)


class OperationsStore:
    """Postgres as the port `pipeline.ports.OperationsStore`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def depths(self) -> list[QueueDepth]:
        """How much lies in each queue, in the order of the stages, then webhook deliveries and texts for teachers."""
        async with transaction(self._engine, seconds=LOOK_UP_SECONDS) as connection:
            rows = list(await connection.execute(DEPTHS))
            paused = set((await connection.execute(PAUSES)).scalars())
            flow = (await connection.execute(FLOW)).one()
        stages = [depth_of(stage, rows, paused=stage in paused) for stage in Stage]
        deliver, generate = (depth_of(queue, rows, paused=queue in paused) for queue in (DELIVER, GENERATE))
        return [
            *stages,
            msgspec.structs.replace(deliver, flow=(flow.delivered_in, flow.delivered_out)),
            msgspec.structs.replace(generate, flow=(flow.generated_in, flow.generated_out)),
        ]

    async def pause(self, tenant_id: int, stage: Stage, actor: str, reason: str) -> None:
        """Hand out no more work of this stage, from the commit on; what is running goes on."""
        async with transaction(self._engine) as connection:
            await connection.execute(PAUSE, {"stage": stage, "reason": reason})
            await record_for_all(connection, tenant_id, actor, "queue.pause", reason, {"queue": stage})

    async def resume(self, tenant_id: int, stage: Stage, actor: str, reason: str | None) -> bool:
        """Hand out work of this stage again; False if it was not paused, and then nothing is written."""
        async with transaction(self._engine) as connection:
            if (await connection.execute(RESUME, {"stage": stage})).rowcount == 0:
                return False
            await record_for_all(connection, tenant_id, actor, "queue.resume", reason, {"queue": stage})
            return True

    async def live_workers(self, tenant_id: int, *, dead_seconds: float, most_ids: int) -> list[LiveWorker]:
        """The workers heard of in the last `dead_seconds`, and what they hold; ids only of this tenant."""
        values = {"tenant_id": tenant_id, "dead_seconds": dead_seconds, "most_ids": most_ids}
        async with transaction(self._engine, seconds=LOOK_UP_SECONDS) as connection:
            return [
                msgspec.convert(row._asdict(), LiveWorker) for row in await connection.execute(LIVE_WORKERS, values)
            ]

    async def count_workers(self, *, dead_seconds: float) -> int:
        """How many workers were heard of in the last `dead_seconds`."""
        async with transaction(self._engine) as connection:
            return int((await connection.execute(COUNT_WORKERS, {"dead_seconds": dead_seconds})).scalar_one())

    async def acts(self, tenant_id: int, *, before: str | None, most: int) -> list[Act]:
        """The tenant's audit log, newest first, from behind the act `before`."""
        values = {"tenant_id": tenant_id, "before": before, "most": most}
        async with transaction(self._engine) as connection:
            return [msgspec.convert(row._asdict(), Act) for row in await connection.execute(ACTS, values)]


async def record_for_all(
    connection: AsyncConnection, tenant_id: int, actor: str, action: str, reason: str | None, target: dict[str, Any]
) -> None:
    """Keep an act on what is the installation's, such as a queue, in the audit log of every tenant that has operators.

    Tenants other than the actor's are told what happened and not by whom or why: tenants don't meet.
    """
    await record_act(connection, tenant_id=tenant_id, actor=actor, action=action, reason=reason, target=target)
    for other in (await connection.execute(TENANTS_WITH_OPERATORS)).scalars().all():
        if other != tenant_id:
            await record_act(
                connection, tenant_id=other, actor=ANOTHER_TENANT, action=action, reason=None, target=target
            )


def depth_of(name: str, rows: Sequence[Any], *, paused: bool) -> QueueDepth:
    """One queue's numbers, summed up from its rows by state."""
    own = [row for row in rows if row.name == name]
    ready = sum(row.ready for row in own)
    oldest = [row.oldest for row in own if row.oldest is not None]
    return QueueDepth(
        name=name,
        ready=ready,
        running=sum(row.running for row in own),
        scheduled=sum(row.scheduled for row in own),
        dead=sum(row.dead for row in own),
        oldest_ready_seconds=max(oldest) if ready and oldest else None,
        paused=paused,
    )
