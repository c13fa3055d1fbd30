"""What receivers of webhooks are to be told: a delivery for each, in the transaction that changes the submission."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from uuid_utils import uuid7

from pipeline.model import Change
from pipeline.store.engine import as_json

# Deliveries to one receiver share a lane: a registered endpoint is one, callback URLs are one per origin, since
# their paths may differ for every submission while the machine behind them is the same.
TARGETS: Final = text(
    """
    WITH ended AS (
        SELECT e.event, s.* FROM jsonb_to_recordset(CAST(:ended AS jsonb)) AS e(id uuid, tenant_id int, event text)
        JOIN submissions s ON s.tenant_id = e.tenant_id AND s.id = e.id
    ), target AS (
        SELECT ended.*, w.id AS webhook_id, w.url, w.id::text AS lane FROM ended
        JOIN webhooks w ON w.tenant_id = ended.tenant_id AND ended.event = ANY(w.events) AND w.disabled_at IS NULL
        UNION ALL
        SELECT ended.*, NULL::uuid, ended.callback_url,
            ended.tenant_id || ' ' || lower(substring(ended.callback_url FROM '^[^/]+//[^/?#]+'))
        FROM ended WHERE ended.callback_url IS NOT NULL
    )
    SELECT t.tenant_id, t.id::text AS submission_id, t.webhook_id::text, t.event, t.url, t.lane,
        jsonb_build_object('type', t.event, 'timestamp', to_char(t.updated_at AT TIME ZONE 'UTC',
            'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
            'data', jsonb_build_object('id', t.id, 'status', t.status, 'version', t.version,
                'learner_id', t.learner_id, 'assignment_id', t.assignment_id,
                'metadata', coalesce(t.metadata, '{}'::jsonb),
                'score', (SELECT r.body - 'answers' FROM results r WHERE r.submission_id = t.id AND r.stage = 'score'))
        )::text AS payload
    FROM target t
    """
)

INSERT: Final = text(
    """
    INSERT INTO deliveries (id, tenant_id, submission_id, webhook_id, event, url, lane, payload, state, available_at)
    SELECT id, tenant_id, submission_id, webhook_id, event, url, lane, payload, 'ready', clock_timestamp()
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS d(
        id uuid, tenant_id int, submission_id uuid, webhook_id uuid, event text, url text, lane text, payload text)
    """
)


async def tell_ended(connection: AsyncConnection, ended: Sequence[Change]) -> tuple[str, ...]:
    """Lay a delivery for every receiver of each submission that has just ended; the ids of these deliveries."""
    return await _tell(connection, [event_of(one, one.status) for one in ended])


async def tell_settled(connection: AsyncConnection, settled: Change) -> tuple[str, ...]:
    """Lay a delivery for every receiver of a submission in which a person decided; the ids of these deliveries."""
    return await _tell(connection, [event_of(settled, "settled")])


def event_of(change: Change, what: str) -> dict[str, Any]:
    return {"id": change.submission_id, "tenant_id": change.tenant_id, "event": f"submission.{what}"}


async def _tell(connection: AsyncConnection, events: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    if not events:
        return ()
    targets = (await connection.execute(TARGETS, {"ended": as_json(events)})).mappings()
    rows = [{"id": str(uuid7()), **target} for target in targets]
    if rows:
        await connection.execute(INSERT, {"rows": as_json(rows)})
    return tuple(row["id"] for row in rows)
