"""What a tenant lets models see and cost."""

from typing import Literal, Protocol, runtime_checkable

import msgspec

from pipeline.exchange import Place
from pipeline.ports.generation.ledger import Budgets


class Policy(msgspec.Struct, frozen=True):
    """What a tenant allows: all models, those in the house only, or none.

    And what it may spend, and whether its submissions of low priority may wait for half the price.
    """

    mode: Literal["cloud", "local", "off"] = "cloud"
    budgets: Budgets = Budgets()
    batch: bool = False

    def allows(self, place: Place) -> bool:
        """Whether a prompt of this tenant may go there."""
        return self.mode == "cloud" or (self.mode == "local" and place is Place.LOCAL)


@runtime_checkable
class Policies(Protocol):
    """What tenants allow."""

    async def of(self, tenant_id: int) -> Policy:
        """A tenant's policy, at most seconds old; raises `Unavailable`, and then nothing may be sent."""
        ...


@runtime_checkable
class PolicyStore(Policies, Protocol):
    """Keeps what tenants allow."""

    async def set(self, tenant_id: int, policy: Policy, *, actor: str, reason: str | None = None) -> None:
        """Replace a tenant's policy and note who did it and why; a budget that is None is the installation's.

        Raises `Unavailable`.
        """
        ...
