"""Each tenant's curriculum: read as a whole, kept in memory by its version, changed as a whole."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any, Final

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from pipeline.batching import Batcher
from pipeline.curriculum.entry import TYPES, Entry, Kind, curriculum_of, entries_of
from pipeline.curriculum.model import NO_CURRICULUM, Curriculum
from pipeline.model import Question
from pipeline.ports.bank import Saved
from pipeline.ports.curriculum import SavedCurriculum
from pipeline.store.bank import save_questions
from pipeline.store.curriculum_deleting import count_aiming, delete_entry, note_deletion
from pipeline.store.engine import LOOK_UP_SECONDS, as_json, statement, transaction

MOST_KEPT: Final = 100_000
"""Entries of all kept curricula together; one takes about a kilobyte."""
LOOKED_UP_AT_ONCE: Final = 1_000
BUILT_AT_ONCE: Final = 1_000
"""Entries; more would hold up the event loop for longer than 20 ms, so they are built in a thread."""

VERSIONS = text("SELECT id, curriculum_version FROM tenants WHERE id = ANY(:tenant_ids)")

# The version and the entries by one statement, so that they belong together.
READ = text(
    """
    SELECT t.curriculum_version, e.kind, e.id, e.body
    FROM tenants t LEFT JOIN curriculum_entries e ON e.tenant_id = t.id
    WHERE t.id = :tenant_id ORDER BY e.position, e.id
    """
)

# Not FOR UPDATE: whoever adds a question holds a key of the tenant, and would wait for us as we might for them.
LOCK = text("SELECT FROM tenants WHERE id = :tenant_id FOR NO KEY UPDATE")

WRITE = text(
    """
    INSERT INTO curriculum_entries (tenant_id, kind, id, position, body)
    SELECT :tenant_id, kind, id, position, body
    FROM jsonb_to_recordset(CAST(:entries AS jsonb)) AS e(kind text, id text, position int, body jsonb)
    ON CONFLICT (tenant_id, kind, id) DO UPDATE SET body = excluded.body, updated_at = clock_timestamp()
    """
)

RAISE_VERSION = text(
    "UPDATE tenants SET curriculum_version = curriculum_version + 1 WHERE id = :tenant_id RETURNING curriculum_version"
)


class CurriculumStore:
    """Postgres as the port `pipeline.ports.curriculum.CurriculumStore`.

    Every question for the current curriculum asks for its version, many at once by one statement; the curriculum itself
    is read where the version is another than that kept. Those not asked for the longest are dropped.
    """

    def __init__(self, engine: AsyncEngine, most_kept: int = MOST_KEPT) -> None:
        self._engine = engine
        self._most_kept = most_kept
        self._kept: OrderedDict[int, Curriculum] = OrderedDict()
        self._reading = asyncio.Lock()
        self._versions: Batcher[int, int] = Batcher(self._look_up, most=LOOKED_UP_AT_ONCE)

    async def current(self, tenant_id: int) -> Curriculum:
        """The whole curriculum as it is now."""
        return await self.known(tenant_id, await self._versions.add(tenant_id))

    async def known(self, tenant_id: int, version: int) -> Curriculum:
        """The same for whoever has just read which version is the current one."""
        return self._recalled(tenant_id, version) or await self._read(tenant_id, version)

    async def save(
        self, tenant_id: int, change: Callable[[Curriculum], Curriculum], questions: Sequence[Question] = ()
    ) -> SavedCurriculum:
        """Change the curriculum and the bank together, or not at all.

        Locks are taken as the bank takes them, the tenant before its questions, so that neither waits in a circle.
        """
        async with transaction(self._engine, seconds=LOOK_UP_SECONDS) as connection:
            saved = await _save_questions(connection, tenant_id, questions)
            await connection.execute(LOCK, {"tenant_id": tenant_id})
            before = await read_curriculum(connection, tenant_id)
            changed = await asyncio.to_thread(change, before)  # which checks a whole that may be large
            after = await _write(connection, tenant_id, before, changed)
        return SavedCurriculum(before, after, tuple(saved))

    async def delete(
        self,
        tenant_id: int,
        kind: Kind,
        entry_id: str,
        *,
        allow: Callable[[Curriculum, int], None],
        actor: str,
        audit_id: str,
    ) -> None:
        """Delete an entry and note in the audit log who did, or nothing of both where `allow` raises."""
        async with transaction(self._engine, seconds=LOOK_UP_SECONDS) as connection:
            await connection.execute(LOCK, {"tenant_id": tenant_id})
            curriculum = await read_curriculum(connection, tenant_id)
            allow(curriculum, await count_aiming(connection, tenant_id, kind, entry_id))
            await delete_entry(connection, tenant_id, kind, entry_id)
            await connection.execute(RAISE_VERSION, {"tenant_id": tenant_id})
            await note_deletion(connection, tenant_id, kind, entry_id, actor=actor, audit_id=audit_id)

    async def _look_up(self, tenant_ids: list[int]) -> list[int]:
        async with statement(self._engine) as connection:
            rows = await connection.execute(VERSIONS, {"tenant_ids": sorted(set(tenant_ids))})
            versions = {row.id: row.curriculum_version for row in rows}
        return [versions.get(tenant_id, 0) for tenant_id in tenant_ids]

    def _recalled(self, tenant_id: int, version: int) -> Curriculum | None:
        if version == 0:
            return NO_CURRICULUM
        kept = self._kept.get(tenant_id)
        if kept is None or kept.version != version:
            return None
        self._kept.move_to_end(tenant_id)
        return kept

    async def _read(self, tenant_id: int, version: int) -> Curriculum:
        async with self._reading:  # those who miss the same one read it once
            found = self._recalled(tenant_id, version)
            if found is None:
                async with statement(self._engine) as connection:
                    found = await read_curriculum(connection, tenant_id)
                self._keep(tenant_id, found)
        return found

    def _keep(self, tenant_id: int, curriculum: Curriculum) -> None:
        """Keep it, however large, and drop what was not asked for the longest."""
        self._kept[tenant_id] = curriculum
        self._kept.move_to_end(tenant_id)
        entries = sum(size_of(kept) for kept in self._kept.values())
        while entries > self._most_kept and len(self._kept) > 1:
            _, dropped = self._kept.popitem(last=False)
            entries -= size_of(dropped)


def size_of(curriculum: Curriculum) -> int:
    """How many entries it has."""
    return sum(len(entries_of(curriculum, kind)) for kind in Kind)


async def read_curriculum(connection: AsyncConnection, tenant_id: int) -> Curriculum:
    """The curriculum with its version, both as of the same moment."""
    rows = (await connection.execute(READ, {"tenant_id": tenant_id})).all()
    return await asyncio.to_thread(_built, rows) if len(rows) > BUILT_AT_ONCE else _built(rows)


def _built(rows: Sequence[Any]) -> Curriculum:
    entries: dict[Kind, dict[str, Entry]] = {kind: {} for kind in Kind}
    version = 0
    for row in rows:
        version = row.curriculum_version
        if row.kind is not None:
            kind = Kind(row.kind)
            entries[kind][row.id] = msgspec.convert({**row.body, "id": row.id}, TYPES[kind])
    return curriculum_of(entries, version)


async def _save_questions(connection: AsyncConnection, tenant_id: int, questions: Sequence[Question]) -> list[Saved]:
    """Save them in the order of their ids, in which they are locked, and answer in the order given."""
    if not questions:
        return []
    saved = await save_questions(connection, tenant_id, sorted(questions, key=attrgetter("id")))
    by_id = {one.id: one for one in saved}
    return [by_id[question.id] for question in questions]


async def _write(connection: AsyncConnection, tenant_id: int, before: Curriculum, after: Curriculum) -> Curriculum:
    """Write the entries that changed; the curriculum with its version from now on."""
    rows = [
        {"kind": kind, "id": id_, "position": position, "body": body_of(entry)}
        for kind in Kind
        for position, (id_, entry) in enumerate(entries_of(after, kind).items())
        if entries_of(before, kind).get(id_) != entry
    ]
    if not rows:
        return before
    await connection.execute(WRITE, {"tenant_id": tenant_id, "entries": as_json(rows)})
    version = (await connection.execute(RAISE_VERSION, {"tenant_id": tenant_id})).scalar_one()
    return msgspec.structs.replace(after, version=version)


def body_of(entry: Entry) -> Mapping[str, Any]:
    """What is stored of an entry: what differs from the defaults, without its id."""
    body: dict[str, Any] = {}
    for field in msgspec.structs.fields(entry):
        value = getattr(entry, field.name)
        if field.name != "id" and value != field.default:
            body[field.name] = (
                {key: dict(texts) for key, texts in value.items()} if isinstance(value, Mapping) else value
            )
    return body
