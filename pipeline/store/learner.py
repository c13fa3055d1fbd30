"""Reading what is known of one learner."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.learning.metrics import AnswerSums, LearnerDay
from pipeline.learning.rating import Skill
from pipeline.ports import Keepsake
from pipeline.ports.learner import GroupName, PastRisk
from pipeline.store.engine import LOOK_UP_SECONDS, statement, transaction
from pipeline.store.locking import skill_from

KNOWN = text(
    """
    SELECT EXISTS (SELECT FROM learners WHERE tenant_id = :tenant_id AND id = :learner_id)
        OR EXISTS (SELECT FROM submissions WHERE tenant_id = :tenant_id AND learner_id = :learner_id)
        OR EXISTS (SELECT FROM learner_group_members WHERE tenant_id = :tenant_id AND learner_id = :learner_id)
    """
)

SKILLS = text(
    """
    SELECT topic, rating, answers, correct, recent_errors, recent_answers, mistakes, stability, review_difficulty,
        due_at, updated_at
    FROM skills
    WHERE tenant_id = :tenant_id AND learner_id = :learner_id ORDER BY topic
    """
)

DAYS = text(
    """
    SELECT day, submissions, answers, scored, correct, fraction_millionths, timed, response_time_ms FROM learner_days
    WHERE tenant_id = :tenant_id AND learner_id = :learner_id ORDER BY day
    """
)

GROUPS = text(
    """
    SELECT g.id, g.name FROM learner_groups g
    JOIN learner_group_members m ON m.tenant_id = g.tenant_id AND m.group_id = g.id
    WHERE m.tenant_id = :tenant_id AND m.learner_id = :learner_id ORDER BY g.id
    """
)

RISKS = text(
    """
    SELECT day, score, body FROM risk_assessments
    WHERE tenant_id = :tenant_id AND learner_id = :learner_id ORDER BY day
    """
)

SUBMISSION_IDS = text(
    """
    SELECT id::text FROM submissions
    WHERE tenant_id = :tenant_id AND learner_id = :learner_id AND id > CAST(:after AS uuid)
    ORDER BY id LIMIT :most
    """
)

KEEPSAKES = text(
    """
    SELECT s.id::text,
        (SELECT jsonb_agg(jsonb_build_object('question_id', q.id, 'question_version', v.version,
                'response', a.response, 'response_time_ms', a.response_time_ms, 'confidence', a.confidence)
            ORDER BY a.position)
         FROM answers a JOIN question_versions v ON v.key = a.version_key JOIN questions q ON q.key = v.question_key
         WHERE a.submission_id = s.id) AS answers,
        (SELECT jsonb_agg(jsonb_build_object('stage', t.stage, 'attempt', t.attempt, 'ended', t.ended,
                'error', t.error, 'started_at', t.started_at, 'ended_at', t.ended_at) ORDER BY t.id)
         FROM attempts t WHERE t.submission_id = s.id) AS attempts,
        (SELECT jsonb_agg(jsonb_build_object('id', d.id, 'event', d.event, 'url', d.url, 'payload', d.payload,
                'state', d.state, 'created_at', d.created_at, 'finished_at', d.finished_at) ORDER BY d.id)
         FROM deliveries d WHERE d.submission_id = s.id) AS deliveries,
        (SELECT jsonb_agg(jsonb_build_object('question_id', f.question_id, 'rating', f.rating, 'comment', f.comment,
                'created_at', f.created_at) ORDER BY f.question_id)
         FROM feedback_ratings f WHERE f.tenant_id = s.tenant_id AND f.submission_id = s.id) AS ratings,
        (SELECT jsonb_agg(jsonb_build_object('question_id', f.question_id, 'experiment', f.experiment, 'arm', f.arm,
                'created_at', f.created_at) ORDER BY f.question_id)
         FROM feedback_assignments f WHERE f.tenant_id = s.tenant_id AND f.submission_id = s.id) AS experiments,
        (SELECT jsonb_agg(jsonb_build_object('question_id', m.question_id, 'purpose', m.purpose,
                'provider', m.provider, 'model', m.model, 'started_at', m.started_at) ORDER BY m.id)
         FROM llm_attempts m WHERE m.tenant_id = s.tenant_id AND m.submission_id = s.id) AS model_requests
    FROM submissions s WHERE s.tenant_id = :tenant_id AND s.id = ANY(CAST(:ids AS uuid[]))
    """
)

BEFORE_ALL: Final = "00000000-0000-0000-0000-000000000000"


class LearnerStore:
    """Postgres as the port `pipeline.ports.LearnerStore`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def known(self, tenant_id: int, learner_id: str) -> bool:
        """Whether the learner ever handed in, is in a group or has goals, and was not erased since."""
        rows = await self._of_learner(KNOWN, tenant_id, learner_id)
        return bool(rows[0][0])

    async def skills(self, tenant_id: int, learner_id: str) -> list[Skill]:
        """The learner's skills by topic."""
        return [skill_from(row) for row in await self._of_learner(SKILLS, tenant_id, learner_id)]

    async def days(self, tenant_id: int, learner_id: str) -> list[LearnerDay]:
        """The days on which the learner handed in, oldest first."""
        rows = await self._of_learner(DAYS, tenant_id, learner_id)
        return [LearnerDay(tenant_id, learner_id, row.day, row.submissions, AnswerSums(*row[2:])) for row in rows]

    async def groups(self, tenant_id: int, learner_id: str) -> list[GroupName]:
        """The groups that the learner is in."""
        return [GroupName(row.id, row.name) for row in await self._of_learner(GROUPS, tenant_id, learner_id)]

    async def risks(self, tenant_id: int, learner_id: str) -> list[PastRisk]:
        """How the learner was assessed, night by night, oldest first."""
        rows = await self._of_learner(RISKS, tenant_id, learner_id)
        return [PastRisk(row.day, row.score, row.body["assessment"]) for row in rows]

    async def submission_ids(self, tenant_id: int, learner_id: str, *, after: str | None, most: int) -> list[str]:
        """The ids of at most `most` of the learner's submissions, oldest first, from the first behind `after`."""
        more = {"after": after or BEFORE_ALL, "most": most}
        return [row.id for row in await self._of_learner(SUBMISSION_IDS, tenant_id, learner_id, **more)]

    async def keepsakes(self, tenant_id: int, submission_ids: Sequence[str]) -> Mapping[str, Keepsake]:
        """The rest of what is kept of these submissions, by id."""
        async with transaction(self._engine, seconds=LOOK_UP_SECONDS) as connection:
            rows = await connection.execute(KEEPSAKES, {"tenant_id": tenant_id, "ids": list(submission_ids)})
            return {id_: Keepsake(*[part or () for part in parts]) for id_, *parts in rows}

    async def _of_learner(self, question: Any, tenant_id: int, learner_id: str, **more: Any) -> Sequence[Any]:
        values = {"tenant_id": tenant_id, "learner_id": learner_id, **more}
        async with statement(self._engine) as connection:
            return (await connection.execute(question, values)).all()
