"""Looking at what was learnt, and switching to what it should be, each in a transaction that suits it.

Work goes on while a tenant is looked at: the look is a snapshot and takes no lock. The switch locks the tenant's
learners and then its questions, rows that workers lock in the same order before they read them, so it is alone with
them until it ends, and costs nothing to anybody at other times.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.errors import Conflict
from pipeline.ports.rebuilding import Correction
from pipeline.store.engine import transaction
from pipeline.store.history import LearningLook
from pipeline.store.switching import LearningSwitch, correct

REBUILD_LOCK: Final = 0x6C6E
"""The first key of the advisory locks of rebuilds; the second is the tenant."""

# A whole tenant is read: here the planner may read tables in their order.
READ_WHOLE = text("SELECT set_config('enable_seqscan', 'on', true)")
PATIENT = text("SELECT set_config('idle_in_transaction_session_timeout', '0', true)")
ALONE = text("SELECT pg_try_advisory_xact_lock(:space, :tenant_id)")
TENANTS = text("SELECT name, id FROM tenants ORDER BY name")

# Whose submission was accepted just as he was erased has no row yet, and could not be locked.
START_LEARNERS = text(
    """
    INSERT INTO learners (tenant_id, id)
    SELECT DISTINCT s.tenant_id, s.learner_id FROM submissions s
    WHERE s.tenant_id = :tenant_id
      AND NOT EXISTS (SELECT FROM learners l WHERE l.tenant_id = s.tenant_id AND l.id = s.learner_id)
    ORDER BY s.learner_id
    ON CONFLICT DO NOTHING
    """
)
LOCK_LEARNERS = text("SELECT id FROM learners WHERE tenant_id = :tenant_id ORDER BY tenant_id, id FOR UPDATE")
LOCK_ITEMS = text(
    """
    SELECT q.id FROM item_ratings r JOIN questions q ON q.key = r.question_key
    WHERE r.tenant_id = :tenant_id ORDER BY r.question_key FOR UPDATE OF r
    """
)


class RebuildStore:
    """Postgres as the port `pipeline.ports.rebuilding.RebuildStore`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def tenants(self) -> Mapping[str, int]:
        async with transaction(self._engine) as connection:
            return {row.name: row.id for row in await connection.execute(TENANTS)}

    @asynccontextmanager
    async def look(self, tenant_id: int) -> AsyncIterator[LearningLook]:
        snapshot = self._engine.execution_options(isolation_level="REPEATABLE READ")
        async with self._alone(tenant_id), transaction(snapshot) as connection:
            await connection.execute(READ_WHOLE)
            await connection.execute(PATIENT)
            yield LearningLook(connection, tenant_id)

    @asynccontextmanager
    async def _alone(self, tenant_id: int) -> AsyncIterator[None]:
        """Hold other rebuilds off, before there is a snapshot: one of before their end would show what they mended."""
        async with transaction(self._engine) as connection:
            await connection.execute(PATIENT)
            if not (await connection.execute(ALONE, {"space": REBUILD_LOCK, "tenant_id": tenant_id})).scalar_one():
                raise Conflict("What was learnt is being rebuilt already.")
            yield

    @asynccontextmanager
    async def switch(self, tenant_id: int) -> AsyncIterator[LearningSwitch]:
        wanted = {"tenant_id": tenant_id}
        async with transaction(self._engine) as connection:
            await connection.execute(READ_WHOLE)
            await connection.execute(START_LEARNERS, wanted)
            learners = frozenset((await connection.execute(LOCK_LEARNERS, wanted)).scalars())
            items = frozenset((await connection.execute(LOCK_ITEMS, wanted)).scalars())
            yield LearningSwitch(connection, tenant_id, learners, items)

    async def correct(self, tenant_id: int, corrections: Sequence[Correction]) -> None:
        async with transaction(self._engine) as connection:
            await correct(connection, tenant_id, corrections)
