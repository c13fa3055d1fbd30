"""What keeps work from waiting for ever, on a real Postgres."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils import uuid7

from pipeline.lifecycle import Stage, StageState, Status
from pipeline.model import Claim, Recorded
from pipeline.ports import UpkeepStore as UpkeepPort
from pipeline.ports import Vigil
from pipeline.stages.outcome import Done, RetryLater
from pipeline.stages.score import sum_up
from pipeline.store.engine import transaction
from pipeline.store.upkeep import UpkeepStore
from tests.contracts.house import (
    LEASE_SECONDS,
    OTHER,
    POLICY,
    WORKER,
    PostgresHouse,
    StageRow,
    claimed,
    record,
    watching,
)
from tests.sums import query

DEAD_SECONDS = 8.0


@pytest.fixture
def house(postgres_house: PostgresHouse) -> PostgresHouse:
    return postgres_house


@pytest.fixture
async def upkeep(engine: AsyncEngine) -> UpkeepPort:
    """The store, with one worker that lives."""
    upkeep = UpkeepStore(engine)
    await upkeep.register(WORKER, "here", 1, list(Stage))
    return upkeep


async def sweep(upkeep: UpkeepPort, vigil: Vigil | None = None) -> Recorded:
    """What a sweeper takes back after this vigil, by default a long one."""
    swept = await upkeep.sweep(vigil or watching(), dead_seconds=DEAD_SECONDS, max_attempts=POLICY.max_attempts)
    assert swept.reaped is not None
    return swept.reaped


async def execute(engine: AsyncEngine, sql: str) -> None:
    async with transaction(engine) as connection:
        await connection.execute(text(sql))


async def silence(engine: AsyncEngine, seconds: float) -> None:
    """Let the worker's last word be so long ago."""
    await execute(engine, f"UPDATE workers SET heartbeat_at = heartbeat_at - interval '{seconds} s'")


async def expire(engine: AsyncEngine, seconds: float) -> None:
    """Let every lease be over for so long."""
    await execute(
        engine,
        f"UPDATE stages SET lease_expires_at = clock_timestamp() - interval '{seconds} s' WHERE state = 'running'",
    )


async def test_a_living_workers_claims_are_left_alone(house: PostgresHouse, upkeep: UpkeepPort) -> None:
    ids = await house.accept(3)
    await claimed(house, Stage.SCORE, ids)
    assert await sweep(upkeep) == Recorded()


async def test_a_silent_workers_claims_are_taken_back(
    house: PostgresHouse, upkeep: UpkeepPort, engine: AsyncEngine
) -> None:
    """Uncounted, because any of the three may have killed it; each runs alone from now on."""
    ids = await house.accept(3)
    await claimed(house, Stage.SCORE, ids)
    await silence(engine, DEAD_SECONDS + 1)
    assert len((await sweep(upkeep)).changes) == 3
    for id_ in ids:
        assert (await house.stages(id_))[Stage.SCORE] == StageRow(StageState.READY, attempts=0, epoch=1, solo=True)
        [tried] = await house.history(id_)
        assert (tried.ended, tried.error) == ("lease_lost", "the worker fell silent")
    assert await claimed(house, Stage.SCORE, ids) == []
    assert len(await claimed(house, Stage.SCORE, ids, solo=True)) == 3


async def test_a_worker_nobody_knows_counts_as_silent(house: PostgresHouse, upkeep: UpkeepPort) -> None:
    ids = await house.accept(1)
    await claimed(house, Stage.SCORE, ids, OTHER)
    assert len((await sweep(upkeep)).changes) == 1


async def test_silence_is_not_believed_right_after_an_outage(
    house: PostgresHouse, upkeep: UpkeepPort, engine: AsyncEngine
) -> None:
    """Everybody was silent and every lease ran out, however long ago; whoever lives gets the time to say so."""
    ids = await house.accept(2)
    await claimed(house, Stage.SCORE, ids)
    await silence(engine, 3600)
    await expire(engine, 3600)
    assert await sweep(upkeep, watching(DEAD_SECONDS - 1)) == Recorded()
    assert len((await sweep(upkeep, watching(DEAD_SECONDS))).changes) == 2


async def test_after_the_sleep_of_a_whole_machine_nobody_is_taken_for_dead(
    house: PostgresHouse, upkeep: UpkeepPort, engine: AsyncEngine
) -> None:
    """Postgres' clock has jumped by an hour since the sweeper last looked, and by its own clock it just has."""
    claims = [(Stage.SCORE, claim) for claim in await claimed(house, Stage.SCORE, await house.accept(2))]
    await silence(engine, 3600)
    await expire(engine, 3600)
    before = watching()
    asleep = Vigil(before.since - timedelta(hours=1), before.until - timedelta(hours=1))
    woken = await upkeep.sweep(asleep, dead_seconds=DEAD_SECONDS, max_attempts=POLICY.max_attempts)
    assert (woken.reaped, woken.vigil.seconds) == (Recorded(), 0.0)
    assert await upkeep.beat(WORKER, claims, LEASE_SECONDS, stopping=False) is True
    assert await sweep(upkeep) == Recorded()


async def test_an_expired_lease_is_taken_back_from_a_living_worker(
    house: PostgresHouse, upkeep: UpkeepPort, engine: AsyncEngine
) -> None:
    [id_] = await house.accept(1)
    await claimed(house, Stage.SCORE, [id_])
    await expire(engine, 1)
    await sweep(upkeep)
    assert [tried.error for tried in await house.history(id_)] == ["the lease expired"]


async def test_a_lease_lost_alone_counts_until_the_stage_is_dead(
    house: PostgresHouse, upkeep: UpkeepPort, engine: AsyncEngine
) -> None:
    """The first loss is anybody's fault; each later one is its own."""
    [id_] = await house.accept(1)
    await claimed(house, Stage.SCORE, [id_])
    await expire(engine, 1)
    await sweep(upkeep)
    attempts = []
    for _ in range(POLICY.max_attempts):
        [claim] = await claimed(house, Stage.SCORE, [id_], solo=True)
        attempts.append(claim.attempt)
        await expire(engine, 1)
        await sweep(upkeep)
    assert attempts == [1, 2, 3]
    assert (await house.stages(id_))[Stage.SCORE].state is StageState.DEAD
    assert (await house.status(id_))[0] is Status.FAILED
    assert {tried.ended for tried in await house.history(id_)} == {"lease_lost"}


async def test_feedback_comes_under_suspicion_with_its_second_loss(
    house: PostgresHouse, upkeep: UpkeepPort, engine: AsyncEngine
) -> None:
    """A worker holds hundreds of them while models write; alone they would take an hour."""
    [id_] = await house.accept(1)
    await record(house, Stage.SCORE, await claimed(house, Stage.SCORE, [id_]), Done(sum_up([])))
    suspected = []
    for _ in range(2):
        await claimed(house, Stage.FEEDBACK, [id_])
        await expire(engine, 1)
        await sweep(upkeep)
        row = (await house.stages(id_))[Stage.FEEDBACK]
        suspected.append((row.solo, row.attempts))
    assert suspected == [(False, 0), (True, 0)]


async def test_what_was_given_back_is_no_loss_that_brings_feedback_under_suspicion(
    house: PostgresHouse, upkeep: UpkeepPort, engine: AsyncEngine
) -> None:
    """It was put off again and again while it waited for a batch; then one worker died."""
    [id_] = await house.accept(1)
    await record(house, Stage.SCORE, await claimed(house, Stage.SCORE, [id_]), Done(sum_up([])))
    for _ in range(3):
        claims = [(Stage.FEEDBACK, claim) for claim in await claimed(house, Stage.FEEDBACK, [id_])]
        await upkeep.give_back(WORKER, claims)
    await claimed(house, Stage.FEEDBACK, [id_])
    await expire(engine, 1)
    await sweep(upkeep)
    assert (await house.stages(id_))[Stage.FEEDBACK].solo is False


async def test_a_failure_its_worker_survived_clears_the_suspicion(
    house: PostgresHouse, upkeep: UpkeepPort, engine: AsyncEngine
) -> None:
    [id_] = await house.accept(1)
    await claimed(house, Stage.SCORE, [id_])
    await expire(engine, 1)
    await sweep(upkeep)
    claims = await claimed(house, Stage.SCORE, [id_], solo=True)
    await record(house, Stage.SCORE, claims, RetryLater("ValueError", delay_seconds=0.0))
    assert (await house.stages(id_))[Stage.SCORE] == StageRow(StageState.READY, attempts=1, epoch=2, solo=False)


async def test_what_a_stopping_worker_gives_back_is_unharmed(house: PostgresHouse, upkeep: UpkeepPort) -> None:
    """Neither counted nor suspected, and its history says why."""
    [id_] = await house.accept(1)
    [claim] = await claimed(house, Stage.SCORE, [id_])
    [change] = (await upkeep.give_back(WORKER, [(Stage.SCORE, claim)])).changes
    assert change.ready == (Stage.SCORE,)
    assert (await house.stages(id_))[Stage.SCORE] == StageRow(StageState.READY, attempts=0, epoch=1)
    assert [(tried.ended, tried.attempt) for tried in await house.history(id_)] == [("gave_back", 1)]
    assert (await record(house, Stage.SCORE, [claim])).changes == ()


async def test_only_its_own_claims_can_be_given_back(house: PostgresHouse, upkeep: UpkeepPort) -> None:
    [id_] = await house.accept(1)
    [claim] = await claimed(house, Stage.SCORE, [id_])
    assert await upkeep.give_back(OTHER, [(Stage.SCORE, claim)]) == Recorded()
    assert (await house.stages(id_))[Stage.SCORE].state is StageState.RUNNING


async def test_a_claim_whose_answer_was_lost_is_returned(
    house: PostgresHouse, upkeep: UpkeepPort, engine: AsyncEngine
) -> None:
    """What the worker does not know of after a while goes back; what it works on stays."""
    lost, working = await house.accept(2)
    await claimed(house, Stage.SCORE, [lost])
    [claim] = await claimed(house, Stage.SCORE, [working])
    await execute(engine, "UPDATE stages SET started_at = started_at - interval '10 s' WHERE state = 'running'")
    working_on = [(Stage.SCORE, claim)]
    recorded = await upkeep.return_stranded(WORKER, working_on, [], 5.0, max_attempts=POLICY.max_attempts)
    assert [change.submission_id for change in recorded.changes] == [lost]
    assert (await house.stages(lost))[Stage.SCORE] == StageRow(StageState.READY, attempts=0, epoch=1)
    assert (await house.stages(working))[Stage.SCORE].state is StageState.RUNNING


async def test_a_claim_that_is_abandoned_again_and_again_dies(
    house: PostgresHouse, upkeep: UpkeepPort, engine: AsyncEngine
) -> None:
    """Every retry has a limit, also of what can't even be recorded as failed."""
    [id_] = await house.accept(1)
    for round_ in range(POLICY.max_attempts + 1):
        failed = [(Stage.SCORE, claim) for claim in await claimed(house, Stage.SCORE, [id_], solo=round_ > 0)]
        assert failed
        await execute(engine, "UPDATE stages SET started_at = started_at - interval '10 s' WHERE state = 'running'")
        await upkeep.return_stranded(WORKER, [], failed, 5.0, max_attempts=POLICY.max_attempts)
    assert (await house.stages(id_))[Stage.SCORE].state is StageState.DEAD


async def test_work_that_postgres_took_no_result_of_never_dies_of_it(
    house: PostgresHouse, upkeep: UpkeepPort, engine: AsyncEngine
) -> None:
    """A disk that is full for hours: claims go through, results don't, and nobody is to blame."""
    [id_] = await house.accept(1)
    for _ in range(POLICY.max_attempts + 2):
        assert await claimed(house, Stage.SCORE, [id_])
        await execute(engine, "UPDATE stages SET started_at = started_at - interval '10 s' WHERE state = 'running'")
        await upkeep.return_stranded(WORKER, [], [], 5.0, max_attempts=POLICY.max_attempts)
    assert (await house.stages(id_))[Stage.SCORE].state is StageState.READY
    assert (await house.stages(id_))[Stage.SCORE].attempts == 0


async def test_a_beat_renews_what_is_half_over(house: PostgresHouse, upkeep: UpkeepPort, engine: AsyncEngine) -> None:
    """Also a lease that ran out in an outage, as long as nobody took the work."""
    ids = await house.accept(1)
    claims = [(Stage.SCORE, claim) for claim in await claimed(house, Stage.SCORE, ids)]
    await expire(engine, 1)
    assert await upkeep.beat(WORKER, claims, LEASE_SECONDS, stopping=False) is True
    assert await sweep(upkeep) == Recorded()


async def test_a_beat_never_renews_another_epoch_or_worker(
    house: PostgresHouse, upkeep: UpkeepPort, engine: AsyncEngine
) -> None:
    [id_] = await house.accept(1)
    [claim] = await claimed(house, Stage.SCORE, [id_], OTHER)
    await expire(engine, 1)
    older = Claim(id_, claim.tenant_id, claim.epoch - 1, 1)
    await upkeep.beat(WORKER, [(Stage.SCORE, claim), (Stage.SCORE, older)], LEASE_SECONDS, stopping=False)
    assert len((await sweep(upkeep)).changes) == 1


async def test_a_forgotten_worker_is_told_so(upkeep: UpkeepPort) -> None:
    """It has to register again, or its claims would be taken from it for ever."""
    await upkeep.leave(WORKER)
    assert await upkeep.beat(WORKER, [], LEASE_SECONDS, stopping=False) is False
    await upkeep.register(WORKER, "here", 1, list(Stage))
    assert await upkeep.beat(WORKER, [], LEASE_SECONDS, stopping=False) is True


async def test_one_sweeper_at_a_time(engine: AsyncEngine, upkeep: UpkeepPort) -> None:
    async with transaction(engine) as connection:
        await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": 0x7377_6565_70})
        assert (await upkeep.sweep(watching(), dead_seconds=8, max_attempts=3)).reaped is None


async def test_a_sweep_does_not_wait_for_a_frozen_workers_lock(
    house: PostgresHouse, upkeep: UpkeepPort, engine: AsyncEngine
) -> None:
    """One of two lost submissions is locked by a transaction that does not end: the other is taken back."""
    locked, free = await house.accept(2)
    claims = await claimed(house, Stage.SCORE, [locked, free])
    await expire(engine, 1)
    async with house.store.unit(Stage.SCORE, WORKER) as frozen:
        await frozen.hold([claim for claim in claims if claim.submission_id == locked])
        async with asyncio.timeout(10):
            recorded = await sweep(upkeep)
    assert [change.submission_id for change in recorded.changes] == [free]
    assert [change.submission_id for change in (await sweep(upkeep)).changes] == [locked]


async def test_a_beat_does_not_wait_for_what_is_just_recorded(
    house: PostgresHouse, upkeep: UpkeepPort, engine: AsyncEngine
) -> None:
    """Waiting there could close a circle: the record may wait for a lease that the beat has locked."""
    ids = await house.accept(1)
    claims = await claimed(house, Stage.SCORE, ids)
    await expire(engine, 1)
    async with transaction(engine) as connection:
        await connection.execute(text("SELECT FROM stages FOR UPDATE"))
        async with asyncio.timeout(10):
            await upkeep.beat(WORKER, [(Stage.SCORE, claim) for claim in claims], LEASE_SECONDS, stopping=False)


async def test_untaken_work_is_found_after_its_grace(
    house: PostgresHouse, upkeep: UpkeepPort, engine: AsyncEngine
) -> None:
    [id_] = await house.accept(1)
    assert (await upkeep.untaken(Stage.SCORE, grace_seconds=60, most=10)).ids == ()
    await execute(engine, "UPDATE stages SET available_at = available_at - interval '2 min' WHERE state = 'ready'")
    assert (await upkeep.untaken(Stage.SCORE, grace_seconds=60, most=10)).ids == (id_,)


async def test_due_retries_are_found_at_once_and_resting_ones_are_not(house: PostgresHouse, upkeep: UpkeepPort) -> None:
    due, resting = await house.accept(2)
    await record(house, Stage.SCORE, await claimed(house, Stage.SCORE, [due]), RetryLater("E", delay_seconds=0.0))
    await record(house, Stage.SCORE, await claimed(house, Stage.SCORE, [resting]), RetryLater("E"))
    assert (await upkeep.untaken(Stage.SCORE, grace_seconds=60, most=10)).ids == (due,)
    assert (await upkeep.untaken(Stage.SCORE, grace_seconds=60, most=10, with_retries=False)).ids == ()


async def test_suspects_are_found_apart(house: PostgresHouse, upkeep: UpkeepPort, engine: AsyncEngine) -> None:
    [id_] = await house.accept(1)
    await claimed(house, Stage.SCORE, [id_])
    await expire(engine, 1)
    await sweep(upkeep)
    found = await upkeep.untaken(Stage.SCORE, grace_seconds=0, most=10)
    assert (found.ids, found.solo) == ((), (id_,))


async def test_a_paused_stage_is_neither_claimed_nor_rung(
    house: PostgresHouse, upkeep: UpkeepPort, engine: AsyncEngine
) -> None:
    ids = await house.accept(1)
    await execute(engine, "INSERT INTO stage_pauses (stage, reason) VALUES ('score', 'maintenance')")
    assert await claimed(house, Stage.SCORE, ids) == []
    assert (await upkeep.untaken(Stage.SCORE, grace_seconds=0, most=10)).ids == ()
    await execute(engine, "DELETE FROM stage_pauses")
    assert len(await claimed(house, Stage.SCORE, ids)) == 1


async def delivery(house: PostgresHouse, engine: AsyncEngine, state: str, **columns: str) -> str:
    """A delivery in this state with one try; further columns as SQL. Answers its id."""
    [submission_id] = await house.accept(1)
    id_ = str(uuid7())
    named = {"id": f"'{id_}'", "submission_id": f"'{submission_id}'", "state": f"'{state}'", **columns}
    await execute(
        engine,
        f"INSERT INTO deliveries (tenant_id, event, url, lane, payload, attempts, epoch, {', '.join(named)})"
        f" VALUES ({house.tenant_id}, 'submission.completed', 'https://a.example', 'a', '{{}}', 1, 1,"
        f" {', '.join(named.values())})",
    )
    await execute(
        engine, f"INSERT INTO delivery_tries (delivery_id, epoch, tenant_id) VALUES ('{id_}', 1, {house.tenant_id})"
    )
    return id_


async def being_sent(house: PostgresHouse, engine: AsyncEngine, worker: str) -> str:
    lease = "clock_timestamp() + interval '1 hour'"
    return await delivery(house, engine, "running", worker_id=f"'{worker}'", lease_expires_at=lease)


async def test_what_a_silent_worker_was_sending_is_due_before_its_lease_is_over(
    house: PostgresHouse, upkeep: UpkeepPort, engine: AsyncEngine
) -> None:
    """A living worker's is left alone."""
    lost = await being_sent(house, engine, OTHER)
    await being_sent(house, engine, WORKER)
    await sweep(upkeep)
    assert (await upkeep.untaken_deliveries(grace_seconds=60.0, most=10)).ids == (lost,)


async def test_what_was_being_sent_is_nobodys_before_a_vigil(
    house: PostgresHouse, upkeep: UpkeepPort, engine: AsyncEngine
) -> None:
    await being_sent(house, engine, OTHER)
    await sweep(upkeep, watching(DEAD_SECONDS - 1))
    assert (await upkeep.untaken_deliveries(grace_seconds=60.0, most=10)).ids == ()


async def test_deliveries_finished_long_ago_are_forgotten_with_their_tries(
    house: PostgresHouse, upkeep: UpkeepPort, engine: AsyncEngine
) -> None:
    """Delivered or dead; the young and the unfinished stay, however old their beginning is; so many at once."""
    old, young = "clock_timestamp() - interval '2 hours'", "clock_timestamp()"
    for state in ("delivered", "dead"):
        await delivery(house, engine, state, finished_at=old)
    kept = {
        await delivery(house, engine, "delivered", finished_at=young, created_at=old),
        await delivery(house, engine, "ready", available_at=old, created_at=old),
        await being_sent(house, engine, WORKER),
    }
    assert await upkeep.forget_deliveries(older_seconds=3600.0, most=1) == 1
    assert await upkeep.forget_deliveries(older_seconds=3600.0, most=10) == 1
    assert await upkeep.forget_deliveries(older_seconds=3600.0, most=10) == 0
    assert {str(row.id) for row in await query(engine, "SELECT id FROM deliveries")} == kept
    assert {str(row[0]) for row in await query(engine, "SELECT delivery_id FROM delivery_tries")} == kept
