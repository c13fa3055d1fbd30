"""Reading what advice for one learner goes by, with the tenant's questions kept in the process."""

from collections import Counter
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.model import LearnerContext
from pipeline.ports.advising import Basis, Latest
from pipeline.store.aim import aim_of, latest_arrivals
from pipeline.store.candidates import Banks, TenantBank
from pipeline.store.engine import LOOK_UP_SECONDS, transaction
from pipeline.store.learner import SKILLS
from pipeline.store.locking import skill_from

LEARNER = text(
    f"""
    SELECT l.recent_correct, s.id::text AS submission_id, s.locale, s.industry, {aim_of(":learner_id")} AS career_goal,
        ARRAY(SELECT v.question_key FROM answers a JOIN question_versions v ON v.key = a.version_key
              WHERE a.submission_id = s.id ORDER BY a.position) AS question_keys
    FROM (VALUES (1)) AS one
    LEFT JOIN learners l ON l.tenant_id = :tenant_id AND l.id = :learner_id
    LEFT JOIN LATERAL (
        SELECT id, locale, industry FROM ({latest_arrivals(":learner_id", "s.locale, s.industry")}) latest
        ORDER BY handed_in_at DESC, id DESC LIMIT 1
    ) s ON true
    """
)


class AdvisingStore:
    """Postgres as the port `pipeline.ports.advising.AdvisingStore`.

    The first question for a tenant reads its whole bank; later ones only what changed since.
    """

    def __init__(self, engine: AsyncEngine, banks: Banks | None = None) -> None:
        self._engine = engine
        self._banks = banks or Banks()

    async def basis(self, tenant_id: int, learner_id: str) -> Basis:
        """What advice for this learner goes by now; raises `Unavailable`."""
        values = {"tenant_id": tenant_id, "learner_id": learner_id}
        async with transaction(self._engine, seconds=LOOK_UP_SECONDS) as connection:
            bank = (await self._banks.load(connection, {tenant_id}))[tenant_id]
            skills = [skill_from(row) for row in await connection.execute(SKILLS, values)]
            row = (await connection.execute(LEARNER, values)).one()
        return Basis(
            skills={skill.topic: skill for skill in skills},
            recent_correct=names(bank, row.recent_correct or ()),
            career_goal=row.career_goal,
            latest=None if row.submission_id is None else latest_from(row, bank),
            bank=bank.candidates,
            guide=bank.guide,
        )


def names(bank: TenantBank, keys: Any) -> tuple[str, ...]:
    """The ids of these questions, those left out that are not known."""
    return tuple(bank.id_by_key[key] for key in keys if key in bank.id_by_key)


def latest_from(row: Any, bank: TenantBank) -> Latest:
    languages = Counter(bank.by_key[key].language for key in row.question_keys if key in bank.by_key)
    return Latest(
        submission_id=row.submission_id,
        question_ids=names(bank, row.question_keys),
        language=languages.most_common(1)[0][0] if languages else "",
        context=LearnerContext(locale=row.locale, industry=row.industry),
    )
