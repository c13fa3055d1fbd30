"""Who is let in where several want to spend of the same budgets at once."""

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from pipeline.ports.generation import Attempt, Budgets, Spent

BudgetKey = tuple[int, str]
"""A tenant, and a learner or '' for the tenant's own."""


class Booking(msgspec.Struct, frozen=True):
    """A request that is to be booked, and the limits of its budgets."""

    attempt: Attempt
    budgets: Budgets

    @property
    def limits(self) -> dict[BudgetKey, int | None]:
        """The limit of each budget that it counts against, the tenant's first."""
        tenant_id, learner_id = self.attempt.tenant_id, self.attempt.learner_id
        own = {(tenant_id, ""): self.budgets.tenant}
        return own if learner_id is None else {**own, (tenant_id, learner_id): self.budgets.learner}

    @property
    def unlimited(self) -> bool:
        """Whether none of them has a limit."""
        return all(limit is None for limit in self.limits.values())


def judge(bookings: Sequence[Booking], spent: Mapping[BudgetKey, int]) -> dict[str, Spent | None]:
    """Who is let in, by attempt: one after the other, as long as all of its budgets have room for its estimate."""
    booked = Counter(spent)
    judged: dict[str, Spent | None] = {}
    for booking in bookings:
        attempt = booking.attempt
        if attempt.id in judged:
            continue
        judged[attempt.id] = refusal_of(booking, booked)
        if judged[attempt.id] is None:
            booked.update(dict.fromkeys(booking.limits, attempt.estimate))
    return judged


def refusal_of(booking: Booking, booked: Mapping[BudgetKey, int]) -> Spent | None:
    """The first budget without room, and its limit."""
    for key, limit in booking.limits.items():
        if limit is not None and booked.get(key, 0) + booking.attempt.estimate > limit:
            return Spent("learner" if key[1] else "tenant", limit)
    return None
