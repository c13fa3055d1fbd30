"""What learners think of feedback, one rating for each answer."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.ports.experiment import Rating
from pipeline.store.engine import transaction
from pipeline.store.storable import storable

# A submission that is being erased takes no rating: its row is locked, or gone. The same rating again is no later one.
RATE = text(
    """
    WITH rated AS MATERIALIZED (
        SELECT s.tenant_id, s.id, s.learner_id FROM submissions s
        WHERE s.tenant_id = :tenant_id AND s.id = CAST(:submission_id AS uuid) FOR KEY SHARE OF s
    )
    INSERT INTO feedback_ratings AS r (tenant_id, submission_id, question_id, learner_id, rating, comment, arm)
    SELECT s.tenant_id, s.id, CAST(:question_id AS text), s.learner_id, CAST(:rating AS smallint),
        CAST(:comment AS text), a.experiment || '/' || a.arm
    FROM rated s LEFT JOIN feedback_assignments a
        ON a.tenant_id = s.tenant_id AND a.submission_id = s.id AND a.question_id = CAST(:question_id AS text)
    ON CONFLICT (tenant_id, submission_id, question_id) DO UPDATE
    SET rating = excluded.rating, comment = excluded.comment, arm = excluded.arm,
        created_at = CASE WHEN (r.rating, r.comment) IS DISTINCT FROM (excluded.rating, excluded.comment)
            THEN excluded.created_at ELSE r.created_at END
    RETURNING created_at
    """
)


class RatingStore:
    """Postgres as the port `pipeline.ports.experiment.RatingStore`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def rate(self, tenant_id: int, submission_id: str, question_id: str, rating: Rating) -> datetime | None:
        """Keep a rating in place of an earlier one; None where the submission is gone."""
        values = {
            "tenant_id": tenant_id,
            "submission_id": submission_id,
            "question_id": question_id,
            "rating": rating.rating,
            "comment": None if rating.comment is None else storable(rating.comment),
        }
        async with transaction(self._engine) as connection:
            rated: datetime | None = (await connection.execute(RATE, values)).scalar_one_or_none()
        return rated
