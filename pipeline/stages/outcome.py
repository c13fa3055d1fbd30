"""What a stage may answer for one submission. Outcomes are values; exceptions are for surprises."""

from collections.abc import Mapping

import msgspec

from pipeline.model import JsonValue

Body = Mapping[str, JsonValue] | msgspec.Struct
"""A stage's result as it is stored: whatever becomes a JSON object."""


class Done(msgspec.Struct, frozen=True, tag=True):
    """The stage did what was asked; `body` is its result."""

    body: Body


class Degraded(msgspec.Struct, frozen=True, tag=True):
    """The stage finished with less than was asked for; `body` says so."""

    body: Body
    reason: str


class RetryLater(msgspec.Struct, frozen=True, tag=True):
    """This attempt failed and another may succeed; `delay_seconds` overrides the usual back-off."""

    error: str
    traceback: str | None = None
    delay_seconds: float | None = None


class Rejected(msgspec.Struct, frozen=True, tag=True):
    """No attempt can succeed: the stage is dead at once."""

    error: str
    traceback: str | None = None


class Deferred(msgspec.Struct, frozen=True, tag=True):
    """Nothing failed: the stage waits for something that comes by itself, and looks again in `seconds` at the latest.

    It is not held against the submission, however often.
    """

    seconds: float
    reason: str


Outcome = Done | Degraded | RetryLater | Rejected | Deferred
