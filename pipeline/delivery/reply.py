"""What came of sending a webhook, and what that means for its delivery."""

from enum import StrEnum
from typing import Final, assert_never

import msgspec

GONE: Final = 410
SCHEDULE_SECONDS: Final = (5.0, 30.0, 120.0, 600.0, 1_800.0, 3_600.0, 7_200.0)
JITTER: Final = 0.2


class DeliveryState(StrEnum):
    """Where a delivery stands. `ready` waits for its (next) try, `dead` was given up."""

    READY = "ready"
    RUNNING = "running"
    DELIVERED = "delivered"
    DEAD = "dead"


class Message(msgspec.Struct, frozen=True):
    """One webhook to send: `id` and `payload` stay the same however often it is sent."""

    id: str
    url: str
    payload: str
    secret: str


class Answered(msgspec.Struct, frozen=True):
    """The receiver answered with this HTTP status, and perhaps with when to come back."""

    status: int
    retry_after_seconds: float | None = None

    @property
    def taken(self) -> bool:
        return 200 <= self.status <= 299  # noqa: PLR2004 - the class of success in RFC 9110


class Failed(msgspec.Struct, frozen=True):
    """No answer came; another try may fare better."""

    error: str


class Refused(msgspec.Struct, frozen=True):
    """We may not send it there, or not any more; no other try is made."""

    error: str


Reply = Answered | Failed | Refused


class DeliveryPolicy(msgspec.Struct, frozen=True):
    """After the n-th failed try rest for the n-th of `schedule_seconds`, the last one repeating; give up in the end.

    The last try happens `give_up_seconds` after the delivery was queued, or a little later.
    """

    give_up_seconds: float
    schedule_seconds: tuple[float, ...] = SCHEDULE_SECONDS


class DeliveryVerdict(msgspec.Struct, frozen=True):
    """What a reply means: the delivery's next state, its rest if it is `ready`, and what the ledger says.

    `disable` ends the endpoint's subscription: it answered that it is gone for good.
    """

    state: DeliveryState
    delay_seconds: float = 0.0
    status: int | None = None
    error: str | None = None
    disable: bool = False


def judge(
    reply: Reply, *, attempt: int, age_seconds: float, policy: DeliveryPolicy, random_fraction: float
) -> DeliveryVerdict:
    """Decide what a reply to the `attempt`-th try (1 is the first) means; `random_fraction` in [0, 1) is the jitter."""
    match reply:
        case Answered(taken=True):
            return DeliveryVerdict(DeliveryState.DELIVERED, status=reply.status)
        case Answered(status=410):
            return DeliveryVerdict(DeliveryState.DEAD, status=GONE, error="the receiver is gone for good", disable=True)
        case Answered():
            rest = rest_seconds(attempt, policy, random_fraction, at_least=reply.retry_after_seconds or 0.0)
            return again_or_dead(rest, age_seconds, policy, status=reply.status, error=described(reply.status))
        case Failed(error=error):
            rest = rest_seconds(attempt, policy, random_fraction)
            return again_or_dead(rest, age_seconds, policy, status=None, error=error)
        case Refused(error=error):
            return DeliveryVerdict(DeliveryState.DEAD, error=error)
        case _:
            assert_never(reply)


def described(status: int) -> str:
    if 300 <= status <= 399:  # noqa: PLR2004 - the class of redirection in RFC 9110
        return f"the receiver answered {status}; redirects are not followed"
    return f"the receiver answered {status}"


def rest_seconds(attempt: int, policy: DeliveryPolicy, random_fraction: float, *, at_least: float = 0.0) -> float:
    """The rest after a failed try: ±20 % around the schedule, or what the receiver asked for up to its longest rest."""
    schedule = policy.schedule_seconds
    planned = schedule[min(attempt, len(schedule)) - 1] * (1 - JITTER + 2 * JITTER * random_fraction)
    return max(planned, min(at_least, schedule[-1]))


def again_or_dead(
    rest: float, age_seconds: float, policy: DeliveryPolicy, *, status: int | None, error: str
) -> DeliveryVerdict:
    left = policy.give_up_seconds - age_seconds
    if left <= 0:
        return DeliveryVerdict(DeliveryState.DEAD, status=status, error=error)
    return DeliveryVerdict(DeliveryState.READY, min(rest, left), status=status, error=error)
