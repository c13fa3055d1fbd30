"""What every work store promises: the fake and the real one."""

import asyncio

import pytest

from pipeline.lifecycle import PREDECESSORS, Stage, StageState, Status
from pipeline.model import Claim, Recorded
from pipeline.stages.outcome import Deferred, Degraded, Done, Outcome, Rejected, RetryLater
from pipeline.stages.run import claim_to_follow, first_step, may_follow, next_step
from pipeline.stages.verdict import judge
from tests.contracts.fakes.work import NOW
from tests.contracts.house import BODIES, OTHER, POLICY, WORKER, House, StageRow, claimed, finish, record

AGAIN = RetryLater("ValueError", traceback="in line 1", delay_seconds=0.0)


async def test_a_claim_is_a_new_epoch_an_attempt_and_a_new_status(house: House) -> None:
    [id_] = await house.accept(1)
    claims, changes = await house.store.claim(Stage.SCORE, [id_], WORKER, 30)
    assert claims == [Claim(id_, claims[0].tenant_id, epoch=1, attempt=1)]
    assert [(change.version, change.status) for change in changes] == [(2, Status.SCORING)]
    assert await house.status(id_) == (Status.SCORING, 2)
    assert (await house.stages(id_))[Stage.SCORE].state is StageState.RUNNING


async def test_a_stage_is_handed_to_one_claimer_only(house: House) -> None:
    """Twenty claimers at once for the same thirty: each stage goes to exactly one of them."""
    ids = await house.accept(30)
    found = await asyncio.gather(*[claimed(house, Stage.SCORE, ids) for _ in range(20)])
    taken = [claim.submission_id for claims in found for claim in claims]
    assert sorted(taken) == sorted(ids)


async def test_what_is_not_ready_cannot_be_claimed(house: House) -> None:
    """Waiting stages, unknown ids, and ids named twice."""
    [id_] = await house.accept(1)
    for stage in (Stage.FEEDBACK, Stage.RECOMMEND, Stage.METRICS):
        assert await claimed(house, stage, [id_]) == []
    assert await claimed(house, Stage.SCORE, ["01900000-0000-7000-8000-000000000000"]) == []
    assert len(await claimed(house, Stage.SCORE, [id_, id_])) == 1


async def test_the_walk_from_accepted_to_completed(house: House) -> None:
    """Each stage readies exactly what waited for it, and the versions count every step."""
    [id_] = await house.accept(1)
    versions = []
    for stage, expected in (
        (Stage.SCORE, (Stage.FEEDBACK, Stage.RECOMMEND)),
        (Stage.RECOMMEND, ()),
        (Stage.FEEDBACK, (Stage.METRICS,)),
        (Stage.METRICS, ()),
    ):
        [change] = (await finish(house, stage, [id_])).changes
        assert change.ready == expected
        assert change.finished == (stage,)
        versions.append(change.version)
    assert versions == [3, 4, 5, 6]
    assert await house.status(id_) == (Status.COMPLETED, 6)
    assert await house.results(id_) == {stage: body for stage, body in BODIES.items() if body}


async def test_stages_that_follow_are_handed_out_and_ended_by_one_write(house: House) -> None:
    """One version later everything is done, each stage in its first epoch, with its result and its times."""
    [id_] = await house.accept(1)
    claims = await claimed(house, Stage.SCORE, [id_])
    [change] = (await record_with_followers(house, claims, {})).changes
    assert (change.version, change.status, change.ready) == (3, Status.COMPLETED, ())
    assert change.followed == (Stage.FEEDBACK, Stage.RECOMMEND, Stage.METRICS)
    assert await house.status(id_) == (Status.COMPLETED, 3)
    assert set((await house.stages(id_)).values()) == {StageRow(StageState.DONE, attempts=1, epoch=1)}
    assert await house.results(id_) == {stage: body for stage, body in BODIES.items() if body}


async def test_a_follower_that_fails_counts_its_attempt_and_rests(house: House) -> None:
    """Its first attempt and epoch are used up, its history says why, and it can't be claimed before its time."""
    [id_] = await house.accept(1)
    claims = await claimed(house, Stage.SCORE, [id_])
    await record_with_followers(house, claims, {Stage.RECOMMEND: RetryLater("TimeoutError")})
    found = await house.stages(id_)
    assert found[Stage.RECOMMEND] == StageRow(StageState.READY, attempts=1, epoch=1)
    assert found[Stage.METRICS] == StageRow(StageState.WAITING, attempts=0, epoch=0)
    assert [(tried.attempt, tried.epoch, tried.error) for tried in await house.history(id_)] == [(1, 1, "TimeoutError")]
    assert await claimed(house, Stage.RECOMMEND, [id_]) == []


async def test_a_zombies_followers_are_refused_with_it(house: House) -> None:
    [id_] = await house.accept(1)
    old = await claimed(house, Stage.SCORE, [id_])
    await record(house, Stage.SCORE, old, AGAIN)
    assert (await record_with_followers(house, old, {})).changes == ()
    assert await house.results(id_) == {}


async def record_with_followers(house: House, claims: list[Claim], outcomes: dict[Stage, Outcome]) -> Recorded:
    """Record a score, and in the same write whatever it makes ready, stage after stage."""
    async with house.store.unit(Stage.SCORE, WORKER) as unit:
        runs = []
        for claim, before in await unit.hold(claims):
            run = first_step(Stage.SCORE, judge(claim, Done(BODIES[Stage.SCORE]), POLICY), before)
            for stage in Stage:
                if may_follow(run, stage):
                    outcome = outcomes.get(stage, Done(BODIES[stage]))
                    run = next_step(run, stage, judge(claim_to_follow(run, stage), outcome, POLICY, 0.5), NOW)
            runs.append(run)
        return await unit.record(runs)


async def test_a_degraded_predecessor_is_as_good_as_a_done_one(house: House) -> None:
    [id_] = await house.accept(1)
    await finish(house, Stage.SCORE, [id_])
    await finish(house, Stage.RECOMMEND, [id_])
    claims = await claimed(house, Stage.FEEDBACK, [id_])
    [change] = (await record(house, Stage.FEEDBACK, claims, Degraded(BODIES[Stage.FEEDBACK], "no budget"))).changes
    assert change.ready == (Stage.METRICS,)
    assert (await house.stages(id_))[Stage.FEEDBACK].state is StageState.DEGRADED


async def test_both_predecessors_at_the_same_moment_ready_their_successor_once(house: House) -> None:
    """Feedback and recommend record in two units at once: exactly one of them readies metrics."""
    ids = await house.accept(20)
    await finish(house, Stage.SCORE, ids)
    pairs = [(stage, await claimed(house, stage, [id_])) for id_ in ids for stage in PREDECESSORS[Stage.METRICS]]
    recorded = await asyncio.gather(*[record(house, stage, claims) for stage, claims in pairs])
    readied = [c.submission_id for one in recorded for c in one.changes if Stage.METRICS in c.ready]
    assert sorted(readied) == sorted(ids)
    assert len(await claimed(house, Stage.METRICS, ids)) == 20


async def test_a_zombie_worker_cannot_overwrite_a_newer_result(house: House) -> None:
    """Its claim was handed on; what it brings afterwards is not even held."""
    [id_] = await house.accept(1)
    old = await claimed(house, Stage.SCORE, [id_])
    await record(house, Stage.SCORE, old, AGAIN)
    new = await claimed(house, Stage.SCORE, [id_], OTHER)
    assert (await record(house, Stage.SCORE, old)).changes == ()
    await record(house, Stage.SCORE, new, Done({**BODIES[Stage.SCORE], "points": 2.0}), OTHER)
    assert (await record(house, Stage.SCORE, old)).changes == ()
    assert (await house.results(id_))[Stage.SCORE]["points"] == 2.0


async def test_another_worker_cannot_use_a_claim(house: House) -> None:
    """The same epoch from the wrong worker: Postgres forgot the first claim in a crash, and gave it again."""
    [id_] = await house.accept(1)
    claims = await claimed(house, Stage.SCORE, [id_])
    assert (await record(house, Stage.SCORE, claims, worker=OTHER)).changes == ()
    assert await house.results(id_) == {}


async def test_a_result_recorded_twice_is_stored_once(house: House) -> None:
    [id_] = await house.accept(1)
    claims = await claimed(house, Stage.SCORE, [id_])
    recorded = await asyncio.gather(*[record(house, Stage.SCORE, claims) for _ in range(5)])
    assert sum(len(one.changes) for one in recorded) == 1
    assert await house.status(id_) == (Status.AI_PROCESSING, 3)


async def test_a_unit_that_fails_leaves_nothing(house: House) -> None:
    [id_] = await house.accept(1)
    claims = await claimed(house, Stage.SCORE, [id_])
    with pytest.raises(ZeroDivisionError):
        await record_and_fail(house, claims)
    assert await house.results(id_) == {}
    assert (await house.stages(id_))[Stage.SCORE].state is StageState.RUNNING
    assert len((await record(house, Stage.SCORE, claims)).changes) == 1


async def record_and_fail(house: House, claims: list[Claim]) -> None:
    async with house.store.unit(Stage.SCORE, WORKER) as unit:
        held = await unit.hold(claims)
        done = Done(BODIES[Stage.SCORE])
        await unit.record([first_step(Stage.SCORE, judge(c, done, POLICY, 0.0), before) for c, before in held])
        raise ZeroDivisionError


async def test_postponed_work_rests_until_its_time(house: House) -> None:
    """Back-off keeps it from being claimed; without one it is ready at once, under a higher epoch."""
    resting, ready = await house.accept(2)
    await record(house, Stage.SCORE, await claimed(house, Stage.SCORE, [resting]), RetryLater("TimeoutError"))
    await record(house, Stage.SCORE, await claimed(house, Stage.SCORE, [ready]), AGAIN)
    claims = await claimed(house, Stage.SCORE, [resting, ready])
    assert [(claim.submission_id, claim.epoch, claim.attempt) for claim in claims] == [(ready, 2, 2)]


async def test_deferred_work_rests_and_is_not_held_against_it(house: House) -> None:
    """However often it waits for something, it has all its attempts left; its epoch grows all the same."""
    [id_] = await house.accept(1)
    for epoch in range(1, POLICY.max_attempts + 3):
        claims = await claimed(house, Stage.SCORE, [id_])
        assert [(claim.epoch, claim.attempt) for claim in claims] == [(epoch, 1)]
        await record(house, Stage.SCORE, claims, Deferred(0.0, "waits for half the price"))
        assert (await house.stages(id_))[Stage.SCORE] == StageRow(StageState.READY, attempts=0, epoch=epoch)
    await record(house, Stage.SCORE, await claimed(house, Stage.SCORE, [id_]), Deferred(60.0, "waits"))
    assert await claimed(house, Stage.SCORE, [id_]) == []


async def test_the_last_failed_attempt_buries_with_every_cause(house: House) -> None:
    """Three attempts, three entries of history, and the submission has failed."""
    [id_] = await house.accept(1)
    for _ in range(POLICY.max_attempts):
        await record(house, Stage.SCORE, await claimed(house, Stage.SCORE, [id_]), AGAIN)
    assert (await house.stages(id_))[Stage.SCORE].state is StageState.DEAD
    assert (await house.status(id_))[0] is Status.FAILED
    history = await house.history(id_)
    assert [(tried.attempt, tried.epoch) for tried in history] == [(1, 1), (2, 2), (3, 3)]
    assert {(tried.ended, tried.error, tried.traceback) for tried in history} == {("failed", "ValueError", "in line 1")}
    assert await claimed(house, Stage.SCORE, [id_]) == []


async def test_a_rejected_stage_is_dead_at_once(house: House) -> None:
    [id_] = await house.accept(1)
    await record(house, Stage.SCORE, await claimed(house, Stage.SCORE, [id_]), Rejected("NoSuchRule"))
    assert (await house.stages(id_))[Stage.SCORE].state is StageState.DEAD
    assert [tried.error for tried in await house.history(id_)] == ["NoSuchRule"]


async def test_a_dead_stage_does_not_stop_its_sibling(house: House) -> None:
    """Feedback is dead, recommend still finishes; metrics never becomes ready."""
    [id_] = await house.accept(1)
    await finish(house, Stage.SCORE, [id_])
    await record(house, Stage.FEEDBACK, await claimed(house, Stage.FEEDBACK, [id_]), Rejected("Refused"))
    [change] = (await finish(house, Stage.RECOMMEND, [id_])).changes
    assert change.ready == ()
    assert (await house.status(id_))[0] is Status.FAILED
    assert (await house.stages(id_))[Stage.METRICS].state is StageState.WAITING


async def test_epochs_only_grow(house: House) -> None:
    [id_] = await house.accept(1)
    epochs = []
    for _ in range(POLICY.max_attempts):
        [claim] = await claimed(house, Stage.SCORE, [id_])
        epochs.append(claim.epoch)
        await record(house, Stage.SCORE, [claim], AGAIN)
    assert epochs == [1, 2, 3]
