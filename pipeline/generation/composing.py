"""What a job comes to: its text redacted, the models its tenant allows asked, the reply accepted and made whole again.

There is no template to fall back on: where nobody writes, the job says why.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from hashlib import blake2b
from typing import Any, Final, Protocol

import msgspec

from pipeline.exchange import Purpose, Route
from pipeline.generation import drafts, summary
from pipeline.generation.answer import fresh_fence
from pipeline.generation.assignment import Assignment, Judged, Unwritten, Written
from pipeline.generation.course import in_order
from pipeline.generation.flight import Wish
from pipeline.generation.permission import allowed
from pipeline.model import JsonValue
from pipeline.ports.generation import Policies, Policy, Wanted
from pipeline.ports.job import JobClaim, JobKind
from pipeline.privacy.redaction import redact_each, restore, showable
from pipeline.prompting.generating import Facts, Form, QuestionsFacts, SummaryFacts, key_for, prompt_for
from pipeline.prompting.language import select_tongue
from pipeline.prompting.visible import visible

REQUEST_SHARE: Final = 1 / 3
"""So much of a job's time one request may take at least: jobs are longer than what routes are set up for."""
SPENT: Final = frozenset({"tenant_budget_spent", "learner_budget_spent"})
NO_MODEL: Final = "No language model is configured here."
NOT_ALLOWED: Final = "This tenant's policy allows none of the language models that are configured."


class Getting(Protocol):
    """Whoever gets texts, each once: `pipeline.generation.flight.Flights`."""

    async def get(self, wish: Wish) -> Written | Unwritten:
        """The text, or why there is none."""
        ...


class Composed(msgspec.Struct, frozen=True):
    """The job's result."""

    result: dict[str, JsonValue]


class Uncomposed(msgspec.Struct, frozen=True):
    """Why there is no result; `final` means that another try would not fare better."""

    error: str
    final: bool = False


class Errand(msgspec.Struct, frozen=True):
    """A job as it is asked of models: redacted facts, what was taken out of them, and how a reply is judged."""

    purpose: Purpose
    facts: Facts
    form: Form
    originals: Mapping[str, str]
    group: str
    judge: Callable[[str], Judged]


class Composer:
    """Gets jobs done by models, as far as tenants allow it."""

    def __init__(self, *, flights: Getting, routes: Sequence[Route], policies: Policies, seconds: float) -> None:
        """All providers together have `seconds` for a job."""
        self._flights = flights
        self._routes = tuple(with_time(route, seconds * REQUEST_SHARE) for route in routes)
        self._policies = policies

    async def compose(self, claim: JobClaim) -> Composed | Uncomposed:
        """The result, or why there is none; raises `Unavailable` where Postgres is away."""
        policy = await self._policies.of(claim.tenant_id)
        if refusal := refused(self._routes, policy):
            return Uncomposed(refusal, final=True)
        errand = errand_of(claim)
        outcome = await self._flights.get(wish_for(claim, errand, self._routes, policy))
        if isinstance(outcome, Unwritten):
            return uncomposed(outcome)
        result = result_of(claim, errand, outcome.text)
        if isinstance(result, str):  # an old reply that our present rules would not take
            return Uncomposed(result)
        origin = {"provider": outcome.provider, "model": outcome.model, "prompt_version": outcome.prompt_version}
        return Composed({**result, **origin})


def refused(routes: Sequence[Route], policy: Policy) -> str | None:
    """Why a tenant's jobs cannot be done at all, if so."""
    if not routes:
        return NO_MODEL
    return None if allowed(routes, policy) else NOT_ALLOWED


async def compose_nothing(claim: JobClaim) -> Uncomposed:
    """What becomes of a job where no model is configured any more."""
    del claim
    return Uncomposed(NO_MODEL, final=True)


def with_time(route: Route, seconds: float) -> Route:
    """The route with at least so long for one request."""
    return msgspec.structs.replace(route, timeout_seconds=max(route.timeout_seconds, seconds))


def errand_of(claim: JobClaim) -> Errand:
    """What is asked for. Summaries of the same text are the same; drafts are wanted anew each time."""
    if claim.kind is JobKind.SUMMARY:
        facts, originals = summary_facts(claim.request)
        return Errand(Purpose.SUMMARY, facts, summary.FORM, originals, "", summary.judge)
    wanted, originals = questions_facts(claim.request)
    judge = partial(drafts.judge, facts=wanted)
    return Errand(Purpose.QUESTIONS, wanted, drafts.FORM, originals, claim.id, judge)


def summary_facts(request: Mapping[str, JsonValue]) -> tuple[SummaryFacts, Mapping[str, str]]:
    """The facts, redacted, and what may be put back into what is made of them."""
    given = [visible(request["text"]), visible(request.get("audience") or "")]
    (text, audience), originals = redact_each(given, programming=True)
    language = select_tongue(request["locale"])
    facts = SummaryFacts(text=text, language=language, length=request["length"], audience=audience)
    return facts, showable(originals)


def questions_facts(request: Mapping[str, JsonValue]) -> tuple[QuestionsFacts, Mapping[str, str]]:
    """The facts, redacted, and what may be put back into what is made of them."""
    (text, *topics), originals = redact_each([visible(request["text"]), *request["topics"]], programming=True)
    facts = QuestionsFacts(
        text=text,
        language=select_tongue(request["locale"]),
        count=request["count"],
        types=tuple(request["types"]),
        topics=tuple(topics),
        difficulty=request.get("difficulty"),
    )
    return facts, showable(originals)


def wish_for(claim: JobClaim, errand: Errand, routes: Sequence[Route], policy: Policy) -> Wish:
    """The text to ask for."""
    key = key_for(errand.facts, errand.form, group=errand.group)
    assignment = Assignment(
        tenant_id=claim.tenant_id,
        learner_id=None,
        submission_id=claim.id,
        question_id=None,
        purpose=errand.purpose,
        arm=None,
        prompt=prompt_for(errand.facts, errand.form, fence=fresh_fence()),
        user=blake2b(f"tenant {claim.tenant_id}".encode(), digest_size=16).hexdigest(),
        key=key.hex(),
        routes=in_order(allowed(routes, policy), None, int.from_bytes(key[:8], "big") / 2**64),
        budgets=policy.budgets,
        judge=errand.judge,
    )
    return Wish(Wanted(claim.tenant_id, key, claim.id), assignment)


def uncomposed(unwritten: Unwritten) -> Uncomposed:
    """Why nobody wrote it, in words for a teacher."""
    if unwritten.reason in SPENT:
        return Uncomposed("The tenant's budget for language models is spent for today (UTC).", final=True)
    details = f": {', '.join(unwritten.details)}" if unwritten.details else ""
    return Uncomposed(f"No language model gave a usable reply ({unwritten.reason}){details}.")


def result_of(claim: JobClaim, errand: Errand, reply: str) -> dict[str, Any] | str:
    """What is stored of an accepted reply, with the originals in their places again; else what is wrong with it."""
    if isinstance(errand.facts, SummaryFacts):
        written = summary.accept(reply)
        return written if isinstance(written, str) else restored(summary.document(written), errand.originals)
    accepted = drafts.accept(reply, errand.facts)
    return accepted if isinstance(accepted, str) else drafts_document(claim, accepted, errand.originals)


def drafts_document(claim: JobClaim, accepted: drafts.Drafts, originals: Mapping[str, str]) -> dict[str, Any]:
    """The drafts, each with the id that it gets in the bank when a teacher accepts it."""
    return {
        "drafts": [
            {
                "id": f"{claim.id}-{number}",
                "question": restored(dict(draft.question), originals),
                "source": restored(draft.source, originals),
            }
            for number, draft in enumerate(accepted.drafts, start=1)
        ],
        "dropped": msgspec.to_builtins(accepted.dropped),
        "accepted": [],
    }


def restored(value: Any, originals: Mapping[str, str]) -> Any:
    """Any JSON with the originals in the place of their placeholders."""
    match value:
        case str():
            return restore(value, originals)
        case list() | tuple():
            return [restored(item, originals) for item in value]
        case dict():
            return {restore(name, originals): restored(item, originals) for name, item in value.items()}
        case _:
            return value
