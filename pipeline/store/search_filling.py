"""Making questions searchable that were stored before there was a search, or by a process that knew none."""

import time
from collections.abc import Callable
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.store.engine import transaction
from pipeline.store.question import question_from_body
from pipeline.store.search import Kept, keep_searchable

AT_ONCE: Final = 250
PIECES: Final = 20
"""Transactions per call of the chore; of 250 questions, at most 50 ms of computing each."""
AGAIN_SECONDS: Final = 3_600.0

# Questions that somebody is just saving are left to whoever does: to wait for them could close a circle of waiting.
NEXT: Final = text(
    """
    SELECT q.key, q.tenant_id, q.id, q.version, q.version_key, s.version_key AS kept_key, v.body
    FROM (SELECT * FROM questions WHERE key > :after ORDER BY key LIMIT :most FOR KEY SHARE SKIP LOCKED) q
    JOIN question_versions v ON v.key = q.version_key
    LEFT JOIN question_search s ON s.question_key = q.key
    ORDER BY q.key
    """
)


class SearchFilling:
    """A sweeper's chore: walks all questions in pieces, makes searchable what is not, and looks again in an hour."""

    def __init__(self, engine: AsyncEngine, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._clock = clock
        self._after = 0
        self._rests_until = float("-inf")

    async def fill(self) -> None:
        """The next few pieces."""
        for _ in range(PIECES):
            if self._clock() < self._rests_until:
                return
            await self._fill_piece()

    async def _fill_piece(self) -> None:
        async with transaction(self._engine) as connection:
            rows = list(await connection.execute(NEXT, {"after": self._after, "most": AT_ONCE}))
            missing = [row for row in rows if row.kept_key != row.version_key]
            questions = [question_from_body(row.id, row.version, row.body) for row in missing]
            kept = [Kept(row.tenant_id, row.key, row.version_key, q) for row, q in zip(missing, questions, strict=True)]
            await keep_searchable(connection, kept)
        if rows:
            self._after = rows[-1].key
        else:
            self._after, self._rests_until = 0, self._clock() + AGAIN_SECONDS
