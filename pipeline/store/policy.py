"""What tenants allow, in Postgres: kept for seconds, so that nobody waits for it and a change soon holds everywhere."""

import time
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.batching import Batcher
from pipeline.ports.generation import Budgets, Policy
from pipeline.store.control import record_act
from pipeline.store.engine import transaction
from pipeline.store.round_trip import ask

KEPT_SECONDS: Final = 2.0
MOST_KEPT: Final = 10_000
READ_AT_ONCE: Final = 1_000

FIND = text(
    "SELECT tenant_id, mode, tenant_budget, learner_budget, batch FROM llm_policies WHERE tenant_id = ANY(:tenant_ids)"
)
SET = text(
    """
    INSERT INTO llm_policies (tenant_id, mode, tenant_budget, learner_budget, batch)
    VALUES (:tenant_id, :mode, :tenant_budget, :learner_budget, :batch)
    ON CONFLICT (tenant_id) DO UPDATE SET mode = excluded.mode, tenant_budget = excluded.tenant_budget,
        learner_budget = excluded.learner_budget, batch = excluded.batch, updated_at = clock_timestamp()
    """
)


class PolicyStore:
    """Postgres as the port `pipeline.ports.generation.PolicyStore`.

    A tenant that has set nothing is under `default`; so is a budget that it has left open.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        default: Policy,
        kept_seconds: float = KEPT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._default = default
        self._kept_seconds = kept_seconds
        self._clock = clock
        self._kept: dict[int, tuple[float, Policy]] = {}
        self._reading = Batcher(self._read, most=READ_AT_ONCE)

    async def of(self, tenant_id: int) -> Policy:
        """A tenant's policy, at most seconds old; raises `Unavailable`, and then nothing may be sent."""
        asked_at = self._clock()
        kept = self._kept.get(tenant_id)
        if kept is not None and asked_at < kept[0] + self._kept_seconds:
            return kept[1]
        return self._keep(tenant_id, asked_at, await self._reading.add(tenant_id))

    async def set(self, tenant_id: int, policy: Policy, *, actor: str, reason: str | None = None) -> None:
        """Replace a tenant's policy and note who did it and why; other processes follow within seconds."""
        async with transaction(self._engine) as connection:
            values = columns_of(policy)
            await connection.execute(SET, {"tenant_id": tenant_id, **values})
            await record_act(
                connection, tenant_id=tenant_id, actor=actor, action="llm.policy", reason=reason, target=values
            )
        self._keep(tenant_id, self._clock(), self._completed(policy))

    def _keep(self, tenant_id: int, known_at: float, policy: Policy) -> Policy:
        """Keep what was known then, unless something later is known; answers what is kept."""
        if len(self._kept) >= MOST_KEPT:
            self._kept.clear()
        kept = self._kept.get(tenant_id)
        if kept is None or kept[0] <= known_at:
            kept = self._kept[tenant_id] = (known_at, policy)
        return kept[1]

    async def _read(self, tenant_ids: list[int]) -> Sequence[Policy]:
        [rows] = await ask(self._engine, (FIND, {"tenant_ids": list(set(tenant_ids))}))
        found: Mapping[int, Any] = MappingProxyType({row.tenant_id: row for row in rows})
        return [self._completed(policy_of(found[id_])) if id_ in found else self._default for id_ in tenant_ids]

    def _completed(self, policy: Policy) -> Policy:
        """With the default's budgets where the tenant has none of its own."""
        own, default = policy.budgets, self._default.budgets
        tenant = default.tenant if own.tenant is None else own.tenant
        learner = default.learner if own.learner is None else own.learner
        return msgspec.structs.replace(policy, budgets=Budgets(tenant, learner))


def policy_of(row: Any) -> Policy:
    return Policy(row.mode, Budgets(row.tenant_budget, row.learner_budget), row.batch)


def columns_of(policy: Policy) -> dict[str, Any]:
    """A policy as the columns of its row, and as the audit log tells it; budgets in nanodollars a day."""
    return {
        "mode": policy.mode,
        "tenant_budget": policy.budgets.tenant,
        "learner_budget": policy.budgets.learner,
        "batch": policy.batch,
    }
