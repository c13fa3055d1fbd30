"""Half the price, over a real Postgres: whatever step is cut off, each request is sent once and paid for once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal, cast

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from pipeline.errors import NotFound, Unavailable
from pipeline.exchange import Completion, Failed, Prompt, Purpose, Reply, Route, Trouble, Usage
from pipeline.generation.assignment import Assignment, Judged
from pipeline.generation.batching import MOST_MISSES, Batching, HalfPrice, request_of
from pipeline.generation.flight import Wish
from pipeline.generation.sending import MOST_TRIES, SURE_AFTER_SECONDS, Sending
from pipeline.ports.batch import Batch, BatchRequest, Line, Refused, Terms, Unsure
from pipeline.ports.generation import Answered, Budgets, Policy, Wanted, Yours
from pipeline.store.batch import BatchStore
from pipeline.store.batch_row import request_row, wanted_row
from pipeline.store.engine import create_engine, statement
from pipeline.store.erasure import ErasureStore
from pipeline.store.journal import JournalStore
from pipeline.store.laying import lay_down
from pipeline.store.ledger import LedgerStore
from tests.contracts.house import PostgresHouse

ROUTE = Route("cloud", "openai", "model-1", "account-1", batch=True)
USAGE = Usage(input_tokens=60, output_tokens=40)
GOOD = Completion("good", USAGE, "model-1")
When = Literal["before", "amid", "after"]
TERMS = Terms(wait_seconds=3_000, fresh_seconds=600)
STEPS = 40
"""More than a round takes."""


class CutOffError(BaseException):
    """The process ended here."""


@dataclass
class Knife:
    """Ends the process before or after the n-th step, or stops it amid, where that step waits for the first time."""

    at: int | None = None
    when: When = "before"
    steps: int = 0

    async def cut(self, step: Any) -> Any:
        self.steps += 1
        when = self.when if self.steps == self.at else None
        if when == "before":
            step.close()
            raise CutOffError
        if when == "amid":
            cast("asyncio.Task[None]", asyncio.current_task()).cancel()
        done = await step
        if when == "after":
            raise CutOffError
        return done


class Cut:
    """A part whose every call is a step under the knife."""

    def __init__(self, part: Any, knife: Knife) -> None:
        self._part = part
        self._knife = knife

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._part, name)
        if not asyncio.iscoroutinefunction(member):
            return member
        return lambda *args, **named: self._knife.cut(member(*args, **named))


@dataclass
class Provider:
    """Takes batches, and has them done at once; counts what it was sent, and so what it bills."""

    route: Route = ROUTE
    batches: dict[str, list[BatchRequest]] = field(default_factory=dict)
    replies: dict[str, Reply | None] = field(default_factory=dict)
    done: bool = True
    unsure: bool = False
    lists: bool = True
    answers: bool = True
    away: bool = False
    takes: Refused | None = None
    refuses: Refused | None = None
    unknown: bool = False
    breaks_off_at: int | None = None
    meanwhile: Callable[[], Awaitable[None]] | None = None
    files: list[str] = field(default_factory=list)
    garbled: set[str] = field(default_factory=set)

    @property
    def billed(self) -> list[str]:
        return sorted(str(one.question_id) for sent in self.batches.values() for one in sent)

    async def find(
        self, batch: Batch, requests: Sequence[BatchRequest], others: Collection[str]
    ) -> str | Unsure | None:
        del requests
        if self.unsure:
            return Unsure()
        listed = [name for name in self.batches if name.startswith(batch.id) and name not in others]
        return listed[0] if self.lists and listed else None

    async def prepare(self, batch: Batch, requests: Sequence[BatchRequest]) -> str | Refused:
        self.files.append(f"{batch.id}: {len(requests)}")
        if self.meanwhile is not None:
            happens, self.meanwhile = self.meanwhile, None
            await happens()
        return self.takes or self.files[-1]

    async def send(self, batch: Batch, requests: Sequence[BatchRequest], file_id: str | None) -> str | Unsure | Refused:
        assert batch.file_id == file_id == self.files[-1]
        if self.away:
            raise Unavailable("Nobody is there.")
        if self.refuses is not None:
            return self.refuses
        remote_id = f"{batch.id}-{len(self.batches)}"
        self.batches[remote_id] = list(requests)
        await asyncio.sleep(0)  # it is there, and whoever sent it may not hear of it any more
        return remote_id if self.answers else Unsure()

    async def ended(self, remote_id: str) -> bool:
        assert remote_id in self.batches
        if self.unknown:
            raise NotFound("No such batch.")
        return self.done

    async def lines(self, remote_id: str) -> AsyncIterator[Line]:
        if remote_id in self.garbled:
            raise KeyError(remote_id)
        for number, request in enumerate(reversed(self.batches[remote_id])):
            if number == self.breaks_off_at:
                self.breaks_off_at = None
                raise Unavailable("The connection was cut.")
            yield Line(request.custom_id, self.replies.get(str(request.question_id), GOOD))
        yield Line("a stranger's", GOOD)


class BatchPolicy:
    policy = Policy(batch=True)

    async def of(self, tenant_id: int) -> Policy:
        assert tenant_id
        return self.policy


class FlatMeter:
    """A token costs two nanodollars."""

    def estimate(self, route: Route, prompt: Prompt) -> int:
        del route, prompt
        return 1_000

    def cost(self, route: Route, usage: Usage, model: str | None) -> tuple[int, bool]:
        del route, model
        return 2 * (usage.input_tokens + usage.output_tokens), True


class Post:
    """Three submissions that wait for half the price, and everything on the way."""

    def __init__(self, engine: AsyncEngine, house: PostgresHouse, ids: list[str]) -> None:
        self.engine, self.house, self.ids = engine, house, ids
        self.store, self.journal, self.ledger = BatchStore(engine), JournalStore(engine), LedgerStore(engine)
        self.provider, self.policies, self.rung = Provider(), BatchPolicy(), list[str]()
        self.sure_after_seconds, self.deaf = 0.0, False

    def wish(self, place: int, *, submission: int | None = None) -> Wish:
        submission_id = self.ids[place if submission is None else submission]
        assignment = Assignment(
            tenant_id=self.house.tenant_id,
            learner_id=None,
            submission_id=submission_id,
            question_id=f"q-{place}",
            purpose=Purpose.FEEDBACK,
            arm=None,
            prompt=Prompt("feedback/personalized/en@1", "Be kind.", f"Facts {place}.", "reply", {"type": "object"}, 9),
            user="hash",
            key="key",
            routes=(ROUTE,),
            budgets=Budgets(),
            judge=lambda said: Judged("it is bad.") if said == "bad" else Judged(),
        )
        return Wish(Wanted(self.house.tenant_id, bytes([place]) * 32, submission_id), assignment)

    def halfprice(self) -> HalfPrice:
        return HalfPrice(store=self.store, journal=self.journal, routes=[ROUTE.name], terms=TERMS)

    def batching(self, knife: Knife | None = None, *, least: int = 1, routes: bool = True) -> Batching:
        knife = knife or Knife()

        async def wake(ids: Sequence[str]) -> None:
            assert ids
            if self.deaf:
                raise Unavailable("Redis is away.")
            self.rung.extend(ids)

        store, ledger, meter = Cut(self.store, knife), Cut(self.ledger, knife), FlatMeter()
        return Batching(
            store=store,
            remotes={ROUTE.name: Cut(self.provider, knife)} if routes else {},
            sending=Sending(
                store=store,
                ledger=ledger,
                meter=meter,
                policies=self.policies,
                least_seconds=TERMS.least_seconds,
                sure_after_seconds=self.sure_after_seconds,
            ),
            ledger=ledger,
            meter=meter,
            wake=wake,
            terms=TERMS,
            least=least,
        )

    async def offer(self, place: int, *, submission: int | None = None, anew: bool = True) -> float | None:
        """Ask for a text of a submission's own, or for the same one for another."""
        return await self.halfprice().offer(self.wish(place, submission=submission), anew=anew)

    async def offer_all(self, *, anew: bool = True) -> list[float | None]:
        return [await self.offer(place, anew=anew) for place in range(3)]

    async def put_off(self) -> None:
        """Have the stages of all submissions wait for an hour."""
        await self.rows(
            "UPDATE stages SET state = 'ready', available_at = now() + interval '1 hour', queued_at = now()"
            " WHERE stage = 'feedback' RETURNING 1"
        )

    async def due(self) -> list[str]:
        """The submissions whose feedback need not wait any more."""
        found = await self.rows(
            "SELECT submission_id::text FROM stages WHERE stage = 'feedback' AND available_at <= clock_timestamp()"
        )
        return sorted(id_ for (id_,) in found)

    async def rows(self, statement: str) -> list[tuple[Any, ...]]:
        async with self.engine.begin() as connection:
            return [tuple(row) for row in await connection.execute(text(statement))]

    async def journalled(self, place: int) -> str | None:
        standing = await self.journal.begin(self.wish(place).wanted, lease_seconds=1, fresh_seconds=1_000)
        return standing.text if isinstance(standing, Answered) else None


@pytest.fixture
async def post(database_url: str) -> AsyncIterator[Post]:
    engine = create_engine(database_url, pool_size=5)
    house = PostgresHouse(engine)
    await house.furnish()
    yield Post(engine, house, await house.accept(3))
    await engine.dispose()


@pytest.mark.parametrize("when", ["before", "amid", "after"])
async def test_whatever_step_is_cut_off_each_is_sent_once_and_paid_once(post: Post, when: When) -> None:
    """All steps in turn, each with requests of its own; a cut-off round is followed by whole ones."""
    for at in range(1, STEPS):
        async with post.engine.begin() as connection:
            for table in ("llm_batch_items", "llm_batches", "llm_attempts", "llm_replies", "llm_budgets"):
                await connection.execute(text(f"DELETE FROM {table}"))
        post.provider = Provider()
        assert None not in await post.offer_all()
        knife = Knife(at, when)
        with suppress(CutOffError, asyncio.CancelledError):
            for _ in range(2):
                await asyncio.create_task(post.batching(knife).tick())
        for _ in range(2):
            await post.batching().tick()
        assert post.provider.billed == ["q-0", "q-1", "q-2"], at
        assert await post.offer_all() == [None] * 3, at
        assert [await post.journalled(place) for place in range(3)] == ["good"] * 3, at
        booked = await post.rows("SELECT state, cost, cost_known FROM llm_attempts")
        assert booked == [("settled", 100, True)] * 3, at
        assert await post.rows("SELECT spent FROM llm_budgets WHERE learner_id = ''") == [(300,)], at
        assert await post.rows("SELECT state FROM llm_batches") == [("done",)], at
        if knife.steps < at:
            return
    raise AssertionError(f"a round takes more than {STEPS} steps")


async def test_who_waits_is_told_for_how_long_and_woken_when_it_is_there(post: Post) -> None:
    waits = await post.offer_all()
    assert all(wait is not None and 2_900 < wait <= 3_000 for wait in waits)
    await post.put_off()
    await post.batching().tick()
    await post.batching().tick()
    assert sorted(post.rung) == sorted(post.ids)
    assert await post.due() == sorted(post.ids)


async def test_too_few_wait_for_others_and_not_for_ever(post: Post) -> None:
    await post.offer_all()
    await post.batching(least=4).tick()
    assert post.provider.batches == {}
    await post.rows("UPDATE llm_batch_items SET created_at = now() - interval '10 minutes' RETURNING 1")
    await post.batching(least=4).tick()
    assert len(post.provider.batches) == 1


async def test_equal_wishes_of_two_submissions_travel_once(post: Post) -> None:
    await post.offer(0)
    assert await post.offer(0, submission=1) is not None
    await post.batching().tick()
    assert post.provider.billed == ["q-0"]


async def test_after_the_deadline_nobody_waits_and_nothing_is_sent(post: Post) -> None:
    await post.offer_all()
    await post.rows("UPDATE llm_batch_items SET deadline_at = now() - interval '1 second' RETURNING 1")
    assert await post.offer_all() == [None] * 3
    await post.batching().tick()
    assert post.provider.batches == {}


async def test_what_waited_too_long_holds_nobody_off_its_key(post: Post) -> None:
    """Neither the next one who wants the same reply, nor after a round anything at all."""
    await post.offer_all()
    await post.rows("UPDATE llm_batch_items SET deadline_at = now() - interval '1 second' RETURNING 1")
    assert await post.offer(0, submission=1) is not None
    await post.batching(least=9).tick()
    assert await post.rows("SELECT state FROM llm_batch_items ORDER BY state") == [
        ("expired",), ("expired",), ("expired",), ("waiting",),
    ]  # fmt: skip


async def test_a_reply_that_is_journalled_already_is_not_waited_for(post: Post) -> None:
    wanted = post.wish(0).wanted
    standing = await post.journal.begin(wanted, lease_seconds=9, fresh_seconds=9)
    assert isinstance(standing, Yours)
    await post.journal.answer(wanted, standing.token, Answered("good", "cloud", "model-1", "v"))
    assert await post.offer(0, submission=1) is None
    assert await post.rows("SELECT state FROM llm_batch_items") == []
    await post.rows("UPDATE llm_replies SET answered_at = now() - interval '700 seconds' RETURNING 1")
    assert await post.offer(0) is None, "its own is good however old it is"
    assert await post.offer(0, submission=1) is not None


async def test_who_waits_for_anothers_request_looks_while_the_reply_is_fresh(post: Post) -> None:
    assert [await post.offer(0, submission=who) for who in (0, 1)] == [
        pytest.approx(3_000, abs=60), 300.0,
    ]  # fmt: skip
    for _ in range(2):
        await post.batching().tick()
    assert [await post.offer(0, submission=who) for who in (0, 1)] == [None, None]
    assert post.provider.billed == ["q-0"]


async def test_a_reply_that_is_there_and_not_yet_journalled_serves_others_too(post: Post) -> None:
    """Who it was laid for has not come for it yet, and whoever asks meanwhile neither waits nor pays."""
    await post.offer(0)
    for _ in range(2):
        await post.batching().tick()
    assert await post.offer(0, submission=1) is None
    assert await post.rows("SELECT state FROM llm_batch_items") == [("answered",)]
    assert await post.journalled(0) == "good"


async def test_what_is_laid_down_while_a_reply_comes_is_taken_up_again(post: Post) -> None:
    """Nothing was known of it a moment before."""
    await post.offer(0)
    for _ in range(2):
        await post.batching().tick()
    wish = post.wish(0, submission=1)
    request = {**wanted_row(wish.wanted, TERMS), **request_row(request_of(wish, ROUTE))}
    async with post.engine.begin() as connection:
        row = await lay_down(connection, request)
    assert row is not None
    assert (row.state, row.own) == ("answered", False)
    assert await post.rows("SELECT state FROM llm_batch_items") == [("answered",)]


async def test_a_reply_that_nobody_came_for_serves_others_while_it_is_fresh(post: Post) -> None:
    await post.offer(0)
    for _ in range(2):
        await post.batching().tick()
    await post.rows("UPDATE llm_batches SET finished_at = now() - interval '700 seconds' RETURNING 1")
    assert await post.offer(0, submission=1) is not None
    assert await post.offer(0) is None


async def test_a_reply_of_ones_own_is_used_where_anothers_is_not_fresh_any_more(post: Post) -> None:
    """It was paid for, so it is put in the place of what is journalled."""
    await post.offer(0)
    for _ in range(2):
        await post.batching().tick()
    theirs = post.wish(0, submission=1).wanted
    standing = await post.journal.begin(theirs, lease_seconds=9, fresh_seconds=9)
    assert isinstance(standing, Yours)
    await post.journal.answer(theirs, standing.token, Answered("good", "cloud", "model-1", "v"))
    await post.rows("UPDATE llm_replies SET answered_at = now() - interval '700 seconds' RETURNING 1")
    assert await post.offer(0) is None
    found = await post.journal.begin(post.wish(0).wanted, lease_seconds=9, fresh_seconds=600)
    assert isinstance(found, Answered)


async def test_what_was_written_live_meanwhile_is_not_sent(post: Post) -> None:
    """Somebody in a hurry needed the same text; who waits for it is told at once."""
    await post.offer_all()
    await post.put_off()
    wanted = post.wish(0, submission=1).wanted
    standing = await post.journal.begin(wanted, lease_seconds=9, fresh_seconds=9)
    assert isinstance(standing, Yours)
    await post.journal.answer(wanted, standing.token, Answered("good", "cloud", "model-1", "v"))
    await post.batching().tick()
    assert post.provider.billed == ["q-1", "q-2"]
    assert post.rung == [post.ids[0]]
    assert await post.offer(0) is None


async def test_where_nobody_can_be_woken_batches_go_on_all_the_same(post: Post) -> None:
    """Redis is away; those who are due now are found by the sweeper."""
    await post.offer_all()
    await post.put_off()
    wanted = post.wish(0, submission=1).wanted
    standing = await post.journal.begin(wanted, lease_seconds=9, fresh_seconds=9)
    assert isinstance(standing, Yours)
    await post.journal.answer(wanted, standing.token, Answered("good", "cloud", "model-1", "v"))
    post.deaf = True
    for _ in range(2):
        await post.batching().tick()
    assert await post.rows("SELECT state FROM llm_batches") == [("done",)]
    assert await post.due() == sorted(post.ids)


async def test_nobody_waits_longer_for_having_waited_for_another_first(post: Post) -> None:
    """The other one's request expired; what is left of the time since it was handed in is all there is."""
    post.provider.replies["q-0"] = None
    for who in (0, 1):
        await post.offer(0, submission=who)
    for _ in range(2):
        await post.batching().tick()
    await post.rows("UPDATE submissions SET created_at = now() - interval '1000 seconds' RETURNING 1")
    assert await post.offer(0, submission=1) == pytest.approx(2_000, abs=60)
    await post.rows("UPDATE submissions SET created_at = now() - interval '3001 seconds' RETURNING 1")
    assert await post.offer(0, submission=2) is None


@pytest.mark.parametrize("sent", [False, True], ids=["unsure whether it arrived", "unreadable"])
async def test_a_batch_of_which_nothing_is_ever_heard_is_given_up(post: Post, *, sent: bool) -> None:
    """Its account may be another one by now; its keys are free then, and what it may have cost stays booked."""
    await post.offer_all()
    await post.batching().tick()
    if sent:
        post.provider.garbled = set(post.provider.batches)
    else:
        await post.rows("UPDATE llm_batches SET state = 'sending', remote_id = NULL, sent_at = NULL RETURNING 1")
        post.provider.unsure = True
    await post.batching().tick()
    assert await post.rows("SELECT state FROM llm_batches") == [("sent" if sent else "sending",)]
    await post.rows("UPDATE llm_batches SET tried_at = now() - interval '73 hours' RETURNING 1")
    await post.batching().tick()
    assert await post.rows("SELECT DISTINCT state FROM llm_batch_items") == [("failed",)]
    assert await post.offer_all() == [None] * 3
    assert await post.ledger.close_lost(older_seconds=-1, most=9) == 3
    assert await post.rows("SELECT DISTINCT state, cost FROM llm_attempts") == [("lost", 500)]


@pytest.mark.parametrize(
    ("reply", "cost"),
    [
        (None, 0),
        (Failed(Trouble.SERVER_ERROR, "it failed"), 0),
        (Failed(Trouble.TRUNCATED, "too long", usage=USAGE), 100),
        (Completion("bad", USAGE, "model-1"), 100),
        (Failed(Trouble.UNREADABLE, "DecodeError"), 500),
    ],
    ids=["expired", "failed", "failed and billed", "bad", "unreadable"],
)
async def test_what_came_to_nothing_is_asked_for_live_and_only_what_was_written_is_paid(
    post: Post, reply: Reply | None, cost: int
) -> None:
    post.provider.replies["q-1"] = reply
    await post.offer_all()
    for _ in range(2):
        await post.batching().tick()
    assert await post.offer_all() == [None] * 3
    assert [await post.journalled(place) for place in range(3)] == ["good", None, "good"]
    [(spent,)] = await post.rows("SELECT sum(cost)::int FROM llm_attempts WHERE question_id = 'q-1'")
    assert spent == cost


async def test_a_batch_that_is_listed_late_is_not_sent_again(post: Post) -> None:
    """Its answer was lost, and for some minutes the provider's list does not hold it either."""
    post.sure_after_seconds = SURE_AFTER_SECONDS
    await post.offer_all()
    post.provider.answers = post.provider.lists = False
    for _ in range(3):
        await post.batching().tick()
    post.provider.answers = post.provider.lists = True
    for _ in range(2):
        await post.batching().tick()
    assert post.provider.billed == ["q-0", "q-1", "q-2"]
    assert await post.offer_all() == [None] * 3
    assert await post.journalled(0) == "good"


async def test_where_arrival_is_unsure_nothing_is_sent_again(post: Post) -> None:
    await post.offer_all()
    post.provider.answers, post.provider.unsure = False, True
    for _ in range(3):
        await post.batching().tick()
    assert len(post.provider.batches) == 1
    post.provider.unsure = False
    for _ in range(2):
        await post.batching().tick()
    assert await post.offer_all() == [None] * 3
    assert post.provider.billed == ["q-0", "q-1", "q-2"]


async def test_a_batch_that_surely_did_not_arrive_is_sent_at_once(post: Post) -> None:
    post.sure_after_seconds = SURE_AFTER_SECONDS
    await post.offer_all()
    post.provider.away = True
    await post.batching().tick()
    assert await post.rows("SELECT tries, tried_at FROM llm_batches") == [(0, None)]
    post.provider.away = False
    await post.batching().tick()
    assert post.provider.billed == ["q-0", "q-1", "q-2"]


async def test_a_batch_that_is_lost_time_and_again_is_let_go(post: Post) -> None:
    """What it may have cost stays booked."""
    await post.offer_all()
    post.provider.answers = post.provider.lists = False
    for _ in range(MOST_TRIES):
        assert None not in await post.offer_all()
        await post.batching().tick()
    await post.batching().tick()
    assert len(post.provider.files) == MOST_TRIES
    assert await post.offer_all() == [None] * 3
    assert await post.rows("SELECT DISTINCT state FROM llm_attempts") == [("open",)]


async def test_what_is_given_up_is_not_sent_again_before(post: Post) -> None:
    """All processes were down for days, and who waits may do so for a week."""
    await post.offer_all()
    post.provider.answers = post.provider.lists = False
    await post.batching().tick()
    await post.rows("UPDATE llm_batches SET tried_at = now() - interval '73 hours' RETURNING 1")
    await post.batching().tick()
    assert len(post.provider.batches) == 1
    assert await post.offer_all() == [None] * 3


@pytest.mark.parametrize("step", ["takes", "refuses"])
async def test_a_batch_that_is_refused_costs_nothing_and_nobody_waits_for_it(post: Post, step: str) -> None:
    """Nor is it sent again and again: the provider will never take it."""
    await post.offer_all()
    await post.put_off()
    setattr(post.provider, step, Refused(400))
    for _ in range(3):
        await post.batching().tick()
    assert len(post.provider.files) == 1
    assert await post.due() == sorted(post.ids)
    assert await post.offer_all() == [None] * 3
    assert await post.rows("SELECT DISTINCT state, cost, cost_known FROM llm_attempts") == [("settled", 0, True)]
    assert await post.rows("SELECT spent FROM llm_budgets WHERE learner_id = ''") == [(0,)]


async def test_what_nobody_waits_for_any_more_is_not_sent_and_costs_nothing(post: Post) -> None:
    """The provider was away until those who waited had asked live."""
    await post.offer_all()
    post.provider.away = True
    await post.batching().tick()
    assert await post.rows("SELECT DISTINCT state FROM llm_attempts") == [("open",)]
    await post.rows(
        "UPDATE llm_batch_items SET deadline_at = now() - interval '1 second'"
        " WHERE prompt->>'question_id' <> 'q-2' RETURNING 1"
    )
    post.provider.away = False
    await post.batching().tick()
    assert post.provider.billed == ["q-2"]
    booked = await post.rows("SELECT question_id, state, cost FROM llm_attempts ORDER BY question_id")
    assert booked == [("q-0", "settled", 0), ("q-1", "settled", 0), ("q-2", "open", None)]


async def test_who_has_little_time_left_asks_live_at_once_instead_of_both_ways(post: Post) -> None:
    """A text that is sent minutes before its deadline would most likely be paid for twice."""
    await post.offer_all()
    await post.put_off()
    await post.rows(
        "UPDATE llm_batch_items SET deadline_at = now() + interval '20 minutes'"
        " WHERE prompt->>'question_id' <> 'q-2' RETURNING 1"
    )
    await post.batching().tick()
    assert post.provider.billed == ["q-2"]
    assert sorted(post.rung) == sorted(post.ids[:2])
    assert [wait is None for wait in await post.offer_all()] == [True, True, False]
    await post.rows("UPDATE submissions SET created_at = now() - interval '35 minutes' RETURNING 1")
    assert await post.offer(5, submission=0) is None


async def test_nothing_of_a_learner_is_sent_who_is_erased_meanwhile(post: Post) -> None:
    await post.offer_all()
    post.provider.meanwhile = lambda: ErasureStore(post.engine).erase_submissions(post.house.tenant_id, post.ids[:1])
    await post.batching().tick()
    assert post.provider.batches == {}
    await post.batching().tick()
    assert post.provider.billed == ["q-1", "q-2"]


async def test_what_was_written_for_a_learner_who_is_erased_meanwhile_is_paid_as_it_cost(post: Post) -> None:
    await post.offer_all()
    await post.batching().tick()
    await ErasureStore(post.engine).erase_submissions(post.house.tenant_id, post.ids)
    await post.batching().tick()
    assert await post.rows("SELECT state, cost, cost_known FROM llm_attempts") == [("settled", 100, True)] * 3
    assert await post.rows("SELECT state FROM llm_batch_items") == []


async def test_who_lost_the_lock_while_preparing_does_not_send_what_another_one_sends(post: Post) -> None:
    """The lock ends with a connection, of which its process may not know."""
    await post.offer_all()

    async def another() -> None:
        [batch] = await post.store.open()
        requests = await post.store.requests(batch.id)
        assert await post.store.begin(batch, [request.custom_id for request in requests], "file") is not None

    post.provider.meanwhile = another
    await post.batching().tick()
    assert post.provider.batches == {}
    assert await post.rows("SELECT tries, file_id FROM llm_batches") == [(1, "file")]


async def test_a_batch_that_its_provider_does_not_know_any_more_is_over_before_the_deadline(post: Post) -> None:
    await post.offer_all()
    await post.batching().tick()
    post.provider.unknown = True
    batching = post.batching()
    for _ in range(MOST_MISSES - 1):
        await batching.tick()
    assert None not in await post.offer_all()
    await batching.tick()
    assert await post.offer_all() == [None] * 3
    assert await post.rows("SELECT DISTINCT state FROM llm_attempts") == [("open",)]


async def test_a_batch_without_room_in_the_budget_is_not_sent_and_nobody_waits_for_it(post: Post) -> None:
    await post.offer_all()
    await post.put_off()
    post.policies.policy = Policy(batch=True, budgets=Budgets(tenant=1_100))
    await post.batching().tick()
    assert post.provider.billed == ["q-0", "q-1"]
    assert await post.due() == [post.ids[2]]
    assert [wait is None for wait in await post.offer_all()] == [False, False, True]


async def test_a_tenant_that_wants_no_batches_any_more_has_none_sent(post: Post) -> None:
    await post.offer_all()
    post.policies.policy = Policy(batch=False)
    await post.batching().tick()
    assert post.provider.batches == {}
    assert await post.offer_all() == [None] * 3


async def test_what_was_sent_before_is_used_all_the_same(post: Post) -> None:
    """It is paid for, whatever the tenant says meanwhile; but nothing is laid down anew."""
    assert await post.offer(2, anew=False) is None
    assert await post.rows("SELECT state FROM llm_batch_items") == []
    for place in range(2):
        await post.offer(place)
    await post.batching().tick()
    await post.offer(2)
    assert [wait is None for wait in await post.offer_all(anew=False)] == [False, False, True]
    post.policies.policy = Policy(batch=False)
    await post.batching().tick()
    assert await post.offer_all(anew=False) == [None] * 3
    assert [await post.journalled(place) for place in range(3)] == ["good", "good", None]


async def test_what_may_have_been_sent_is_waited_for_as_what_was(post: Post) -> None:
    """Its answer was lost, and then the tenant said that it wants no batches any more."""
    post.sure_after_seconds = SURE_AFTER_SECONDS
    await post.offer_all()
    post.provider.answers = post.provider.lists = False
    await post.batching().tick()
    assert None not in await post.offer_all(anew=False)


async def test_a_route_that_is_gone_holds_nobody(post: Post) -> None:
    """Gone it is when no process has known it for an hour: the first to be told, or the last, says nothing."""
    await post.offer_all()
    post.provider.done = False
    await post.batching().tick()
    await post.batching(routes=False).tick()
    assert None not in await post.offer_all()
    await post.rows("UPDATE llm_batches SET polled_at = now() - interval '61 minutes' RETURNING 1")
    await post.batching(routes=False).tick()
    assert await post.offer_all() == [None] * 3


async def test_a_batch_that_cannot_be_read_keeps_no_other_from_its_replies(post: Post) -> None:
    await post.offer(0)
    await post.batching().tick()
    post.provider.garbled = set(post.provider.batches)
    await post.offer(1)
    for _ in range(2):
        await post.batching().tick()
    assert [await post.offer(place) is None for place in range(2)] == [False, True]
    assert await post.journalled(1) == "good"


async def test_who_ends_a_wait_and_who_erases_its_learner_never_wait_for_each_other(post: Post) -> None:
    """Both hold the request first, then the stage; in a circle Postgres would break one of them off."""
    await post.offer_all()
    await post.put_off()
    async with post.engine.begin() as ending, post.engine.connect() as watching:
        await ending.execute(text("UPDATE llm_batch_items SET state = 'expired'"))
        erasing = asyncio.create_task(ErasureStore(post.engine).erase_submissions(post.house.tenant_id, post.ids))
        await somebody_waits(watching)
        await ending.execute(text("UPDATE stages SET available_at = now() WHERE stage = 'feedback'"))
    await erasing
    assert await post.rows("SELECT state FROM llm_batch_items") == []


async def somebody_waits(connection: AsyncConnection) -> None:
    """Until somebody waits for a row that somebody else holds."""
    waiting = text("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock')")
    async with asyncio.timeout(20):
        while not (await connection.execute(waiting)).scalar_one():
            await connection.rollback()  # or the same picture is shown again


@pytest.mark.parametrize("at", [0, 2])
async def test_results_that_break_off_are_read_on_in_the_next_round(post: Post, at: int) -> None:
    """Nothing is over before, and what was taken in is not settled again."""
    await post.offer_all()
    await post.batching().tick()
    post.provider.breaks_off_at = at
    await post.batching().tick()
    states = await post.rows("SELECT state FROM llm_batch_items ORDER BY state")
    assert states == [("answered",)] * at + [("sent",)] * (3 - at)
    await post.batching().tick()
    assert await post.offer_all() == [None] * 3
    assert await post.rows("SELECT state, cost FROM llm_attempts") == [("settled", 100)] * 3


async def test_a_round_may_take_longer_than_a_statement(database_url: str) -> None:
    """Thousands of lines come and go in it; broken off by a clock it would begin anew for ever."""
    hasty = create_engine(database_url, pool_size=1, answer_seconds=0.05)
    async with BatchStore(hasty).alone() as ours:
        assert ours
        await asyncio.sleep(0.1)
    await hasty.dispose()


async def test_two_processes_never_send_at_the_same_time(post: Post) -> None:
    await post.offer_all()
    async with post.store.alone() as ours:
        assert ours
        await post.batching().tick()
        assert post.provider.batches == {}
    await asyncio.gather(*[post.batching().tick() for _ in range(3)])
    assert post.provider.billed == ["q-0", "q-1", "q-2"]


async def test_only_what_is_over_is_forgotten(post: Post) -> None:
    await post.offer_all()
    await post.rows("UPDATE llm_batch_items SET created_at = now() - interval '9 days' RETURNING 1")
    assert await post.store.forget(older_seconds=1_000, most=100) == 0
    for _ in range(2):
        await post.batching().tick()
    await post.rows("UPDATE llm_batch_items SET deadline_at = now() - interval '8 days' RETURNING 1")
    await post.rows("UPDATE llm_batches SET finished_at = now() - interval '8 days' RETURNING 1")
    assert await post.store.forget(older_seconds=1_000, most=100) == 3
    assert await post.rows("SELECT id FROM llm_batches") == []


async def test_a_round_leaves_the_connection_for_single_statements_to_others(database_url: str) -> None:
    """Or a round would wait for itself where there is but one such, and all claims of the process with it."""
    engine = create_engine(database_url, pool_size=2, alone=1, pool_wait_seconds=0.1)
    try:
        async with BatchStore(engine).alone() as ours, statement(engine) as connection:
            assert ours
            assert (await connection.execute(text("SELECT 1"))).scalar_one() == 1
    finally:
        await engine.dispose()
