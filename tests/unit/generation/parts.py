"""Small parts to try the orchestration of generations with: providers that answer as told, and what they saw."""

from asyncio import CancelledError
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

from pipeline.errors import Unavailable
from pipeline.exchange import Completion, Failed, Prompt, Purpose, Reply, Route, Trouble, Usage
from pipeline.generation.assignment import Assignment, Judged, Seat
from pipeline.ports.generation import Attempt, Budgets, Held, Settlement, Spent, Tell

PROMPT = Prompt("feedback/personalized/en@1", "Be kind.", "The facts.", "reply", {"type": "object"}, 300)
BROKEN_OFF = "it failed while it wrote"
GOOD = Completion("good", Usage(10, 0, 0, 5, 0), "model-1")


def route(provider: str = "first", *, weight: int = 1, timeout_seconds: float = 30.0) -> Route:
    return Route(
        provider, "openai", "model-1", f"account-of-{provider}", weight=weight, timeout_seconds=timeout_seconds
    )


def failed(trouble: Trouble, retry_after_seconds: float | None = None) -> Failed:
    return Failed(trouble, "it failed", retry_after_seconds=retry_after_seconds)


def assignment(*routes: Route) -> Assignment:
    return Assignment(
        tenant_id=1,
        learner_id="ann",
        submission_id="s",
        question_id="q",
        purpose=Purpose.FEEDBACK,
        arm=None,
        prompt=PROMPT,
        user="hash",
        key="key",
        routes=routes,
        budgets=Budgets(),
        judge=judged,
    )


def judged(text: str) -> Judged:
    if text == "odd":
        raise RecursionError
    return Judged("it is bad.") if text == "bad" else Judged(cut_quotations=1)


@dataclass
class Clock:
    now: float = 0.0
    rests: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    async def rest(self, seconds: float) -> None:
        self.rests.append(seconds)
        self.now += seconds


@dataclass
class Scripted:
    """A provider that gives these replies one after the other, the last one for ever."""

    route: Route
    replies: deque[Reply | BaseException]
    clock: Clock
    takes_seconds: float = 0.1
    asked: list[Prompt] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    async def send(self, prompt: Prompt, *, user: str, key: str, seconds: float, tell: Tell | None = None) -> Reply:
        assert user == "hash"
        self.asked.append(prompt)
        self.keys.append(key)
        self.seconds.append(seconds)
        self.clock.now += self.takes_seconds
        reply = self.replies.popleft() if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, BaseException):
            raise reply
        if tell is not None and self.writes(reply):
            await tell("piece")
        return reply

    def writes(self, reply: Reply) -> bool:
        """Whether text came before this reply, good or not."""
        return isinstance(reply, Completion) or reply.detail == BROKEN_OFF

    async def close(self) -> None: ...


def scripted(name: str, clock: Clock, replies: Iterable[Reply | BaseException]) -> Scripted:
    return Scripted(route(name), deque(replies), clock)


@dataclass
class OpenSeat:
    reports: list[tuple[Trouble | None, float | None]]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None: ...

    def report(self, trouble: Trouble | None, rest_seconds: float | None = None) -> None:
        self.reports.append((trouble, rest_seconds))


@dataclass
class OpenGate:
    """Lets everybody in but where it was told to hold; queueing takes `queue_seconds`."""

    clock: Clock
    held: dict[str, deque[Held]] = field(default_factory=dict)
    queue_seconds: float = 0.0
    reports: list[tuple[Trouble | None, float | None]] = field(default_factory=list)

    async def enter(self, route: Route, seconds: float) -> Seat | Held:
        assert seconds > 0
        self.clock.now += self.queue_seconds
        waiting = self.held.get(route.provider)
        return waiting.popleft() if waiting else OpenSeat(self.reports)


@dataclass
class Book:
    """A ledger that refuses what is over a budget of so many nanodollars, and remembers everything.

    So many times it cannot be reached to settle; where `stopped`, whoever reserves is stopped when it is booked.
    """

    tenant_budget: int | None = None
    away: int = 0
    attempts: list[Attempt] = field(default_factory=list)
    settlements: list[Settlement] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)
    stopped: bool = False

    async def reserve(self, attempt: Attempt, budgets: Budgets) -> Spent | None:
        assert budgets == Budgets()
        if self.tenant_budget is not None and attempt.estimate > self.tenant_budget:
            return Spent("tenant", self.tenant_budget)
        self.attempts.append(attempt)
        if self.stopped:
            raise CancelledError
        return None

    async def withdraw(self, attempt_id: str) -> None:
        self.withdrawn.append(attempt_id)

    async def settle(self, settlement: Settlement) -> None:
        if self.away:
            self.away -= 1
            raise Unavailable("Postgres is away")
        self.settlements.append(settlement)

    async def close_lost(self, *, older_seconds: float, most: int) -> int:
        raise NotImplementedError

    async def note_served(self, tenant_id: int, arm: str | None, purpose: Purpose, provider: str) -> None:
        raise NotImplementedError


class FlatMeter:
    """A token costs one nanodollar; a request is estimated at 100, and nothing at the provider called `local`."""

    def estimate(self, route: Route, prompt: Prompt) -> int:
        del prompt
        return 0 if route.provider == "local" else 100

    def cost(self, route: Route, usage: Usage, model: str | None) -> tuple[int, bool]:
        del route, model
        return usage.input_tokens + usage.output_tokens, True


@dataclass
class Heard:
    """What was told while it was written: pieces, and `anew` where it began again."""

    said: list[str] = field(default_factory=list)

    async def piece(self, text: str) -> None:
        self.said.append(text)

    async def anew(self) -> None:
        self.said.append("anew")
