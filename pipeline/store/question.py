"""Reading question versions. A version never changes, so what was read once is kept in the process."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from pipeline.model import Question, StoredQuestion
from pipeline.store.round_trip import ask

LOAD_VERSIONS = text(
    """
    SELECT v.key, v.tenant_id, v.question_key, v.version, q.id, v.body
    FROM question_versions v JOIN questions q ON q.key = v.question_key
    WHERE v.key = ANY(:keys)
    """
)


def question_from_body(question_id: str, version: int, body: Mapping[str, Any]) -> Question:
    return msgspec.convert({**body, "id": question_id, "version": version}, Question)


class QuestionVersions:
    """A bounded cache of question versions by key, filled from Postgres on a miss."""

    def __init__(self, most: int = 20_000) -> None:
        self._most = most
        self._known: dict[int, StoredQuestion] = {}

    async def load(self, connection: AsyncConnection, keys: Iterable[int]) -> Mapping[int, StoredQuestion]:
        """The versions with these keys; a key that does not exist is a bug and raises KeyError on use."""
        found, missing = self._recalled(keys)
        if missing:
            found |= self._kept(await connection.execute(LOAD_VERSIONS, {"keys": missing}))
        return found

    async def look_up(self, engine: AsyncEngine, keys: Iterable[int]) -> Mapping[int, StoredQuestion]:
        """As `load`, in no transaction."""
        found, missing = self._recalled(keys)
        if missing:
            [rows] = await ask(engine, (LOAD_VERSIONS, {"keys": missing}))
            found |= self._kept(rows)
        return found

    def _recalled(self, keys: Iterable[int]) -> tuple[dict[int, StoredQuestion], list[int]]:
        """What is known, and what is not; another call may empty the cache."""
        wanted = set(keys)
        found = {key: self._known[key] for key in wanted if key in self._known}
        return found, [key for key in wanted if key not in found]

    def _kept(self, rows: Iterable[Any]) -> dict[int, StoredQuestion]:
        fetched = {row.key: stored_version(row) for row in rows}
        if len(self._known) + len(fetched) > self._most:
            self._known = {}
        self._known.update(fetched)
        return fetched


def stored_version(row: Any) -> StoredQuestion:
    question = question_from_body(row.id, row.version, row.body)
    return StoredQuestion(row.key, row.question_key, row.tenant_id, question)
