"""Along the chain of providers: what to do after a call failed. Pure: one value in, the next one out."""

from collections.abc import Sequence
from types import MappingProxyType
from typing import Final

import msgspec

from pipeline.exchange import Failed, Prompt, Remedy, Route, Turn
from pipeline.ports.generation import Held

TRIES_PER_ROUTE: Final = 3
"""Requests to one provider for one text, the one that asks again after an invalid reply among them."""
REST_BASE_SECONDS: Final = 0.5
REST_CAP_SECONDS: Final = 8.0
REST_SHARE: Final = 0.5
"""So much of the time that is left may be spent resting, where there is another provider to go to."""

LEAST_REST_SECONDS: Final = 0.5
"""So long is rested at least before a held provider is asked for again: thousands may do so."""
OPEN_PATIENCE_SECONDS: Final = 6.0
"""A breaker that opens for no longer than this is waited for where nobody else is left to ask."""
HELD_REASONS: Final = MappingProxyType({"open": "breaker_open", "cooling": "cooling_down", "full": "busy"})

ASK_AGAIN: Final = (
    "That reply can't be used: {problem} Write it once more, as one JSON object after the schema and nothing else."
)


class Course(msgspec.Struct, frozen=True):
    """Where one generation stands: the routes still to try, the first one being tried, and the prompt for it.

    `rest_seconds` is how long to wait before the next request. With no route left it is over, and `reasons` say why,
    one for each route that was tried or passed over; `spent` names the budget that had no room for one of them.
    """

    routes: tuple[Route, ...]
    prompt: Prompt
    tries: int = 0
    asked_again: bool = False
    rest_seconds: float = 0.0
    reasons: tuple[str, ...] = ()
    spent: str | None = None

    @property
    def over(self) -> bool:
        """Whether there is nobody left to ask."""
        return not self.routes


def after_failure(course: Course, failed: Failed, problem: str | None, left_seconds: float, jitter: float) -> Course:
    """The course after a request that gave nothing usable; `jitter` is a random fraction in [0, 1).

    A reply that won't do is asked for once more, with the `problem` said. Full jitter under a doubling bound (M.
    Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015), and never sooner than the provider asks
    for; where that is longer than the time allows, the next provider is asked at once.
    """
    tried = msgspec.structs.replace(course, tries=course.tries + 1)
    if failed.remedy is Remedy.ASK_AGAIN and not course.asked_again and tried.tries < TRIES_PER_ROUTE:
        return asked_again(tried, failed, problem or failed.detail)
    if failed.remedy is Remedy.RETRY and tried.tries < TRIES_PER_ROUTE:
        rest = max(failed.retry_after_seconds or 0.0, backoff_seconds(tried.tries, jitter))
        if rest <= bearable_seconds(tried, left_seconds):
            return msgspec.structs.replace(tried, rest_seconds=rest)
    return passed_over(tried, failed.trouble)


def after_held(course: Course, held: Held, left_seconds: float) -> Course:
    """The course where no request may be sent to its route now.

    The last provider is waited for: while it rests after a rate limit, as long as there is time; while its breaker is
    open, only the short first time, for one that stays sick is open longer each time.
    """
    most = {"cooling": left_seconds, "open": min(left_seconds, OPEN_PATIENCE_SECONDS)}.get(held.reason)
    if len(course.routes) == 1 and most is not None and held.seconds <= most:
        return msgspec.structs.replace(course, rest_seconds=max(LEAST_REST_SECONDS, held.seconds))
    return passed_over(course, HELD_REASONS[held.reason])


def after_spent(course: Course, budget: str) -> Course:
    """The course where a budget has no room for its route; one that costs less, or nothing, may still do."""
    reason = f"{budget}_budget_spent"
    return msgspec.structs.replace(passed_over(course, reason), spent=reason)


def passed_over(course: Course, reason: str) -> Course:
    """The course with the next route first, and the prompt as it was at the beginning."""
    route = course.routes[0]
    return Course(
        routes=course.routes[1:],
        prompt=msgspec.structs.replace(course.prompt, turns=()),
        reasons=(*course.reasons, f"{route.name}: {reason}"),
        spent=course.spent,
    )


def asked_again(course: Course, failed: Failed, problem: str) -> Course:
    """The course with the reply and what is wrong with it put after the prompt."""
    turns = (Turn("assistant", failed.text or ""), Turn("user", ASK_AGAIN.format(problem=problem)))
    prompt = msgspec.structs.replace(course.prompt, turns=turns if failed.text else turns[1:])
    return msgspec.structs.replace(course, prompt=prompt, asked_again=True, rest_seconds=0.0)


def bearable_seconds(course: Course, left_seconds: float) -> float:
    """How long a rest may be: all that is left where nobody else is to be asked, else a share of it."""
    return left_seconds if len(course.routes) == 1 else left_seconds * REST_SHARE


def backoff_seconds(tries: int, jitter: float) -> float:
    """The rest after the `tries`-th failed request, in seconds."""
    return min(REST_CAP_SECONDS, REST_BASE_SECONDS * 2.0 ** (tries - 1)) * jitter


def in_order(routes: Sequence[Route], first: str | None, draw: float) -> tuple[Route, ...]:
    """The chain: the route or provider named `first`, else one drawn by weight; then the others as configured.

    `draw` in [0, 1) comes from the request's key, so that a repeated stage goes the same way.
    """
    if not routes:
        return ()
    leader = next((route for route in routes if first in (route.name, route.provider)), None) or drawn(routes, draw)
    return (leader, *(route for route in routes if route is not leader))


def drawn(routes: Sequence[Route], draw: float) -> Route:
    """One route, each as often as its weight says."""
    left = draw * sum(route.weight for route in routes)
    for route in routes:
        left -= route.weight
        if left < 0:
            return route
    return routes[-1]
