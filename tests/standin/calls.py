"""What the stand-in saw, and what it booked."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import msgspec

from tests.standin.script import Fault


class Tokens(msgspec.Struct, frozen=True):
    """A quarter of the characters; cached are those of a static part that this key has sent before."""

    input: int = 0
    cached: int = 0
    cache_write: int = 0
    output: int = 0


class Call(msgspec.Struct):
    """One request. `booked` is what was used, if the model ran; `reported` tells whether the client could learn it."""

    number: int
    wire: str
    request_id: str
    model: str
    key: str | None
    idempotency_key: str | None
    user: str | None
    streamed: bool
    headers: dict[str, str]
    body: Any
    connection: int = 0
    fault: Fault | None = None
    status: int | None = None
    booked: Tokens | None = None
    reported: bool = False
    whole: bool = False
    began: float = 0.0
    ended: float | None = None


class Record:
    """All calls since the beginning or the last reset."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.under_way = 0
        self.most_at_once = 0
        self._prefixes: set[tuple[str | None, str, str]] = set()
        self._changed = asyncio.Event()

    async def until(self, holds: Callable[["Record"], bool]) -> None:
        """Wait until something is so, at most ten seconds."""
        async with asyncio.timeout(10):
            while not holds(self):
                await self._changed.wait()

    def _change(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def enter(self, call: Call, came_at: float) -> None:
        """A call begins, whose request came at this moment of the monotonic clock."""
        call.began = came_at
        self.calls.append(call)
        self.under_way += 1
        self.most_at_once = max(self.most_at_once, self.under_way)
        self._change()

    def leave(self, call: Call) -> None:
        """A call is over; the same again changes nothing."""
        if call.ended is None:
            call.ended = time.monotonic()
            self.under_way -= 1
            self._change()

    def tokens(self, call: Call, system: str, rest: str, written: str) -> Tokens:
        """What a call uses; the second one of a key and model with the same static part finds it cached."""
        prefix = (call.key, call.model, system)
        static = quarter(system)
        known = prefix in self._prefixes
        self._prefixes.add(prefix)
        return Tokens(
            input=static + quarter(rest),
            cached=static if known else 0,
            cache_write=0 if known else static,
            output=quarter(written),
        )

    def summary(self, *, bodies: bool = False) -> dict[str, Any]:
        """For `GET /_calls`."""
        reported = [call.booked for call in self.calls if call.booked and call.reported]
        hidden = () if bodies else ("body", "headers")
        calls: list[dict[str, Any]] = msgspec.to_builtins(self.calls)
        return {
            "count": len(self.calls),
            "under_way": self.under_way,
            "most_at_once": self.most_at_once,
            "reported": {
                "calls": len(reported),
                "input": sum(tokens.input for tokens in reported),
                "cached": sum(tokens.cached for tokens in reported),
                "cache_write": sum(tokens.cache_write for tokens in reported),
                "output": sum(tokens.output for tokens in reported),
            },
            "calls": [{name: value for name, value in call.items() if name not in hidden} for call in calls],
        }


def quarter(text: str) -> int:
    """How many tokens a text is here."""
    return (len(text) + 3) // 4
