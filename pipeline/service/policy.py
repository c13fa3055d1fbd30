"""What an operator may decide about language models for a tenant."""

from typing import Annotated, Literal

import msgspec

from pipeline.metering.money import dollars, nanodollars
from pipeline.ports.generation import Budgets, Policy, PolicyStore
from pipeline.service.access import Principal
from pipeline.settings import Settings

Mode = Annotated[
    Literal["cloud", "local", "off"],
    msgspec.Meta(description="Which models may see answers: all, those in the operator's house only, or none."),
]
DailyUsd = Annotated[
    float,
    msgspec.Meta(ge=0, le=1_000_000, description="In US dollars a day (UTC); null: as the installation has it."),
]


class PolicyIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tenant's policy, as operators set it; what is left out is as it was before anything was set."""

    mode: Mode
    tenant_daily_usd: DailyUsd | None = None
    learner_daily_usd: DailyUsd | None = None
    batch: Annotated[
        bool, msgspec.Meta(description="Whether feedback of low priority may wait for half the price.")
    ] = False
    reason: (
        Annotated[str, msgspec.Meta(min_length=1, max_length=1000, description="Why; for the audit log.")] | None
    ) = None


class PolicyOut(msgspec.Struct, frozen=True):
    """The policy that holds for a tenant; a limit that is null does not exist."""

    mode: Mode
    tenant_daily_usd: float | None
    learner_daily_usd: float | None
    batch: bool


class Policing:
    """Shows and sets what a tenant allows."""

    def __init__(self, store: PolicyStore) -> None:
        self._store = store

    async def show(self, principal: Principal) -> PolicyOut:
        """The policy of the caller's tenant, the installation's budgets where it has none of its own."""
        return shown(await self._store.of(principal.tenant_id))

    async def change(self, principal: Principal, given: PolicyIn) -> PolicyOut:
        """Replace it; workers follow within seconds."""
        await self._store.set(principal.tenant_id, policy_of(given), actor=principal.actor, reason=given.reason)
        return await self.show(principal)


def policy_of(given: PolicyIn) -> Policy:
    """What an operator sent, as a policy."""
    return Policy(given.mode, budgets_of(given.tenant_daily_usd, given.learner_daily_usd), given.batch)


def default_policy(settings: Settings) -> Policy:
    """What holds for a tenant that has set nothing."""
    return Policy(budgets=budgets_of(settings.ai_tenant_daily_usd, settings.ai_learner_daily_usd))


def budgets_of(tenant_usd: float | None, learner_usd: float | None) -> Budgets:
    """Budgets given in dollars a day."""
    return Budgets(*[None if usd is None else nanodollars(usd) for usd in (tenant_usd, learner_usd)])


def shown(policy: Policy) -> PolicyOut:
    """A policy as it is shown."""
    tenant, learner = [None if limit is None else dollars(limit) for limit in msgspec.structs.astuple(policy.budgets)]
    return PolicyOut(policy.mode, tenant, learner, policy.batch)
