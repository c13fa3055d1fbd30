"""Requests that may wait for half the price, and the batches they travel in; every step is one transaction."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils import uuid7

from pipeline.ports.batch import Batch, BatchRequest, Line, Lying, Terms
from pipeline.ports.generation import Wanted
from pipeline.store.batch_row import batch_from, kept_row, lying_from, request_row, wanted_row
from pipeline.store.engine import ANSWER_SECONDS, BESIDE, statement, transaction
from pipeline.store.laying import DUE, EXPIRE, FEEDBACK, JOURNALLED, lay_down, look_up

BATCHING_LOCK: Final = 0x62_6174_6368  # "batch": one process at a time per database
ROUND_SECONDS: Final = 1_800.0
"""How long one round over all batches may take: files of thousands of requests go both ways in it."""
TRY_LOCK: Final = text("SELECT pg_try_advisory_lock(:key)")
UNLOCK: Final = text("SELECT pg_advisory_unlock(:key)")
# What nobody would wait for any more is not sent.
WAITING: Final = text(
    """
    SELECT custom_id, created_at < clock_timestamp() - make_interval(secs => :older_seconds) AS old
    FROM llm_batch_items
    WHERE batch_id IS NULL AND state = 'waiting' AND route = :route AND deadline_at > clock_timestamp()
    ORDER BY created_at LIMIT :most FOR UPDATE SKIP LOCKED
    """
)
_BATCH: Final = """
    id::text, provider AS route, state, remote_id, created_at, tried_at, tries, size, file_id,
    CAST(extract(epoch FROM clock_timestamp() - tried_at) AS float) AS tried_seconds,
    CAST(extract(epoch FROM clock_timestamp() - coalesce(polled_at, created_at)) AS float) AS unheeded_seconds
"""
NEW_BATCH: Final = text(
    f"""
    INSERT INTO llm_batches (id, provider, account, state, tried_at)
    VALUES (CAST(:id AS uuid), :route, '', 'sending', NULL)
    RETURNING {_BATCH}
    """
)
TAKE: Final = text(
    "UPDATE llm_batch_items SET batch_id = CAST(:id AS uuid) WHERE custom_id = ANY(:ids) AND state = 'waiting'"
)
ATTEND: Final = text(
    "UPDATE llm_batches SET polled_at = clock_timestamp()"
    " WHERE state IN ('sending', 'sent') AND provider = ANY(:routes)"
)
OPEN: Final = text(f"SELECT {_BATCH} FROM llm_batches WHERE state IN ('sending', 'sent') ORDER BY created_at")
# Old ones are not looked for any more: a provider lists the newest first.
REMOTE_IDS: Final = text(
    """
    SELECT remote_id FROM llm_batches
    WHERE provider = :route AND remote_id IS NOT NULL AND created_at > now() - interval '10 days'
    """
)
REQUESTS: Final = text(
    """
    SELECT prompt FROM llm_batch_items
    WHERE batch_id = CAST(:id AS uuid) AND state IN ('waiting', 'sent') ORDER BY custom_id
    """
)
OVERDUE: Final = text(
    """
    SELECT prompt FROM llm_batch_items
    WHERE batch_id = CAST(:id AS uuid) AND state = 'waiting'
      AND deadline_at <= clock_timestamp() + make_interval(secs => :least_seconds)
    ORDER BY custom_id
    """
)
DROP: Final = text(
    f"""
    WITH whose AS (
        UPDATE llm_batch_items SET state = 'failed' WHERE custom_id = :id AND state IN ('waiting', 'sent')
        RETURNING submission_id
    ), {DUE}
    """
)
# Whoever saw the batch as it was before somebody else's hand-over finds it changed. Of erased learners nothing is sent.
BEGIN: Final = text(
    f"""
    UPDATE llm_batches b
    SET tried_at = clock_timestamp(), tries = tries + 1, size = cardinality(CAST(:ids AS text[])), file_id = :file_id
    WHERE id = CAST(:id AS uuid) AND state = 'sending'
      AND tried_at IS NOT DISTINCT FROM CAST(:tried_at AS timestamptz)
      AND cardinality(CAST(:ids AS text[])) = (
        SELECT count(*) FROM llm_batch_items i
        WHERE i.batch_id = b.id AND i.state = 'waiting' AND i.custom_id = ANY(:ids))
    RETURNING {_BATCH}
    """
)
TAKE_BACK: Final = text(
    """
    UPDATE llm_batches SET tried_at = NULL, tries = tries - 1
    WHERE id = CAST(:id AS uuid) AND state = 'sending' AND tried_at = CAST(:tried_at AS timestamptz)
    """
)
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
FINISH: Final = text(
    f"""
    WITH over AS (
        UPDATE llm_batches SET state = :state, finished_at = clock_timestamp(), polled_at = clock_timestamp()
        WHERE id = CAST(:id AS uuid) AND state IN ('sending', 'sent') RETURNING id
    ), failed AS (
        UPDATE llm_batch_items i SET state = 'failed' FROM over
        WHERE i.batch_id = over.id AND i.state IN ('waiting', 'sent')
    ), whose AS (
        SELECT i.submission_id FROM llm_batch_items i JOIN over ON i.batch_id = over.id
    ), {DUE}
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

    async def known(self, wanted: Wanted, terms: Terms) -> Lying | None:
        """What is known of a request for a reply, as `lay` tells it; None where there is none."""
        async with transaction(self._engine) as connection:
            row = await look_up(connection, wanted_row(wanted, terms))
        return None if row is None else lying_from(row)

    async def lay(self, wanted: Wanted, request: BatchRequest, terms: Terms) -> Lying:
        """Keep a request unless there is one for the same reply already; answers what is known of that."""
        known = wanted_row(wanted, terms)
        async with transaction(self._engine) as connection:
            row = await look_up(connection, known)
            if row is None:
                if (await connection.execute(JOURNALLED, known)).first() is not None:
                    return Lying("answered", 0.0)
                row = await lay_down(connection, {**known, **request_row(request)})
        return TOO_LATE if row is None else lying_from(row)

    async def expire(self, *, least_seconds: float, fresh_seconds: float) -> list[str]:
        """Let go of what has too little time left, and of what was journalled; answers whose it was."""
        values = {"stage": FEEDBACK, "least_seconds": least_seconds, "fresh_seconds": fresh_seconds}
        async with transaction(self._engine) as connection:
            return [row.submission_id for row in await connection.execute(EXPIRE, values)]

    async def attend(self, routes: Sequence[str]) -> None:
        """Say that somebody who knows these routes looks after their batches."""
        async with transaction(self._engine) as connection:
            await connection.execute(ATTEND, {"routes": list(routes)})

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

    async def remote_ids(self, route: str) -> list[str]:
        """The names of a route's batches that are known, of those that are not long over."""
        async with transaction(self._engine) as connection:
            return [row.remote_id for row in await connection.execute(REMOTE_IDS, {"route": route})]

    async def requests(self, batch_id: str) -> list[BatchRequest]:
        """The requests of a batch that have no reply yet."""
        return await self._requests(REQUESTS, {"id": batch_id})

    async def overdue(self, batch_id: str, *, least_seconds: float) -> list[BatchRequest]:
        """Those of a batch yet to be sent that have too little time left."""
        return await self._requests(OVERDUE, {"id": batch_id, "least_seconds": least_seconds})

    async def drop(self, custom_id: str) -> None:
        """A request that may not be sent after all; makes who waits for it due now."""
        async with transaction(self._engine) as connection:
            await connection.execute(DROP, {"id": custom_id, "stage": FEEDBACK})

    async def begin(self, batch: Batch, custom_ids: Sequence[str], file_id: str | None) -> Batch | None:
        """Note that the hand-over of these requests begins; None where it is not to be."""
        values = {"id": batch.id, "tried_at": batch.tried_at, "ids": list(custom_ids), "file_id": file_id}
        async with transaction(self._engine) as connection:
            row = (await connection.execute(BEGIN, values)).one_or_none()
        return None if row is None else batch_from(row)

    async def take_back(self, batch: Batch) -> None:
        """The hand-over that `begin` noted surely failed."""
        async with transaction(self._engine) as connection:
            await connection.execute(TAKE_BACK, {"id": batch.id, "tried_at": batch.tried_at})

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

    async def _requests(self, query: TextClause, values: dict[str, Any]) -> list[BatchRequest]:
        async with transaction(self._engine) as connection:
            rows = await connection.execute(query, values)
            return [msgspec.convert(row.prompt, BatchRequest) for row in rows]
