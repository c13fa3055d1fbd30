"""What a provider saw, against what the ledger says: the witness that nothing is paid twice and nothing unbooked."""

import signal
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final, Protocol

import msgspec

from tests.process import Process
from tests.standin.calls import Call, Tokens
from tests.standin.script import Fault
from tests.standin.server import StandIn

GOOD: Final = frozenset({None, Fault.SLOW_FIRST, Fault.SLOW_STREAM})
"""What a usable reply was played as."""

HELD_BY: Final = """
SELECT t.submission_id FROM stages t JOIN workers w ON w.id = t.worker_id
WHERE t.stage = 'feedback' AND t.state = 'running' AND w.pid = :pid
"""
ASKED: Final = f"SELECT encode(key, 'hex') AS key FROM llm_replies WHERE state = 'asked' AND asker_id IN ({HELD_BY})"
SENT: Final = f"SELECT id::text FROM llm_attempts WHERE state = 'open' AND submission_id IN ({HELD_BY})"
BOOKED: Final = """
SELECT id::text, state, estimate, cost, cost_known, input_tokens, cached_input_tokens, cache_write_tokens, output_tokens
FROM llm_attempts WHERE tenant_id = :tenant_id
"""
SPENT: Final = """
SELECT coalesce(sum(spent), 0)::bigint AS spent FROM llm_budgets WHERE tenant_id = :tenant_id AND learner_id = ''
"""


class Database(Protocol):
    """Where the ledger is."""

    async def rows(self, sql: str, **values: Any) -> list[Any]:
        """Rows of a query."""
        ...


class InTheAir(msgspec.Struct, frozen=True):
    """What a worker had under way when it was killed: texts it was to get, and requests without their settlement."""

    texts: frozenset[str]
    requests: frozenset[str]


class Witness:
    """A stand-in that saw every request, and what was in the air at every kill."""

    def __init__(self, stand_in: StandIn, limit: int) -> None:
        self.stand_in: Final = stand_in
        self.limit: Final = limit
        """Requests that may be under way at once."""
        self.kills: list[InTheAir] = []

    async def kill_if_asking(self, database: Database, worker: Process) -> bool:
        """SIGKILL a worker, if it has texts in the air at this moment; whether it had."""
        worker.send(signal.SIGSTOP)
        if not await database.rows(ASKED, pid=worker.pid):
            worker.send(signal.SIGCONT)
            return False
        await self._kill(database, worker)
        return True

    async def _kill(self, database: Database, worker: Process) -> None:
        worker.kill()
        texts = await database.rows(ASKED, pid=worker.pid)
        requests = await database.rows(SENT, pid=worker.pid)
        self.kills.append(InTheAir(frozenset(row.key for row in texts), frozenset(row.id for row in requests)))

    @property
    def in_the_air(self) -> Counter[str]:
        """Texts that were in the air at a kill, and at how many."""
        return Counter(key for kill in self.kills for key in kill.texts)

    @property
    def paid(self) -> Counter[str]:
        """How many usable replies went out whole for each text."""
        return Counter(text_of(call) for call in self.stand_in.calls if call.whole and call.fault in GOOD)

    @property
    def paid_again(self) -> dict[str, int]:
        """Texts with more than one whole usable reply, and how many more."""
        return {key: count - 1 for key, count in self.paid.items() if count > 1}

    def paid_twice(self) -> Iterator[str]:
        """Texts paid more often than kills explain: a reply is paid for again only if its worker died with it."""
        for key, more in self.paid_again.items():
            if more > self.in_the_air[key]:
                yield f"the text {key[:12]} was paid {more + 1} times, and its worker died {self.in_the_air[key]} times"

    def too_many_at_once(self) -> Iterator[str]:
        """Whether the provider ever had more to do than it should."""
        most = self.stand_in.record.most_at_once
        if most > self.limit:
            yield f"{most} requests were under way at once, and {self.limit} may be"

    async def misbooked(self, database: Database, tenant_id: int) -> list[str]:
        """Where the ledger is not what the provider counted; what was in the air at a kill may be missing, no more."""
        rows = await database.rows(BOOKED, tenant_id=tenant_id)
        [budget] = await database.rows(SPENT, tenant_id=tenant_id)
        return [*self._tokens_wrong(rows), *self._requests_wrong(rows), *sums_wrong(rows, budget.spent)]

    def _tokens_wrong(self, rows: list[Any]) -> Iterator[str]:
        told = Counter(call.booked for call in self.stand_in.calls if call.reported and call.booked is not None)
        noted = Counter(tokens_of(row) for row in rows if row.input_tokens is not None)
        if more := noted - told:
            yield f"{more.total()} requests are booked with tokens that no reply reported: {next(iter(more))}"
        missing = (told - noted).total()
        if missing > self.lost(rows):
            yield f"{missing} reported usages are not booked, and {self.lost(rows)} requests were in the air at kills"

    def _requests_wrong(self, rows: list[Any]) -> Iterator[str]:
        lost = {row.id for row in rows if row.state != "settled"}
        known = {id_ for kill in self.kills for id_ in kill.requests}
        if strange := lost - known:
            yield f"{len(strange)} requests were never settled, and no worker died with them"
        sent, settled = len(self.stand_in.calls), len(rows) - len(lost)
        if not settled <= sent <= len(rows):
            yield f"{sent} requests came, and {settled} of {len(rows)} booked are settled"

    def lost(self, rows: list[Any]) -> int:
        """Requests that nobody settled."""
        return sum(row.state != "settled" for row in rows)


def text_of(call: Call) -> str:
    """Which text a request is for: its idempotency key without the number of the try."""
    return (call.idempotency_key or "").rpartition("-")[0]


def tokens_of(row: Any) -> Tokens:
    return Tokens(row.input_tokens, row.cached_input_tokens, row.cache_write_tokens, row.output_tokens)


def sums_wrong(rows: list[Any], spent: int) -> Iterator[str]:
    """Whether the budget is the sum of what is booked: costs, and estimates where there is none yet."""
    booked = sum(row.estimate if row.cost is None else row.cost for row in rows)
    if spent != booked:
        yield f"the budget says {spent} nanodollars, and its requests {booked}"
    for row in rows:
        if row.state == "lost" and row.cost != row.estimate:
            yield f"a lost request is booked at {row.cost} instead of its estimate {row.estimate}"
