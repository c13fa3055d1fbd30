"""What feedback on a submission is written with; the picture of the learner is kept as it was when it was begun."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.batching import Batcher
from pipeline.learning.rating import Skill
from pipeline.learning.standing import standing_of
from pipeline.ports.generation import Background, Learning
from pipeline.prompting.feedback import LearnerPicture
from pipeline.store.engine import as_json, transaction
from pipeline.store.locking import skill_from
from pipeline.store.round_trip import ask

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
        found, skills = await self._look(wanted)
        rows = {row.id: row for row in found}
        new = [one for one in wanted if one.submission_id in rows and rows[one.submission_id].picture is None]
        kept = await self._keep(pictures(new, skills, found[0].now)) if new else {}
        backgrounds: list[Background | None] = []
        for one in wanted:
            row = rows.get(one.submission_id)
            picture = kept.get(one.submission_id) or (row.picture if row is not None else None)
            backgrounds.append(None if row is None or picture is None else background_from(row, picture))
        return backgrounds

    async def _look(self, wanted: Sequence[Learning]) -> tuple[list[Any], list[Any]]:
        """The submissions, and their learners' skills at one moment; most pictures are still to be taken."""
        learners = sorted({(one.tenant_id, one.learner_id) for one in wanted})
        whose = [{"tenant_id": tenant_id, "learner_id": learner_id} for tenant_id, learner_id in learners]
        found, skills = await ask(
            self._engine, (READ, {"wanted": as_json(wanted)}), (SKILLS, {"wanted": as_json(whose)})
        )
        return found, skills

    async def _keep(self, taken: Sequence[dict[str, object]]) -> dict[str, Any]:
        """Keep these pictures, but for those that somebody has taken meanwhile; answers what is kept now."""
        [kept] = await ask(self._engine, (KEEP, {"kept": as_json(taken)}))
        return {row.submission_id: row.picture for row in kept}


def pictures(new: Sequence[Learning], skills: Iterable[Any], now: datetime) -> list[dict[str, object]]:
    """The picture of each submission's learner as of now, as a row to be kept."""
    known: dict[tuple[int, str], list[Skill]] = {}
    for row in skills:
        known.setdefault((row.tenant_id, row.learner_id), []).append(skill_from(row))
    standings = [standing_of(known.get((one.tenant_id, one.learner_id), []), now) for one in new]
    return [
        {
            "submission_id": one.submission_id,
            "tenant_id": one.tenant_id,
            "picture": LearnerPicture(**standing._asdict()),
        }
        for one, standing in zip(new, standings, strict=True)
    ]


def background_from(row: Any, picture: Any) -> Background:
    return Background(
        picture=msgspec.convert(picture, LearnerPicture),
        metadata=row.metadata or {},
        secret=row.token_secret,
        priority=row.priority or "normal",
        retry_feedback=bool(row.retry_feedback),
    )
