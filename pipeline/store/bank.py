"""The question bank: every change makes a new version, and old versions stay for what was scored by them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from pipeline.batching import Batcher
from pipeline.model import Question, StoredQuestion
from pipeline.ports import QuestionFilter, Saved
from pipeline.ports.bank import Found, Place
from pipeline.store.engine import LOOK_UP_SECONDS, as_json, transaction
from pipeline.store.question import question_from_body
from pipeline.store.search import BODY_FITS, Kept, body_values, find_page, keep_searchable

CURRENT = text(
    """
    SELECT q.id, q.key AS question_key, q.version, v.key AS version_key, v.body
    FROM questions q JOIN question_versions v ON v.key = q.version_key
    WHERE q.tenant_id = :tenant_id AND q.id = ANY(:ids)
    """
)

FIND_CURRENT = text(
    """
    SELECT q.id, v.version, v.body FROM questions q JOIN question_versions v ON v.key = q.version_key
    WHERE q.tenant_id = :tenant_id AND q.id = :id
    """
)

FIND_VERSION = text(
    """
    SELECT q.id, v.version, v.body FROM questions q JOIN question_versions v ON v.question_key = q.key
    WHERE q.tenant_id = :tenant_id AND q.id = :id AND v.version = :version
    """
)

BROWSE = text(
    f"""
    SELECT q.id, v.version, v.body FROM questions q JOIN question_versions v ON v.key = q.version_key
    WHERE q.tenant_id = :tenant_id AND q.id > :after AND {BODY_FITS}
    ORDER BY q.id LIMIT :most
    """
)

# Only after an upgrade from a version without a search, until the sweeper has seen to it.
SOME_UNSEARCHABLE = text(
    """
    SELECT EXISTS (
        SELECT FROM questions q WHERE NOT EXISTS (
            SELECT FROM question_search s WHERE s.question_key = q.key AND s.version_key = q.version_key))
    """
)

# Whoever saves holds the tenant's row until the end: so versions are committed in the order of their keys, and who
# keeps a whole bank need only read those behind the last one known. After that it takes three statements, each in id
# order, so that imports of the same bank wait for each other and never in a circle. The bodies are compared in a
# statement of their own after the lock: one that waited for the lock still sees the versions of before.
LOCK_TENANT = text("SELECT FROM tenants WHERE id = :tenant_id FOR NO KEY UPDATE")

INSERT_NEW = text(
    """
    INSERT INTO questions (tenant_id, id, version, version_key)
    SELECT :tenant_id, id, 1, 0 FROM unnest(CAST(:ids AS text[])) AS id
    WHERE NOT EXISTS (SELECT FROM questions q WHERE q.tenant_id = :tenant_id AND q.id = id.id)
    ORDER BY id
    ON CONFLICT (tenant_id, id) DO NOTHING
    """
)

LOCK = text("SELECT FROM questions WHERE tenant_id = :tenant_id AND id = ANY(:ids) ORDER BY id FOR UPDATE")

# Bodies are compared as jsonb, so neither the order of fields nor 1 for 1.0 makes a new version.
SAVE = text(
    """
    WITH held AS (
        SELECT q.key, q.id, q.version, q.version_key, i.body, v.body = i.body AS same
        FROM jsonb_to_recordset(CAST(:questions AS jsonb)) AS i(id text, body jsonb)
        JOIN questions q ON q.tenant_id = :tenant_id AND q.id = i.id
        LEFT JOIN question_versions v ON v.key = q.version_key
    ), added AS (
        INSERT INTO question_versions (tenant_id, question_key, version, body)
        SELECT :tenant_id, key, CASE WHEN version_key = 0 THEN 1 ELSE version + 1 END, body
        FROM held WHERE same IS NOT TRUE
        RETURNING key, question_key, version
    ), moved AS (
        UPDATE questions q SET version = a.version, version_key = a.key, updated_at = clock_timestamp()
        FROM added a WHERE q.key = a.question_key
    ), noticed AS (
        UPDATE tenants SET bank_version = bank_version + 1 WHERE id = :tenant_id AND EXISTS (SELECT FROM added)
    )
    SELECT h.id, h.key AS question_key, a.key AS version_key, coalesce(a.version, h.version) AS version,
        a.version IS NOT NULL AS changed
    FROM held h LEFT JOIN added a ON a.question_key = h.key
    """
)


def body_of(question: Question) -> dict[str, Any]:
    """What is stored of a version: everything but its id and number."""
    body = msgspec.to_builtins(question)
    return {name: value for name, value in body.items() if name not in {"id", "version"} and value is not None}


CURRENT_OF_MANY = text(
    """
    SELECT q.tenant_id, q.id, q.key AS question_key, q.version, v.key AS version_key, v.body
    FROM jsonb_to_recordset(CAST(:wanted AS jsonb)) AS w(tenant_id int, id text)
    JOIN questions q ON q.tenant_id = w.tenant_id AND q.id = w.id
    JOIN question_versions v ON v.key = q.version_key
    """
)

FETCHED_AT_ONCE: Final = 500
EVERYTHING: Final = QuestionFilter()
Named = tuple[int, str]
"""A question by its tenant and id."""


class BankStore:
    """Postgres as the port `pipeline.ports.BankStore`; keeps current versions in memory.

    A kept version may be outdated by another process. That is noticed when a submission is accepted, by
    the same statement that stores it; `forget` then makes the next look-up read Postgres.
    """

    def __init__(self, engine: AsyncEngine, most: int = 50_000) -> None:
        self._engine = engine
        self._most = most
        self._kept: dict[Named, StoredQuestion] = {}
        self._searchable = False
        self._fetches: Batcher[list[Named], dict[Named, StoredQuestion]] = Batcher(self._fetch, most=FETCHED_AT_ONCE)

    async def current(self, tenant_id: int, ids: Iterable[str]) -> Mapping[str, StoredQuestion]:
        """The current versions of these questions; unknown ids are absent."""
        wanted = set(ids)
        kept = {id_: found for id_ in wanted if (found := self._kept.get((tenant_id, id_)))}
        missing = [(tenant_id, id_) for id_ in wanted if id_ not in kept]
        if missing:
            fetched = await self._fetches.add(missing)
            kept.update((name[1], fetched[name]) for name in missing if name in fetched)
        return kept

    def forget(self, tenant_id: int, ids: Iterable[str]) -> None:
        """Read these questions anew the next time they are asked for."""
        for id_ in ids:
            self._kept.pop((tenant_id, id_), None)

    async def _fetch(self, asked: list[list[Named]]) -> list[dict[Named, StoredQuestion]]:
        """Whoever asks at the same time is answered by one query: a cold process must not storm Postgres."""
        wanted = dict.fromkeys(name for names in asked for name in names)
        values = as_json([{"tenant_id": tenant_id, "id": id_} for tenant_id, id_ in wanted])
        async with transaction(self._engine) as connection:
            rows = list(await connection.execute(CURRENT_OF_MANY, {"wanted": values}))
        found = {(row.tenant_id, row.id): stored_from(row, row.tenant_id) for row in rows}
        if len(self._kept) + len(found) > self._most:
            self._kept = {}
        self._kept.update(found)
        return [found] * len(asked)

    async def find(self, tenant_id: int, question_id: str, version: int | None = None) -> Question | None:
        """One version of a question, the current one unless told otherwise; read from Postgres each time."""
        values = {"tenant_id": tenant_id, "id": question_id, "version": version}
        async with transaction(self._engine) as connection:
            statement = FIND_CURRENT if version is None else FIND_VERSION
            row = (await connection.execute(statement, values)).one_or_none()
        return None if row is None else question_from_body(row.id, row.version, row.body)

    async def browse(self, tenant_id: int, wanted: QuestionFilter, *, after: Place, most: int) -> list[Found]:
        """At most `most` questions that fit `wanted`, from the first behind `after`; searches by rank, see the port.

        A search finds what is searchable already; a filter alone is never short of any question.
        """
        async with transaction(self._engine, seconds=LOOK_UP_SECONDS) as connection:
            if wanted.search is None and (wanted == EVERYTHING or not await self._all_searchable(connection)):
                return await browse_bodies(connection, tenant_id, wanted, after=after.id, most=most)
            return await find_page(connection, tenant_id, wanted, after=after, most=most)

    async def _all_searchable(self, connection: AsyncConnection) -> bool:
        if not self._searchable:
            self._searchable = not (await connection.execute(SOME_UNSEARCHABLE)).scalar_one()
        return self._searchable

    async def save(self, tenant_id: int, questions: Sequence[Question]) -> list[Saved]:
        """Store questions (ids distinct); one that is already there unchanged keeps its version."""
        async with transaction(self._engine, seconds=LOOK_UP_SECONDS) as connection:
            saved = await save_questions(connection, tenant_id, questions)
        self.forget(tenant_id, [question.id for question in questions])
        return saved


def stored_from(row: Any, tenant_id: int) -> StoredQuestion:
    question = question_from_body(row.id, row.version, row.body)
    return StoredQuestion(row.version_key, row.question_key, tenant_id, question)


async def save_questions(connection: AsyncConnection, tenant_id: int, questions: Sequence[Question]) -> list[Saved]:
    values = {"tenant_id": tenant_id, "ids": [question.id for question in questions]}
    await connection.execute(LOCK_TENANT, values)
    await connection.execute(INSERT_NEW, values)
    await connection.execute(LOCK, values)
    given = as_json([{"id": question.id, "body": body_of(question)} for question in questions])
    rows = {row.id: row for row in await connection.execute(SAVE, {"tenant_id": tenant_id, "questions": given})}
    changed = [(rows[question.id], question) for question in questions if rows[question.id].changed]
    await keep_searchable(connection, [Kept(tenant_id, row.question_key, row.version_key, q) for row, q in changed])
    return [Saved(question.id, rows[question.id].version, rows[question.id].changed) for question in questions]


async def browse_bodies(
    connection: AsyncConnection, tenant_id: int, wanted: QuestionFilter, *, after: str, most: int
) -> list[Found]:
    """A page in the order of ids that looks at one question after the other."""
    values = {"tenant_id": tenant_id, "after": after, "most": most} | body_values(wanted)
    rows = await connection.execute(BROWSE, values)
    return [Found(question_from_body(row.id, row.version, row.body), Place(row.id)) for row in rows]
