"""The contract of `pipeline.ports.generation.Journal`, run against Postgres and the fake."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.ports.generation import Abandoned, Answered, Journal, Standing, Theirs, Wanted, Yours
from pipeline.store.journal import JournalStore, Key, Wish
from tests.contracts.journal_world import JournalWorld, MemoryJournals, PostgresJournals

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
LEASE, FRESH = 10.0, 600.0
REPLY = Answered('{"right": "…"}', "openai", "gpt-6-luna", "feedback/personalized/en@1")
LATER_REPLY = msgspec.structs.replace(REPLY, text='{"right": "!"}', provider="anthropic")


@pytest.fixture(params=["fake", "postgres"])
def world(request: pytest.FixtureRequest) -> JournalWorld:
    """A journal of either kind."""
    return MemoryJournals() if request.param == "fake" else PostgresJournals(request.getfixturevalue("engine"))


async def wish(world: JournalWorld, *, like: Wanted | None = None, key: bytes = KEY) -> Wanted:
    """What a new submission wants: the same key as another one of its tenant, or that of a tenant of its own."""
    tenant_id = await world.tenant() if like is None else like.tenant_id
    return Wanted(tenant_id, key, await world.submission(tenant_id))


async def begin(journal: Journal, wanted: Wanted) -> Standing:
    return await journal.begin(wanted, lease_seconds=LEASE, fresh_seconds=FRESH)


async def taken(journal: Journal, wanted: Wanted) -> str:
    standing = await begin(journal, wanted)
    assert isinstance(standing, Yours)
    return standing.token


async def test_who_comes_first_asks_and_the_others_wait(world: JournalWorld) -> None:
    first = await wish(world)
    second = await wish(world, like=first)
    await taken(world.journal, first)
    assert await begin(world.journal, second) == Theirs()
    assert await begin(world.another(), first) == Theirs()


async def test_of_fifty_who_want_the_same_at_once_exactly_one_asks(world: JournalWorld) -> None:
    wanted = await wish(world)
    journals = [world.journal, *[world.another() for _ in range(4)]]
    standings = await asyncio.gather(*[begin(journals[n % 5], wanted) for n in range(50)])
    assert sum(isinstance(standing, Yours) for standing in standings) == 1
    assert sum(isinstance(standing, Theirs) for standing in standings) == 49


async def test_a_claim_whose_lease_is_over_is_taken_over_exactly_once(world: JournalWorld) -> None:
    wanted = await wish(world)
    lost = await taken(world.journal, wanted)
    await world.pass_time(LEASE + 1)
    journals = [world.journal, *[world.another() for _ in range(4)]]
    standings = await asyncio.gather(*[begin(journals[n % 5], wanted) for n in range(50)])
    tokens = [standing.token for standing in standings if isinstance(standing, Yours)]
    assert len(tokens) == 1
    assert lost not in tokens


async def test_who_renews_keeps_the_claim_and_who_lost_it_is_told(world: JournalWorld) -> None:
    wanted = await wish(world)
    token = await taken(world.journal, wanted)
    await world.pass_time(LEASE - 1)
    assert await world.journal.renew(wanted, token, lease_seconds=LEASE)
    await world.pass_time(LEASE - 1)
    assert await begin(world.journal, wanted) == Theirs()
    await world.pass_time(2)
    newer = await taken(world.journal, wanted)
    assert not await world.journal.renew(wanted, token, lease_seconds=LEASE)
    assert await world.journal.renew(wanted, newer, lease_seconds=LEASE)


async def test_a_reply_serves_all_of_the_tenant_while_it_is_fresh(world: JournalWorld) -> None:
    first = await wish(world)
    token = await taken(world.journal, first)
    await world.journal.answer(first, token, REPLY)
    await world.pass_time(FRESH - 1)
    assert await begin(world.another(), await wish(world, like=first)) == REPLY
    assert isinstance(await begin(world.journal, await wish(world, like=first, key=OTHER_KEY)), Yours)


async def test_a_reply_too_old_for_others_still_serves_the_submission_that_paid(world: JournalWorld) -> None:
    """Even while somebody asks for the same again, and where that comes to nothing."""
    first = await wish(world)
    await world.journal.answer(first, await taken(world.journal, first), REPLY)
    await world.pass_time(FRESH + 1)
    second = await wish(world, like=first)
    token = await taken(world.journal, second)
    assert await begin(world.journal, first) == REPLY
    assert await begin(world.journal, await wish(world, like=first)) == Theirs()
    await world.journal.abandon(second, token, "providers_failed", quiet_seconds=5)
    assert await begin(world.journal, first) == REPLY
    assert await begin(world.journal, second) == Abandoned("providers_failed")


async def test_tenants_never_share_a_reply(world: JournalWorld) -> None:
    first, foreign = await wish(world), await wish(world)
    assert first.tenant_id != foreign.tenant_id
    await world.journal.answer(first, await taken(world.journal, first), REPLY)
    token = await taken(world.journal, foreign)
    await world.journal.answer(foreign, token, LATER_REPLY)
    assert await begin(world.journal, first) == REPLY
    assert await begin(world.journal, foreign) == LATER_REPLY


async def test_a_reply_of_one_who_was_overtaken_is_kept_and_ends_the_newer_claim(world: JournalWorld) -> None:
    """It is paid for; whoever took over need not ask any more."""
    first = await wish(world)
    second = await wish(world, like=first)
    slow = await taken(world.journal, first)
    await world.pass_time(LEASE + 1)
    newer = await taken(world.journal, second)
    await world.journal.answer(first, slow, REPLY)
    assert not await world.journal.renew(second, newer, lease_seconds=LEASE)
    assert await begin(world.journal, second) == REPLY


async def test_who_overtook_may_answer_too_and_does_no_harm(world: JournalWorld) -> None:
    first = await wish(world)
    second = await wish(world, like=first)
    slow = await taken(world.journal, first)
    await world.pass_time(LEASE + 1)
    newer = await taken(world.journal, second)
    await world.journal.answer(first, slow, REPLY)
    await world.journal.answer(second, newer, LATER_REPLY)
    assert await begin(world.journal, first) == LATER_REPLY


async def test_an_abandoned_wish_is_left_alone_for_a_while_then_asked_again(world: JournalWorld) -> None:
    first = await wish(world)
    await world.journal.abandon(first, await taken(world.journal, first), "deadline", quiet_seconds=3)
    assert await begin(world.another(), await wish(world, like=first)) == Abandoned("deadline")
    await world.pass_time(4)
    assert isinstance(await begin(world.journal, first), Yours)


async def test_who_was_overtaken_cannot_abandon_the_newer_claim(world: JournalWorld) -> None:
    first = await wish(world)
    lost = await taken(world.journal, first)
    await world.pass_time(LEASE + 1)
    newer = await taken(world.journal, first)
    await world.journal.abandon(first, lost, "deadline", quiet_seconds=3)
    assert await begin(world.journal, first) == Theirs()
    await world.journal.answer(first, newer, REPLY)
    await world.journal.abandon(first, newer, "deadline", quiet_seconds=3)
    assert await begin(world.journal, first) == REPLY


async def test_an_abandoned_wish_without_rest_is_free_at_once(world: JournalWorld) -> None:
    first = await wish(world)
    await world.journal.abandon(first, await taken(world.journal, first), "learner_limit", quiet_seconds=0)
    assert isinstance(await begin(world.journal, first), Yours)


async def test_old_entries_are_forgotten_and_young_ones_and_claims_stay(world: JournalWorld) -> None:
    old = await wish(world)
    await world.journal.answer(old, await taken(world.journal, old), REPLY)
    await world.pass_time(1000)
    young = await wish(world, like=old, key=OTHER_KEY)
    await world.journal.answer(young, await taken(world.journal, young), LATER_REPLY)
    asked = await wish(world)
    await world.journal.begin(asked, lease_seconds=5000, fresh_seconds=FRESH)
    assert await world.journal.forget(older_seconds=900, most=10) == 1
    assert await begin(world.journal, young) == LATER_REPLY
    await world.pass_time(1000)
    assert await world.journal.forget(older_seconds=900, most=10) == 1
    assert await world.count() == 1
    assert await begin(world.journal, asked) == Theirs()


async def test_forgetting_is_bounded(world: JournalWorld) -> None:
    first = await wish(world)
    for number in range(3):
        wanted = await wish(world, like=first, key=bytes([number]) * 32)
        await world.journal.answer(wanted, await taken(world.journal, wanted), REPLY)
    await world.pass_time(1000)
    assert await world.journal.forget(older_seconds=900, most=2) == 2
    assert await world.count() == 1


async def test_nothing_is_kept_of_an_erased_submission(world: JournalWorld) -> None:
    """Neither its replies, nor one that was on its way when it was erased."""
    first = await wish(world)
    await world.journal.answer(first, await taken(world.journal, first), REPLY)
    under_way = await wish(world, like=first, key=OTHER_KEY)
    token = await taken(world.journal, under_way)
    await world.erase(first.tenant_id, first.submission_id)
    await world.erase(first.tenant_id, under_way.submission_id)
    await world.journal.answer(under_way, token, REPLY)
    assert await world.count() == 0


async def test_who_asks_again_keeps_the_claim_when_the_payer_of_the_old_reply_is_erased(world: JournalWorld) -> None:
    first = await wish(world)
    await world.journal.answer(first, await taken(world.journal, first), REPLY)
    await world.pass_time(FRESH + 1)
    second = await wish(world, like=first)
    token = await taken(world.journal, second)
    await world.erase(first.tenant_id, first.submission_id)
    assert await world.journal.renew(second, token, lease_seconds=LEASE)
    assert await begin(world.journal, first) == Theirs()
    await world.journal.answer(second, token, LATER_REPLY)
    assert await begin(world.journal, second) == LATER_REPLY


async def test_a_late_reply_for_an_erased_submission_does_not_end_the_newer_claim(engine: AsyncEngine) -> None:
    """Only Postgres knows which submissions there are."""
    world = PostgresJournals(engine)
    first = await wish(world)
    slow = await taken(world.journal, first)
    await world.pass_time(LEASE + 1)
    second = await wish(world, like=first)
    await taken(world.journal, second)
    await world.erase(first.tenant_id, first.submission_id)
    await world.journal.answer(first, slow, REPLY)
    assert await begin(world.journal, await wish(world, like=first)) == Theirs()


async def test_many_wishes_at_once_take_few_statements(engine: AsyncEngine) -> None:
    """Two hundred callers of one process share their looks and claims."""
    world = PostgresJournals(engine)
    first = await wish(world)
    wishes = [Wanted(first.tenant_id, number.to_bytes(32, "big"), first.submission_id) for number in range(200)]
    sent: list[str] = []
    event.listen(engine.sync_engine, "before_cursor_execute", lambda *given: sent.append(given[2]))
    standings = await asyncio.gather(*[begin(world.journal, wanted) for wanted in wishes])
    assert all(isinstance(standing, Yours) for standing in standings)
    assert len(sent) < 10


async def test_a_reply_with_characters_that_cannot_be_stored_harms_nobody(engine: AsyncEngine) -> None:
    world = PostgresJournals(engine)
    first = await wish(world)
    second = await wish(world, like=first, key=OTHER_KEY)
    bad = msgspec.structs.replace(REPLY, text="a\x00b\ud800c")
    tokens = [await taken(world.journal, wanted) for wanted in (first, second)]
    await asyncio.gather(
        world.journal.answer(first, tokens[0], bad), world.journal.answer(second, tokens[1], LATER_REPLY)
    )
    assert await begin(world.journal, first) == msgspec.structs.replace(REPLY, text="a�b�c")
    assert await begin(world.journal, second) == LATER_REPLY


ASKED = text(
    "INSERT INTO llm_replies (tenant_id, key, state, token, asker_id, lease_expires_at)"
    " VALUES (:tenant_id, :key, 'asked', gen_random_uuid(), gen_random_uuid(), now() + interval '1 minute')"
)
BLOCKED = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")


async def somebody_is_blocked(engine: AsyncEngine) -> None:
    """Each look is a transaction: within one Postgres keeps telling of the connections that there were at first."""
    while True:
        async with engine.connect() as looking:
            if (await looking.execute(BLOCKED)).scalar_one():
                return
        await asyncio.sleep(0.01)


class Interrupted(JournalStore):
    """A journal that sees its rows, and takes them only after something has happened to them."""

    def __init__(self, engine: AsyncEngine, happens: Callable[[], Awaitable[object]]) -> None:
        super().__init__(engine)
        self._happens = happens

    async def _take(self, wishes: Sequence[Wish], seen: dict[Key, Any]) -> set[str]:
        await self._happens()
        return await super()._take(wishes, seen)


async def test_a_claim_renewed_in_the_last_moment_is_not_taken_over(engine: AsyncEngine) -> None:
    world = PostgresJournals(engine)
    wanted = await wish(world)
    token = await taken(world.journal, wanted)
    await world.pass_time(LEASE + 1)
    late = Interrupted(engine, lambda: world.journal.renew(wanted, token, lease_seconds=LEASE))
    assert await begin(late, wanted) == Theirs()


async def test_a_reply_that_comes_in_the_last_moment_is_not_asked_for_again(engine: AsyncEngine) -> None:
    world = PostgresJournals(engine)
    wanted = await wish(world)
    token = await taken(world.journal, wanted)
    await world.pass_time(LEASE + 1)
    late = Interrupted(engine, lambda: world.journal.answer(wanted, token, REPLY))
    assert await begin(late, wanted) == REPLY


async def test_a_new_wish_that_another_process_has_in_the_same_moment_is_its_own(engine: AsyncEngine) -> None:
    world = PostgresJournals(engine)
    wanted = await wish(world)
    async with engine.begin() as other:
        await other.execute(ASKED, {"tenant_id": wanted.tenant_id, "key": wanted.key})
        late = asyncio.create_task(begin(world.journal, wanted))
        async with asyncio.timeout(60):
            await somebody_is_blocked(engine)
    assert await late == Theirs()


async def test_a_row_that_another_process_has_locked_is_not_waited_for(engine: AsyncEngine) -> None:
    """A frozen process may hold it; others' wishes of the same flush must not wait with it."""
    world = PostgresJournals(engine)
    wanted = await wish(world)
    await taken(world.journal, wanted)
    await world.pass_time(LEASE + 1)
    async with engine.begin() as frozen:
        await frozen.execute(text("SELECT FROM llm_replies FOR UPDATE"))
        async with asyncio.timeout(10):
            assert await begin(world.journal, wanted) == Theirs()
