"""What a fault is: a value that says what breaks, what is promised all the same, and how to bring it about."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Literal

import msgspec

from tests.chaos.keeper import Ending
from tests.chaos.load import Load, School
from tests.chaos.system import System

Moment = float
"""Seconds since 1970, by the one clock of this machine, which is Postgres' as well."""


class Skipped(Exception):
    """This fault cannot be brought about on this machine; the text says why."""


class Violation(msgspec.Struct, frozen=True):
    """A promise that was broken."""

    kind: Literal["lost", "doubled", "broken"]
    text: str


class Trial(msgspec.Struct, frozen=True):
    """One fault as it went: what checks of a fault look at."""

    system: System
    school: School
    load: Load
    began: Moment
    cleared: Moment
    endings: tuple[Ending, ...]
    """How processes ended that the keeper had to start again since the fault began."""


Inject = Callable[[System], Awaitable[Moment]]
"""Brings the fault about and clears it; the moment from which recovery counts."""
Scene = Callable[[System], AbstractAsyncContextManager[None]]
"""What the system has to be like before, during and after the fault, if not as it is shipped."""
Check = Callable[[Trial], Awaitable[Iterable[Violation]]]


@asynccontextmanager
async def as_shipped(_: System) -> AsyncIterator[None]:
    """Nothing special."""
    yield


class Fault(msgspec.Struct, frozen=True):
    """A fault, and what holds all the same."""

    name: str
    title: str
    promise: str
    rests_on: str
    inject: Inject
    resumes_within: float | None = None
    """Seconds from clearing to the first submission that is completed after it."""
    drains_within: float | None = None
    """Seconds from clearing until everything accepted before it is final."""
    short: bool = False
    """Whether the short run has it."""
    touches: str | None = None
    """What it breaks, if it may overlap with faults of something else in a random combination."""
    scene: Scene = as_shipped
    checks: tuple[Check, ...] = ()
    """What this fault promises beyond what always holds."""
