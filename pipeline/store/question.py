"""Reading question versions. A version never changes, so what was read once is kept in the process."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pipeline.model import Question, StoredQuestion

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
        wanted = set(keys)
        found = {key: self._known[key] for key in wanted if key in self._known}  # another call may empty the cache
        if missing := [key for key in wanted if key not in found]:
            found |= await self._fetch(connection, missing)
        return found

    async def _fetch(self, connection: AsyncConnection, keys: list[int]) -> dict[int, StoredQuestion]:
        rows = await connection.execute(LOAD_VERSIONS, {"keys": keys})
        fetched = {row.key: stored_version(row) for row in rows}
        if len(self._known) + len(fetched) > self._most:
            self._known = {}
        self._known.update(fetched)
        return fetched


def stored_version(row: Any) -> StoredQuestion:
    question = question_from_body(row.id, row.version, row.body)
    return StoredQuestion(row.key, row.question_key, row.tenant_id, question)
