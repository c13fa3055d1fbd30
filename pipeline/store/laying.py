"""Requests for replies at half the price, each laid down once: what is known of one, and what nobody need wait for.

Of all that want the same reply one request is under way (`llm_batch_items_open_key`), and while a reply is there that
may serve them none is laid down anew.
"""

from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

FEEDBACK: Final = "feedback"

# Who waits for the same reply as the owner of a request finds out by looking again.
DUE: Final = """
    due AS (
        SELECT t.submission_id FROM stages t
        WHERE t.stage = :stage AND t.state = 'ready' AND t.available_at > clock_timestamp()
          AND t.submission_id IN (SELECT w.submission_id FROM whose w)
        ORDER BY t.submission_id FOR UPDATE OF t
    )
    UPDATE stages t SET available_at = clock_timestamp() FROM due
    WHERE t.submission_id = due.submission_id AND t.stage = :stage AND t.state = 'ready'
    RETURNING t.submission_id::text
"""

# Of the submission's own requests the newest, but one with a reply before all; of others' what is under way, or what
# came while it is fresh. So a reply that was paid for is found, and one that came to nothing is not waited for twice.
# What may have been sent counts as sent.
KNOWN = text(
    """
    SELECT custom_id, CASE WHEN state = 'waiting' AND EXISTS (
            SELECT FROM llm_batches b WHERE b.id = i.batch_id AND b.tried_at IS NOT NULL
        ) THEN 'sent' ELSE state END AS state, reply, submission_id = CAST(:submission_id AS uuid) AS own,
        greatest(0, extract(epoch FROM least(deadline_at, (
            SELECT s.created_at + make_interval(secs => :wait_seconds) FROM submissions s
            WHERE s.tenant_id = :tenant_id AND s.id = CAST(:submission_id AS uuid))) - clock_timestamp())
        )::float AS seconds_left
    FROM llm_batch_items i
    WHERE tenant_id = :tenant_id AND key = decode(:key, 'hex')
      AND (submission_id = CAST(:submission_id AS uuid)
        OR (state IN ('waiting', 'sent') AND (batch_id IS NOT NULL OR deadline_at > clock_timestamp()))
        OR (state = 'answered' AND EXISTS (
            SELECT FROM llm_batches b WHERE b.id = i.batch_id AND (b.finished_at IS NULL
                OR b.finished_at > clock_timestamp() - make_interval(secs => :fresh_seconds)))))
    ORDER BY i.state = 'answered' DESC, i.submission_id = CAST(:submission_id AS uuid) DESC, created_at DESC LIMIT 1
    """
)
JOURNALLED = text(
    """
    SELECT FROM llm_replies
    WHERE tenant_id = :tenant_id AND key = decode(:key, 'hex') AND text IS NOT NULL
      AND (submission_id = CAST(:submission_id AS uuid)
        OR (state = 'answered' AND answered_at > clock_timestamp() - make_interval(secs => :fresh_seconds)))
    """
)
# Who waited for another's request, which came to nothing, has waited already: time counts from the hand-in.
LAY = text(
    """
    INSERT INTO llm_batch_items (
        custom_id, tenant_id, key, submission_id, prompt, route, state, attempt_id, deadline_at)
    SELECT :custom_id, :tenant_id, decode(:key, 'hex'), s.id, CAST(:request AS jsonb), :route, 'waiting',
        CAST(:attempt_id AS uuid), s.created_at + make_interval(secs => :wait_seconds)
    FROM submissions s
    WHERE s.tenant_id = :tenant_id AND s.id = CAST(:submission_id AS uuid)
      AND s.created_at + make_interval(secs => :wait_seconds)
        > clock_timestamp() + make_interval(secs => :least_seconds)
    ON CONFLICT DO NOTHING
    """
)
TAKE_UP = text("DELETE FROM llm_batch_items WHERE custom_id = :custom_id")
EXPIRE_ONE = text(
    """
    UPDATE llm_batch_items SET state = 'expired'
    WHERE state = 'waiting' AND batch_id IS NULL AND deadline_at <= clock_timestamp()
      AND tenant_id = :tenant_id AND key = decode(:key, 'hex')
    """
)
# Or somebody who could not wait has had the same text written meanwhile.
EXPIRE = text(
    f"""
    WITH whose AS (
        UPDATE llm_batch_items i SET state = 'expired'
        WHERE i.state = 'waiting' AND i.batch_id IS NULL
          AND (i.deadline_at <= clock_timestamp() + make_interval(secs => :least_seconds) OR EXISTS (
            SELECT FROM llm_replies r WHERE r.tenant_id = i.tenant_id AND r.key = i.key AND r.state = 'answered'
              AND r.answered_at > clock_timestamp() - make_interval(secs => :fresh_seconds)))
        RETURNING i.submission_id
    ), {DUE}
    """
)


async def look_up(connection: AsyncConnection, wanted: dict[str, Any]) -> Any | None:
    """The row that says most of a wanted reply, if any does."""
    return (await connection.execute(KNOWN, wanted)).one_or_none()


async def lay_down(connection: AsyncConnection, request: dict[str, Any]) -> Any | None:
    """Lay a request down of which nothing is known; answers the row that says most of its reply then.

    A reply that came between looking and laying is seen now, for what was laid keeps all others off: then it is taken
    up again.
    """
    await connection.execute(EXPIRE_ONE, request)
    await connection.execute(LAY, request)
    row = await look_up(connection, request)
    if row is not None and row.custom_id != request["custom_id"]:
        await connection.execute(TAKE_UP, request)
    return row
