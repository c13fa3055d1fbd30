"""A ledger in memory, with a clock that only moves when it is told to."""

from collections import Counter
from dataclasses import dataclass
from typing import Final

from pipeline.exchange import Purpose, Trouble
from pipeline.ports.generation import Attempt, Budgets, Settlement, Spent

DAY_SECONDS: Final = 86_400
Budget = tuple[int, str, int]
"""Whose day it is: the tenant, the learner ('' for the tenant's own), and which day."""


@dataclass
class Entry:
    """One request, and what it came to: `lost` where nobody ever said."""

    attempt: Attempt
    day: int
    at: float
    settlement: Settlement | None = None
    lost: bool = False

    @property
    def open(self) -> bool:
        return self.settlement is None and not self.lost

    @property
    def cost(self) -> int:
        return self.attempt.estimate if self.settlement is None else self.settlement.cost


class FakeLedger:
    """`pipeline.ports.generation.Ledger` without Postgres."""

    def __init__(self) -> None:
        self.now = 0.0
        self.entries: dict[str, Entry] = {}
        self.spent: Counter[Budget] = Counter()
        self.served: Counter[tuple[int, str | None, Purpose, str]] = Counter()

    def pass_time(self, seconds: float) -> None:
        self.now += seconds

    async def reserve(self, attempt: Attempt, budgets: Budgets) -> Spent | None:
        if attempt.id in self.entries:
            return None
        entry = Entry(attempt, int(self.now // DAY_SECONDS), self.now)
        limits = (budgets.tenant, budgets.learner)
        for budget, limit in zip(self._budgets(entry), limits, strict=False):
            if limit is not None and self.spent[budget] + attempt.estimate > limit:
                return Spent("learner" if budget[1] else "tenant", limit)
        self.entries[attempt.id] = entry
        self._book(entry, attempt.estimate)
        return None

    async def settle(self, settlement: Settlement) -> None:
        entry = self.entries.get(settlement.attempt_id)
        if entry is None or entry.settlement is not None:
            return
        self._book(entry, settlement.cost - entry.cost)
        entry.settlement, entry.lost = settlement, False

    async def withdraw(self, attempt_id: str) -> None:
        await self.settle(Settlement(attempt_id, Trouble.CUT_OFF, None, 0, known=True, seconds=None))

    async def close_lost(self, *, older_seconds: float, most: int) -> int:
        lost = [entry for entry in self.entries.values() if entry.open and entry.at < self.now - older_seconds][:most]
        for entry in lost:
            entry.lost = True
        return len(lost)

    async def note_served(self, tenant_id: int, arm: str | None, purpose: Purpose, provider: str) -> None:
        self.served[tenant_id, arm, purpose, provider] += 1

    def _book(self, entry: Entry, amount: int) -> None:
        for budget in self._budgets(entry):
            self.spent[budget] += amount

    def _budgets(self, entry: Entry) -> list[Budget]:
        """The budgets that an entry counts against: the tenant's own, and the learner's where there is one."""
        learners = [""] if entry.attempt.learner_id is None else ["", entry.attempt.learner_id]
        return [(entry.attempt.tenant_id, learner, entry.day) for learner in learners]
