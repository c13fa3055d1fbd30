"""What one generation is about, and whom it needs on the way."""

from collections.abc import Awaitable, Callable
from typing import Protocol, Self

import msgspec

from pipeline.exchange import Prompt, Purpose, Route, Trouble, Usage
from pipeline.ports.generation import Budgets, Held


class Judged(msgspec.Struct, frozen=True):
    """What we make of a reply: None, or what is wrong with it, in words for the model that quote nobody."""

    problem: str | None = None
    cut_quotations: int = 0


class Assignment(msgspec.Struct, frozen=True):
    """One text to ask for: for whom, what for, with which words, and who may be asked, in order.

    `user` is the learner as a hash; `key` stands for the text; `judge` accepts a reply or says why not.
    """

    tenant_id: int
    learner_id: str | None
    submission_id: str | None
    question_id: str | None
    purpose: Purpose
    arm: str | None
    prompt: Prompt
    user: str
    key: str
    routes: tuple[Route, ...]
    budgets: Budgets
    judge: Callable[[str], Judged]


class Written(msgspec.Struct, frozen=True):
    """An accepted text, and who wrote it; `paid` is False where it was paid for before."""

    text: str
    provider: str
    model: str
    prompt_version: str
    paid: bool = True


class Unwritten(msgspec.Struct, frozen=True):
    """Nobody wrote it. `reason` is one word for people and charts; `details` name each provider and its trouble."""

    reason: str
    details: tuple[str, ...] = ()


Keep = Callable[[Written], Awaitable[None]]
"""Keeps an accepted text, so that nobody pays for it again."""


class Meter(Protocol):
    """What calls cost, in nanodollars."""

    def estimate(self, route: Route, prompt: Prompt) -> int:
        """The most that a request can cost."""
        ...

    def cost(self, route: Route, usage: Usage, model: str | None) -> tuple[int, bool]:
        """What it did cost, and whether the price is known."""
        ...


class Seat(Protocol):
    """A place among the requests under way: kept while the context lasts, given back with what was reported."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *_: object) -> None: ...

    def report(self, trouble: Trouble | None, rest_seconds: float | None = None) -> None:
        """How the request went; after a rate limit, how long everyone shall rest."""
        ...


class Gate(Protocol):
    """Lets requests of this process through, first come first served, as far as the providers' health allows."""

    async def enter(self, route: Route, seconds: float) -> Seat | Held:
        """A place, waited for at most `seconds` where all are taken; `Held` where it would be no use to wait here."""
        ...


class Telling(Protocol):
    """Whoever shows a text while it is written."""

    async def piece(self, text: str) -> None:
        """More of the raw reply."""
        ...

    async def anew(self) -> None:
        """What was written so far is void; another request begins."""
        ...


class Asking(Protocol):
    """Whoever gets a text from the providers."""

    async def ask(
        self, assignment: Assignment, telling: Telling | None = None, keep: Keep | None = None
    ) -> Written | Unwritten:
        """A text, or why there is none; a text is kept by the time it is returned."""
        ...
