"""What tenants allow, in memory: the port `pipeline.ports.generation.PolicyStore`."""

import msgspec

from pipeline.ports.generation import Budgets, Policy


class MemoryPolicies:
    """Knows a change at once; `acts` are what an audit log would tell."""

    def __init__(self, default: Policy) -> None:
        self._default = default
        self._set: dict[int, Policy] = {}
        self.acts: list[tuple[int, str, str | None, str]] = []

    async def of(self, tenant_id: int) -> Policy:
        own = self._set.get(tenant_id)
        if own is None:
            return self._default
        budgets = Budgets(
            self._default.budgets.tenant if own.budgets.tenant is None else own.budgets.tenant,
            self._default.budgets.learner if own.budgets.learner is None else own.budgets.learner,
        )
        return msgspec.structs.replace(own, budgets=budgets)

    async def set(self, tenant_id: int, policy: Policy, *, actor: str, reason: str | None = None) -> None:
        self._set[tenant_id] = policy
        self.acts.append((tenant_id, actor, reason, policy.mode))
