"""What weekly reports are made of, and where they are kept."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.learning.evidence import topics_of
from pipeline.learning.goal import NO_GOALS, Goals
from pipeline.learning.session import Answered, HandIn
from pipeline.lifecycle import Stage
from pipeline.model import JsonValue, Outcome, StoredQuestion
from pipeline.ports.report import HandInsFound, KeptReport, LearnersFound
from pipeline.store.aim import aim_of
from pipeline.store.browsing import CLOCK_DIFFERENCE, first_id_at
from pipeline.store.engine import LOOK_UP_SECONDS, as_json, transaction
from pipeline.store.packing import unpacked
from pipeline.store.question import QuestionVersions

LATE: Final = timedelta(days=31)
"""Work done off line counts for the week in which it was done if it arrives within so long."""

# Ids begin with the time at which they were made, so the learner's index bounds what is read.
HAND_INS = text(
    """
    SELECT coalesce(s.submitted_at, s.created_at) AS at, r.body AS score,
        (SELECT array_agg(a.version_key ORDER BY a.position) FROM answers a WHERE a.submission_id = s.id)
            AS version_keys,
        (SELECT array_agg(a.response_time_ms ORDER BY a.position) FROM answers a WHERE a.submission_id = s.id)
            AS times
    FROM submissions s JOIN results r ON r.submission_id = s.id AND r.stage = 'score'
    WHERE s.tenant_id = :tenant_id AND s.learner_id = :learner_id AND s.status <> 'cancelled'
      AND s.id >= CAST(:first_id AS uuid) AND s.id < CAST(:last_id AS uuid)
      AND coalesce(s.submitted_at, s.created_at) >= :since AND coalesce(s.submitted_at, s.created_at) < :until
    ORDER BY s.id DESC LIMIT :most
    """
)

AIM = text(f"SELECT {aim_of('CAST(:learner_id AS text)')} AS aim")

ADVISED = text(
    """
    SELECT r.body FROM submissions s JOIN results r ON r.submission_id = s.id AND r.stage = 'recommend'
    WHERE s.tenant_id = :tenant_id AND s.learner_id = :learner_id ORDER BY s.id DESC LIMIT 1
    """
)

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
    WITH learner AS MATERIALIZED (
        SELECT tenant_id, id FROM learners WHERE tenant_id = :tenant_id AND id = :learner_id FOR KEY SHARE
    )
    INSERT INTO learner_reports (tenant_id, learner_id, week, body)
    SELECT tenant_id, id, CAST(:week AS date), CAST(:body AS jsonb) FROM learner
    ON CONFLICT (tenant_id, learner_id, week) DO NOTHING
    """
)

ACTIVE_LEARNERS = text(
    """
    SELECT l.id, EXISTS (
        SELECT FROM learner_days d
        WHERE d.tenant_id = l.tenant_id AND d.learner_id = l.id AND d.day BETWEEN :first AND :last
    ) AS active
    FROM (
        SELECT tenant_id, id FROM learners WHERE tenant_id = :tenant_id AND id > :after ORDER BY id LIMIT :most
    ) l ORDER BY l.id
    """
)


class ReportStore:
    """Postgres as the port `pipeline.ports.report.ReportStore`."""

    def __init__(self, engine: AsyncEngine, versions: QuestionVersions) -> None:
        self._engine = engine
        self._versions = versions

    async def hand_ins(
        self, tenant_id: int, learner_id: str, since: datetime, until: datetime, *, most: int
    ) -> HandInsFound:
        """At most `most` hand-ins of the learner from `since` to before `until`, with their scores."""
        values = {
            "first_id": first_id_at(since, -2 * CLOCK_DIFFERENCE),
            "last_id": first_id_at(until, LATE),
            "since": since,
            "until": until,
            "most": most + 1,
        }
        async with transaction(self._engine, seconds=LOOK_UP_SECONDS) as connection:
            found = await connection.execute(HAND_INS, {"tenant_id": tenant_id, "learner_id": learner_id, **values})
            rows = found.all()
            keys = {key for row in rows for key in row.version_keys or ()}
            versions = await self._versions.load(connection, keys)
        return HandInsFound(tuple(hand_in_from(row, versions) for row in rows[:most]), clipped=len(rows) > most)

    async def aim(self, tenant_id: int, learner_id: str) -> str | None:
        """What the learner works towards: the target among the goals, else the goal of what was handed in last."""
        aim: str | None = (await self._of_learner(AIM, tenant_id, learner_id))[0].aim
        return aim

    async def advised_topics(self, tenant_id: int, learner_id: str) -> Sequence[str]:
        """The topic of each question that was recommended after the learner's latest submission that got as far."""
        rows = await self._of_learner(ADVISED, tenant_id, learner_id)
        body = unpacked(Stage.RECOMMEND, rows[0].body) if rows else {}
        return [question["topic"] for question in body.get("questions", ())]

    async def goals(self, tenant_id: int, learner_id: str) -> Goals:
        """The learner's goals; none where none were set."""
        rows = await self._of_learner(GOALS, tenant_id, learner_id)
        return msgspec.convert(rows[0].goals, Goals) if rows and rows[0].goals is not None else NO_GOALS

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

    async def keep(self, tenant_id: int, learner_id: str, week: date, body: Mapping[str, JsonValue]) -> None:
        """Store a report of a learner who is still there; where there is one of that week already, it stays."""
        values = {"tenant_id": tenant_id, "learner_id": learner_id, "week": week, "body": as_json(body)}
        async with transaction(self._engine) as connection:
            await connection.execute(KEEP, values)

    async def active_learners(
        self, tenant_id: int, first: date, last: date, *, after: str | None, most: int
    ) -> LearnersFound:
        """Who of the next `most` learners behind `after` handed in from `first` to `last` (UTC, both included)."""
        values = {"tenant_id": tenant_id, "first": first, "last": last, "after": after or "", "most": most}
        async with transaction(self._engine, seconds=LOOK_UP_SECONDS) as connection:
            rows = (await connection.execute(ACTIVE_LEARNERS, values)).all()
        learner_ids = tuple(row.id for row in rows if row.active)
        return LearnersFound(learner_ids, rows[-1].id if len(rows) == most else None)

    async def _of_learner(self, statement: Any, tenant_id: int, learner_id: str, **more: Any) -> Sequence[Any]:
        values = {"tenant_id": tenant_id, "learner_id": learner_id, **more}
        async with transaction(self._engine) as connection:
            return (await connection.execute(statement, values)).all()


def hand_in_from(row: Any, versions: Mapping[int, StoredQuestion]) -> HandIn:
    return HandIn(at=row.at, answers=tuple(answered_from(row, versions)))


def answered_from(row: Any, versions: Mapping[int, StoredQuestion]) -> Iterator[Answered]:
    """The answers of a row: scores are stored in the order of the answers."""
    scores = unpacked(Stage.SCORE, row.score)["answers"]
    for key, time, score in zip(row.version_keys, row.times, scores, strict=True):
        topics = topics_of(versions[key].question)
        yield Answered(topics, Outcome(score["outcome"]), score["fraction"], time)
