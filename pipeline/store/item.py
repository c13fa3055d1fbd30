"""How questions do: figures of first attempts, computed piece by piece and kept per question.

A night first works out where learners stand, then goes through the questions. All statements of a piece of these see
one moment (REPEATABLE READ), so that a learner's other answers fit those on the question, and may read tables whole
(`SCAN`) where Postgres finds that cheaper, which our transactions are otherwise told not to do.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import accumulate, takewhile
from typing import Any, Final

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.learning.item_analysis import NOT_ANALYSED, ItemAnalysis
from pipeline.ports.analytics import AnalysedItem, ItemFilter, ItemPlace
from pipeline.store.engine import LOOK_UP_SECONDS, as_json, transaction
from pipeline.store.first_attempt import analysed
from pipeline.store.question import question_from_body
from pipeline.store.standing import keep_next_standings

ANSWERS_AT_ONCE: Final = 50_000
"""Answers of the questions of one piece together; a question with more is a piece by itself."""
PIECE_SECONDS: Final = 120.0

ONE_MOMENT = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
SCAN = text("SET LOCAL enable_seqscan = on")

CURRENT: Final = """
    SELECT q.key, q.id, v.version, v.body, coalesce(i.answers, 0) AS attempts,
        CASE WHEN i.scored > 0 THEN i.fraction_millionths / i.scored END AS facility
    FROM questions q JOIN question_versions v ON v.key = q.version_key
    LEFT JOIN item_statistics i ON i.question_key = q.key
    WHERE q.tenant_id = :tenant_id
"""
NAMED = text(f"{CURRENT} AND q.id = :question_id")
NEXT = text(f"{CURRENT} AND q.id > :after ORDER BY q.id LIMIT :most")

SAVE = text(
    """
    INSERT INTO item_analyses (question_key, tenant_id, body, computed_at)
    SELECT a.question_key, :tenant_id, a.body, clock_timestamp()
    FROM jsonb_to_recordset(CAST(:analyses AS jsonb)) AS a(question_key bigint, body jsonb)
    ORDER BY a.question_key
    ON CONFLICT (question_key) DO UPDATE SET body = excluded.body, computed_at = excluded.computed_at
    """
)

CLOCK = text("SELECT clock_timestamp()")

FIGURES: Final[Mapping[str, str]] = {
    "facility": "CAST(n.body ->> 'facility' AS float)",
    "discrimination": "CAST(n.body ->> 'discrimination' AS float)",
    "mean_time_ms": "CAST(n.body ->> 'mean_time_ms' AS float)",
    "first_attempts": "CAST(n.body ->> 'first_attempts' AS float)",
    "attempts": "CAST(coalesce(i.answers, 0) AS float)",
}
"""What questions can be sorted by, beside their ids."""


class ItemStore:
    """Postgres as the port `pipeline.ports.ItemStore`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def stand_next(self, tenant_id: int, after_learner: str, most: int) -> str | None:
        """Work out where the next at most `most` learners stand; the id of the last, None at the end."""
        async with transaction(self._engine, seconds=PIECE_SECONDS) as connection:
            await connection.execute(SCAN)
            return await keep_next_standings(connection, tenant_id, after_learner, most)

    async def analyse_next(self, tenant_id: int, after_question: str, most: int) -> str | None:
        """Analyse the next at most `most` questions, in the order of their ids; the id of the last, None at the end."""
        values = {"tenant_id": tenant_id, "after": after_question, "most": most}
        async with transaction(self._engine, seconds=PIECE_SECONDS) as connection:
            await connection.execute(ONE_MOMENT)
            await connection.execute(SCAN)
            rows = bounded((await connection.execute(NEXT, values)).all())
            if not rows:
                return None
            analyses = await analysed(connection, tenant_id, rows)
            given = [{"question_key": row.key, "body": analyses[row.key]} for row in rows]
            await connection.execute(SAVE, {"tenant_id": tenant_id, "analyses": as_json(given)})
        return str(rows[-1].id)

    async def analyse_now(self, tenant_id: int, question_id: str) -> AnalysedItem | None:
        """The figures of one question as of now, not kept; None where there is no such question."""
        async with transaction(self._engine, seconds=LOOK_UP_SECONDS) as connection:
            await connection.execute(ONE_MOMENT)
            rows = (await connection.execute(NAMED, {"tenant_id": tenant_id, "question_id": question_id})).all()
            if not rows:
                return None
            analysis = (await analysed(connection, tenant_id, rows))[rows[0].key]
            now: datetime = (await connection.execute(CLOCK)).scalar_one()
        return item_from(rows[0], analysis, now)

    async def browse(
        self, tenant_id: int, wanted: ItemFilter, *, sort: str, descending: bool, after: ItemPlace | None, most: int
    ) -> list[AnalysedItem]:
        """Questions with their kept figures, sorted by `question_id` or a figure, from the first behind `after`."""
        statement = BROWSING[sort, descending]
        place = after or ItemPlace(None, "")
        values = {
            "tenant_id": tenant_id,
            "fitting": as_json(fitting(wanted)),
            "flag": None if wanted.flag is None else as_json([wanted.flag]),
            "begun": after is not None,
            "figure": place.figure,
            "after": place.question_id,
            "most": most,
        }
        async with transaction(self._engine, seconds=LOOK_UP_SECONDS) as connection:
            rows = (await connection.execute(statement, values)).all()
        return [item_from(row, analysis_from(row.figures), row.computed_at) for row in rows]


def browsing(sort: str, *, descending: bool) -> Any:
    """The statement that lists questions in one order; questions without the figure come last, by their ids."""
    figure = FIGURES.get(sort)
    if figure is None:
        way, further = ("DESC", "q.id < :after") if descending else ("", "q.id > :after")
        order, behind = f"q.id {way}", f"(NOT :begun OR {further})"
    else:
        way, further = ("DESC", "<") if descending else ("", ">")
        order = f"{figure} {way} NULLS LAST, q.id"
        behind = f"""
            (NOT :begun OR CASE WHEN CAST(:figure AS float) IS NULL THEN {figure} IS NULL AND q.id > :after
                ELSE {figure} IS NULL OR {figure} {further} :figure OR ({figure} = :figure AND q.id > :after) END)
        """
    return text(
        f"""
        SELECT q.key, q.id, v.version, v.body, coalesce(i.answers, 0) AS attempts, n.body AS figures, n.computed_at
        FROM questions q JOIN question_versions v ON v.key = q.version_key
        LEFT JOIN item_analyses n ON n.question_key = q.key
        LEFT JOIN item_statistics i ON i.question_key = q.key
        WHERE q.tenant_id = :tenant_id AND v.body @> CAST(:fitting AS jsonb)
          AND (CAST(:flag AS jsonb) IS NULL OR n.body -> 'flags' @> CAST(:flag AS jsonb)) AND {behind}
        ORDER BY {order} LIMIT :most
        """
    )


BROWSING: Final = {
    (sort, descending): browsing(sort, descending=descending)
    for sort in ("question_id", *FIGURES)
    for descending in (False, True)
}


def bounded(rows: Sequence[Any]) -> Sequence[Any]:
    """As many of these questions, at least one, as have no more than `ANSWERS_AT_ONCE` answers together."""
    sums = accumulate(row.attempts for row in rows)
    fitting_rows = sum(1 for _ in takewhile(lambda answers: answers <= ANSWERS_AT_ONCE, sums))
    return rows[: max(fitting_rows, 1)]


def fitting(wanted: ItemFilter) -> dict[str, Any]:
    """What the body of a question contains if it fits."""
    module = {} if wanted.module is None else {"module": wanted.module}
    return module if wanted.topic is None else {**module, "topics": [wanted.topic]}


def analysis_from(kept: Mapping[str, Any] | None) -> ItemAnalysis:
    return NOT_ANALYSED if kept is None else msgspec.convert(kept, ItemAnalysis)


def item_from(row: Any, analysis: ItemAnalysis, computed_at: datetime | None) -> AnalysedItem:
    return AnalysedItem(question_from_body(row.id, row.version, row.body), row.attempts, analysis, computed_at)
