"""What requests cost, and the budgets that hold them back."""

from typing import Literal, Protocol, runtime_checkable

import msgspec

from pipeline.exchange import Purpose, Trouble, Usage


class Attempt(msgspec.Struct, frozen=True):
    """A request that is about to be sent. `estimate` is the most it can cost, in nanodollars (10⁻⁹ US dollars)."""

    id: str
    tenant_id: int
    learner_id: str | None
    submission_id: str | None
    question_id: str | None
    purpose: Purpose
    provider: str
    model: str
    account: str
    arm: str | None
    prompt_version: str
    estimate: int


class Settlement(msgspec.Struct, frozen=True):
    """What a request came to. `cost` is in nanodollars; `known` is False where it had to be estimated.

    `trouble` is None for a usable reply; `cut_quotations` counts quotations that were dropped; `seconds` is None for a
    line of a batch, which waits for its turn rather than for an answer.
    """

    attempt_id: str
    trouble: Trouble | None
    usage: Usage | None
    cost: int
    known: bool
    seconds: float | None
    first_text_seconds: float | None = None
    status: int | None = None
    code: str | None = None
    model: str | None = None
    request_id: str | None = None
    cut_quotations: int = 0


class Spent(msgspec.Struct, frozen=True):
    """A budget has no room for this request: whose it is, and its limit in nanodollars a day."""

    budget: Literal["tenant", "learner"]
    limit: int


class Budgets(msgspec.Struct, frozen=True):
    """The limits of one tenant, in nanodollars a day (UTC); None where there is none."""

    tenant: int | None = None
    learner: int | None = None


@runtime_checkable
class Ledger(Protocol):
    """Every request that was sent, and what it cost; budgets that concurrent requests can't overshoot."""

    async def reserve(self, attempt: Attempt, budgets: Budgets) -> Spent | None:
        """Book the estimate against the budgets and note the attempt, both or neither; raises `Unavailable`."""
        ...

    async def settle(self, settlement: Settlement) -> None:
        """Put the true cost in the estimate's place; the same again changes nothing. Raises `Unavailable`."""
        ...

    async def withdraw(self, attempt_id: str) -> None:
        """Give back what is booked, or being booked, for a request that was never sent. Raises `Unavailable`."""
        ...

    async def close_lost(self, *, older_seconds: float, most: int) -> int:
        """Settle attempts whose worker is gone, at their estimate: they may have been billed. Answers how many."""
        ...

    async def note_served(self, tenant_id: int, arm: str | None, purpose: Purpose, provider: str) -> None:
        """Count a reply that was served without a request, from the journal."""
        ...
