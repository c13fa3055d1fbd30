"""Feedback on a submission: by a model where it may be asked and does well, in the template's words elsewhere.

Points, counts and verdicts are the rules'. A model is asked for one answer at a time, so that all learners of a tenant
with the same answer share what it wrote; a submission never fails because a model did.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, Literal, Protocol

import msgspec
import structlog

from pipeline import telemetry
from pipeline.exchange import Experiment, Purpose, Route
from pipeline.generation.answer import AnswerText, Errand, errand_of, fresh_fence, judge_reply, shown_so_far, text_of
from pipeline.generation.assignment import Assignment, Unwritten, Written
from pipeline.generation.course import in_order
from pipeline.generation.experiment import Assigned, assigned, served_answers
from pipeline.generation.flight import MayAsk, Wish
from pipeline.generation.permission import allowed
from pipeline.generation.telling import AnswerTold, Teller
from pipeline.model import ScoredAnswer
from pipeline.ports.experiment import Assignments
from pipeline.ports.generation import Background, Backgrounds, Deltas, Learning, Ledger, Policies, Policy, Wanted
from pipeline.privacy.learner import hashed_user
from pipeline.privacy.name import names_in
from pipeline.privacy.redaction import restore
from pipeline.prompting.feedback import Feedback, FeedbackRequest, overall_source
from pipeline.prompting.plan import Plan, plan
from pipeline.prompting.render import render, request_key

log = structlog.get_logger()

LOW: Final = "low"
"""The priority of submissions that may wait."""
NAMED_SUMMARIES: Final = 2
"""Of so many answers the gist stands in the submission's summary, those with the most to learn."""
UNREADABLE: Final = "unreadable_reply"


class Templates(Protocol):
    """The built-in words."""

    def compose(self, request: FeedbackRequest) -> Feedback:
        """Feedback without any model."""
        ...

    def verdict(self, scored: ScoredAnswer, locale: str) -> str:
        """The rule's sentence on an answer."""
        ...

    def notice(self, reason: str, locale: str) -> str:
        """Why the built-in words serve where a model was to write, for the learner."""
        ...

    def joined(self, sentences: Sequence[str], locale: str) -> str:
        """Sentences as running text."""
        ...


class Hearing(Protocol):
    """Whoever gets texts, each once: `pipeline.generation.flight.Flights`."""

    async def heard(self, wish: Wish) -> Written | Unwritten:
        """The text, as soon as it can't be lost any more, or why there is none."""
        ...

    async def landed(self, wish: Wish) -> None:
        """Wait until a text that was heard of may be used."""
        ...


class Waiting(Protocol):
    """Whoever lets texts wait for half the price: `pipeline.generation.batching.HalfPrice`."""

    async def offer(self, wish: Wish, *, anew: bool) -> float | None:
        """For how many seconds to wait for this text; None: not at all, or not any longer.

        If not `anew`, only for one that was sent already.
        """
        ...


class Quota(Protocol):
    """How often a learner may have feedback written by models."""

    async def take(self, tenant_id: int, learner_id: str) -> bool:
        """Whether this one may; counts it."""
        ...


class Taste(msgspec.Struct, frozen=True):
    """Which answers models write on: all or mistakes, at most how many of a submission; how often learners are told.

    What a model writes within `together_seconds` is told together.
    """

    on: Literal["all", "mistakes"] = "all"
    most: int = 10
    together_seconds: float = 0.0


class Commission(msgspec.Struct, frozen=True):
    """One submission to write on: what is known around it, who may be asked, in which arm of an experiment.

    `may_ask` is asked before a text of it is paid for; what was paid for before needs nobody's leave.
    """

    request: FeedbackRequest
    background: Background
    policy: Policy
    routes: tuple[Route, ...]
    assigned: Assigned
    may_ask: MayAsk | None = None


class Author:
    """The port `pipeline.ports.FeedbackProvider` with models, and templates behind them."""

    def __init__(
        self,
        *,
        templates: Templates,
        flights: Hearing,
        policies: Policies,
        backgrounds: Backgrounds,
        ledger: Ledger,
        deltas: Deltas,
        routes: Sequence[Route],
        experiments: Sequence[Experiment] = (),
        assignments: Assignments | None = None,
        quota: Quota | None = None,
        halfprice: Waiting | None = None,
        taste: Taste | None = None,
        fence: Callable[[], str] = fresh_fence,
    ) -> None:
        self._templates = templates
        self._flights = flights
        self._policies = policies
        self._backgrounds = backgrounds
        self._ledger = ledger
        self._deltas = deltas
        self._assignments = assignments
        self._routes = tuple(routes)
        self._experiments = tuple(experiments)
        self._quota = quota
        self._halfprice = halfprice
        self._taste = taste or Taste()
        self._fence = fence

    async def write(self, request: FeedbackRequest) -> Feedback:
        """Feedback on a scored submission; less than was asked for says so in `shortfall`. Raises `Unavailable`."""
        built_in = self._templates.compose(request)
        planned = plan(request, on=self._taste.on, most=self._taste.most)
        commission = await self._commission(request) if planned.asked else None
        if commission is None:
            return built_in
        asked = [commission.request.answers[place] for place in planned.asked]
        written = await asyncio.gather(*[self._on_one(commission, scored) for scored in asked])
        if self._assignments is not None:
            await self._assignments.record(served_answers(commission.assigned, request, asked, written))
        return self._composed(built_in, request, planned, written)

    async def waits(self, request: FeedbackRequest) -> float:
        """For how many seconds a submission is to wait for half the price; 0: its feedback is to be written now.

        Submissions of low priority wait where the tenant's policy says so, until every text is there or is to be asked
        for after all; and for what was sent before it said otherwise. Raises `Unavailable`.
        """
        planned = plan(request, on=self._taste.on, most=self._taste.most)
        commission = await self._commission(request) if self._halfprice is not None and planned.asked else None
        if self._halfprice is None or commission is None or commission.background.priority != LOW:
            return 0.0
        wishes = [self._wish(commission, self._errand(commission, place)) for place in planned.asked]
        return max([await self._halfprice.offer(wish, anew=commission.policy.batch) or 0.0 for wish in wishes])

    async def _commission(self, request: FeedbackRequest) -> Commission | None:
        """What to write with; None where no model may be asked, or the submission is gone."""
        policy = await self._policies.of(request.tenant_id)
        routes = allowed(self._routes, policy)
        if not routes:
            return None
        learning = Learning(request.tenant_id, request.submission_id, request.learner_id)
        background = await self._backgrounds.of(learning)
        if background is None:
            return None
        return Commission(
            request=with_picture(request, background),
            background=background,
            policy=policy,
            routes=routes,
            assigned=assigned(self._experiments, request.tenant_id, request.learner_id),
            may_ask=asked_once(self._quota, request.tenant_id, request.learner_id) if self._quota else None,
        )

    def _errand(self, commission: Commission, place: int) -> Errand:
        request = commission.request
        scored = request.answers[place]
        verdict = self._templates.verdict(scored, request.locale)
        return errand_of(
            scored, request, names_in(commission.background.metadata), commission.assigned.arm.prompt, verdict
        )

    async def _on_one(self, commission: Commission, scored: ScoredAnswer) -> AnswerText | Unwritten:
        request, arm = commission.request, commission.assigned.arm
        verdict = self._templates.verdict(scored, request.locale)
        errand = errand_of(scored, request, names_in(commission.background.metadata), arm.prompt, verdict)
        put_back = partial(restore, originals=errand.originals)
        told = AnswerTold(request.submission_id, request.tenant_id, errand.question_id)
        teller = Teller(
            self._deltas,
            told,
            compose=partial(shown_so_far, errand),
            restore=put_back,
            together_seconds=self._taste.together_seconds,
        )
        wish = self._wish(commission, errand, teller)
        outcome = await self._flights.heard(wish)
        if isinstance(outcome, Unwritten):
            log.info(telemetry.GENERATION_UNWRITTEN, submission_id=request.submission_id, reason=outcome.reason)
            await teller.take_back()
            return outcome
        if not outcome.paid:
            label = commission.assigned.label
            await self._ledger.note_served(request.tenant_id, label, Purpose.FEEDBACK, outcome.provider)
        text = text_of(errand, outcome)
        if text is None:
            await teller.take_back()
            return Unwritten(UNREADABLE)
        await teller.finish(text.feedback.text)
        await self._flights.landed(wish)
        return text

    def _wish(self, commission: Commission, errand: Errand, teller: Teller | None = None) -> Wish:
        request, arm = commission.request, commission.assigned.arm
        key = request_key(errand.facts, errand.prompt_id, group=commission.assigned.group)
        assignment = Assignment(
            tenant_id=request.tenant_id,
            learner_id=request.learner_id,
            submission_id=request.submission_id,
            question_id=errand.question_id,
            purpose=Purpose.FEEDBACK,
            arm=commission.assigned.label,
            prompt=render(errand.facts, errand.prompt_id, fence=self._fence()),
            user=hashed_user(commission.background.secret, request.tenant_id, request.learner_id),
            key=key.hex(),
            routes=in_order(commission.routes, arm.provider, int.from_bytes(key[:8]) / 2**64),
            budgets=commission.policy.budgets,
            judge=partial(judge_reply, errand.facts),
        )
        wanted = Wanted(request.tenant_id, key, request.submission_id)
        return Wish(wanted, assignment, teller, commission.may_ask)

    def _composed(
        self,
        built_in: Feedback,
        request: FeedbackRequest,
        planned: Plan,
        written: Sequence[AnswerText | Unwritten],
    ) -> Feedback:
        """The built-in feedback with what models wrote in its place, and a word on what they did not."""
        answers = list(built_in.answers)
        for place, text in zip(planned.asked, written, strict=True):
            if isinstance(text, AnswerText):
                answers[place] = text.feedback
        shortfall = first_reason(written)
        sentences = [built_in.summary, *summaries(written)]
        if shortfall is not None:
            sentences.append(self._templates.notice(shortfall, request.locale))
        return Feedback(
            source=overall_source(tuple(answers)),
            summary=self._templates.joined(sentences, request.locale),
            answers=tuple(answers),
            shortfall=shortfall,
        )


def asked_once(quota: Quota, tenant_id: int, learner_id: str) -> MayAsk:
    """Takes of a learner's quota when the first text has to be paid for; the submission's others follow the answer."""
    answer: asyncio.Future[bool] | None = None

    async def may_ask() -> Unwritten | None:
        nonlocal answer
        answer = answer or asyncio.ensure_future(quota.take(tenant_id, learner_id))
        return None if await asyncio.shield(answer) else Unwritten("learner_limit")

    return may_ask


def with_picture(request: FeedbackRequest, background: Background) -> FeedbackRequest:
    """The request with what is known of the learner; goal and industry are as the submission says."""
    stated = request.learner
    picture = msgspec.structs.replace(background.picture, career_goal=stated.career_goal, industry=stated.industry)
    return msgspec.structs.replace(request, learner=picture)


def first_reason(written: Sequence[AnswerText | Unwritten]) -> str | None:
    """Why a model did not write on the first of those on which it was to; None where it wrote on all."""
    return next((one.reason for one in written if isinstance(one, Unwritten)), None)


def summaries(written: Sequence[AnswerText | Unwritten]) -> list[str]:
    """The gist of the first answers that a model wrote on."""
    found = [one.summary for one in written if isinstance(one, AnswerText) and one.summary]
    return list(dict.fromkeys(found))[:NAMED_SUMMARIES]
