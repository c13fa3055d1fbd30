"""Replies that were paid for, and who is asking at the moment: one row per tenant and key is the claim.

What concurrent callers want is looked up, and taken, together. A row is taken only as it was seen, by its token, so
that of all who find it free one gets it. Erasing a learner deletes his rows; an answer that comes later finds none,
and is not kept.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils import uuid7

from pipeline.batching import Batcher
from pipeline.ports.generation import Abandoned, Answered, Standing, Theirs, Wanted, Yours
from pipeline.store.engine import transaction
from pipeline.store.round_trip import ask
from pipeline.store.storable import storable_json

AT_ONCE: Final = 200
Key = tuple[int, str]
"""A tenant, and the key in hexadecimal digits."""

# What is there is looked at as it was before; what is not is taken. Who finds neither was overtaken at this moment.
# Nobody waits for the disk here: nothing is sent before its booking is on it, and with that all that came before.
BEGIN = text(
    """
    WITH relaxed AS (
        SELECT set_config('synchronous_commit', 'off', true) AS commit
    ), wish AS MATERIALIZED (
        SELECT w.tenant_id, decode(w.key, 'hex') AS key, w.token, w.asker_id, w.lease_seconds
        FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS w(
            tenant_id int, key text, token uuid, asker_id uuid, lease_seconds float)
    ), known AS MATERIALIZED (
        SELECT r.* FROM wish w JOIN llm_replies r ON r.tenant_id = w.tenant_id AND r.key = w.key
    ), new AS (
        INSERT INTO llm_replies (tenant_id, key, state, token, asker_id, lease_expires_at)
        SELECT w.tenant_id, w.key, 'asked', w.token, w.asker_id,
            clock_timestamp() + make_interval(secs => w.lease_seconds)
        FROM wish w WHERE NOT EXISTS (SELECT FROM known k WHERE k.tenant_id = w.tenant_id AND k.key = w.key)
          AND (SELECT commit FROM relaxed) = 'off'
        ORDER BY w.tenant_id, w.key
        ON CONFLICT (tenant_id, key) DO NOTHING
        RETURNING tenant_id, key, state, token
    )
    SELECT k.tenant_id, encode(k.key, 'hex') AS key, k.state, k.token::text, k.reason, k.submission_id::text, k.text,
        k.provider, k.model, k.prompt_version, coalesce(k.lease_expires_at, k.quiet_until) > clock_timestamp() AS busy,
        CAST(extract(epoch FROM clock_timestamp() - k.answered_at) AS float) AS age_seconds
    FROM known k
    UNION ALL
    SELECT n.tenant_id, encode(n.key, 'hex'), n.state, n.token::text, NULL, NULL, NULL, NULL, NULL, NULL, true, NULL
    FROM new n
    """
)

# Ordered, so that two who take several never wait for each other in a circle; a row that is locked is being taken.
TAKE = text(
    """
    WITH wish AS MATERIALIZED (
        SELECT w.tenant_id, decode(w.key, 'hex') AS key, w.token, w.asker_id, w.seen, w.seen_state,
            clock_timestamp() + make_interval(secs => w.lease_seconds) AS until
        FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS w(
            tenant_id int, key text, token uuid, asker_id uuid, seen uuid, seen_state text,
            lease_seconds float)
    ), free AS MATERIALIZED (
        SELECT r.tenant_id, r.key, r.state, w.token, w.seen, w.asker_id, w.until FROM llm_replies r
        JOIN wish w ON r.tenant_id = w.tenant_id AND r.key = w.key AND r.token = w.seen AND r.state = w.seen_state
        WHERE r.state = 'answered' OR coalesce(r.lease_expires_at, r.quiet_until) <= clock_timestamp()
        ORDER BY r.tenant_id, r.key FOR UPDATE OF r SKIP LOCKED
    ), again AS (
        UPDATE llm_replies r
        SET state = 'asked', token = f.token, asker_id = f.asker_id, lease_expires_at = f.until, quiet_until = NULL,
            reason = NULL, created_at = clock_timestamp()
        FROM free f WHERE r.tenant_id = f.tenant_id AND r.key = f.key AND r.state = f.state AND r.token = f.seen
        RETURNING r.token
    )
    SELECT token::text FROM again
    """
)

RENEW = text(
    """
    WITH held AS MATERIALIZED (
        SELECT r.tenant_id, r.key, r.token, w.lease_seconds FROM llm_replies r
        JOIN jsonb_to_recordset(CAST(:rows AS jsonb)) AS w(tenant_id int, key text, token uuid, lease_seconds float)
          ON r.tenant_id = w.tenant_id AND r.key = decode(w.key, 'hex') AND r.token = w.token
        WHERE r.state = 'asked' ORDER BY r.tenant_id, r.key FOR UPDATE OF r
    )
    UPDATE llm_replies r SET lease_expires_at = clock_timestamp() + make_interval(secs => h.lease_seconds)
    FROM held h WHERE r.tenant_id = h.tenant_id AND r.key = h.key AND r.state = 'asked' AND r.token = h.token
    RETURNING r.token::text
    """
)

# Whatever state the row is in: who was overtaken has paid all the same, unless what it was for is gone by now.
# Nobody waits for the disk here: whoever uses the reply commits after it, and with that all that was written before.
ANSWER = text(
    """
    WITH relaxed AS (
        SELECT set_config('synchronous_commit', 'off', true) AS commit
    ), reply AS MATERIALIZED (
        SELECT r.tenant_id, r.key, w.token, w.asker_id, w.text, w.provider, w.model, w.prompt_version
        FROM llm_replies r
        JOIN jsonb_to_recordset(CAST(:rows AS jsonb)) AS w(
            tenant_id int, key text, token uuid, asker_id uuid, text text, provider text, model text,
            prompt_version text)
          ON r.tenant_id = w.tenant_id AND r.key = decode(w.key, 'hex')
        WHERE (SELECT commit FROM relaxed) = 'off' AND (r.token = w.token
           OR EXISTS (SELECT FROM submissions s WHERE s.tenant_id = w.tenant_id AND s.id = w.asker_id)
           OR EXISTS (SELECT FROM generations g WHERE g.tenant_id = w.tenant_id AND g.id = w.asker_id))
        ORDER BY r.tenant_id, r.key FOR UPDATE OF r
    )
    UPDATE llm_replies r
    SET state = 'answered', token = p.token, asker_id = p.asker_id, submission_id = p.asker_id, text = p.text,
        provider = p.provider, model = p.model, prompt_version = p.prompt_version, answered_at = clock_timestamp(),
        lease_expires_at = NULL, quiet_until = NULL, reason = NULL
    FROM reply p WHERE r.tenant_id = p.tenant_id AND r.key = p.key
    """
)

ABANDON = text(
    """
    WITH held AS MATERIALIZED (
        SELECT r.tenant_id, r.key, r.token, w.reason, w.quiet_seconds FROM llm_replies r
        JOIN jsonb_to_recordset(CAST(:rows AS jsonb)) AS w(
            tenant_id int, key text, token uuid, reason text, quiet_seconds float)
          ON r.tenant_id = w.tenant_id AND r.key = decode(w.key, 'hex') AND r.token = w.token
        WHERE r.state = 'asked' ORDER BY r.tenant_id, r.key FOR UPDATE OF r
    )
    UPDATE llm_replies r
    SET state = 'abandoned', reason = h.reason, lease_expires_at = NULL,
        quiet_until = clock_timestamp() + make_interval(secs => h.quiet_seconds)
    FROM held h WHERE r.tenant_id = h.tenant_id AND r.key = h.key AND r.state = 'asked' AND r.token = h.token
    """
)

FORGET = text(
    """
    WITH old AS MATERIALIZED (
        SELECT tenant_id, key FROM llm_replies
        WHERE created_at < now() - make_interval(secs => :older_seconds)
          AND (lease_expires_at IS NULL OR lease_expires_at < now())
        ORDER BY created_at LIMIT :most FOR UPDATE SKIP LOCKED
    )
    DELETE FROM llm_replies r USING old WHERE r.tenant_id = old.tenant_id AND r.key = old.key
    """
)


class Wish(msgspec.Struct, frozen=True):
    """One call of `begin`, and the token it will hold if the row becomes its own."""

    wanted: Wanted
    lease_seconds: float
    fresh_seconds: float
    token: str

    @property
    def key(self) -> Key:
        return key_of(self.wanted)


class JournalStore:
    """Postgres as the port `pipeline.ports.generation.Journal`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._begin: Batcher[Wish, Standing] = Batcher(self._begin_together, most=AT_ONCE)
        self._renew: Batcher[dict[str, Any], bool] = Batcher(self._renew_together, most=10 * AT_ONCE)
        self._answer: Batcher[dict[str, Any], None] = Batcher(self._answer_together, most=AT_ONCE)

    async def begin(self, wanted: Wanted, *, lease_seconds: float, fresh_seconds: float) -> Standing:
        """Where a wanted reply stands; takes it for the caller where it is free."""
        return await self._begin.add(Wish(wanted, lease_seconds, fresh_seconds, token=str(uuid7())))

    async def renew(self, wanted: Wanted, token: str, *, lease_seconds: float) -> bool:
        """Go on asking; False where somebody else has taken over or answered."""
        return await self._renew.add({**row_of(wanted), "token": token, "lease_seconds": lease_seconds})

    async def answer(self, wanted: Wanted, token: str, answered: Answered) -> None:
        """Keep a reply, committed when this returns; one for what was erased meanwhile is not kept."""
        fields = msgspec.structs.asdict(answered)
        await self._answer.add({**row_of(wanted), "token": token, "asker_id": wanted.submission_id, **fields})

    async def abandon(self, wanted: Wanted, token: str, reason: str, *, quiet_seconds: float) -> None:
        """Say that no usable reply came; nothing happens where somebody else has taken over."""
        await self._run(ABANDON, [{**row_of(wanted), "token": token, "reason": reason, "quiet_seconds": quiet_seconds}])

    async def forget(self, *, older_seconds: float, most: int) -> int:
        """Delete rows that nobody has asked for since so long ago."""
        async with transaction(self._engine) as connection:
            return int((await connection.execute(FORGET, {"older_seconds": older_seconds, "most": most})).rowcount)

    async def _renew_together(self, rows: list[dict[str, Any]]) -> list[bool]:
        renewed = {row.token for row in await self._run(RENEW, rows)}
        return [row["token"] in renewed for row in rows]

    async def _begin_together(self, wishes: list[Wish]) -> list[Standing | Exception]:
        seen = await self._begin_or_look(wishes)
        standings = [standing_of(seen.get(wish.key), wish) for wish in wishes]
        free = {wish.key: wish for wish, standing in zip(wishes, standings, strict=True) if standing is None}
        if not free:
            return [standing or Theirs() for standing in standings]
        taken = await self._take([wish for wish in free.values() if wish.key in seen], seen)
        standings = [
            standing or (Yours(wish.token) if wish.token in taken else None)
            for wish, standing in zip(wishes, standings, strict=True)
        ]
        missed = [wish for wish, standing in zip(wishes, standings, strict=True) if standing is None]
        seen = await self._begin_or_look(missed)
        # What was not to be had and is free all the same changes hands this moment.
        return [
            standing or standing_of(seen.get(wish.key), wish) or Theirs()
            for wish, standing in zip(wishes, standings, strict=True)
        ]

    async def _begin_or_look(self, wishes: Sequence[Wish]) -> dict[Key, Any]:
        """How the rows of these wishes stand; those that were not there are now the first wish's of their key."""
        firsts = {wish.key: begin_row(wish) for wish in reversed(wishes)}
        rows = await self._run(BEGIN, list(firsts.values())) if firsts else []
        return {(row.tenant_id, row.key): row for row in rows}

    async def _take(self, wishes: Sequence[Wish], seen: dict[Key, Any]) -> set[str]:
        rows = [
            {**begin_row(wish), "seen": seen[wish.key].token, "seen_state": seen[wish.key].state} for wish in wishes
        ]
        return {row.token for row in await self._run(TAKE, rows)} if rows else set()

    async def _answer_together(self, rows: list[dict[str, Any]]) -> list[Exception | None]:
        last_of_each = {(row["tenant_id"], row["key"]): row for row in rows}
        await self._run(ANSWER, list(last_of_each.values()))
        return [None] * len(rows)

    async def _run(self, query: TextClause, rows: Sequence[dict[str, Any]]) -> list[Any]:
        [found] = await ask(self._engine, (query, {"rows": storable_json(rows)}))
        return found


def key_of(wanted: Wanted) -> Key:
    return wanted.tenant_id, wanted.key.hex()


def begin_row(wish: Wish) -> dict[str, Any]:
    wanted = wish.wanted
    asker = {"asker_id": wanted.submission_id, "lease_seconds": wish.lease_seconds}
    return {**row_of(wanted), "token": wish.token, **asker}


def row_of(wanted: Wanted) -> dict[str, Any]:
    return {"tenant_id": wanted.tenant_id, "key": wanted.key.hex()}


def standing_of(row: Any, wish: Wish) -> Standing | None:
    """Where a reply stands for this wish; None where it is free to be asked for."""
    if row is None:
        return None
    if row.token == wish.token:
        return Yours(wish.token)
    fresh = row.state == "answered" and row.age_seconds < wish.fresh_seconds
    if fresh or (row.text is not None and row.submission_id == wish.wanted.submission_id):
        return Answered(row.text, row.provider, row.model, row.prompt_version)
    if row.state == "answered" or not row.busy:
        return None
    return Theirs() if row.state == "asked" else Abandoned(row.reason)
