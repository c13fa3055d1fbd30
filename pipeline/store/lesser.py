"""Noting feedback that was less than asked for, where the client wants it tried again later."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pipeline.model import Held
from pipeline.store.engine import as_json

FIRST_REST_SECONDS: Final = 60.0
GIVE_UP_SECONDS: Final = 86_400.0

NOTE = text(
    """
    INSERT INTO feedback_improvements (submission_id, tenant_id, available_at, give_up_at)
    SELECT s.id, s.tenant_id, clock_timestamp() + make_interval(secs => :rest_seconds),
        clock_timestamp() + make_interval(secs => :give_up_seconds)
    FROM jsonb_to_recordset(CAST(:lesser AS jsonb)) AS l(submission_id uuid, tenant_id int)
    JOIN submissions s ON s.tenant_id = l.tenant_id AND s.id = l.submission_id
    WHERE s.retry_feedback
    ORDER BY s.id
    ON CONFLICT (submission_id) DO NOTHING
    """
)


async def improve_later(connection: AsyncConnection, lesser: Sequence[Held]) -> None:
    """Have the feedback of these tried again in a minute, and for a day, as far as their clients asked for it."""
    if not lesser:
        return
    rows = [{"submission_id": held.submission_id, "tenant_id": held.tenant_id} for held in lesser]
    values = {"lesser": as_json(rows), "rest_seconds": FIRST_REST_SECONDS, "give_up_seconds": GIVE_UP_SECONDS}
    await connection.execute(NOTE, values)
