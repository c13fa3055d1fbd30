"""What the ledger's contract needs beside the port: a way to move time, and a look inside."""

from typing import Protocol

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils import uuid7

from pipeline.exchange import Purpose
from pipeline.ports.generation import Attempt, Ledger
from pipeline.store.ledger import LedgerStore
from tests.contracts.fakes.ledger import FakeLedger

PASS_TIME = [
    text("UPDATE llm_attempts SET started_at = started_at - make_interval(secs => :seconds)"),
    text("UPDATE llm_budgets SET day = day - CAST(:seconds / 86400 AS int)"),
]
SPENT = text(
    "SELECT coalesce(sum(spent), 0) FROM llm_budgets WHERE tenant_id = :tenant_id AND learner_id = :learner_id"
    " AND day = CAST(now() AT TIME ZONE 'UTC' AS date) - :days_ago"
)


class Noted(msgspec.Struct, frozen=True):
    """What is stored of a request, as far as the contract speaks of it."""

    state: str
    cost: int | None
    known: bool | None
    trouble: str | None = None
    output_tokens: int | None = None
    cut_quotations: int = 0


def an_attempt(tenant_id: int = 1, learner_id: str | None = "ada", *, estimate: int = 100) -> Attempt:
    """A request for a learner whose submission nobody asks about."""
    return Attempt(
        id=str(uuid7()),
        tenant_id=tenant_id,
        learner_id=learner_id,
        submission_id=None,
        question_id="q1",
        purpose=Purpose.FEEDBACK,
        provider="openai",
        model="gpt-6-luna",
        account="openai-main",
        arm=None,
        prompt_version="feedback/personalized/en@1",
        estimate=estimate,
    )


class LedgerWorld(Protocol):
    """A ledger, with hands on what lies behind it."""

    @property
    def ledger(self) -> Ledger:
        """The ledger under test, as one process has it."""
        ...

    def another(self) -> Ledger:
        """The same ledger, as another process has it."""
        ...

    async def pass_time(self, seconds: float) -> None:
        """Let so much time go by: whole days, or little enough to stay within one."""
        ...

    async def noted(self, attempt_id: str) -> Noted | None:
        """What is noted of a request."""
        ...

    async def spent(self, tenant_id: int, learner_id: str = "", *, days_ago: int = 0) -> int:
        """What a budget of a day counts as spent."""
        ...

    async def served(self, tenant_id: int, arm: str | None) -> int:
        """How many replies were served without a request."""
        ...


class MemoryLedgers:
    """The fake."""

    def __init__(self) -> None:
        self.ledger = FakeLedger()

    def another(self) -> Ledger:
        return self.ledger

    async def pass_time(self, seconds: float) -> None:
        self.ledger.pass_time(seconds)

    async def noted(self, attempt_id: str) -> Noted | None:
        entry = self.ledger.entries.get(attempt_id)
        if entry is None:
            return None
        if entry.settlement is None:
            return Noted("lost", entry.cost, known=False) if entry.lost else Noted("open", None, None)
        one = entry.settlement
        output_tokens = None if one.usage is None else one.usage.output_tokens
        return Noted("settled", one.cost, one.known, one.trouble, output_tokens, one.cut_quotations)

    async def spent(self, tenant_id: int, learner_id: str = "", *, days_ago: int = 0) -> int:
        return self.ledger.spent[tenant_id, learner_id, int(self.ledger.now // 86_400) - days_ago]

    async def served(self, tenant_id: int, arm: str | None) -> int:
        return sum(count for key, count in self.ledger.served.items() if key[:2] == (tenant_id, arm))


class PostgresLedgers:
    """Real rows; time passes by moving theirs back."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self.ledger = LedgerStore(engine)

    def another(self) -> Ledger:
        return LedgerStore(self._engine)

    async def pass_time(self, seconds: float) -> None:
        async with self._engine.begin() as connection:
            for statement in PASS_TIME:
                await connection.execute(statement, {"seconds": seconds})

    async def noted(self, attempt_id: str) -> Noted | None:
        query = text(
            "SELECT state, cost, cost_known, trouble, output_tokens, cut_quotations FROM llm_attempts"
            " WHERE id = CAST(:id AS uuid)"
        )
        async with self._engine.begin() as connection:
            row = (await connection.execute(query, {"id": attempt_id})).one_or_none()
        return None if row is None else Noted(*row)

    async def spent(self, tenant_id: int, learner_id: str = "", *, days_ago: int = 0) -> int:
        values = {"tenant_id": tenant_id, "learner_id": learner_id, "days_ago": days_ago}
        async with self._engine.begin() as connection:
            return int((await connection.execute(SPENT, values)).scalar_one())

    async def served(self, tenant_id: int, arm: str | None) -> int:
        query = text("SELECT coalesce(sum(count), 0) FROM llm_served WHERE tenant_id = :tenant_id AND arm = :arm")
        async with self._engine.begin() as connection:
            return int((await connection.execute(query, {"tenant_id": tenant_id, "arm": arm or ""})).scalar_one())
