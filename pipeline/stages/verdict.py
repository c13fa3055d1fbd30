"""From a stage's outcome to what is written: the one place where retry-or-bury is decided."""

import random
from typing import assert_never

import msgspec

from pipeline.lifecycle import Event
from pipeline.model import Claim
from pipeline.stages.outcome import Body, Deferred, Degraded, Done, Outcome, Rejected, RetryLater


class RetryPolicy(msgspec.Struct, frozen=True):
    """At most `max_attempts` attempts; full jitter under `base_seconds · 2^(attempt-1)`, at most `cap_seconds`.

    Full jitter after M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """

    max_attempts: int
    base_seconds: float
    cap_seconds: float


class Verdict(msgspec.Struct, frozen=True):
    """What will be written for one claim: the event that happens to its stage and what goes with it.

    `body` is stored as the result of a success; `error` and `traceback` go to the attempt history;
    `delay_seconds` is how long a postponed stage rests.
    """

    claim: Claim
    event: Event
    body: Body | None = None
    error: str | None = None
    traceback: str | None = None
    delay_seconds: float = 0.0


def judge(claim: Claim, outcome: Outcome, policy: RetryPolicy, random_fraction: float | None = None) -> Verdict:
    """Decide what an outcome means for its stage; `random_fraction` in [0, 1) is the jitter, rolled where not given."""
    match outcome:
        case Done(body=body):
            return Verdict(claim, Event.SUCCEEDED, body=body)
        case Degraded(body=body):
            return Verdict(claim, Event.SUCCEEDED_WITH_LESS, body=body)
        case Rejected(error=error, traceback=traceback):
            return Verdict(claim, Event.EXHAUSTED, error=error, traceback=traceback)
        case Deferred(seconds=seconds, reason=reason):
            return Verdict(claim, Event.GAVE_BACK, error=reason, delay_seconds=seconds)
        case RetryLater(error=error, traceback=traceback):
            if claim.attempt >= policy.max_attempts:
                return Verdict(claim, Event.EXHAUSTED, error=error, traceback=traceback)
            delay = outcome.delay_seconds
            if delay is None:
                delay = backoff_seconds(claim.attempt, policy, jitter() if random_fraction is None else random_fraction)
            return Verdict(claim, Event.POSTPONED, error=error, traceback=traceback, delay_seconds=delay)
        case _:
            assert_never(outcome)


def backoff_seconds(attempt: int, policy: RetryPolicy, random_fraction: float) -> float:
    """The rest after the `attempt`-th failure (1 is the first), in seconds."""
    ceiling = min(policy.cap_seconds, policy.base_seconds * 2.0 ** min(attempt - 1, 30))
    return ceiling * random_fraction


def jitter() -> float:
    """A random fraction for `judge`; nothing secret depends on it."""
    return random.random()  # noqa: S311 - spreads retries in time
