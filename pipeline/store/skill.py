"""Reading the skills of many learners at once."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pipeline.learning.memory import Memory
from pipeline.learning.rating import Skill
from pipeline.learning.recency import Recent

# One row for each learner, with a list for each column: one row for each of forty topics takes far longer to read.
# Every list is in the order of topics, in which one learner's skills are read too: sums over them come out the same.
SKILLS = text(
    """
    SELECT learner_id, array_agg(topic ORDER BY topic) AS topics, array_agg(rating ORDER BY topic) AS ratings,
        array_agg(answers ORDER BY topic) AS answers, array_agg(correct ORDER BY topic) AS correct,
        array_agg(CAST(extract(epoch FROM updated_at) AS float) ORDER BY topic) AS updated,
        array_agg(recent_errors ORDER BY topic) AS errors, array_agg(recent_answers ORDER BY topic) AS recent,
        array_agg(stability ORDER BY topic) AS stability, array_agg(review_difficulty ORDER BY topic) AS difficulty,
        array_agg(CAST(extract(epoch FROM due_at) AS float) ORDER BY topic) AS due
    FROM skills WHERE tenant_id = :tenant_id AND learner_id = ANY(:ids) GROUP BY learner_id
    """
)


async def read_skills(
    connection: AsyncConnection, tenant_id: int, learner_ids: Sequence[str]
) -> Mapping[str, Mapping[str, Skill]]:
    """The skills of these learners by topic, by learner; who has none is left out.

    They come without the kinds of mistakes, which nobody asks for who looks at many learners.
    """
    rows = await connection.execute(SKILLS, {"tenant_id": tenant_id, "ids": list(learner_ids)})
    return {row.learner_id: skills_from(row) for row in rows}


def skills_from(row: Any) -> dict[str, Skill]:
    """A learner's skills by topic, in the order of topics."""
    counts = zip(row.topics, row.ratings, row.answers, row.correct, row.updated, strict=True)
    fading = zip(row.errors, row.recent, row.stability, row.difficulty, row.due, strict=True)
    return {
        topic: Skill(
            topic=topic,
            rating=rating,
            answers=answers,
            correct=correct,
            updated_at=datetime.fromtimestamp(updated, UTC),
            recent=Recent(errors, recent),
            memory=None if stability is None else Memory(stability, difficulty, datetime.fromtimestamp(due, UTC)),
        )
        for (topic, rating, answers, correct, updated), (errors, recent, stability, difficulty, due) in zip(
            counts, fading, strict=True
        )
    }
