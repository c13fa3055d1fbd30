"""What weekly reports are made of, and where they are kept."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.learning.goal import Goals
from pipeline.model import JsonValue
from pipeline.ports.report import Active, KeptReport, LearnersFound, WeekFacts
from pipeline.store.aim import aim_of
from pipeline.store.engine import LOOK_UP_SECONDS, as_json, transaction
from pipeline.store.question import QuestionVersions
from pipeline.store.week_facts import Asked, goals_from, read_facts

AIM = text(f"SELECT {aim_of('CAST(:learner_id AS text)')} AS aim")

GOALS = text("SELECT goals FROM learners WHERE tenant_id = :tenant_id AND id = :learner_id")

# Goals may start a learner, as a hand-in does. An erasure under way is waited for; whoever comes after it begins anew.
SET_GOALS = text(
    """
    INSERT INTO learners (tenant_id, id, goals) VALUES (:tenant_id, :learner_id, CAST(:goals AS jsonb))
    ON CONFLICT (tenant_id, id) DO UPDATE SET goals = excluded.goals RETURNING id
    """
)

KEPT = text(
    """
    SELECT week, body, created_at FROM learner_reports
    WHERE tenant_id = :tenant_id AND learner_id = :learner_id AND week = :week
    """
)

ALL_KEPT = text(
    """
    SELECT week, body, created_at FROM learner_reports
    WHERE tenant_id = :tenant_id AND learner_id = :learner_id ORDER BY week
    """
)

# An erasure locks the learner first: whoever comes before it is deleted by it, whoever comes after finds nobody.
KEEP = text(
    """
    WITH found AS MATERIALIZED (
        SELECT l.tenant_id, l.id, r.body
        FROM jsonb_to_recordset(CAST(:reports AS jsonb)) AS r(learner_id text, body jsonb)
        JOIN learners l ON l.tenant_id = :tenant_id AND l.id = r.learner_id
        ORDER BY l.id FOR KEY SHARE OF l
    )
    INSERT INTO learner_reports (tenant_id, learner_id, week, body)
    SELECT tenant_id, id, CAST(:week AS date), body FROM found
    ON CONFLICT (tenant_id, learner_id, week) DO NOTHING
    """
)

UNREPORTED = text(
    """
    SELECT l.id, d.hand_ins, EXISTS (
        SELECT FROM learner_reports r WHERE r.tenant_id = l.tenant_id AND r.learner_id = l.id AND r.week = :week
    ) AS reported
    FROM (
        SELECT tenant_id, id FROM learners WHERE tenant_id = :tenant_id AND id > :after ORDER BY id LIMIT :most
    ) l CROSS JOIN LATERAL (
        SELECT sum(submissions)::int AS hand_ins FROM learner_days
        WHERE tenant_id = l.tenant_id AND learner_id = l.id AND day BETWEEN :first AND :last
    ) d ORDER BY l.id
    """
)


class ReportStore:
    """Postgres as the port `pipeline.ports.report.ReportStore`."""

    def __init__(self, engine: AsyncEngine, versions: QuestionVersions) -> None:
        self._engine = engine
        self._versions = versions

    async def facts(
        self, tenant_id: int, learner_ids: Sequence[str], since: datetime, until: datetime, *, most: int
    ) -> list[WeekFacts]:
        """What these learners' reports are made of, in the order asked for; of nobody there is nothing."""
        asked = Asked(tenant_id, learner_ids, since, until, most)
        async with transaction(self._engine, seconds=LOOK_UP_SECONDS) as connection:
            return await read_facts(connection, self._versions, asked)

    async def aim(self, tenant_id: int, learner_id: str) -> str | None:
        """What the learner works towards: the target among the goals, else the goal of what was handed in last."""
        aim: str | None = (await self._of_learner(AIM, tenant_id, learner_id))[0].aim
        return aim

    async def goals(self, tenant_id: int, learner_id: str) -> Goals:
        """The learner's goals; none where none were set."""
        rows = await self._of_learner(GOALS, tenant_id, learner_id)
        return goals_from(rows[0].goals if rows else None)

    async def set_goals(self, tenant_id: int, learner_id: str, goals: Goals) -> None:
        """Keep these goals in place of earlier ones, of a learner who may be new."""
        await self._of_learner(SET_GOALS, tenant_id, learner_id, goals=as_json(goals))

    async def kept(self, tenant_id: int, learner_id: str, week: date) -> KeptReport | None:
        """The report that was stored of the week that begins on `week`."""
        rows = await self._of_learner(KEPT, tenant_id, learner_id, week=week)
        return KeptReport(*rows[0]) if rows else None

    async def all_kept(self, tenant_id: int, learner_id: str) -> Sequence[KeptReport]:
        """All stored reports of a learner, the oldest first."""
        return [KeptReport(*row) for row in await self._of_learner(ALL_KEPT, tenant_id, learner_id)]

    async def keep(self, tenant_id: int, week: date, bodies: Mapping[str, Mapping[str, JsonValue]]) -> None:
        """Store the reports of a week, by learner, of those who are still there; one that is there already stays."""
        reports = as_json([{"learner_id": learner_id, "body": body} for learner_id, body in bodies.items()])
        async with transaction(self._engine, seconds=LOOK_UP_SECONDS) as connection:
            await connection.execute(KEEP, {"tenant_id": tenant_id, "week": week, "reports": reports})

    async def unreported(
        self, tenant_id: int, first: date, last: date, week: date, *, after: str | None, most: int
    ) -> LearnersFound:
        """Who of the next `most` learners behind `after` handed in from `first` to `last`, without those reported."""
        days = {"first": first, "last": last, "week": week}
        async with transaction(self._engine, seconds=LOOK_UP_SECONDS) as connection:
            values = {"tenant_id": tenant_id, "after": after or "", "most": most, **days}
            rows = (await connection.execute(UNREPORTED, values)).all()
        learners = tuple(Active(row.id, row.hand_ins) for row in rows if row.hand_ins is not None and not row.reported)
        return LearnersFound(learners, rows[-1].id if len(rows) == most else None)

    async def _of_learner(self, statement: Any, tenant_id: int, learner_id: str, **more: Any) -> Sequence[Any]:
        values = {"tenant_id": tenant_id, "learner_id": learner_id, **more}
        async with transaction(self._engine) as connection:
            return (await connection.execute(statement, values)).all()
