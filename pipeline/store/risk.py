"""What learners' risk is told from, for many learners by a handful of statements, and the assessments of each night."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.learning.metrics import AnswerSums
from pipeline.learning.rating import Skill
from pipeline.learning.risk import FLAGGED_FROM, Sign, first_recent_day
from pipeline.ports.analytics import (
    Assessed,
    GoalSums,
    LearnerFacts,
    PastScore,
    RiskFilter,
    RiskPlace,
    RiskSums,
)
from pipeline.store.aim import aim_of
from pipeline.store.engine import LOOK_UP_SECONDS, as_json, transaction
from pipeline.store.learning import SUMS
from pipeline.store.skill import read_skills

LEARNER_IDS = text("SELECT id FROM learners WHERE tenant_id = :tenant_id AND id > :after ORDER BY id LIMIT :most")

EVER = ", ".join(f"coalesce(sum({name}), 0)::bigint AS {name}" for name in SUMS.split(", "))
RECENT = ", ".join(
    f"coalesce(sum({name}) FILTER (WHERE day >= :recent_from), 0)::bigint AS recent_{name}" for name in SUMS.split(", ")
)
FACTS = text(
    f"""
    SELECT w.id, d.*, {aim_of("w.id")} AS career_goal
    FROM unnest(CAST(:ids AS text[])) AS w(id)
    CROSS JOIN LATERAL (
        SELECT max(day) AS last_day, {EVER}, {RECENT} FROM learner_days
        WHERE tenant_id = :tenant_id AND learner_id = w.id AND day <= :today) d
    """
)

# Who was erased while the night's assessments were made is not brought back by them.
SAVE = text(
    """
    INSERT INTO risk_assessments (tenant_id, learner_id, day, score, body)
    SELECT l.tenant_id, l.id, :day, a.score, a.body
    FROM jsonb_to_recordset(CAST(:assessed AS jsonb)) AS a(learner_id text, score float, body jsonb)
    JOIN learners l ON l.tenant_id = :tenant_id AND l.id = a.learner_id
    ORDER BY l.id FOR KEY SHARE OF l
    ON CONFLICT (tenant_id, learner_id, day) DO UPDATE SET score = excluded.score, body = excluded.body
    """
)

COMPLETE = text("INSERT INTO risk_nights (tenant_id, day) VALUES (:tenant_id, :day) ON CONFLICT DO NOTHING")
LATEST_DAY = text("SELECT max(day) FROM risk_nights WHERE tenant_id = :tenant_id")

# Sorted as the index is: scores fall, ids rise.
KEPT = text(
    """
    SELECT learner_id, score, body FROM risk_assessments
    WHERE tenant_id = :tenant_id AND day = :day AND score >= :min_score
      AND (CAST(:career_goal AS text) IS NULL OR body ->> 'career_goal' = :career_goal)
      AND (score < :before OR (score = :before AND learner_id > :after))
    ORDER BY score DESC, learner_id LIMIT :most
    """
)

PAST_SCORES = text(
    """
    SELECT DISTINCT ON (learner_id) learner_id, day, score FROM risk_assessments
    WHERE tenant_id = :tenant_id AND learner_id = ANY(:ids) AND day BETWEEN :first AND :last
    ORDER BY learner_id, day DESC
    """
)

TENTHS = ", ".join(f"count(*) FILTER (WHERE round(CAST(10 * score AS numeric)) = {n})" for n in range(11))
SIGNS = ", ".join(
    f"count(*) FILTER (WHERE CAST(body #>> '{{assessment,factors,{n},contribution}}' AS float) > 0)"
    for n in range(len(Sign))
)
RISK_SUMS = text(
    f"""
    SELECT count(*) AS learners, count(*) FILTER (WHERE score >= {FLAGGED_FROM}) AS flagged,
        ARRAY[{TENTHS}] AS by_tenth, ARRAY[{SIGNS}] AS by_sign
    FROM risk_assessments
    WHERE tenant_id = :tenant_id AND day = :day AND score >= :min_score
      AND (CAST(:career_goal AS text) IS NULL OR body ->> 'career_goal' = :career_goal)
    """
)

SUMS_BY_GOAL = text(
    f"""
    WITH day AS (
        SELECT learner_id, body ->> 'career_goal' AS goal, CAST(body ->> 'last_day' AS date) AS last_day,
            CAST(body -> 'completion' ->> 'mastered' AS int) AS mastered,
            CAST(body -> 'completion' ->> 'modules' AS int) AS modules
        FROM risk_assessments WHERE tenant_id = :tenant_id AND day = :day
    ), shared AS (
        SELECT *, CAST(mastered AS float) / modules AS share,
            CASE WHEN modules > 0 THEN least(5 * mastered / modules, 4) END AS fifth
        FROM day
    ), ranked AS (
        SELECT *, row_number() OVER (PARTITION BY goal ORDER BY share DESC NULLS LAST, learner_id) AS place FROM shared
    )
    SELECT goal, count(*) AS learners, count(share) AS measured, coalesce(sum(share), 0) AS progress_sum,
        count(*) FILTER (WHERE mastered = modules) AS completed,
        count(*) FILTER (WHERE last_day > CAST(:day AS date) - 7) AS active_7_days,
        count(*) FILTER (WHERE last_day > CAST(:day AS date) - 28) AS active_28_days,
        ARRAY[{", ".join(f"count(*) FILTER (WHERE fifth = {n})" for n in range(5))}] AS spread,
        jsonb_agg(jsonb_build_array(learner_id, share) ORDER BY place)
            FILTER (WHERE place <= :most_top AND share > 0) AS top
    FROM ranked GROUP BY goal
    """
)

BEFORE_ALL: Final = RiskPlace(score=2.0, learner_id="")
"""No score is that high."""


class RiskStore:
    """Postgres as the port `pipeline.ports.RiskStore`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def learner_ids(self, tenant_id: int, *, after: str, most: int) -> list[str]:
        """At most `most` of the tenant's learners in the order of their ids, from the first behind `after`."""
        rows = await self._rows(LEARNER_IDS, tenant_id=tenant_id, after=after, most=most)
        return [row.id for row in rows]

    async def facts(self, tenant_id: int, learner_ids: Sequence[str], today: date) -> list[LearnerFacts]:
        """What is known of these learners up to `today`, in the order asked for; nothing counts as nothing done."""
        values = {"tenant_id": tenant_id, "ids": list(learner_ids)}
        days = {"today": today, "recent_from": first_recent_day(today)}
        async with transaction(self._engine, seconds=LOOK_UP_SECONDS) as connection:
            rows = {row.id: row for row in await connection.execute(FACTS, {**values, **days})}
            skills = await read_skills(connection, tenant_id, learner_ids)
        return [facts_from(rows[id_], skills.get(id_, {})) for id_ in learner_ids]

    async def save(self, tenant_id: int, day: date, assessed: Sequence[Assessed]) -> None:
        """Keep the assessments of a day, instead of those of the same day and learners."""
        given = as_json([kept_row(one) for one in assessed])
        async with transaction(self._engine, seconds=LOOK_UP_SECONDS) as connection:
            await connection.execute(SAVE, {"tenant_id": tenant_id, "day": day, "assessed": given})

    async def complete(self, tenant_id: int, day: date) -> None:
        """Note that all learners of the tenant are assessed as of this day."""
        async with transaction(self._engine) as connection:
            await connection.execute(COMPLETE, {"tenant_id": tenant_id, "day": day})

    async def latest_day(self, tenant_id: int) -> date | None:
        """The newest day as of which all learners of the tenant were assessed."""
        found: date | None = (await self._rows(LATEST_DAY, tenant_id=tenant_id))[0][0]
        return found

    async def kept(
        self, tenant_id: int, day: date, wanted: RiskFilter, *, after: RiskPlace | None, most: int
    ) -> list[Assessed]:
        """The assessments of a day that fit, by falling score."""
        place = after or BEFORE_ALL
        rows = await self._rows(
            KEPT,
            tenant_id=tenant_id,
            day=day,
            min_score=wanted.min_score,
            career_goal=wanted.career_goal,
            before=place.score,
            after=place.learner_id,
            most=most,
        )
        return [msgspec.convert({"learner_id": row.learner_id, **row.body}, Assessed) for row in rows]

    async def past_scores(
        self, tenant_id: int, learner_ids: Sequence[str], first: date, last: date
    ) -> Mapping[str, PastScore]:
        """The newest kept score of each learner from `first` to `last`."""
        rows = await self._rows(PAST_SCORES, tenant_id=tenant_id, ids=list(learner_ids), first=first, last=last)
        return {row.learner_id: PastScore(row.day, row.score) for row in rows}

    async def sums(self, tenant_id: int, day: date, wanted: RiskFilter) -> RiskSums:
        """A day's assessments that fit, summed up."""
        values = {"min_score": wanted.min_score, "career_goal": wanted.career_goal}
        [row] = await self._rows(RISK_SUMS, tenant_id=tenant_id, day=day, **values)
        return RiskSums(row.learners, row.flagged, tuple(row.by_tenth), tuple(row.by_sign))

    async def sums_by_goal(self, tenant_id: int, day: date, *, most_top: int) -> list[GoalSums]:
        """A day's assessments summed up by career goal."""
        rows = await self._rows(SUMS_BY_GOAL, tenant_id=tenant_id, day=day, most_top=most_top)
        return [goal_sums(row) for row in rows]

    async def _rows(self, statement: Any, **values: Any) -> Sequence[Any]:
        async with transaction(self._engine, seconds=LOOK_UP_SECONDS) as connection:
            return (await connection.execute(statement, values)).all()


def facts_from(row: Any, skills: Mapping[str, Skill]) -> LearnerFacts:
    names = SUMS.split(", ")
    return LearnerFacts(
        learner_id=row.id,
        recent=AnswerSums(*[getattr(row, f"recent_{name}") for name in names]),
        ever=AnswerSums(*[getattr(row, name) for name in names]),
        last_day=row.last_day,
        career_goal=row.career_goal,
        skills=skills,
    )


def goal_sums(row: Any) -> GoalSums:
    return GoalSums(
        career_goal=row.goal,
        learners=row.learners,
        measured=row.measured,
        progress_sum=row.progress_sum,
        completed=row.completed,
        active_7_days=row.active_7_days,
        active_28_days=row.active_28_days,
        spread=tuple(row.spread),
        top=tuple((learner_id, share) for learner_id, share in row.top or ()),
    )


def kept_row(one: Assessed) -> dict[str, Any]:
    """An assessment as it is kept."""
    body = msgspec.to_builtins(one)
    return {"learner_id": body.pop("learner_id"), "score": one.assessment.score, "body": body}
