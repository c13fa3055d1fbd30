"""Every request to a model with what it cost, and the budgets it counts against.

A budget is a row per tenant and day, and one per learner; `''` is the tenant's own. Whoever books against limits holds
the rows while it judges, so that no two requests are let in on the same room. Lock order: submissions and jobs, the
tenant's money (shared by those who judge, alone for who erases), budgets by tenant, learner and day, attempts by id.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from pipeline.batching import NO_SPACING, Batcher, Spacing
from pipeline.exchange import Purpose, Trouble, Usage
from pipeline.ports.generation import Attempt, Budgets, Settlement, Spent
from pipeline.store.booking import Booking, BudgetKey, judge
from pipeline.store.engine import transaction
from pipeline.store.money import BOOK, BOOK_FREELY, LOOK, OPEN_BUDGETS, SETTLE
from pipeline.store.round_trip import Query, ask, in_one_trip
from pipeline.store.storable import storable_json

AT_ONCE: Final = 200
MONEY_LOCK: Final = 0x6D6F_6E65  # "mone": the first half of an advisory lock, the tenant is the second
MOST: Final = 2**53
Served = tuple[int, str, str, str]
"""Tenant, arm or '', purpose, provider."""

# Whoever erases a learner waits for those who book on him, and they see that he is gone: the lock is taken first, by a
# statement of its own.
SHARE_MONEY = text(
    "SELECT pg_advisory_xact_lock_shared(:space, t) FROM unnest(CAST(:tenants AS int[])) WITH ORDINALITY u(t, n)"
    " ORDER BY n"
)

COUNT_SERVED = text(
    """
    INSERT INTO llm_served AS s (tenant_id, arm, purpose, provider, day, count)
    SELECT w.tenant_id, w.arm, w.purpose, w.provider, CAST(now() AT TIME ZONE 'UTC' AS date), w.count
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS w(tenant_id int, arm text, purpose text, provider text,
        count bigint)
    ORDER BY w.tenant_id, w.arm COLLATE "C", w.purpose, w.provider COLLATE "C"
    ON CONFLICT (tenant_id, arm, purpose, provider, day) DO UPDATE SET count = s.count + excluded.count
    """
)


# What waits in a batch with a provider takes up to a day, whoever sent it.
CLOSE_LOST = text(
    """
    WITH lost AS MATERIALIZED (
        SELECT a.id FROM llm_attempts a
        WHERE a.state = 'open' AND a.started_at < now() - make_interval(secs => :older_seconds)
          AND NOT EXISTS (
            SELECT FROM llm_batch_items i WHERE i.attempt_id = a.id AND i.state IN ('waiting', 'sent'))
        ORDER BY a.started_at LIMIT :most FOR UPDATE OF a SKIP LOCKED
    )
    UPDATE llm_attempts a
    SET state = 'lost', cost = a.estimate, cost_known = false, settled_at = clock_timestamp()
    FROM lost WHERE a.id = lost.id AND a.state = 'open'
    """
)

FORGET_ATTEMPTS = text(
    """
    WITH old AS MATERIALIZED (
        SELECT id FROM llm_attempts
        WHERE started_at < now() - make_interval(secs => :older_seconds) AND state <> 'open'
        ORDER BY started_at LIMIT :most FOR UPDATE SKIP LOCKED
    )
    DELETE FROM llm_attempts a USING old WHERE a.id = old.id
    """
)

# A learner's budget matters on its day, and the day after for what was asked at midnight; a tenant's is its history.
FORGET_BUDGETS = text(
    """
    WITH old AS MATERIALIZED (
        SELECT tenant_id, learner_id, day FROM llm_budgets
        WHERE day < CAST(now() AT TIME ZONE 'UTC' AS date) - 2 AND learner_id <> ''
        ORDER BY day LIMIT :most FOR UPDATE SKIP LOCKED
    )
    DELETE FROM llm_budgets b USING old
    WHERE b.tenant_id = old.tenant_id AND b.learner_id = old.learner_id AND b.day = old.day
    """
)


class LedgerStore:
    """Postgres as the port `pipeline.ports.generation.Ledger`."""

    def __init__(self, engine: AsyncEngine, *, settling: Spacing = NO_SPACING) -> None:
        """What is settled within `settling` is settled together."""
        self._engine = engine
        self._reserve: Batcher[Booking, Spent | None] = Batcher(self._reserve_together, most=AT_ONCE)
        self._settle: Batcher[Settlement, None] = Batcher(self._settle_together, most=AT_ONCE, spacing=settling)
        self._served: Batcher[Served, None] = Batcher(self._count_together, most=10 * AT_ONCE)

    async def reserve(self, attempt: Attempt, budgets: Budgets) -> Spent | None:
        """Book the estimate and note the attempt, both or neither; the same attempt again changes nothing."""
        return await self._reserve.add(Booking(attempt, budgets))

    async def settle(self, settlement: Settlement) -> None:
        """Put the true cost in the estimate's place, in the budgets of the day the request was booked on."""
        await self._settle.add(settlement)

    async def withdraw(self, attempt_id: str) -> None:
        """Settle at nothing; a booking that goes on though its caller gave up is waited for, or it would come after."""
        await self._reserve.drain()
        await self.settle(Settlement(attempt_id, Trouble.CUT_OFF, None, 0, known=True, seconds=None))

    async def note_served(self, tenant_id: int, arm: str | None, purpose: Purpose, provider: str) -> None:
        """Count a reply that was served from the journal."""
        await self._served.add((tenant_id, arm or "", purpose, provider))

    async def close_lost(self, *, older_seconds: float, most: int) -> int:
        """Give up attempts that nobody settled, at their estimate, which stays booked."""
        return await self._upkeep(CLOSE_LOST, {"older_seconds": older_seconds, "most": most})

    async def forget(self, *, older_seconds: float, most: int) -> int:
        """Delete attempts so old, and learners' budgets of days gone by; answers how many rows."""
        budgets = await self._upkeep(FORGET_BUDGETS, {"most": most})
        return budgets + await self._upkeep(FORGET_ATTEMPTS, {"older_seconds": older_seconds, "most": most})

    async def _upkeep(self, query: TextClause, values: dict[str, float]) -> int:
        async with transaction(self._engine) as connection:
            return int((await connection.execute(query, values)).rowcount)

    async def _reserve_together(self, bookings: list[Booking]) -> list[Spent | Exception | None]:
        """Those without a limit by one statement, the others by looking first; what fails is its own group's."""
        free = {booking.attempt.id: booking.attempt for booking in bookings if booking.unlimited}
        bound = [booking for booking in bookings if not booking.unlimited]
        groups = [self._book_freely([*free.values()])] if free else []
        if bound:
            groups.append(self._book_what_fits(bound))
        found: dict[str, Spent | Exception | None] = {}
        for group in groups:
            found |= await group
        return [found.get(booking.attempt.id) for booking in bookings]

    async def _book_freely(self, attempts: Sequence[Attempt]) -> dict[str, Spent | Exception | None]:
        try:
            await ask(self._engine, rowed(BOOK_FREELY, [msgspec.to_builtins(attempt) for attempt in attempts]))
        except Exception as error:  # noqa: BLE001 - theirs to handle who wait, and each of them gets it
            return dict.fromkeys((attempt.id for attempt in attempts), error)
        return {}

    async def _book_what_fits(self, bookings: Sequence[Booking]) -> dict[str, Spent | Exception | None]:
        try:
            return {**await self._judge_and_book(bookings)}
        except Exception as error:  # noqa: BLE001 - theirs to handle who wait, and each of them gets it
            return dict.fromkeys((booking.attempt.id for booking in bookings), error)

    async def _judge_and_book(self, bookings: Sequence[Booking]) -> dict[str, Spent | None]:
        async with transaction(self._engine) as connection:
            tenants = sorted({booking.attempt.tenant_id for booking in bookings})
            share = {"space": MONEY_LOCK, "tenants": tenants}
            look = {"rows": storable_json([look_row(booking.attempt) for booking in bookings])}
            _, rows = await in_one_trip(connection, (SHARE_MONEY, share), (LOOK, look))
            found = {row.id: row for row in rows}
            fresh = [anonymous_if_erased(b, found) for b in bookings if not found[b.attempt.id].noted]
            spent = await self._open_budgets(connection, fresh)
            judged = judge(fresh, spent)
            booked = [b.attempt for b in fresh if judged[b.attempt.id] is None]
            if booked:
                await self._book(connection, booked)
        return judged

    async def _open_budgets(self, connection: AsyncConnection, bookings: Sequence[Booking]) -> dict[BudgetKey, int]:
        keys = {key for booking in bookings for key in booking.limits}
        rows = [{"tenant_id": tenant_id, "learner_id": learner_id} for tenant_id, learner_id in keys]
        [opened] = await in_one_trip(connection, rowed(OPEN_BUDGETS, rows)) if rows else [[]]
        return {(row.tenant_id, row.learner_id): row.spent for row in opened}

    async def _book(self, connection: AsyncConnection, attempts: Sequence[Attempt]) -> None:
        sums: Counter[BudgetKey] = Counter()
        for attempt in attempts:
            for key in Booking(attempt, Budgets()).limits:
                sums[key] += attempt.estimate
        rows = [{"tenant_id": t, "learner_id": learner, "amount": amount} for (t, learner), amount in sums.items()]
        values = {"rows": storable_json([msgspec.to_builtins(a) for a in attempts]), "sums": storable_json(rows)}
        await connection.execute(BOOK, values)

    async def _settle_together(self, settlements: list[Settlement]) -> list[Exception | None]:
        first_of_each = {one.attempt_id: settlement_row(one) for one in reversed(settlements)}
        await ask(self._engine, rowed(SETTLE, list(first_of_each.values())))
        return [None] * len(settlements)

    async def _count_together(self, served: list[Served]) -> list[Exception | None]:
        names = ("tenant_id", "arm", "purpose", "provider", "count")
        rows = [dict(zip(names, (*key, count), strict=True)) for key, count in Counter(served).items()]
        await ask(self._engine, rowed(COUNT_SERVED, rows))
        return [None] * len(served)


def anonymous_if_erased(booking: Booking, found: Mapping[str, Any]) -> Booking:
    """A request for somebody who was erased meanwhile counts for the tenant alone."""
    if not found[booking.attempt.id].erased:
        return booking
    attempt = msgspec.structs.replace(booking.attempt, learner_id=None, submission_id=None)
    return Booking(attempt, booking.budgets)


def rowed(query: TextClause, rows: Sequence[dict[str, Any]]) -> Query:
    """A query on many rows."""
    return query, {"rows": storable_json(rows)}


def look_row(attempt: Attempt) -> dict[str, Any]:
    return {"id": attempt.id, "tenant_id": attempt.tenant_id, "submission_id": attempt.submission_id}


def settlement_row(one: Settlement) -> dict[str, Any]:
    usage = {} if one.usage is None else {name: counted(getattr(one.usage, name)) for name in Usage.__struct_fields__}
    return {
        "id": one.attempt_id,
        "cost": counted(one.cost),
        "known": one.known,
        "trouble": one.trouble,
        "status": one.status,
        "code": one.code,
        "served_model": one.model,
        "request_id": one.request_id,
        "cut_quotations": one.cut_quotations,
        "duration_ms": milliseconds(one.seconds),
        "first_text_ms": milliseconds(one.first_text_seconds),
        **usage,
    }


def counted(amount: int) -> int:
    """What a provider counts is its word alone: no number of its making may keep others' rows from being written."""
    return min(max(amount, 0), MOST)


def milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)
