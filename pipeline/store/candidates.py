"""Each tenant's questions to choose from and what it teaches, kept in the process and brought up to date in place.

A bank is read as a whole once. After that a new version costs as much as what changed: the versions of questions that
came since, and the few shelves they stand on. Difficulties that were learnt meanwhile are taken in now and then. What
is large is computed in a thread, so that heartbeats go on; and not too many banks are kept.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from typing import Any, Final, TypeVar

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pipeline.learning.candidate import Candidate
from pipeline.learning.start import Shifts
from pipeline.stages.advising import Bank
from pipeline.stages.guide import NO_GUIDE, Guide, guide_of
from pipeline.store.curriculum import read_curriculum
from pipeline.store.shelving import (
    Row,
    banks_by_language,
    candidates_of,
    exchanged,
    moved_candidates,
    rows_in,
    shifted,
    told_shifts,
)

FRESH_SECONDS: Final = 60.0
"""So often a small bank takes in the difficulties that were learnt meanwhile; a larger one more seldom."""

FRESH_QUESTIONS: Final = 2_000
LONGEST_FRESH_SECONDS: Final = 600.0
MOST_QUESTIONS: Final = 200_000
"""Of all kept banks together; a candidate takes less than half a kilobyte."""

READ_AT_ONCE: Final = 5_000
COMPUTED_AT_ONCE: Final = 500
"""Of more questions the shelves are made in a thread; so many take some 10 ms."""

Result = TypeVar("Result")

VERSIONS = text("SELECT id, bank_version, curriculum_version FROM tenants WHERE id = ANY(:tenant_ids)")

# One text per thousands of questions, and of each only what a choice needs: a row each would cost ten times as much.
QUESTIONS = """
    SELECT count(*) AS found, max(id) AS last, coalesce(json_agg(json_build_array(key, id, version_key, rating, answers,
        body->'type', body->'difficulty', body->'topics', body->'module', body->'language',
        CASE WHEN jsonb_typeof(body->'options') = 'array' THEN jsonb_array_length(body->'options') ELSE 0 END)),
        '[]')::text AS questions
    FROM (
        SELECT q.key, q.id, q.version_key, r.rating, r.answers, v.body
        FROM {source} LEFT JOIN item_ratings r ON r.question_key = q.key
        WHERE {condition}
    ) AS part
"""

NEWEST_KEY = text("SELECT coalesce(max(version_key), 0) FROM questions WHERE tenant_id = :tenant_id")

PART_OF_BANK = text(
    QUESTIONS.format(
        source="questions q JOIN question_versions v ON v.key = q.version_key",
        condition="q.tenant_id = :tenant_id AND q.id > :after ORDER BY q.id LIMIT :most",
    )
)

# Keys of versions grow in the order in which a tenant's changes are committed: whoever saves holds the tenant's row.
NEW_VERSIONS = text(
    QUESTIONS.format(
        source="question_versions v JOIN questions q ON q.key = v.question_key AND q.version_key = v.key",
        condition="v.key > :newest AND v.tenant_id = :tenant_id",
    )
)

RATINGS = text(
    """
    SELECT coalesce(json_agg(json_build_array(q.key, r.rating, r.answers)), '[]')::text AS ratings
    FROM questions q JOIN item_ratings r ON r.question_key = q.key WHERE q.tenant_id = :tenant_id
    """
)


class TenantBank(msgspec.Struct, frozen=True):
    """A tenant's questions to choose from and its curriculum, as of one version of each.

    `by_key` are the candidates as they stand on the shelves; all versions of a bank share the names and keys, which
    never change. `shifts` tell where questions begin that nobody answered, as of `rated_at`.
    """

    version: int
    rated_at: float
    newest_key: int
    candidates: Bank
    id_by_key: dict[int, str]
    key_by_id: dict[str, int]
    by_key: dict[int, Candidate]
    shifts: Shifts
    guide: Guide = NO_GUIDE


Reading = Callable[[Sequence[Row]], dict[int, Candidate]]


class Banks:
    """Each tenant's bank, brought up to date when it changed, and now and then as difficulties are learnt.

    Beyond `most_questions` in all, those not asked for the longest are dropped.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        *,
        most_questions: int = MOST_QUESTIONS,
        read_at_once: int = READ_AT_ONCE,
        computed_at_once: int = COMPUTED_AT_ONCE,
        reading: Reading = candidates_of,
    ) -> None:
        self._clock = clock
        self._most_questions = most_questions
        self._read_at_once = read_at_once
        self._computed_at_once = computed_at_once
        self._reading = reading
        self._kept: OrderedDict[int, TenantBank] = OrderedDict()
        self._renewing = asyncio.Lock()

    @property
    def kept(self) -> Collection[int]:
        """The tenants whose banks are kept, those asked for last at the end."""
        return self._kept.keys()

    async def load(self, connection: AsyncConnection, tenant_ids: set[int]) -> Mapping[int, TenantBank]:
        """The banks of these tenants as they are now."""
        rows = (await connection.execute(VERSIONS, {"tenant_ids": list(tenant_ids)})).all()
        return {row.id: await self._current(connection, row) for row in rows}

    async def _current(self, connection: AsyncConnection, row: Any) -> TenantBank:
        bank = self._fresh(row)
        if bank is None:
            async with self._renewing:  # two batches that miss the same bank read it once
                bank = self._fresh(row) or await self._renewed(connection, row)
        else:
            self._kept.move_to_end(row.id)
        return bank

    def _fresh(self, row: Any) -> TenantBank | None:
        """The kept bank, where it is up to date. One that is ahead serves too: its reader saw a later moment."""
        bank = self._kept.get(row.id)
        if bank is None or bank.version < row.bank_version or bank.guide.curriculum.version < row.curriculum_version:
            return None
        return None if self._clock() - bank.rated_at > fresh_seconds(len(bank.by_key)) else bank

    async def _renewed(self, connection: AsyncConnection, row: Any) -> TenantBank:
        """The bank brought up to date, kept after each step: names are changed in place, so none may get lost."""
        known = self._kept.get(row.id)
        bank = self._keep(row.id, await self._whole(connection, row) if known is None else known)
        if bank.version < row.bank_version:
            bank = self._keep(row.id, await self._with_new_versions(connection, row, bank))
        if self._clock() - bank.rated_at > fresh_seconds(len(bank.by_key)):
            bank = self._keep(row.id, await self._with_ratings(connection, row.id, bank))
        if bank.guide.curriculum.version < row.curriculum_version:
            curriculum = await read_curriculum(connection, row.id)
            guide = await self._computed(len(curriculum.resources), guide_of, curriculum)
            bank = self._keep(row.id, msgspec.structs.replace(bank, guide=guide))
        return bank

    async def _whole(self, connection: AsyncConnection, row: Any) -> TenantBank:
        # Asked for before the parts are: what changes while they are read is then found as new.
        newest = (await connection.execute(NEWEST_KEY, {"tenant_id": row.id})).scalar_one()
        found: dict[int, Candidate] = {}
        async for rows in self._parts(connection, row.id):
            found |= await self._computed(len(rows), self._reading, rows)
        shifts = await self._computed(len(found), told_shifts, found)
        found |= await self._computed(len(found), shifted, found, shifts)
        candidates = await self._computed(len(found), banks_by_language, list(found.values()))
        return TenantBank(
            version=row.bank_version,
            rated_at=self._clock(),
            newest_key=newest,
            candidates=candidates,
            id_by_key={key: one.question_id for key, one in found.items()},
            key_by_id={one.question_id: key for key, one in found.items()},
            by_key=found,
            shifts=shifts,
        )

    async def _parts(self, connection: AsyncConnection, tenant_id: int) -> AsyncIterator[list[Row]]:
        asked: dict[str, Any] = {"tenant_id": tenant_id, "after": "", "most": self._read_at_once}
        while True:
            part = (await connection.execute(PART_OF_BANK, asked)).one()
            yield rows_in(part.questions)
            if part.found < self._read_at_once:
                return
            asked["after"] = part.last

    async def _with_new_versions(self, connection: AsyncConnection, row: Any, bank: TenantBank) -> TenantBank:
        asked = {"tenant_id": row.id, "newest": bank.newest_key}
        rows = rows_in((await connection.execute(NEW_VERSIONS, asked)).one().questions)
        newest = max((one.version_key for one in rows), default=bank.newest_key)
        read = await self._computed(len(rows), self._reading, rows)
        begun = await self._computed(len(rows), shifted, read, bank.shifts)
        renewed = await self._with(bank, read | begun)
        return msgspec.structs.replace(renewed, version=row.bank_version, newest_key=newest)

    async def _with_ratings(self, connection: AsyncConnection, tenant_id: int, bank: TenantBank) -> TenantBank:
        found = (await connection.execute(RATINGS, {"tenant_id": tenant_id})).scalar_one()
        moved = await self._computed(len(bank.by_key), moved_candidates, found, bank.by_key)
        known = {**bank.by_key, **moved}
        shifts = await self._computed(len(known), told_shifts, known)
        begun = await self._computed(len(known), shifted, known, shifts)
        # All at once: cut off between two exchanges, the keys would name other candidates than stand on the shelves.
        rated = await self._with(bank, moved | begun)
        return msgspec.structs.replace(rated, rated_at=self._clock(), shifts=shifts)

    async def _with(self, bank: TenantBank, new: Mapping[int, Candidate]) -> TenantBank:
        """`bank` with these candidates in place of what was there of the same keys."""
        gone = [bank.by_key[key] for key in new if key in bank.by_key]
        candidates = await self._computed(len(new), exchanged, bank.candidates, gone, list(new.values()))
        bank.id_by_key.update((key, one.question_id) for key, one in new.items())
        bank.key_by_id.update((one.question_id, key) for key, one in new.items())
        bank.by_key.update(new)
        return msgspec.structs.replace(bank, candidates=candidates)

    async def _computed(self, size: int, work: Callable[..., Result], *arguments: Any) -> Result:
        """What `work` makes of its arguments, in a thread where there is much to do."""
        if size <= self._computed_at_once:
            return work(*arguments)
        return await asyncio.to_thread(work, *arguments)

    def _keep(self, tenant_id: int, bank: TenantBank) -> TenantBank:
        """Keep it, however large, and drop what was not asked for the longest; answers the same bank."""
        self._kept[tenant_id] = bank
        self._kept.move_to_end(tenant_id)
        questions = sum(len(bank.by_key) for bank in self._kept.values())
        while questions > self._most_questions and len(self._kept) > 1:
            _, dropped = self._kept.popitem(last=False)
            questions -= len(dropped.by_key)
        return bank


def fresh_seconds(questions: int) -> float:
    """How long learnt difficulties may be out of date in a bank of this size: reading them costs by the question."""
    return min(max(FRESH_SECONDS * questions / FRESH_QUESTIONS, FRESH_SECONDS), LONGEST_FRESH_SECONDS)
