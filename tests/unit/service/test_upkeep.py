"""Heartbeat and sweeper, on stores in memory."""

import asyncio
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from pipeline.errors import Unavailable
from pipeline.execution import Shop
from pipeline.lifecycle import Stage
from pipeline.model import Claim, Recorded
from pipeline.ports import Swept, Vigil, kept_up
from pipeline.service.upkeep import (
    FORGOTTEN_AT_ONCE,
    OVERFULL,
    SUSPECTS_AT_ONCE,
    SUSPECTS_PER_RING,
    SWEEPS_PER_CHORE,
    TOPPED_UP_BELOW,
    Heartbeat,
    Sweeper,
    every,
)
from pipeline.stages.verdict import RetryPolicy
from tests.contracts.fakes.live import FakeBell, FakeBoard
from tests.contracts.fakes.work import FakeWorkStore

DEAD_SECONDS = 8.0
KEEP_SECONDS = 3600.0


class Found(msgspec.Struct, frozen=True):
    ids: tuple[str, ...] = ()
    solo: tuple[str, ...] = ()


class FakeUpkeepStore:
    """Remembers what it was asked; answers what it was told to."""

    def __init__(self) -> None:
        self.away = False
        self.now = datetime(2026, 3, 1, tzinfo=UTC)
        self.known: set[str] = set()
        self.trusted: list[bool] = []
        self.due: dict[str, Found] = {}
        self.asked_with_retries: list[bool] = []
        self.forgot = 0

    async def register(self, worker_id: str, host: str, pid: int, stages: Sequence[str]) -> None:
        assert host
        assert pid > 0
        assert stages
        self.known.add(worker_id)

    async def leave(self, worker_id: str) -> None:
        self.known.discard(worker_id)

    async def beat(
        self, worker_id: str, in_flight: Sequence[tuple[Stage, Claim]], lease_seconds: float, *, stopping: bool
    ) -> bool:
        assert lease_seconds > 0
        if self.away:
            raise Unavailable(f"away, {stopping}, {len(in_flight)}")
        return worker_id in self.known

    async def return_stranded(
        self,
        worker_id: str,
        in_flight: Sequence[tuple[Stage, Claim]],
        failed: Collection[tuple[Stage, Claim]],
        older_seconds: float,
        *,
        max_attempts: int,
    ) -> Recorded:
        assert (worker_id, len(in_flight), len(failed), max_attempts) == ("w", 0, 0, 2)
        assert older_seconds > 0
        return Recorded()

    async def give_back(self, worker_id: str, in_flight: Sequence[tuple[Stage, Claim]]) -> Recorded:
        raise NotImplementedError(f"{worker_id} {in_flight}")

    async def sweep(self, vigil: Vigil | None, *, dead_seconds: float, max_attempts: int) -> Swept:
        assert (dead_seconds, max_attempts) == (DEAD_SECONDS, 2)
        if self.away:
            raise Unavailable("away")
        vigil = kept_up(vigil, self.now, most_seconds=dead_seconds)
        self.trusted.append(vigil.seconds >= dead_seconds)
        return Swept(vigil, Recorded())

    async def untaken(self, stage: Stage, *, grace_seconds: float, most: int, with_retries: bool = True) -> Found:
        assert grace_seconds > 0
        self.asked_with_retries.append(with_retries)
        found = self.due.get(stage, Found())
        return Found(found.ids[:most], found.solo)

    async def forget_deliveries(self, *, older_seconds: float, most: int) -> int:
        assert (older_seconds, most) == (KEEP_SECONDS, FORGOTTEN_AT_ONCE)
        self.forgot += 1
        return 0

    async def untaken_deliveries(self, *, grace_seconds: float, most: int) -> Found:
        assert (grace_seconds, most) > (0, 0)
        return self.due.get("deliver", Found())


class House:
    def __init__(self) -> None:
        self.bell, self.store = FakeBell(), FakeUpkeepStore()
        self.shop = Shop(
            worker_id="w",
            store=FakeWorkStore(),
            bell=self.bell,
            board=FakeBoard(),
            policy=RetryPolicy(2, 1.0, 1.0),
            lease_seconds=30.0,
            batch=10,
        )
        self.heartbeat = Heartbeat(self.shop, self.store)
        self.chores_done = 0
        self.sweeper = Sweeper(
            self.shop,
            self.store,
            dead_seconds=DEAD_SECONDS,
            grace_seconds=1.0,
            keep_deliveries_seconds=KEEP_SECONDS,
            chores=[self.chore],
        )

    async def chore(self) -> None:
        self.chores_done += 1

    def later(self, seconds: float) -> None:
        """Let Postgres' clock move on."""
        self.store.now += timedelta(seconds=seconds)


async def test_a_surprise_does_not_end_the_round() -> None:
    """A bug in one call: the next call comes all the same."""
    calls = 0
    stop = asyncio.Event()

    async def act() -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            stop.set()
        raise ZeroDivisionError

    async with asyncio.timeout(5):
        await every(0.001, act, stop)
    assert calls == 3


async def test_a_forgotten_worker_introduces_itself_again() -> None:
    house = House()
    assert house.store.known == set()
    await house.heartbeat.tick()
    assert house.store.known == {"w"}


async def test_a_beat_that_finds_postgres_away_is_no_surprise() -> None:
    house = House()
    house.store.away = True
    await house.heartbeat.tick()


async def test_silence_is_believed_only_after_a_connection_of_that_length() -> None:
    """And again only after the next outage has been over as long."""
    house = House()
    await house.sweeper.tick()
    house.later(DEAD_SECONDS - 1)
    await house.sweeper.tick()
    house.later(1)
    await house.sweeper.tick()
    house.store.away = True
    await house.sweeper.tick()
    house.store.away = False
    house.later(1)
    await house.sweeper.tick()
    assert house.store.trusted == [False, False, True, False]


async def test_a_sweeper_that_was_frozen_itself_does_not_judge_the_silence_of_others() -> None:
    """When a whole machine thaws, whoever sweeps first finds everybody silent."""
    house = House()
    for _ in range(4):
        await house.sweeper.tick()
        house.later(DEAD_SECONDS / 2)
    house.later(DEAD_SECONDS)
    await house.sweeper.tick()
    assert house.store.trusted == [False, False, True, True, False]


async def test_a_clock_that_goes_back_starts_the_vigil_anew() -> None:
    """As after a fail-over to a Postgres with another clock."""
    house = House()
    for _ in range(3):
        await house.sweeper.tick()
        house.later(DEAD_SECONDS / 2)
    house.later(-3600)
    await house.sweeper.tick()
    assert house.store.trusted == [False, False, True, False]


async def test_every_sweep_forgets_deliveries_of_long_ago() -> None:
    house = House()
    await house.sweeper.tick()
    await house.sweeper.tick()
    assert house.store.forgot == 2


async def test_untaken_work_is_rung_again() -> None:
    house = House()
    house.store.due = {"score": Found(("a", "b")), "deliver": Found(("d",))}
    await house.sweeper.tick()
    assert house.bell.rung == [("score", ("a", "b"), False), ("deliver", ("d",), False)]


async def test_suspects_are_rung_alone_a_few_at_a_time() -> None:
    """Few to a ring, so that several workers share them; not too many at once."""
    house = House()
    house.store.due = {"score": Found(solo=tuple(f"s{n}" for n in range(SUSPECTS_AT_ONCE + 50)))}
    await house.sweeper.tick()
    assert [(queue, len(ids), solo) for queue, ids, solo in house.bell.rung] == [("score", SUSPECTS_PER_RING, True)] * (
        SUSPECTS_AT_ONCE // SUSPECTS_PER_RING
    )


async def test_a_long_queue_is_not_made_longer() -> None:
    """With rings on their way only what waits very long is rung again; an overfull queue is left alone."""
    house = House()
    for _ in range(TOPPED_UP_BELOW):
        await house.bell.ring("score", ["x"])
    await house.sweeper.tick()
    assert house.store.asked_with_retries == [False, True, True, True]
    for _ in range(OVERFULL):
        await house.bell.ring("score", ["x"])
    house.store.asked_with_retries.clear()
    await house.sweeper.tick()
    assert len(house.store.asked_with_retries) == 3


async def test_a_bell_that_is_away_stops_no_sweep() -> None:
    """Leases are taken back all the same."""
    house = House()
    house.bell.away = True
    house.store.due = {"score": Found(("a",))}
    await house.sweeper.tick()
    assert house.store.trusted == [False]


async def test_chores_are_done_at_the_first_sweep_and_then_now_and_then() -> None:
    house = House()
    for _ in range(SWEEPS_PER_CHORE):
        await house.sweeper.sweep()
    assert house.chores_done == 1
    await house.sweeper.sweep()
    assert house.chores_done == 2
