"""Putting better feedback in the place of a lesser one: the only result that is ever replaced.

Whoever wants to do so holds a lease on the row in `feedback_improvements`, and is fenced by its count of tries. The row
outlives the improvement until watchers were told: what is shown of a completed submission is kept for days.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from pipeline.lifecycle import Event, Stage, StageState, Status, advance, sources, status_of
from pipeline.model import Change, Held
from pipeline.ports.improvement import Due
from pipeline.stages.outcome import Body
from pipeline.store.engine import as_json, transaction
from pipeline.store.fence import lock
from pipeline.store.packing import packed
from pipeline.store.writing import FenceBroken

# What is no longer wanted (cancelled, erased) is taken too, and forgotten at once.
TAKE = text(
    """
    WITH due AS (
        SELECT i.submission_id, i.tenant_id FROM feedback_improvements i
        WHERE i.available_at <= now() AND NOT EXISTS (SELECT FROM stage_pauses p WHERE p.stage = 'feedback')
        ORDER BY i.available_at LIMIT :most FOR UPDATE OF i SKIP LOCKED
    ), taken AS (
        UPDATE feedback_improvements i
        SET tries = i.tries + 1, available_at = clock_timestamp() + make_interval(secs => :lease_seconds)
        FROM due d WHERE i.submission_id = d.submission_id
        RETURNING i.submission_id, i.tenant_id, i.tries
    )
    SELECT k.submission_id::text, k.tenant_id, k.tries, s.version, s.status, t.state
    FROM taken k
    LEFT JOIN submissions s ON s.tenant_id = k.tenant_id AND s.id = k.submission_id
    LEFT JOIN stages t ON t.submission_id = k.submission_id AND t.stage = 'feedback'
    """
)

OURS = text(
    """
    SELECT FROM feedback_improvements
    WHERE submission_id = CAST(:submission_id AS uuid) AND tenant_id = :tenant_id AND tries = :tries FOR UPDATE
    """
)

# `finished_at` stays: it is when the stage was done with, and what durations were counted by.
IMPROVE = text(
    """
    WITH moved AS (
        UPDATE stages SET state = 'done'
        WHERE submission_id = CAST(:submission_id AS uuid) AND stage = 'feedback' AND state = 'degraded'
          AND epoch = :epoch
        RETURNING 1
    ), replaced AS (
        UPDATE results SET body = CAST(:body AS jsonb)
        WHERE submission_id = CAST(:submission_id AS uuid) AND stage = 'feedback' AND tenant_id = :tenant_id
        RETURNING 1
    ), updated AS (
        UPDATE submissions SET version = version + 1, updated_at = clock_timestamp()
        WHERE tenant_id = :tenant_id AND id = CAST(:submission_id AS uuid) AND version = :version AND status = :status
        RETURNING 1
    ), unheard AS (
        UPDATE feedback_improvements SET available_at = clock_timestamp()
        WHERE submission_id = CAST(:submission_id AS uuid)
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM moved) + (SELECT count(*) FROM replaced) + (SELECT count(*) FROM updated)
        + (SELECT count(*) FROM unheard) AS written
    """
)
WRITTEN = 4

POSTPONE = text(
    """
    UPDATE feedback_improvements SET available_at = clock_timestamp() + make_interval(secs => :seconds)
    WHERE submission_id = CAST(:submission_id AS uuid) AND tries = :tries
    """
)

FORGET = text("DELETE FROM feedback_improvements WHERE submission_id = CAST(:submission_id AS uuid) AND tries = :tries")

GIVE_UP = text(
    """
    WITH late AS (
        SELECT submission_id FROM feedback_improvements
        WHERE available_at <= now() AND give_up_at <= now()
        ORDER BY available_at LIMIT :most FOR UPDATE SKIP LOCKED
    )
    DELETE FROM feedback_improvements i USING late WHERE i.submission_id = late.submission_id
    """
)


class ImprovementStore:
    """Postgres as the port `pipeline.ports.improvement.ImprovementStore`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def take(self, *, lease_seconds: float, most: int) -> list[Due]:
        """Take what is due, for so long; what is no longer wanted is forgotten here."""
        async with transaction(self._engine) as connection:
            rows = list(await connection.execute(TAKE, {"lease_seconds": lease_seconds, "most": most}))
            due = [found for row in rows if (found := due_from(row)) is not None]
            await forget_others(connection, rows, due)
        return due

    async def improve(self, due: Due, body: Body) -> Change | None:
        """Put better feedback in the place of the lesser; None where it is no longer ours, or no longer wanted."""
        async with transaction(self._engine) as connection:
            locked = (await lock(connection, [(due.submission_id, due.tenant_id)])).rows
            ours = (await connection.execute(OURS, named(due))).one_or_none() is not None
            if not locked or not ours or not improvable(locked[0].held):
                return None
            return await replace(connection, locked[0].held, body)

    async def postpone(self, due: Due, seconds: float) -> None:
        """Try again after so long."""
        async with transaction(self._engine) as connection:
            await connection.execute(POSTPONE, {**named(due), "seconds": seconds})

    async def forget(self, due: Due) -> None:
        """Nothing is left to do."""
        async with transaction(self._engine) as connection:
            await connection.execute(FORGET, named(due))

    async def give_up(self, *, most: int) -> int:
        """Forget what has been tried for long enough; answers how many."""
        async with transaction(self._engine) as connection:
            return (await connection.execute(GIVE_UP, {"most": most})).rowcount


def named(due: Due) -> dict[str, Any]:
    return {"submission_id": due.submission_id, "tenant_id": due.tenant_id, "tries": due.tries}


def due_from(row: Any) -> Due | None:
    """What was taken; None where nothing can be bettered."""
    if row.status is None or row.status == Status.CANCELLED or row.state is None:
        return None
    due = Due(row.submission_id, row.tenant_id, row.tries)
    if row.state in sources(Event.IMPROVED):
        return due
    change = Change(row.submission_id, row.tenant_id, row.version, Status(row.status))
    return Due(row.submission_id, row.tenant_id, row.tries, unheard=change) if row.state == StageState.DONE else None


async def forget_others(connection: AsyncConnection, rows: Sequence[Any], due: Sequence[Due]) -> None:
    kept = {one.submission_id for one in due}
    for row in rows:
        if row.submission_id not in kept:
            await connection.execute(FORGET, {"submission_id": row.submission_id, "tries": row.tries})


def improvable(held: Held) -> bool:
    """Whether better feedback is still wanted: what was cancelled is left as it is."""
    return held.states[Stage.FEEDBACK] in sources(Event.IMPROVED) and held.status is not Status.CANCELLED


async def replace(connection: AsyncConnection, held: Held, body: Body) -> Change:
    """All of it in one statement, or `FenceBroken` and nothing of it."""
    states = advance(held.states, Stage.FEEDBACK, Event.IMPROVED)
    values = {
        "submission_id": held.submission_id,
        "tenant_id": held.tenant_id,
        "epoch": held.epochs[Stage.FEEDBACK],
        "version": held.version,
        "status": held.status,
        "body": as_json(packed(Stage.FEEDBACK, body)),
    }
    row = (await connection.execute(IMPROVE, values)).one()
    if row.written != WRITTEN:
        raise FenceBroken(f"improving feedback wrote {row.written} rows of {WRITTEN}")
    return Change(held.submission_id, held.tenant_id, held.version + 1, status_of(states))
