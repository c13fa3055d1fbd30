"""Runs a failure through the real author, flights and asker, the real SDKs, HTTP, Postgres and Valkey.

Only time is handed in: rests pass at once, on a clock that Valkey's scripts read as well, and all dice show a half.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import msgspec
from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.exchange import Route
from pipeline.generation.asking import Asker
from pipeline.generation.author import Author
from pipeline.generation.flight import Flights
from pipeline.generation.waiting import FairGate
from pipeline.live.client import create_client
from pipeline.live.deltas import RedisDeltas
from pipeline.live.health import RedisHealth
from pipeline.live.local_health import HealthPolicy
from pipeline.llm.build import build_provider
from pipeline.llm.template import TemplateProvider
from pipeline.metering.price import PriceList
from pipeline.model import Answer, AnswerScore, Outcome, Question, ScoredAnswer
from pipeline.ports.generation import Policy, Provider
from pipeline.prompting.feedback import Feedback, FeedbackRequest
from pipeline.store.assignment import AssignmentStore
from pipeline.store.background import BackgroundStore
from pipeline.store.engine import create_engine, transaction
from pipeline.store.journal import JournalStore
from pipeline.store.ledger import LedgerStore
from pipeline.store.policy import PolicyStore
from pipeline.store.submission import IntakeStore
from tests.failures.cases import ESTIMATE, FAILURES, NOTHING, REPORTED, WIRES, Expected, Failure
from tests.samples import a_hand_in, new_tenant, stored_questions
from tests.standin.script import Rule
from tests.standin.server import StandIn, standing_in

HALF: Final = 0.5
NOW: Final = "failures:now"
READ_NOW: Final = f"local function clock() return tonumber(redis.call('GET', '{NOW}')) end\n"
BEGAN: Final = 1_000.0
ANSWER: Final = "it repeats until I stop it"
QUESTION: Final = Question("loops", 1, "short_text", "What does a loop do?", {"accepted": ["repeat"]})
WRONG: Final = ScoredAnswer(Answer(QUESTION, ANSWER), AnswerScore(Outcome.INCORRECT, 0.0, 0.0, 1.0, "short_text/1"))
ROUTES: Final = ("first", "second")
MODELS: Final = {"chat": "gpt-6-luna", "responses": "gpt-6-luna", "messages": "claude-haiku-5-5"}
ATTEMPTS: Final = text(
    "SELECT provider, state, cost, cost_known, estimate, trouble FROM llm_attempts WHERE tenant_id = :tenant_id"
)


class Measured(msgspec.Struct, frozen=True):
    """What a failure came to where the first provider fails, and where both do; `reason` is told in the latter."""

    wire: str
    failure: str
    first: Expected
    alone: Expected
    reason: str | None


class Hours:
    """A clock that only rests move, in seconds; Valkey's scripts read it too."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self.now = BEGAN
        self.rested = 0.0

    async def start(self) -> None:
        self.now, self.rested = BEGAN, 0.0
        await self._redis.flushdb()
        await self._show()

    async def rest(self, seconds: float) -> None:
        self.now += seconds
        self.rested += seconds
        await self._show()

    async def _show(self) -> None:
        await self._redis.set(NOW, round(self.now * 1000))


class Bench:
    """Everything between an answer and its feedback, on one wire, with two stand-ins as providers."""

    def __init__(self, engine: AsyncEngine, redis: Redis, wire: str, first: StandIn, second: StandIn) -> None:
        self._engine, self._redis, self._wire = engine, redis, wire
        self.stand_ins: Final = {"first": first, "second": second}
        self._hours = Hours(redis)
        self._providers: dict[tuple[str, float], Provider] = {}

    async def measure(self, failure: Failure) -> Measured:
        first, _ = await self._run(failure, failing=("first",))
        alone, feedback = await self._run(failure, failing=("first", "second"))
        return Measured(self._wire, failure.name, first, alone, feedback.shortfall)

    async def _run(self, failure: Failure, failing: Sequence[str]) -> tuple[Expected, Feedback]:
        for name, stand_in in self.stand_ins.items():
            stand_in.reset()
            stand_in.play(*([msgspec.structs.replace(failure.rule)] if name in failing else [Rule()]))
        await self._hours.start()
        providers = [self._provider(name, failure.first_text_seconds if name in failing else 10.0) for name in ROUTES]
        tenant_id = await new_tenant(self._engine, f"{self._wire} {failure.name} {len(failing)}")
        feedback = await self._author(providers).write(await self._handed_in(tenant_id))
        counts = {name: len(stand_in.calls) for name, stand_in in self.stand_ins.items()}
        source = feedback.answers[0].provider if feedback.answers[0].model else "template"
        requests = counts["first"], counts["second"]
        return Expected(requests, self._hours.rested, source, await self._booked(tenant_id, sum(requests))), feedback

    def _provider(self, name: str, first_text_seconds: float) -> Provider:
        key = name, first_text_seconds
        if key not in self._providers:
            self._providers[key] = self._build(name, first_text_seconds)
        return self._providers[key]

    def _build(self, name: str, first_text_seconds: float) -> Provider:
        route = Route(
            provider=name,
            kind="anthropic" if self._wire == "messages" else "openai",
            model=MODELS[self._wire],
            account=f"account of {name}",
            weight=int(name == "first"),  # always asked first
            first_text_seconds=first_text_seconds,
            api="responses" if self._wire == "responses" else "chat",
        )
        url = self.stand_ins[name].url
        return build_provider(route, "sk-test", url if route.kind == "anthropic" else f"{url}/v1")

    def _author(self, providers: Sequence[Provider]) -> Author:
        engine, hours, ledger = self._engine, self._hours, LedgerStore(self._engine)
        policy = HealthPolicy()
        asker = Asker(
            providers={provider.route.name: provider for provider in providers},
            gate=FairGate(RedisHealth(self._redis, policy, draw=lambda: HALF, clock=READ_NOW)),
            ledger=ledger,
            meter=PriceList(),
            deadline_seconds=60.0,
            queue_seconds=60.0,
            clock=lambda: hours.now,
            jitter=lambda: HALF,
            rest=hours.rest,
        )
        return Author(
            templates=TemplateProvider(),
            flights=Flights(journal=JournalStore(engine), asker=asker, fresh_seconds=600.0, patience_seconds=60.0),
            policies=PolicyStore(engine, default=Policy()),
            backgrounds=BackgroundStore(engine),
            ledger=ledger,
            deltas=RedisDeltas(self._redis),
            assignments=AssignmentStore(engine),
            routes=[provider.route for provider in providers],
        )

    async def _handed_in(self, tenant_id: int) -> FeedbackRequest:
        questions = await stored_questions(self._engine, tenant_id, 1)
        hand_in = a_hand_in(tenant_id, questions)
        await IntakeStore(self._engine).accept([hand_in])
        return FeedbackRequest(tenant_id, hand_in.id, "en", (WRONG,), learner_id="ada")

    async def _booked(self, tenant_id: int, sent: int) -> str:
        """What failed requests were booked at; every request is in the ledger, settled."""
        async with transaction(self._engine) as connection:
            rows = (await connection.execute(ATTEMPTS, {"tenant_id": tenant_id})).all()
        assert len(rows) == sent
        assert all(row.state == "settled" for row in rows)
        [kind] = {booked(row.cost, row.estimate, known=row.cost_known) for row in rows if row.trouble}
        return kind

    async def close(self) -> None:
        for provider in self._providers.values():
            await provider.close()


def booked(cost: int, estimate: int, *, known: bool) -> str:
    """In words: what the ledger has for a failed request."""
    if known:
        return REPORTED if cost else NOTHING
    assert cost == estimate
    return ESTIMATE


async def measure_all(database_url: str, redis_url: str) -> list[Measured]:
    """Every failure on every wire."""
    async with servers(database_url, redis_url) as (engine, redis):
        return [one for wire in WIRES for one in await on_wire(engine, redis, wire)]


async def on_wire(engine: AsyncEngine, redis: Redis, wire: str) -> list[Measured]:
    async with standing_in() as first, standing_in() as second:
        bench = Bench(engine, redis, wire, first, second)
        try:
            return [await bench.measure(failure) for failure in FAILURES]
        finally:
            await bench.close()


@asynccontextmanager
async def servers(database_url: str, redis_url: str) -> AsyncIterator[tuple[AsyncEngine, Redis]]:
    engine, redis = create_engine(database_url, pool_size=4, pool_wait_seconds=30), create_client(redis_url)
    try:
        yield engine, redis
    finally:
        await redis.aclose()
        await engine.dispose()
