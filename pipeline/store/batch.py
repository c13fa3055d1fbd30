"""Requests that may wait for half the price, and the batches they travel in; every step is one transaction."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils import uuid7

from pipeline.exchange import Completion, Failed, Reply
from pipeline.ports.batch import Batch, BatchRequest, Line, Lying
from pipeline.ports.generation import Wanted
from pipeline.store.engine import ANSWER_SECONDS, BESIDE, as_json, statement, transaction
from pipeline.store.storable import storable

FEEDBACK: Final = "feedback"
BATCHING_LOCK: Final = 0x62_6174_6368  # "batch": one process at a time per database
ROUND_SECONDS: Final = 1_800.0
"""How long one round over all batches may take: files of thousands of requests go both ways in it."""
TRY_LOCK: Final = text("SELECT pg_try_advisory_lock(:key)")
UNLOCK: Final = text("SELECT pg_advisory_unlock(:key)")
# Of the submission's own requests the newest; of others' only what is under way. So a reply that was paid for is
# found, and one that came to nothing is not waited for twice.
KNOWN: Final = text(
    """
    SELECT state, reply, submission_id = CAST(:submission_id AS uuid) AS own,
        greatest(0, extract(epoch FROM least(deadline_at, (
            SELECT s.created_at + make_interval(secs => :wait_seconds) FROM submissions s
            WHERE s.tenant_id = :tenant_id AND s.id = CAST(:submission_id AS uuid))) - clock_timestamp())
        )::float AS seconds_left
    FROM llm_batch_items
    WHERE tenant_id = :tenant_id AND key = decode(:key, 'hex')
      AND (submission_id = CAST(:submission_id AS uuid)
        OR (state IN ('waiting', 'sent') AND (batch_id IS NOT NULL OR deadline_at > clock_timestamp())))
    ORDER BY submission_id = CAST(:submission_id AS uuid) DESC, created_at DESC LIMIT 1
    """
)
JOURNALLED: Final = text(
    """
    SELECT FROM llm_replies
    WHERE tenant_id = :tenant_id AND key = decode(:key, 'hex') AND text IS NOT NULL
      AND (submission_id = CAST(:submission_id AS uuid)
        OR (state = 'answered' AND answered_at > clock_timestamp() - make_interval(secs => :fresh_seconds)))
    """
)
# Who waited for another's request, which came to nothing, has waited already: time counts from the hand-in.
LAY: Final = text(
    """
    INSERT INTO llm_batch_items (
        custom_id, tenant_id, key, submission_id, prompt, route, state, attempt_id, deadline_at)
    SELECT :custom_id, :tenant_id, decode(:key, 'hex'), s.id, CAST(:request AS jsonb), :route, 'waiting',
        CAST(:attempt_id AS uuid), s.created_at + make_interval(secs => :wait_seconds)
    FROM submissions s
    WHERE s.tenant_id = :tenant_id AND s.id = CAST(:submission_id AS uuid)
      AND s.created_at + make_interval(secs => :wait_seconds) > clock_timestamp()
    ON CONFLICT DO NOTHING
    """
)
_OVERDUE: Final = """
    UPDATE llm_batch_items SET state = 'expired'
    WHERE state = 'waiting' AND batch_id IS NULL AND deadline_at <= clock_timestamp()
"""
EXPIRE: Final = text(_OVERDUE)
EXPIRE_ONE: Final = text(f"{_OVERDUE} AND tenant_id = :tenant_id AND key = decode(:key, 'hex')")
# What nobody would wait for any more is not sent.
WAITING: Final = text(
    """
    SELECT custom_id, created_at < clock_timestamp() - make_interval(secs => :older_seconds) AS old
    FROM llm_batch_items
    WHERE batch_id IS NULL AND state = 'waiting' AND route = :route AND deadline_at > clock_timestamp()
    ORDER BY created_at LIMIT :most FOR UPDATE SKIP LOCKED
    """
)
NEW_BATCH: Final = text(
    """
    INSERT INTO llm_batches (id, provider, account, state) VALUES (CAST(:id AS uuid), :route, '', 'sending')
    RETURNING id::text, provider AS route, state, remote_id, created_at
    """
)
TAKE: Final = text(
    "UPDATE llm_batch_items SET batch_id = CAST(:id AS uuid) WHERE custom_id = ANY(:ids) AND state = 'waiting'"
)
OPEN: Final = text(
    """
    SELECT id::text, provider AS route, state, remote_id, created_at FROM llm_batches
    WHERE state IN ('sending', 'sent') ORDER BY created_at
    """
)
REQUESTS: Final = text(
    """
    SELECT prompt FROM llm_batch_items
    WHERE batch_id = CAST(:id AS uuid) AND state IN ('waiting', 'sent') ORDER BY custom_id
    """
)
DROP: Final = text("UPDATE llm_batch_items SET state = 'failed' WHERE custom_id = :id AND state IN ('waiting', 'sent')")
MARK_SENT: Final = text(
    """
    WITH sent AS (
        UPDATE llm_batches SET state = 'sent', remote_id = :remote_id, sent_at = clock_timestamp()
        WHERE id = CAST(:id AS uuid) AND state = 'sending' RETURNING id
    )
    UPDATE llm_batch_items i SET state = 'sent' FROM sent WHERE i.batch_id = sent.id AND i.state = 'waiting'
    """
)
KEEP: Final = text(
    """
    UPDATE llm_batch_items SET state = :state, reply = CAST(:reply AS jsonb)
    WHERE custom_id = :id AND state IN ('waiting', 'sent')
    """
)
# Who waits for the same reply as the owner of a request finds out by looking again.
FINISH: Final = text(
    """
    WITH over AS (
        UPDATE llm_batches SET state = :state, finished_at = clock_timestamp(), polled_at = clock_timestamp()
        WHERE id = CAST(:id AS uuid) AND state IN ('sending', 'sent') RETURNING id
    ), failed AS (
        UPDATE llm_batch_items i SET state = 'failed' FROM over
        WHERE i.batch_id = over.id AND i.state IN ('waiting', 'sent')
    ), due AS (
        SELECT t.submission_id FROM stages t
        WHERE t.stage = :stage AND t.state = 'ready' AND t.available_at > clock_timestamp()
          AND t.submission_id IN (SELECT i.submission_id FROM llm_batch_items i JOIN over ON i.batch_id = over.id)
        ORDER BY t.submission_id FOR UPDATE OF t
    )
    UPDATE stages t SET available_at = clock_timestamp() FROM due
    WHERE t.submission_id = due.submission_id AND t.stage = :stage AND t.state = 'ready'
    RETURNING t.submission_id::text
    """
)
FORGET: Final = text(
    """
    WITH old AS (
        SELECT custom_id FROM llm_batch_items
        WHERE created_at < now() - make_interval(secs => :older_seconds) AND deadline_at < now()
          AND (state NOT IN ('waiting', 'sent') OR batch_id IS NULL)
        ORDER BY created_at LIMIT :most FOR UPDATE SKIP LOCKED
    ), gone AS (
        DELETE FROM llm_batches b USING (
            SELECT id FROM llm_batches WHERE finished_at < now() - make_interval(secs => :older_seconds)
            ORDER BY finished_at LIMIT :most FOR UPDATE SKIP LOCKED
        ) f WHERE b.id = f.id
    )
    DELETE FROM llm_batch_items i USING old WHERE i.custom_id = old.custom_id
    """
)


TOO_LATE: Final = Lying("expired", 0.0)


class BatchStore:
    """Postgres as the port `pipeline.ports.batch.BatchStore`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[bool]:
        """Whether nobody else sends and looks at this moment; kept off while the context lasts.

        By a lock of the session, which ends with the connection: steps may take longer than a transaction may lie idle.
        It is none of the connections kept for single statements: these are few, and the round itself needs them.
        """
        patient = self._engine.execution_options(**{ANSWER_SECONDS: ROUND_SECONDS, BESIDE: None})
        async with statement(patient) as connection:
            ours = bool((await connection.execute(TRY_LOCK, {"key": BATCHING_LOCK})).scalar_one())
            try:
                yield ours
            finally:
                if ours:
                    await connection.execute(UNLOCK, {"key": BATCHING_LOCK})

    async def lay(self, wanted: Wanted, request: BatchRequest, *, wait_seconds: float, fresh_seconds: float) -> Lying:
        """Keep a request unless there is one for the same reply already; answers what is known of that."""
        known = {
            "tenant_id": wanted.tenant_id,
            "key": wanted.key.hex(),
            "submission_id": wanted.submission_id,
            "wait_seconds": wait_seconds,
        }
        new = {
            **known,
            "custom_id": request.custom_id,
            "attempt_id": request.attempt_id,
            "route": request.route,
            "request": as_json(storable_value(msgspec.to_builtins(request, enc_hook=dict))),
        }
        async with transaction(self._engine) as connection:
            row = (await connection.execute(KNOWN, known)).one_or_none()
            if row is None:
                if (
                    await connection.execute(JOURNALLED, {**known, "fresh_seconds": fresh_seconds})
                ).first() is not None:
                    return Lying("answered", 0.0)
                await connection.execute(EXPIRE_ONE, known)
                await connection.execute(LAY, new)
                row = (await connection.execute(KNOWN, known)).one_or_none()
        return TOO_LATE if row is None else Lying(row.state, row.seconds_left, reply_from(row.reply), row.own)

    async def expire(self) -> int:
        """Let go of what waited too long to be sent; answers how many."""
        async with transaction(self._engine) as connection:
            return int((await connection.execute(EXPIRE)).rowcount)

    async def gather(self, route: str, *, least: int, most: int, older_seconds: float) -> Batch | None:
        """Put what waits for a route into a batch to be sent: if it is `least`, or any of it waits so long."""
        async with transaction(self._engine) as connection:
            values = {"route": route, "most": most, "older_seconds": older_seconds}
            rows = list(await connection.execute(WAITING, values))
            if not rows or (len(rows) < least and not any(row.old for row in rows)):
                return None
            batch = (await connection.execute(NEW_BATCH, {"id": str(uuid7()), "route": route})).one()
            await connection.execute(TAKE, {"id": batch.id, "ids": [row.custom_id for row in rows]})
        return batch_from(batch)

    async def open(self) -> list[Batch]:
        """Batches that are being sent or were sent, oldest first."""
        async with transaction(self._engine) as connection:
            return [batch_from(row) for row in await connection.execute(OPEN)]

    async def requests(self, batch_id: str) -> list[BatchRequest]:
        """The requests of a batch that have no reply yet."""
        async with transaction(self._engine) as connection:
            rows = await connection.execute(REQUESTS, {"id": batch_id})
            return [msgspec.convert(row.prompt, BatchRequest) for row in rows]

    async def drop(self, custom_id: str) -> None:
        """A request that may not be sent after all; whoever waits for it goes on without it."""
        async with transaction(self._engine) as connection:
            await connection.execute(DROP, {"id": custom_id})

    async def mark_sent(self, batch_id: str, remote_id: str) -> None:
        """The provider has it."""
        async with transaction(self._engine) as connection:
            await connection.execute(MARK_SENT, {"id": batch_id, "remote_id": remote_id})

    async def keep(self, custom_id: str, line: Line) -> None:
        """What became of a request."""
        async with transaction(self._engine) as connection:
            await connection.execute(KEEP, kept_row(custom_id, line))

    async def finish(self, batch_id: str) -> list[str]:
        """A batch is over: what has no reply failed. Makes who waited for it due now, and answers their ids."""
        async with transaction(self._engine) as connection:
            sent = (
                await connection.execute(
                    text("SELECT remote_id IS NOT NULL FROM llm_batches WHERE id = CAST(:id AS uuid)"), {"id": batch_id}
                )
            ).scalar_one()
            values = {"id": batch_id, "stage": FEEDBACK, "state": "done" if sent else "failed"}
            return [row.submission_id for row in await connection.execute(FINISH, values)]

    async def forget(self, *, older_seconds: float, most: int) -> int:
        """Delete requests that are over, and batches, so old; answers how many requests."""
        async with transaction(self._engine) as connection:
            return int((await connection.execute(FORGET, {"older_seconds": older_seconds, "most": most})).rowcount)


def batch_from(row: Any) -> Batch:
    return msgspec.convert(row._asdict(), Batch)


def kept_row(custom_id: str, line: Line) -> dict[str, Any]:
    if line.reply is None:
        return {"id": custom_id, "state": "expired", "reply": None}
    state = "answered" if isinstance(line.reply, Completion) else "failed"
    return {"id": custom_id, "state": state, "reply": as_json(storable_value(msgspec.to_builtins(line.reply)))}


def reply_from(stored: dict[str, Any] | None) -> Reply | None:
    if stored is None:
        return None
    return msgspec.convert(stored, Failed) if "trouble" in stored else msgspec.convert(stored, Completion)


def storable_value(value: Any) -> Any:
    """Any JSON without the characters that Postgres takes in no text."""
    match value:
        case str():
            return storable(value)
        case list() | tuple():
            return [storable_value(item) for item in value]
        case dict():
            return {name: storable_value(item) for name, item in value.items()}
        case _:
            return value
