"""Asking along the chain: what is sent, how long is waited, who is asked next, what is booked."""

import asyncio
from collections import deque

import pytest

from pipeline.errors import Unavailable
from pipeline.exchange import Completion, Failed, Reply, Trouble, Usage
from pipeline.generation.asking import Asker
from pipeline.generation.assignment import Unwritten, Written
from pipeline.ports.generation import Held, Settlement
from tests.unit.generation.parts import (
    BROKEN_OFF,
    GOOD,
    Book,
    Clock,
    FlatMeter,
    Heard,
    OpenGate,
    Scripted,
    assignment,
    failed,
    scripted,
)

NEXT_AT_ONCE = [
    Trouble.QUOTA_SPENT,
    Trouble.UNAUTHORIZED,
    Trouble.UNKNOWN_MODEL,
    Trouble.BAD_REQUEST,
    Trouble.CONTEXT_TOO_LONG,
    Trouble.REFUSED,
    Trouble.FILTERED,
    Trouble.TRUNCATED,
]
TRIED_AGAIN = [
    Trouble.RATE_LIMITED,
    Trouble.OVERLOADED,
    Trouble.SERVER_ERROR,
    Trouble.TIMED_OUT,
    Trouble.UNREACHABLE,
    Trouble.CUT_OFF,
    Trouble.UNREADABLE,
]


class LateBook(Book):
    """A ledger that settles nothing until something else has happened."""

    def __init__(self, happened: asyncio.Event) -> None:
        super().__init__()
        self._happened = happened

    async def settle(self, settlement: Settlement) -> None:
        await self._happened.wait()
        await super().settle(settlement)


class Desk:
    """An asker with two providers, the second of which always does well."""

    def __init__(
        self,
        *replies: Reply | BaseException,
        deadline_seconds: float = 60.0,
        jitter: float = 0.5,
        book: Book | None = None,
    ) -> None:
        self.clock = Clock()
        self.first = scripted("first", self.clock, replies)
        self.second = scripted("second", self.clock, [GOOD])
        self.local = scripted("local", self.clock, [GOOD])
        self.gate, self.book, self.heard = OpenGate(self.clock), book or Book(), Heard()
        self.asker = Asker(
            providers={provider.route.name: provider for provider in (self.first, self.second, self.local)},
            gate=self.gate,
            ledger=self.book,
            meter=FlatMeter(),
            deadline_seconds=deadline_seconds,
            queue_seconds=300.0,
            clock=self.clock,
            jitter=lambda: jitter,
            rest=self.clock.rest,
        )

    async def ask(self, *providers: Scripted) -> Written | Unwritten:
        routes = [provider.route for provider in providers or (self.first, self.second)]
        return await self.asker.ask(assignment(*routes), self.heard)


async def test_a_good_reply_costs_one_request() -> None:
    desk = Desk(GOOD)
    assert await desk.ask() == Written("good", "first", "model-1", "feedback/personalized/en@1")
    assert (len(desk.first.asked), len(desk.second.asked)) == (1, 0)


async def test_a_text_is_kept_while_it_is_settled() -> None:
    """Neither waits for the other: what the ledger can't take at the moment is not asked for again."""
    kept = asyncio.Event()
    desk = Desk(GOOD, book=LateBook(kept))

    async def keep(written: Written) -> None:
        assert written.text == GOOD.text
        kept.set()

    async with asyncio.timeout(10):
        await desk.asker.ask(assignment(desk.first.route), None, keep)
    assert len(desk.book.settlements) == 1


async def test_a_worker_that_stops_keeps_and_settles_the_reply_at_hand() -> None:
    kept, going_on = list[Written](), asyncio.Event()
    desk = Desk(GOOD, book=LateBook(going_on))

    async def keep(written: Written) -> None:
        await going_on.wait()
        kept.append(written)

    asking = asyncio.create_task(desk.asker.ask(assignment(desk.first.route), None, keep))
    async with asyncio.timeout(10):
        while not desk.gate.reports:  # noqa: ASYNC110 - the reply is there
            await asyncio.sleep(0)
        asking.cancel()
        await asyncio.sleep(0)
        going_on.set()
        with pytest.raises(asyncio.CancelledError):
            await asking
    assert (len(kept), len(desk.book.settlements)) == (1, 1)


async def test_only_a_text_that_will_do_is_kept() -> None:
    """The request that failed before it is settled, and nothing else."""
    desk, kept = Desk(failed(Trouble.OVERLOADED), GOOD), list[Written]()

    async def keep(written: Written) -> None:
        kept.append(written)

    written = await desk.asker.ask(assignment(desk.first.route), None, keep)
    assert (kept, len(desk.book.settlements)) == ([written], 2)


async def test_what_could_not_be_kept_is_an_error_and_settled_all_the_same() -> None:
    desk = Desk(GOOD)

    async def keep(written: Written) -> None:
        raise Unavailable(f"Postgres is away for {written.provider}")

    with pytest.raises(Unavailable):
        await desk.asker.ask(assignment(desk.first.route), None, keep)
    assert len(desk.book.settlements) == 1


@pytest.mark.parametrize("trouble", NEXT_AT_ONCE)
async def test_what_no_repetition_helps_goes_to_the_next_provider_at_once(trouble: Trouble) -> None:
    desk = Desk(failed(trouble))
    written = await desk.ask()
    assert isinstance(written, Written)
    assert written.provider == "second"
    assert (len(desk.first.asked), sum(desk.clock.rests)) == (1, 0.0)


@pytest.mark.parametrize("trouble", TRIED_AGAIN)
async def test_a_passing_trouble_is_tried_three_times_and_then_left(trouble: Trouble) -> None:
    desk = Desk(failed(trouble))
    written = await desk.ask()
    assert isinstance(written, Written)
    assert (len(desk.first.asked), written.provider) == (3, "second")
    assert desk.clock.rests == [0.25, 0.5, 0.0]


async def test_a_provider_says_how_long_to_rest_and_is_heard() -> None:
    desk = Desk(failed(Trouble.RATE_LIMITED, 7.0), GOOD)
    written = await desk.ask()
    assert isinstance(written, Written)
    assert (written.provider, desk.clock.rests) == ("first", [7.0])


async def test_who_asks_for_more_time_than_there_is_is_left_at_once() -> None:
    desk = Desk(failed(Trouble.RATE_LIMITED, 45.0))
    written = await desk.ask()
    assert isinstance(written, Written)
    assert (written.provider, len(desk.first.asked), desk.clock.rests) == ("second", 1, [0.0])


async def test_the_only_provider_is_waited_for_as_long_as_there_is_time() -> None:
    desk = Desk(failed(Trouble.RATE_LIMITED, 45.0), GOOD)
    written = await desk.ask(desk.first)
    assert isinstance(written, Written)
    assert desk.clock.rests == [45.0]


async def test_an_invalid_reply_is_asked_for_once_more_with_what_is_wrong() -> None:
    bad = Completion("bad", Usage(10, 0, 0, 5, 0), "model-1")
    desk = Desk(bad, GOOD)
    written = await desk.ask()
    assert isinstance(written, Written)
    again = desk.first.asked[1]
    assert [turn.role for turn in again.turns] == ["assistant", "user"]
    assert (again.turns[0].text, "it is bad." in again.turns[1].text) == ("bad", True)


async def test_a_second_invalid_reply_goes_to_the_next_provider_with_the_first_prompt() -> None:
    bad = Completion("bad", Usage(10, 0, 0, 5, 0), "model-1")
    desk = Desk(bad)
    written = await desk.ask()
    assert isinstance(written, Written)
    assert (len(desk.first.asked), written.provider, desk.second.asked[0].turns) == (2, "second", ())


async def test_with_nobody_left_the_reasons_are_named() -> None:
    desk = Desk(failed(Trouble.UNAUTHORIZED))
    unwritten = await desk.ask(desk.first)
    assert unwritten == Unwritten("providers_failed", ("first/model-1: unauthorized",))


async def test_a_total_deadline_ends_it_though_there_are_tries_left() -> None:
    desk = Desk(failed(Trouble.TIMED_OUT), deadline_seconds=20.0)
    desk.first.takes_seconds = 15.0
    unwritten = await desk.ask(desk.first)
    assert desk.first.seconds == [20.0, pytest.approx(4.75)]
    assert isinstance(unwritten, Unwritten)
    assert len(desk.first.asked) == 2


async def test_time_in_the_queue_does_not_count_against_the_deadline() -> None:
    desk = Desk(GOOD, deadline_seconds=20.0)
    desk.gate.queue_seconds = 100.0
    assert isinstance(await desk.ask(), Written)
    assert desk.first.seconds == [20.0]


async def test_an_open_breaker_sends_on_to_the_next_provider() -> None:
    desk = Desk(GOOD)
    desk.gate.held = {"first": deque([Held("open", 30.0)])}
    written = await desk.ask()
    assert isinstance(written, Written)
    assert (written.provider, desk.first.asked, desk.clock.rests) == ("second", [], [0.0])


async def test_the_short_cool_down_of_the_only_provider_is_waited_for() -> None:
    desk = Desk(GOOD)
    desk.gate.held = {"first": deque([Held("cooling", 3.0)])}
    assert isinstance(await desk.ask(desk.first), Written)
    assert desk.clock.rests == [3.0]


async def test_a_spent_budget_sends_nothing_and_says_whose_it_is() -> None:
    desk = Desk(GOOD)
    desk.book.tenant_budget = 50
    unwritten = await desk.ask()
    assert isinstance(unwritten, Unwritten)
    assert (unwritten.reason, desk.first.asked, desk.second.asked) == ("tenant_budget_spent", [], [])


async def test_a_model_that_costs_nothing_serves_when_the_budget_is_spent() -> None:
    desk = Desk(GOOD)
    desk.book.tenant_budget = 50
    written = await desk.ask(desk.first, desk.local)
    assert isinstance(written, Written)
    assert written.provider == "local"


async def test_every_request_is_settled_with_what_it_cost() -> None:
    desk = Desk(failed(Trouble.RATE_LIMITED), failed(Trouble.CUT_OFF), GOOD)
    await desk.ask()
    booked = [(one.trouble, one.cost, one.known) for one in desk.book.settlements]
    assert booked == [(Trouble.RATE_LIMITED, 0, True), (Trouble.CUT_OFF, 100, False), (None, 15, True)]
    assert [one.attempt_id for one in desk.book.settlements] == [one.id for one in desk.book.attempts]


async def test_an_error_after_the_model_began_to_write_is_booked_at_its_estimate() -> None:
    desk = Desk(Failed(Trouble.SERVER_ERROR, BROKEN_OFF), failed(Trouble.SERVER_ERROR), GOOD)
    await desk.ask()
    booked = [(one.trouble, one.cost, one.known) for one in desk.book.settlements]
    assert booked == [(Trouble.SERVER_ERROR, 100, False), (Trouble.SERVER_ERROR, 0, True), (None, 15, True)]


async def test_an_invalid_reply_is_booked_at_its_price_and_as_a_trouble() -> None:
    desk = Desk(Completion("bad", Usage(10, 0, 0, 5, 0), "model-1"), GOOD)
    await desk.ask()
    assert [(one.trouble, one.cost) for one in desk.book.settlements] == [(Trouble.INVALID_REPLY, 15), (None, 15)]
    assert desk.book.settlements[1].cut_quotations == 1


async def test_the_health_hears_of_each_request() -> None:
    desk = Desk(failed(Trouble.RATE_LIMITED, 2.0), GOOD)
    await desk.ask()
    assert desk.gate.reports == [(Trouble.RATE_LIMITED, 2.0), (None, None)]


async def test_a_request_that_is_stopped_is_settled_at_its_estimate() -> None:
    desk = Desk(asyncio.CancelledError())
    with pytest.raises(asyncio.CancelledError):
        await desk.ask()
    assert [(one.cost, one.known) for one in desk.book.settlements] == [(100, False)]


async def test_a_request_that_is_stopped_before_it_is_sent_is_given_back() -> None:
    desk = Desk(GOOD)
    desk.book.stopped = True
    with pytest.raises(asyncio.CancelledError):
        await desk.ask()
    assert desk.book.withdrawn == [one.id for one in desk.book.attempts]
    assert (len(desk.book.withdrawn), desk.first.asked, desk.book.settlements) == (1, [], [])


async def test_readers_hear_when_a_text_begins_anew() -> None:
    desk = Desk(Failed(Trouble.CUT_OFF, BROKEN_OFF), GOOD)
    await desk.ask()
    assert desk.heard.said == ["piece", "anew", "piece"]


async def test_no_two_requests_have_the_same_key_whoever_asks_for_the_text() -> None:
    """A provider that knows idempotency keys would answer the second with the first one's reply, or refuse it."""
    desk = Desk(Failed(Trouble.OVERLOADED, "busy"), GOOD)
    await desk.ask()
    await desk.ask()
    assert len(desk.first.keys) == len(set(desk.first.keys)) == 3
    assert {key.rpartition("-")[0] for key in desk.first.keys} == {"key"}


async def test_a_reply_that_our_rules_stumble_over_is_paid_for_and_not_used() -> None:
    desk = Desk(Completion("odd", Usage(10, 0, 0, 5, 0), "model-1"))
    written = await desk.ask()
    assert isinstance(written, Written)
    assert written.provider == "second"
    booked = [(one.trouble, one.cost) for one in desk.book.settlements]
    assert booked == [(Trouble.INVALID_REPLY, 15), (Trouble.INVALID_REPLY, 15), (None, 15)]


async def test_a_fault_in_how_a_provider_is_asked_fails_the_request_and_not_the_submission() -> None:
    desk = Desk(KeyError("an answer"))
    written = await desk.ask()
    assert isinstance(written, Written)
    assert written.provider == "second"
    assert [one.known for one in desk.book.settlements] == [False, False, False, True]


async def test_a_reply_outlives_a_moment_without_postgres_and_is_settled_after_it() -> None:
    desk = Desk(GOOD)
    desk.book.away = 2
    assert isinstance(await desk.ask(), Written)
    assert [(one.trouble, one.cost) for one in desk.book.settlements] == [(None, 15)]
    assert len(desk.first.asked) == 1


async def test_a_request_that_is_stopped_while_postgres_is_away_stays_stopped() -> None:
    desk = Desk(asyncio.CancelledError())
    desk.book.away = 1
    with pytest.raises(asyncio.CancelledError):
        await desk.ask()


async def test_the_short_open_breaker_of_the_last_provider_is_waited_for() -> None:
    """Else a moment's trouble turned away everybody in the line, however much time they had."""
    desk = Desk(GOOD)
    desk.gate.held = {"first": deque([Held("open", 300.0)]), "second": deque([Held("open", 4.0)])}
    written = await desk.ask()
    assert isinstance(written, Written)
    assert (written.provider, desk.clock.rests) == ("second", [0.0, 4.0])


async def test_a_provider_that_stays_sick_is_not_waited_for() -> None:
    desk = Desk(GOOD)
    desk.gate.held = {"first": deque([Held("open", 30.0)])}
    assert await desk.ask(desk.first) == Unwritten("providers_failed", ("first/model-1: breaker_open",))
    assert sum(desk.clock.rests) == 0.0
