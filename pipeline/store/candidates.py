"""Each tenant's questions to choose from, kept in the process: built aside when large, and not too many of them."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pipeline.learning.candidate import Candidate, candidate_of, index_candidates
from pipeline.learning.rating import ItemRating
from pipeline.stages.recommend import Bank, primary_language
from pipeline.store.question import question_from_body

FRESH_SECONDS: Final = 60.0
MOST_QUESTIONS: Final = 200_000
"""Of all kept banks together; a candidate takes about a kilobyte."""
READ_AT_ONCE: Final = 1_000
"""Rows; reading so many takes the event loop some 20 ms, and indexing them about as long."""

BANK_VERSIONS = text("SELECT id, bank_version FROM tenants WHERE id = ANY(:tenant_ids)")

PART_OF_BANK = text(
    """
    SELECT q.key, q.id, q.version, v.body, r.rating, r.answers
    FROM questions q JOIN question_versions v ON v.key = q.version_key
    LEFT JOIN item_ratings r ON r.question_key = q.key
    WHERE q.tenant_id = :tenant_id AND q.id > :after ORDER BY q.id LIMIT :most
    """
)


class TenantBank(msgspec.Struct, frozen=True):
    """A tenant's questions to choose from, as of one version of its bank."""

    version: int
    built_at: float
    candidates: Bank
    id_by_key: Mapping[int, str]
    key_by_id: Mapping[str, int]


def candidates_by_language(rows: Sequence[Any]) -> Bank:
    """The questions of a bank to choose from, each language by itself."""
    by_language: dict[str, list[Candidate]] = {}
    for row in rows:
        question = question_from_body(row.id, row.version, row.body)
        rating = None if row.rating is None else ItemRating(row.rating, row.answers)
        by_language.setdefault(primary_language(question.language), []).append(candidate_of(question, rating))
    return {language: index_candidates(candidates) for language, candidates in by_language.items()}


class Banks:
    """Each tenant's candidates, built when its bank changed, and now and then as difficulties are learnt.

    A bank of more than `read_at_once` questions is read in parts and built in a thread: heartbeats of this
    process go on meanwhile. Beyond `most_questions` in all, those not asked for the longest are dropped.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        *,
        most_questions: int = MOST_QUESTIONS,
        read_at_once: int = READ_AT_ONCE,
        build: Callable[[Sequence[Any]], Bank] = candidates_by_language,
    ) -> None:
        self._clock = clock
        self._most_questions = most_questions
        self._read_at_once = read_at_once
        self._build = build
        self._kept: OrderedDict[int, TenantBank] = OrderedDict()
        self._building = asyncio.Lock()

    @property
    def kept(self) -> Collection[int]:
        """The tenants whose banks are kept, those asked for last at the end."""
        return self._kept.keys()

    async def load(self, connection: AsyncConnection, tenant_ids: set[int]) -> Mapping[int, TenantBank]:
        """The banks of these tenants as they are now."""
        rows = (await connection.execute(BANK_VERSIONS, {"tenant_ids": list(tenant_ids)})).all()
        return {tenant_id: await self._current(connection, tenant_id, version) for tenant_id, version in rows}

    async def _current(self, connection: AsyncConnection, tenant_id: int, version: int) -> TenantBank:
        bank = self._fresh(tenant_id, version)
        if bank is None:
            async with self._building:  # two batches that miss the same bank build it once
                bank = self._fresh(tenant_id, version) or await self._read(connection, tenant_id, version)
                self._keep(tenant_id, bank)
        else:
            self._kept.move_to_end(tenant_id)
        return bank

    def _fresh(self, tenant_id: int, version: int) -> TenantBank | None:
        bank = self._kept.get(tenant_id)
        if bank is None or bank.version != version or self._clock() - bank.built_at > FRESH_SECONDS:
            return None
        return bank

    async def _read(self, connection: AsyncConnection, tenant_id: int, version: int) -> TenantBank:
        rows: list[Any] = []
        asked: dict[str, Any] = {"tenant_id": tenant_id, "after": "", "most": self._read_at_once}
        while len(part := (await connection.execute(PART_OF_BANK, asked)).all()) == self._read_at_once:
            rows += part
            asked["after"] = part[-1].id
        rows += part
        is_large = len(rows) > self._read_at_once
        return TenantBank(
            version=version,
            built_at=self._clock(),
            candidates=await asyncio.to_thread(self._build, rows) if is_large else self._build(rows),
            id_by_key={row.key: row.id for row in rows},
            key_by_id={row.id: row.key for row in rows},
        )

    def _keep(self, tenant_id: int, bank: TenantBank) -> None:
        """Keep it, however large, and drop what was not asked for the longest."""
        self._kept[tenant_id] = bank
        self._kept.move_to_end(tenant_id)
        questions = sum(len(bank.id_by_key) for bank in self._kept.values())
        while questions > self._most_questions and len(self._kept) > 1:
            _, dropped = self._kept.popitem(last=False)
            questions -= len(dropped.id_by_key)
