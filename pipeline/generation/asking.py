"""Asking for one text along the chain of providers: admitted → reserved → sent → settled → released, again and again.

The only retry loop there is: the SDKs do not retry, and neither does Dramatiq.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Final

import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_result
from uuid_utils import uuid7

from pipeline import telemetry
from pipeline.errors import Unavailable
from pipeline.exchange import Completion, Failed, Reply, Route, Trouble
from pipeline.generation.assignment import (
    Assignment,
    Gate,
    Judged,
    Keep,
    Meter,
    Seat,
    Telling,
    Unwritten,
    Written,
)
from pipeline.generation.course import Course, after_failure, after_held, after_spent
from pipeline.generation.finishing import all_of, to_the_end
from pipeline.generation.judging import judged_reply, refused_by_us, report_surprise
from pipeline.patience import patiently
from pipeline.ports.generation import Attempt, Held, Ledger, Provider, Settlement, Spent

log = structlog.get_logger()

UNBILLED: Final = frozenset(
    {
        Trouble.RATE_LIMITED,
        Trouble.OVERLOADED,
        Trouble.SERVER_ERROR,
        Trouble.QUOTA_SPENT,
        Trouble.UNAUTHORIZED,
        Trouble.UNKNOWN_MODEL,
        Trouble.BAD_REQUEST,
        Trouble.CONTEXT_TOO_LONG,
        Trouble.UNREACHABLE,
    }
)
"""Troubles after which nobody is billed, where the provider booked nothing itself: the model has not written."""
LEAST_SECONDS: Final = 1.0
"""With less time than this left, no request is begun."""
SETTLE_SECONDS: Final = 20.0
"""How long Postgres may be away before a reply that was paid for is given up."""


class Asker:
    """Asks one provider after the other, each within limits and budgets, until one writes what will do."""

    def __init__(
        self,
        *,
        providers: Mapping[str, Provider],
        gate: Gate,
        ledger: Ledger,
        meter: Meter,
        deadline_seconds: float,
        queue_seconds: float,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
        rest: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """One text may take `deadline_seconds` once it is its turn, for which it queues at most `queue_seconds`."""
        self._providers = providers
        self._gate = gate
        self._ledger = ledger
        self._meter = meter
        self._deadline_seconds = deadline_seconds
        self._queue_seconds = queue_seconds
        self._clock = clock
        self._jitter = jitter
        self._rest = rest

    async def ask(
        self, assignment: Assignment, telling: Telling | None = None, keep: Keep | None = None
    ) -> Written | Unwritten:
        """A text, kept by now, or why there is none. Raises `Unavailable` where Postgres is away."""
        errand = Errand(self, assignment, telling, keep, self._deadline_seconds)
        loop = AsyncRetrying(
            retry=retry_if_result(lambda outcome: outcome is None),
            wait=errand.rest_before_next,
            sleep=self._rest,
        )
        written: Written | Unwritten = await loop(errand.step)
        return written

    def now(self) -> float:
        """The time by the clock that deadlines are kept by, in seconds."""
        return self._clock()

    def turned(self, course: Course, failed: Failed, left_seconds: float) -> Course:
        """The course after a failed request."""
        return after_failure(course, failed, failed.detail, left_seconds, self._jitter())

    async def queue(self, route: Route) -> Seat | Held:
        """A place for one request to this route."""
        return await self._gate.enter(route, self._queue_seconds)

    async def request(self, errand: "Errand", seat: Seat) -> Reply | Spent:
        """One request to the first route of the errand's course, if the budget has room."""
        assignment, course = errand.assignment, errand.course
        route = course.routes[0]
        attempt = self._noted(assignment, course, route)
        spent = await self._reserved(attempt, assignment)
        if spent is not None:
            return spent
        started, seconds = self._clock(), max(LEAST_SECONDS, min(route.timeout_seconds, errand.left()))
        ear = Ear(errand.telling) if errand.telling else None
        try:
            reply = await self._sent(attempt, assignment, course, seconds, ear)
        except asyncio.CancelledError:
            stopped = Failed(Trouble.CUT_OFF, "the worker stopped")
            with suppress(Unavailable):  # what nobody settles stays booked at its estimate
                await asyncio.shield(self._settle(attempt, route, stopped, Judged(), self._clock() - started))
            raise
        took, judged = self._clock() - started, judged_reply(assignment, reply)
        reply = refused_by_us(reply, judged)
        if isinstance(reply, Failed):
            seat.report(reply.trouble, reply.retry_after_seconds)
        else:
            seat.report(None)
        wrote = ear is not None and ear.heard
        settle = partial(self._settle, attempt, route, reply, judged, took, wrote=wrote)
        await to_the_end(all_of(errand.kept(reply), patiently(settle, SETTLE_SECONDS, self._rest)))
        return reply

    async def _reserved(self, attempt: Attempt, assignment: Assignment) -> Spent | None:
        """Book the estimate, but for whoever is stopped meanwhile: nothing is sent then, and nothing stays booked."""
        try:
            return await self._ledger.reserve(attempt, assignment.budgets)
        except asyncio.CancelledError:
            with suppress(Unavailable):  # what nobody gives back stays booked at its estimate
                await asyncio.shield(self._ledger.withdraw(attempt.id))
            raise

    async def _sent(
        self, attempt: Attempt, assignment: Assignment, course: Course, seconds: float, ear: "Ear | None"
    ) -> Reply:
        """The provider's reply; a fault of our own is a failed request too, and what came of it unknown."""
        route = course.routes[0]
        provider, key = self._providers[route.name], request_name(assignment, attempt)
        try:
            return await provider.send(course.prompt, user=assignment.user, key=key, seconds=seconds, tell=ear)
        except Exception as surprise:  # noqa: BLE001 - nobody's submission fails because of a model, or of how we ask it
            report_surprise(surprise, provider=route.provider)
            return Failed(Trouble.UNREADABLE, type(surprise).__name__)

    def _noted(self, assignment: Assignment, course: Course, route: Route) -> Attempt:
        return Attempt(
            id=str(uuid7()),
            tenant_id=assignment.tenant_id,
            learner_id=assignment.learner_id,
            submission_id=assignment.submission_id,
            question_id=assignment.question_id,
            purpose=assignment.purpose,
            provider=route.provider,
            model=route.model,
            account=route.account,
            arm=assignment.arm,
            prompt_version=course.prompt.reference,
            estimate=self._meter.estimate(route, course.prompt),
        )

    async def _settle(
        self, attempt: Attempt, route: Route, reply: Reply, judged: Judged, seconds: float, *, wrote: bool = False
    ) -> None:
        cost, known = self._cost(attempt, route, reply, wrote=wrote)
        failed = reply if isinstance(reply, Failed) else None
        await self._ledger.settle(
            Settlement(
                attempt_id=attempt.id,
                trouble=failed.trouble if failed else None,
                usage=reply.usage,
                cost=cost,
                known=known,
                seconds=seconds,
                first_text_seconds=reply.first_text_seconds if isinstance(reply, Completion) else None,
                status=failed.status if failed else None,
                code=failed.code if failed else None,
                model=reply.model,
                request_id=reply.request_id if isinstance(reply, Completion) else None,
                cut_quotations=judged.cut_quotations,
            )
        )
        if failed is not None:
            log.info(
                telemetry.GENERATION_ATTEMPT_FAILED,
                provider=route.provider,
                model=route.model,
                trouble=failed.trouble,
                status=failed.status,
                submission_id=attempt.submission_id,
            )

    def _cost(self, attempt: Attempt, route: Route, reply: Reply, *, wrote: bool) -> tuple[int, bool]:
        """What the provider booked; where it does not say: nothing if it can't have written, else the estimate."""
        if reply.usage is not None:
            return self._meter.cost(route, reply.usage, reply.model)
        if isinstance(reply, Failed) and reply.trouble in UNBILLED and not wrote:
            return 0, True
        return attempt.estimate, False


class Ear:
    """Passes on what a model writes, and knows whether it wrote anything: an error after that may be billed."""

    def __init__(self, telling: Telling) -> None:
        self._telling = telling
        self.heard = False

    async def __call__(self, text: str) -> None:
        self.heard = True
        await self._telling.piece(text)


class Errand:
    """One run along the chain; what the retry loop turns. Time spent in a queue is not counted."""

    def __init__(
        self,
        asker: Asker,
        assignment: Assignment,
        telling: Telling | None,
        keep: Keep | None,
        deadline_seconds: float,
    ) -> None:
        self.assignment = assignment
        self.telling = telling
        self.course = Course(assignment.routes, assignment.prompt)
        self._asker = asker
        self._keep = keep
        self._until = asker.now() + deadline_seconds
        self._begun = False

    def rest_before_next(self, _: RetryCallState) -> float:
        """How long to wait, in seconds."""
        return self.course.rest_seconds

    def left(self) -> float:
        """The seconds until its deadline."""
        return self._until - self._asker.now()

    async def kept(self, reply: Reply) -> None:
        """Have a reply kept that is the errand's text."""
        if self._keep is not None and isinstance(reply, Completion):
            await self._keep(self._written(reply))

    async def step(self) -> Written | Unwritten | None:
        """One request; None where another one is to follow."""
        course = self.course
        if course.over:
            return Unwritten(course.spent or "providers_failed", course.reasons)
        if self.left() < LEAST_SECONDS:
            return Unwritten("deadline", course.reasons)
        match await self._send(course):
            case Completion() as reply:
                return self._written(reply)
            case Spent(budget=budget):
                self.course = after_spent(course, budget)
            case Held() as held:
                self.course = after_held(course, held, self.left())
            case Failed() as failed:
                self.course = self._asker.turned(course, failed, self.left())
        return None

    async def _send(self, course: Course) -> Reply | Held | Spent:
        queued = self._asker.now()
        seat = await self._asker.queue(course.routes[0])
        self._until += self._asker.now() - queued
        if isinstance(seat, Held):
            return seat
        async with seat:
            await self._begin_anew()
            return await self._asker.request(self, seat)

    async def _begin_anew(self) -> None:
        if self._begun and self.telling is not None:
            await self.telling.anew()
        self._begun = True

    def _written(self, reply: Completion) -> Written:
        return Written(reply.text, self.course.routes[0].provider, reply.model, self.course.prompt.reference)


def request_name(assignment: Assignment, attempt: Attempt) -> str:
    """What providers that know idempotency keys may tell requests apart by: no two of ours are the same.

    Their texts may be: those of other tenants, and the same one asked for anew, in whose prompt the fence differs.
    """
    return f"{assignment.key}-{attempt.id.replace('-', '')}"
