"""Where the rating of a question begins that nobody has answered, for whoever keeps no bank in memory."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pipeline.learning.evidence import UNSORTED_TOPIC, topics_of
from pipeline.learning.rating import MIDDLE_DIFFICULTY
from pipeline.learning.start import Shifts, shifts_from
from pipeline.model import Question

BEGUN = text(
    """
    SELECT EXISTS (
        SELECT FROM questions q JOIN item_ratings r ON r.question_key = q.key
        WHERE q.tenant_id = :tenant_id AND q.id = :question_id)
    """
)

# The server adds up, because a bank may hold a hundred thousand questions; `everything` stands under NULL.
SUMS = text(
    """
    WITH proved AS MATERIALIZED (
        SELECT r.rating - (coalesce(CAST(v.body ->> 'difficulty' AS float), :middle) - :middle) AS off,
            CASE WHEN jsonb_array_length(coalesce(v.body -> 'topics', '[]')) > 0 THEN v.body -> 'topics'
                ELSE jsonb_build_array(coalesce(v.body ->> 'module', :unsorted)) END AS topics
        FROM questions q
        JOIN item_ratings r ON r.question_key = q.key
        JOIN question_versions v ON v.key = q.version_key
        WHERE q.tenant_id = :tenant_id AND r.answers > 0
    )
    SELECT NULL AS topic, coalesce(sum(off), 0.0) AS sum, count(*) AS questions FROM proved
    UNION ALL
    SELECT t.topic, sum(p.off), count(*) FROM unnest(CAST(:topics AS text[])) AS t(topic)
    JOIN proved p ON jsonb_exists(p.topics, t.topic) GROUP BY t.topic
    """
)

MIDDLE: Final = float(MIDDLE_DIFFICULTY)


async def shifts_for(connection: AsyncConnection, tenant_id: int, question: Question) -> Mapping[int, Shifts]:
    """How far a question begins off its level, by its tenant; empty where its rating has begun already.

    It is what a worker's bank says of the question, as of now.
    """
    asked = {"tenant_id": tenant_id, "question_id": question.id}
    if (await connection.execute(BEGUN, asked)).scalar_one():
        return {}
    values = {
        "tenant_id": tenant_id,
        "topics": list(topics_of(question)),
        "middle": MIDDLE,
        "unsorted": UNSORTED_TOPIC,
    }
    rows = await connection.execute(SUMS, values)
    return {tenant_id: shifts_from((row.topic, row.sum, row.questions) for row in rows)}
