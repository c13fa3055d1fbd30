"""Which runs have come, and going through tenants piece by piece."""

from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.errors import Unavailable
from pipeline.ports.periodic import JobPlan, NewRun, Passable, Piece, RunClaim, RunState
from pipeline.schedule import read_schedule
from pipeline.service.periodic import (
    FIRST_SEEN,
    LATER_ONE,
    TOO_OLD,
    failed_attempt,
    for_each_tenant,
    one_after_another,
    runs_due,
)
from pipeline.stages.verdict import RetryPolicy

NIGHTLY = read_schedule("X", "0 3 * * *")
DAILY = JobPlan("daily", NIGHTLY)
LATEST = JobPlan("latest", NIGHTLY, each=False)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
THIS_NIGHT = NOON.replace(hour=3)
DAY = timedelta(days=1)


def test_a_new_installation_does_not_run_the_past() -> None:
    assert runs_due([DAILY], NOON, {}) == [NewRun("daily", NOON, FIRST_SEEN)]
    assert runs_due([DAILY], NOON + 14 * timedelta(hours=1), {"daily": NOON}) == []
    assert runs_due([DAILY], NOON + DAY, {"daily": NOON}) == [NewRun("daily", THIS_NIGHT + DAY)]


def test_what_has_come_is_not_due_again() -> None:
    assert runs_due([DAILY], NOON, {"daily": THIS_NIGHT}) == []


def test_each_missed_night_is_caught_up() -> None:
    due = runs_due([DAILY], NOON, {"daily": THIS_NIGHT - 3 * DAY})
    assert due == [NewRun("daily", THIS_NIGHT - back * DAY) for back in (2, 1, 0)]


def test_what_was_missed_for_too_long_is_noted_and_not_run() -> None:
    due = runs_due([DAILY], NOON, {"daily": THIS_NIGHT - 40 * DAY})
    assert [run.skipped for run in due] == [TOO_OLD] * 5 + [None] * 35


def test_of_a_job_that_looks_at_what_is_there_only_the_last_night_runs() -> None:
    due = runs_due([LATEST], NOON, {"latest": THIS_NIGHT - 3 * DAY})
    assert [run.skipped for run in due] == [LATER_ONE, LATER_ONE, None]


async def done_by(piece: Piece) -> list[Any]:
    """Every progress of a job from its beginning to its end."""
    progress, seen = await piece(NOON, None), []
    while progress is not None:
        seen.append(progress)
        progress = await piece(NOON, progress)
    return seen


async def test_a_job_goes_through_all_tenants_in_bounded_steps() -> None:
    learners = {2: ["ada", "bob", "cem"], 5: [], 9: ["dee"]}
    seen: list[tuple[int, str]] = []

    async def next_tenant(after: int) -> int | None:
        return next((tenant for tenant in learners if tenant > after), None)

    async def step(tenant_id: int, slot: datetime, *, after: str | None, most: int) -> str | None:
        assert slot == NOON
        some = [one for one in learners[tenant_id] if after is None or one > after][:most]
        seen.extend((tenant_id, one) for one in some)
        return some[-1] if len(some) == most else None

    await done_by(for_each_tenant(next_tenant, step, most=2))
    assert seen == [(2, "ada"), (2, "bob"), (2, "cem"), (9, "dee")]


async def test_a_job_of_several_steps_does_each_to_its_end() -> None:
    done: list[str] = []

    def counting(name: str, last: int) -> Piece:
        async def piece(_: datetime, progress: Any) -> Any:
            number = 1 if progress is None else progress + 1
            done.append(f"{name}{number}")
            return number if number < last else None

        return piece

    await done_by(one_after_another({"a": counting("a", 2), "b": counting("b", 1), "c": counting("c", 2)}))
    assert done == ["a1", "a2", "b1", "c1", "c2"]


async def test_behind_a_part_that_failed_come_the_next_tenant_and_then_the_next_step() -> None:
    async def next_tenant(after: int) -> int | None:
        return after + 1 if after < 2 else None

    async def step(tenant_id: int, slot: datetime, *, after: str | None, most: int) -> str | None:
        raise AssertionError((tenant_id, slot, after, most))

    async def alone(_: datetime, progress: Any) -> Any:
        raise AssertionError(progress)

    job = one_after_another({"a": for_each_tenant(next_tenant, step), "b": alone, "c": alone})
    assert isinstance(job, Passable)
    second = await job.past({"step": "a", "at": {"tenant_id": 1, "after": "ada"}})
    assert second == {"step": "a", "at": {"tenant_id": 2, "after": None}}
    assert await job.past(second) == {"step": "b", "at": None}
    assert await job.past({"step": "b", "at": 7}) == {"step": "c", "at": None}
    assert await job.past({"step": "c", "at": None}) is None


CLAIM = RunClaim("daily", NOON, attempt=2, since=NOON, pieces=7, progress={"tenant_id": 3, "after": "x"})
POLICY = RetryPolicy(max_attempts=3, base_seconds=60.0, cap_seconds=600.0)


def test_a_failed_attempt_waits_longer_each_time_and_keeps_its_place() -> None:
    end = failed_attempt(CLAIM, Unavailable("Postgres is away."), POLICY, random_fraction=0.5)
    assert (end.state, end.error, end.delay_seconds) == (RunState.WAITING, "Postgres is away.", 61.0)
    assert (end.pieces, end.progress) == (7, CLAIM.progress)


def test_an_error_is_told_by_its_kind_and_place_and_not_by_its_text() -> None:
    def fail() -> None:
        raise ValueError("ada answered 42")

    try:
        fail()
    except ValueError as surprise:
        error = failed_attempt(CLAIM, surprise, POLICY, random_fraction=0.0).error
    assert error is not None
    assert error.startswith("ValueError at service/test_periodic.py:")
    assert "ada" not in error
