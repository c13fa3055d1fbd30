"""One text, paid once: recalled, awaited, or asked for; and what becomes of those who share it."""

import asyncio
from dataclasses import dataclass, field

import msgspec
import pytest
from structlog.testing import capture_logs

from pipeline import telemetry
from pipeline.errors import Unavailable
from pipeline.generation.assignment import Assignment, Keep, Telling, Unwritten, Written
from pipeline.generation.flight import Flights, Wish
from pipeline.ports.generation import Abandoned, Answered, Standing, Theirs, Wanted, Yours
from tests.unit.generation.parts import assignment, route

WRITTEN = Written("good", "first", "model-1", "feedback/personalized/en@1")
KEPT = Answered("good", "first", "model-1", "feedback/personalized/en@1")
WANTED = Wanted(1, b"key", "s")


@dataclass
class Notes:
    """A journal that says in turn what it was told to, then that it is ours to ask; and what was written into it."""

    says: list[Standing] = field(default_factory=list)
    answered: list[Answered] = field(default_factory=list)
    abandoned: list[tuple[str, bool]] = field(default_factory=list)
    away: bool = False
    deaf: int = 0
    """So many answers do not reach it."""
    refusal: Exception | None = None
    """It can't take an answer."""

    async def begin(self, wanted: Wanted, *, lease_seconds: float, fresh_seconds: float) -> Standing:
        assert (lease_seconds > 0, fresh_seconds, wanted.tenant_id) == (True, 600.0, 1)
        if self.away:
            raise Unavailable("Postgres is away")
        if self.answered:
            return self.answered[-1]
        return self.says.pop(0) if self.says else Yours("token")

    async def renew(self, wanted: Wanted, token: str, *, lease_seconds: float) -> bool:
        raise NotImplementedError

    async def answer(self, wanted: Wanted, token: str, answered: Answered) -> None:
        assert (wanted, token) == (WANTED, "token")
        if self.deaf:
            self.deaf -= 1
            raise Unavailable("Postgres is away")
        if self.refusal is not None:
            raise self.refusal
        self.answered.append(answered)

    async def abandon(self, wanted: Wanted, token: str, reason: str, *, quiet_seconds: float) -> None:
        assert (wanted, token) == (WANTED, "token")
        self.abandoned.append((reason, quiet_seconds > 0))

    async def forget(self, *, older_seconds: float, most: int) -> int:
        raise NotImplementedError


@dataclass
class Desk:
    """Answers what it was told to, when it may; and counts how often it was asked.

    What a reply cost is settled when it may be, or fails to be.
    """

    outcome: Written | Unwritten | Exception = WRITTEN
    asked: int = 0
    may_settle: asyncio.Event = field(default_factory=asyncio.Event)
    unsettled: Exception | None = None
    settled: int = 0
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)
    was_asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def ask(
        self, assignment: Assignment, telling: Telling | None = None, keep: Keep | None = None
    ) -> Written | Unwritten:
        assert (assignment.tenant_id, telling) == (1, None)
        self.asked += 1
        self.was_asked.set()
        await self.may_answer.wait()
        if isinstance(self.outcome, Exception):
            raise self.outcome
        if isinstance(self.outcome, Written):
            assert keep is not None
            await keep(self.outcome)
            await self.may_settle.wait()
            if self.unsettled is not None:
                raise self.unsettled
            self.settled += 1
        return self.outcome


class Tower:
    """Flights over a journal and a desk; nobody rests for real."""

    def __init__(
        self, *says: Standing, outcome: Written | Unwritten | Exception = WRITTEN, at_once: bool = True
    ) -> None:
        self.notes, self.desk, self.rests = Notes(list(says)), Desk(outcome), list[float]()
        self.desk.may_settle.set()
        if at_once:
            self.desk.may_answer.set()
        self.flights = Flights(
            journal=self.notes, asker=self.desk, fresh_seconds=600.0, patience_seconds=5.0, rest=self.rest
        )
        self.wish = Wish(WANTED, assignment(route()))

    async def rest(self, seconds: float) -> None:
        self.rests.append(seconds)

    async def get(self) -> Written | Unwritten:
        return await self.flights.get(self.wish)


async def test_a_reply_is_journalled_before_it_is_used() -> None:
    tower = Tower()
    assert await tower.get() == WRITTEN
    assert tower.notes.answered == [KEPT]


async def test_a_journalled_reply_is_heard_of_while_it_is_settled_and_used_after_that() -> None:
    """By everybody: who comes meanwhile shares it, too."""
    tower = Tower()
    tower.desk.may_settle.clear()
    heard = [await tower.flights.heard(tower.wish) for _ in range(2)]
    assert heard == [WRITTEN, msgspec.structs.replace(WRITTEN, paid=False)]
    using = [asyncio.create_task(tower.flights.landed(tower.wish)), asyncio.create_task(tower.get())]
    await asyncio.sleep(0)
    assert (tower.desk.asked, tower.desk.settled) == (1, 0)
    assert not any(one.done() for one in using)
    tower.desk.may_settle.set()
    await asyncio.gather(*using)
    assert tower.desk.settled == 1


async def test_a_reply_that_could_not_be_settled_is_used_all_the_same_and_told() -> None:
    tower = Tower()
    tower.desk.unsettled = Unavailable("Postgres is away")
    with capture_logs() as logs:
        assert await tower.get() == WRITTEN
    assert [(one["event"], one["error"]) for one in logs] == [(telemetry.GENERATION_LEFT, "Unavailable")]


async def test_a_reply_that_could_not_be_journalled_is_not_used() -> None:
    """A repeated stage would ask for it again, and so might everybody else."""
    tower = Tower()
    tower.notes.refusal = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        await tower.get()


async def test_what_the_journal_knows_is_not_asked_for() -> None:
    tower = Tower(KEPT)
    assert await tower.get() == msgspec.structs.replace(WRITTEN, paid=False)
    assert tower.desk.asked == 0


async def test_two_hundred_learners_with_the_same_wish_cost_one_request() -> None:
    tower = Tower(at_once=False)
    learners = [asyncio.create_task(tower.get()) for _ in range(200)]
    await asyncio.sleep(0)
    tower.desk.may_answer.set()
    outcomes = await asyncio.gather(*learners)
    assert tower.desk.asked == 1
    assert sum(outcome.paid for outcome in outcomes if isinstance(outcome, Written)) == 1
    assert {outcome.text for outcome in outcomes if isinstance(outcome, Written)} == {"good"}


async def test_who_finds_another_asking_waits_for_the_reply() -> None:
    tower = Tower(Theirs(), Theirs(), KEPT)
    assert await tower.get() == msgspec.structs.replace(WRITTEN, paid=False)
    assert (tower.desk.asked, len(tower.rests)) == (0, 2)


async def test_who_finds_the_other_gone_asks() -> None:
    tower = Tower(Theirs(), Yours("token"))
    assert await tower.get() == WRITTEN
    assert tower.desk.asked == 1


async def test_nobody_waits_for_ever() -> None:
    tower = Tower(*[Theirs()] * 1_000)
    assert await tower.get() == Unwritten("waited_too_long")
    assert sum(tower.rests) < 6.0


async def test_a_failure_of_a_moment_ago_is_shared() -> None:
    tower = Tower(Abandoned("providers_failed"))
    assert await tower.get() == Unwritten("providers_failed")
    assert tower.desk.asked == 0


async def test_a_failure_is_told_to_those_who_come_next() -> None:
    tower = Tower(outcome=Unwritten("providers_failed"))
    assert await tower.get() == Unwritten("providers_failed")
    assert tower.notes.abandoned == [("providers_failed", True)]


async def test_one_learners_limit_is_not_anothers() -> None:
    """Two learners share a flight; the first may not ask, the second may."""
    tower = Tower()

    async def never() -> Unwritten | None:
        await asyncio.sleep(0)
        return Unwritten("learner_limit")

    limited = asyncio.create_task(tower.flights.get(msgspec.structs.replace(tower.wish, may_ask=never)))
    await asyncio.sleep(0)
    free = asyncio.create_task(tower.get())
    assert await limited == Unwritten("learner_limit")
    assert await free == WRITTEN
    assert tower.notes.abandoned == [("learner_limit", False)]


async def test_who_comes_the_moment_anothers_limit_was_met_asks_for_himself() -> None:
    """The first one's flight is over then, but still listed: awaiting it again and again would stop the whole loop."""
    tower, verdict, looks = Tower(), asyncio.Event(), list[int]()

    async def never() -> Unwritten | None:
        await verdict.wait()
        return Unwritten("learner_limit")

    class Counting(Wish, frozen=True):
        @property
        def name(self) -> tuple[int, bytes]:
            looks.append(1)
            assert len(looks) < 100, "it looks for ever, and nobody else gets a turn"
            return super().name

    limited = asyncio.create_task(tower.flights.get(msgspec.structs.replace(tower.wish, may_ask=never)))
    for _ in range(3):
        await asyncio.sleep(0)
    verdict.set()
    free = asyncio.create_task(tower.flights.get(Counting(WANTED, tower.wish.assignment)))
    assert await limited == Unwritten("learner_limit")
    assert await free == WRITTEN


async def test_a_caller_who_gives_up_leaves_the_flight_to_the_others() -> None:
    tower = Tower(at_once=False)
    first, second = asyncio.create_task(tower.get()), asyncio.create_task(tower.get())
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    tower.desk.may_answer.set()
    assert isinstance(await second, Written)
    assert (tower.desk.asked, tower.notes.answered) == (1, [KEPT])


async def test_a_reply_outlives_a_moment_without_postgres() -> None:
    tower = Tower()
    tower.notes.deaf = 2
    assert await tower.get() == WRITTEN
    assert (tower.notes.answered, tower.desk.asked) == ([KEPT], 1)


async def test_a_surprise_lets_others_ask_at_once() -> None:
    tower = Tower(outcome=ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        await tower.get()
    assert tower.notes.abandoned == [("stopped", False)]


async def test_a_journal_that_is_away_stops_everything_before_money_is_spent() -> None:
    tower = Tower()
    tower.notes.away = True
    with pytest.raises(Unavailable):
        await tower.get()
    assert tower.desk.asked == 0


async def test_a_process_that_stops_lets_go_of_what_it_was_asking_for() -> None:
    tower = Tower(at_once=False)
    waiting = asyncio.create_task(tower.get())
    await tower.desk.was_asked.wait()
    await tower.flights.close()
    assert isinstance((await asyncio.gather(waiting, return_exceptions=True))[0], asyncio.CancelledError)
    assert tower.notes.abandoned == [("stopped", False)]
