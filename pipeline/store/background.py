"""What feedback on a submission is written with; the picture of the learner is kept as it was when it was begun."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.batching import Batcher
from pipeline.learning.standing import standing_of
from pipeline.ports.generation import Background, Learning
from pipeline.prompting.feedback import LearnerPicture
from pipeline.store.engine import as_json, statement, transaction
from pipeline.store.locking import skill_from

TOGETHER: Final = 100

READ = text(
    """
    SELECT s.tenant_id, s.id::text, s.metadata, s.priority, s.retry_feedback, t.token_secret, b.picture,
        clock_timestamp() AS now
    FROM jsonb_to_recordset(CAST(:wanted AS jsonb)) AS w(tenant_id integer, submission_id uuid)
    JOIN submissions s ON s.tenant_id = w.tenant_id AND s.id = w.submission_id
    JOIN tenants t ON t.id = s.tenant_id
    LEFT JOIN feedback_backgrounds b ON b.submission_id = s.id AND b.tenant_id = s.tenant_id
    """
)

SKILLS = text(
    """
    SELECT k.tenant_id, k.learner_id, k.topic, k.rating, k.answers, k.correct, k.recent_errors, k.recent_answers,
        k.mistakes, k.stability, k.review_difficulty, k.due_at, k.updated_at
    FROM jsonb_to_recordset(CAST(:wanted AS jsonb)) AS w(tenant_id integer, learner_id text)
    JOIN skills k ON k.tenant_id = w.tenant_id AND k.learner_id = w.learner_id
    ORDER BY k.tenant_id, k.learner_id, k.topic
    """
)

# A submission that is being erased is not brought back: its row is locked, or gone. Nobody waits for the disk here:
# nothing is sent before its booking is on it, and with that all that was written before.
KEEP = text(
    """
    WITH relaxed AS (
        SELECT set_config('synchronous_commit', 'off', true) AS commit
    ), kept AS (
        SELECT k.submission_id, k.tenant_id, k.picture
        FROM jsonb_to_recordset(CAST(:kept AS jsonb)) AS k(submission_id uuid, tenant_id integer, picture jsonb)
        JOIN submissions s ON s.tenant_id = k.tenant_id AND s.id = k.submission_id
        WHERE (SELECT commit FROM relaxed) = 'off'
        ORDER BY s.id FOR KEY SHARE OF s
    )
    INSERT INTO feedback_backgrounds AS b (submission_id, tenant_id, picture)
    SELECT submission_id, tenant_id, picture FROM kept
    ON CONFLICT (submission_id) DO UPDATE SET picture = b.picture
    RETURNING b.submission_id::text, b.picture
    """
)


FORGET = text(
    """
    WITH old AS MATERIALIZED (
        SELECT submission_id FROM feedback_backgrounds
        WHERE created_at < now() - make_interval(secs => :older_seconds)
        ORDER BY created_at LIMIT :most FOR UPDATE SKIP LOCKED
    )
    DELETE FROM feedback_backgrounds b USING old WHERE b.submission_id = old.submission_id
    """
)


class BackgroundStore:
    """The port `pipeline.ports.generation.Backgrounds`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._wanted: Batcher[Learning, Background | None] = Batcher(self._read, most=TOGETHER, concurrency=2)

    async def of(self, learning: Learning) -> Background | None:
        """A submission's background; None where it was erased. Raises `Unavailable`."""
        return await self._wanted.add(learning)

    async def forget(self, *, older_seconds: float, most: int) -> int:
        """Delete what was kept so long ago for stages that might be repeated; answers how many."""
        async with transaction(self._engine) as connection:
            return int((await connection.execute(FORGET, {"older_seconds": older_seconds, "most": most})).rowcount)

    async def _read(self, wanted: list[Learning]) -> list[Background | None]:
        rows = {row.id: row for row in await self._rows(READ, wanted=wanted)}
        new = [one for one in wanted if one.submission_id in rows and rows[one.submission_id].picture is None]
        kept = await self._keep(new, next(iter(rows.values())).now) if new else {}
        found: list[Background | None] = []
        for one in wanted:
            row = rows.get(one.submission_id)
            picture = kept.get(one.submission_id) or (row.picture if row is not None else None)
            found.append(None if row is None or picture is None else background_from(row, picture))
        return found

    async def _keep(self, new: Sequence[Learning], now: datetime) -> dict[str, Any]:
        """Take the picture of each learner now, unless somebody has taken it meanwhile."""
        pictures = await self._pictures(new, now)
        values = [
            {"submission_id": one.submission_id, "tenant_id": one.tenant_id, "picture": picture}
            for one, picture in zip(new, pictures, strict=True)
        ]
        return {row.submission_id: row.picture for row in await self._rows(KEEP, kept=values)}

    async def _pictures(self, new: Sequence[Learning], now: datetime) -> list[LearnerPicture]:
        learners = {(one.tenant_id, one.learner_id) for one in new}
        wanted = [{"tenant_id": tenant_id, "learner_id": learner_id} for tenant_id, learner_id in sorted(learners)]
        skills: dict[tuple[int, str], list[Any]] = {learner: [] for learner in learners}
        for row in await self._rows(SKILLS, wanted=wanted):
            skills[row.tenant_id, row.learner_id].append(skill_from(row))
        standings = [standing_of(skills[one.tenant_id, one.learner_id], now) for one in new]
        return [LearnerPicture(**standing._asdict()) for standing in standings]

    async def _rows(self, query: TextClause, **values: object) -> list[Any]:
        """Each by itself: a picture is the learner's at one moment, and kept once, by one statement each."""
        async with statement(self._engine) as connection:
            return list(await connection.execute(query, {name: as_json(value) for name, value in values.items()}))


def background_from(row: Any, picture: Any) -> Background:
    return Background(
        picture=msgspec.convert(picture, LearnerPicture),
        metadata=row.metadata or {},
        secret=row.token_secret,
        priority=row.priority or "normal",
        retry_feedback=bool(row.retry_feedback),
    )
