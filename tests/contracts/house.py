"""One way to look at a work store, whatever it is made of."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.bootstrap import build_performs
from pipeline.lifecycle import Stage, StageState, Status
from pipeline.model import Claim, Recorded, StoredQuestion
from pipeline.ports import Vigil, WorkStore
from pipeline.stages.outcome import Done, Outcome
from pipeline.stages.run import first_step
from pipeline.stages.verdict import RetryPolicy, judge
from pipeline.store.engine import transaction
from pipeline.store.question import QuestionVersions
from pipeline.store.submission import IntakeStore
from pipeline.store.work import WorkStore as PostgresWorkStore
from tests.contracts.fakes.work import FakeWorkStore
from tests.samples import a_hand_in, new_tenant, stored_questions

POLICY = RetryPolicy(max_attempts=3, base_seconds=1000.0, cap_seconds=1000.0)
WORKER = "01900000-0000-7000-8000-00000000000a"
OTHER = "01900000-0000-7000-8000-00000000000b"
LEASE_SECONDS = 30.0


class StageRow(msgspec.Struct, frozen=True):
    """What is stored of a stage, as far as the contract speaks of it."""

    state: StageState
    attempts: int
    epoch: int
    solo: bool = False


class Tried(msgspec.Struct, frozen=True):
    """One entry of the attempt history."""

    attempt: int
    epoch: int
    ended: str
    error: str
    traceback: str | None


class House(Protocol):
    """A work store with submissions in it, and a look inside."""

    store: WorkStore

    async def accept(self, count: int) -> list[str]: ...

    async def stages(self, submission_id: str) -> dict[Stage, StageRow]: ...

    async def status(self, submission_id: str) -> tuple[Status, int]: ...

    async def results(self, submission_id: str) -> dict[Stage, dict[str, object]]: ...

    async def history(self, submission_id: str) -> list[Tried]: ...


class FakeHouse:
    """The fake in memory."""

    def __init__(self) -> None:
        self.fake = FakeWorkStore()
        self.store: WorkStore = self.fake

    async def accept(self, count: int) -> list[str]:
        return [self.fake.accept() for _ in range(count)]

    async def stages(self, submission_id: str) -> dict[Stage, StageRow]:
        found = self.fake.submissions[submission_id].stages
        return {s: StageRow(row.state, row.attempts, row.epoch, row.solo) for s, row in found.items()}

    async def status(self, submission_id: str) -> tuple[Status, int]:
        found = self.fake.submissions[submission_id]
        return found.status, found.version

    async def results(self, submission_id: str) -> dict[Stage, dict[str, object]]:
        return {s: msgspec.to_builtins(body) for s, body in self.fake.submissions[submission_id].results.items()}

    async def history(self, submission_id: str) -> list[Tried]:
        return [
            Tried(claim.attempt, claim.epoch, "failed", error, traceback)
            for claim, error, traceback in self.fake.submissions[submission_id].history
        ]


def watching(seconds: float = 60.0) -> Vigil:
    """The vigil of a sweeper that has been looking without a gap for so long, and last looked this moment.

    Postgres is on this machine and has its clock.
    """
    now = datetime.now(UTC)
    return Vigil(now - timedelta(seconds=seconds), now)


class PostgresHouse:
    """The real one."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.store: WorkStore = PostgresWorkStore(engine, QuestionVersions())
        self.intake = IntakeStore(engine)
        self.tenant_id = 0
        self.questions: list[StoredQuestion] = []

    async def furnish(self) -> None:
        self.tenant_id = await new_tenant(self.engine)
        self.questions = await stored_questions(self.engine, self.tenant_id)

    async def accept(self, count: int) -> list[str]:
        batch = [a_hand_in(self.tenant_id, self.questions, ("a", "b")) for _ in range(count)]
        await self.intake.accept(batch)
        return [one.id for one in batch]

    async def stages(self, submission_id: str) -> dict[Stage, StageRow]:
        found = await self.rows(
            "SELECT stage, state, attempts, epoch, solo FROM stages WHERE submission_id = CAST(:id AS uuid)",
            submission_id,
        )
        return {Stage(row[0]): StageRow(StageState(row[1]), *row[2:]) for row in found}

    async def status(self, submission_id: str) -> tuple[Status, int]:
        found = await self.rows("SELECT status, version FROM submissions WHERE id = CAST(:id AS uuid)", submission_id)
        return Status(found[0][0]), found[0][1]

    async def results(self, submission_id: str) -> dict[Stage, dict[str, object]]:
        found = await self.rows(
            "SELECT stage, body FROM results WHERE submission_id = CAST(:id AS uuid)", submission_id
        )
        return {Stage(stage): body for stage, body in found}

    async def history(self, submission_id: str) -> list[Tried]:
        found = await self.rows(
            "SELECT attempt, epoch, ended, error, traceback FROM attempts WHERE submission_id = CAST(:id AS uuid)"
            " ORDER BY id",
            submission_id,
        )
        return [Tried(*row) for row in found]

    async def rows(self, sql: str, submission_id: str) -> list[tuple[Any, ...]]:
        async with transaction(self.engine) as connection:
            return [tuple(row) for row in await connection.execute(text(sql), {"id": submission_id})]


BODIES: dict[Stage, dict[str, object]] = {
    Stage.SCORE: {"points": 1.0, "max_points": 2.0, "fraction": 0.5, "provisional": False, "answers": []},
    Stage.FEEDBACK: {"source": "template", "summary": "Good.", "answers": []},
    Stage.RECOMMEND: {"questions": []},
    Stage.METRICS: {},
}


async def claimed(
    house: House, stage: Stage, ids: list[str], worker: str = WORKER, *, solo: bool = False
) -> list[Claim]:
    claims, _ = await house.store.claim(stage, ids, worker, LEASE_SECONDS, solo=solo)
    return claims


async def record(
    house: House, stage: Stage, claims: list[Claim], outcome: Outcome | None = None, worker: str = WORKER
) -> Recorded:
    """Write one outcome for all of these claims that are still ours; a plain success where none is given."""
    judged = outcome or Done(BODIES[stage])
    async with house.store.unit(stage, worker) as unit:
        held = await unit.hold(claims)
        return await unit.record(
            [first_step(stage, judge(claim, judged, POLICY, 0.5), before) for claim, before in held]
        )


async def finish(house: House, stage: Stage, ids: list[str]) -> Recorded:
    return await record(house, stage, await claimed(house, stage, ids))


async def run(house: PostgresHouse, stage: Stage, ids: Sequence[str]) -> None:
    """One run of a stage as a worker does it, on what the stage itself decides."""
    claims, _ = await house.store.claim(stage, list(ids), WORKER, LEASE_SECONDS)
    async with house.store.unit(stage, WORKER) as unit:
        held = await unit.hold(claims)
        outcomes = await build_performs()[stage](unit, await unit.load([claim for claim, _ in held]))
        await unit.record(
            [first_step(stage, judge(c, o, POLICY, 0.0), h) for (c, h), o in zip(held, outcomes, strict=True)]
        )
