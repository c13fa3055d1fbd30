"""The question bank: every change makes a new version, and old versions stay for what was scored by them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from pipeline.model import Question, StoredQuestion
from pipeline.ports import Saved
from pipeline.store.engine import as_json, transaction
from pipeline.store.question import question_from_body

CURRENT = text(
    """
    SELECT q.id, q.key AS question_key, q.version, v.key AS version_key, v.body
    FROM questions q JOIN question_versions v ON v.key = q.version_key
    WHERE q.tenant_id = :tenant_id AND q.id = ANY(:ids)
    """
)

# Rows are locked in id order, so that two imports of the same bank do not wait for each other.
LOCK_EXISTING = text(
    """
    SELECT q.id, q.key, q.version, (SELECT v.body FROM question_versions v WHERE v.key = q.version_key) AS body
    FROM questions q
    WHERE q.tenant_id = :tenant_id AND q.id = ANY(:ids) ORDER BY q.id FOR UPDATE OF q
    """
)

INSERT_NEW = text(
    """
    INSERT INTO questions (tenant_id, id, version, version_key)
    SELECT :tenant_id, id, 1, 0 FROM unnest(CAST(:ids AS text[])) AS id ORDER BY id
    ON CONFLICT (tenant_id, id) DO NOTHING
    """
)

INSERT_VERSIONS = text(
    """
    WITH version AS (
        INSERT INTO question_versions (tenant_id, question_key, version, body)
        SELECT :tenant_id, question_key, version, body
        FROM jsonb_to_recordset(CAST(:versions AS jsonb)) AS v(question_key bigint, version int, body jsonb)
        RETURNING key, question_key, version
    )
    UPDATE questions q SET version = v.version, version_key = v.key, updated_at = clock_timestamp()
    FROM version v WHERE q.key = v.question_key
    """
)


BUMP = text("UPDATE tenants SET bank_version = bank_version + 1 WHERE id = :tenant_id")


def body_of(question: Question) -> dict[str, Any]:
    """What is stored of a version: everything but its id and number."""
    body = msgspec.to_builtins(question)
    return {name: value for name, value in body.items() if name not in {"id", "version"} and value is not None}


class BankStore:
    """Postgres as the port `pipeline.ports.BankStore`; keeps current versions in memory.

    A kept version may be outdated by another process. That is noticed when a submission is accepted, by
    the same statement that stores it; `forget` then makes the next look-up read Postgres.
    """

    def __init__(self, engine: AsyncEngine, most: int = 50_000) -> None:
        self._engine = engine
        self._most = most
        self._kept: dict[tuple[int, str], StoredQuestion] = {}

    async def current(self, tenant_id: int, ids: Iterable[str]) -> Mapping[str, StoredQuestion]:
        """The current versions of these questions; unknown ids are absent."""
        wanted = set(ids)
        kept = {id_: found for id_ in wanted if (found := self._kept.get((tenant_id, id_)))}
        missing = [id_ for id_ in wanted if id_ not in kept]
        if missing:
            kept.update(await self._fetch(tenant_id, missing))
        return kept

    def forget(self, tenant_id: int, ids: Iterable[str]) -> None:
        """Read these questions anew the next time they are asked for."""
        for id_ in ids:
            self._kept.pop((tenant_id, id_), None)

    async def _fetch(self, tenant_id: int, ids: Sequence[str]) -> dict[str, StoredQuestion]:
        async with transaction(self._engine) as connection:
            rows = list(await connection.execute(CURRENT, {"tenant_id": tenant_id, "ids": list(ids)}))
        found = {row.id: stored_from(row, tenant_id) for row in rows}
        if len(self._kept) + len(found) > self._most:
            self._kept = {}
        self._kept.update({(tenant_id, id_): question for id_, question in found.items()})
        return found

    async def save(self, tenant_id: int, questions: Sequence[Question]) -> list[Saved]:
        """Store questions (ids distinct); one that is already there unchanged keeps its version."""
        async with transaction(self._engine) as connection:
            saved = await save_questions(connection, tenant_id, questions)
        self.forget(tenant_id, [question.id for question in questions])
        return saved


def stored_from(row: Any, tenant_id: int) -> StoredQuestion:
    question = question_from_body(row.id, row.version, row.body)
    return StoredQuestion(row.version_key, row.question_key, tenant_id, question)


async def save_questions(connection: AsyncConnection, tenant_id: int, questions: Sequence[Question]) -> list[Saved]:
    ids = [question.id for question in questions]
    known = {row.id for row in await connection.execute(CURRENT, {"tenant_id": tenant_id, "ids": ids})}
    fresh = [id_ for id_ in ids if id_ not in known]
    if fresh:
        await connection.execute(INSERT_NEW, {"tenant_id": tenant_id, "ids": fresh})
    locked = await _lock_existing(connection, tenant_id, ids)
    saved, versions = [], []
    for question in questions:
        key, version, body = locked[question.id]
        new_body = body_of(question)
        changed = body is None or normal(body) != normal(new_body)
        number = version + 1 if changed and body is not None else version
        saved.append(Saved(question.id, number, changed))
        if changed:
            versions.append({"question_key": key, "version": number, "body": new_body})
    if versions:
        await connection.execute(BUMP, {"tenant_id": tenant_id})
        await connection.execute(INSERT_VERSIONS, {"tenant_id": tenant_id, "versions": as_json(versions)})
    return saved


async def _lock_existing(
    connection: AsyncConnection, tenant_id: int, ids: Sequence[str]
) -> dict[str, tuple[int, int, Any]]:
    rows = await connection.execute(LOCK_EXISTING, {"tenant_id": tenant_id, "ids": list(ids)})
    return {row.id: (row.key, row.version, row.body) for row in rows}


def normal(body: Any) -> bytes:
    """A body's bytes whatever the order of its fields."""
    return msgspec.json.encode(body, order="sorted")
