"""Jobs done by models: who may be asked, what is sent, and what a reply makes of the job."""

from dataclasses import dataclass, field
from typing import Any

import msgspec

from pipeline.exchange import Place, Purpose, Route
from pipeline.generation.assignment import Unwritten, Written
from pipeline.generation.composing import Composed, Composer, Uncomposed
from pipeline.generation.flight import Wish
from pipeline.ports.generation import Budgets, Policy
from pipeline.ports.job import JobClaim, JobKind

JOB = "01900000-0000-7000-8000-000000000001"
CLOUD = Route("cloud", "openai", "model-1", "account-1")
HOUSE = Route("house", "openai", "model-2", "account-2", place=Place.LOCAL, timeout_seconds=200)
SUMMARY: dict[str, Any] = {"text": "Ask ann@school.example.", "locale": "ko-KR", "audience": None, "length": "short"}
QUESTIONS: dict[str, Any] = {
    "text": "Water boils.",
    "locale": "en",
    "count": 2,
    "types": ["true_false"],
    "topics": [],
    "difficulty": None,
}
GOOD = msgspec.json.encode({"title": "Whom to ask", "summary": "Ask [email-1].", "points": []}).decode()


@dataclass
class Desk:
    """Answers every wish as it was told, and remembers them."""

    says: Written | Unwritten
    wishes: list[Wish] = field(default_factory=list)

    async def get(self, wish: Wish) -> Written | Unwritten:
        self.wishes.append(wish)
        return self.says


@dataclass
class OnePolicy:
    policy: Policy

    async def of(self, tenant_id: int) -> Policy:
        assert tenant_id == 7
        return self.policy


def said(text: str) -> Written:
    return Written(text, "cloud", "model-1", "generate/summary/en@1")


def composer(desk: Desk, policy: Policy | None = None, *routes: Route) -> Composer:
    return Composer(flights=desk, routes=routes or (CLOUD, HOUSE), policies=OnePolicy(policy or Policy()), seconds=300)


def claim(kind: JobKind = JobKind.SUMMARY, request: dict[str, Any] | None = None, job_id: str = JOB) -> JobClaim:
    return JobClaim(job_id, 7, kind, request or (SUMMARY if kind is JobKind.SUMMARY else QUESTIONS), 1, 1)


async def test_what_is_private_does_not_leave_and_stands_in_the_result_again() -> None:
    desk = Desk(said(GOOD))
    composed = await composer(desk).compose(claim())
    prompt = desk.wishes[0].assignment.prompt
    assert "ann@" not in prompt.system + prompt.user
    assert isinstance(composed, Composed)
    assert composed.result == {
        "title": "Whom to ask",
        "summary": "Ask ann@school.example.",
        "points": [],
        "provider": "cloud",
        "model": "model-1",
        "prompt_version": "generate/summary/en@1",
    }


async def test_the_wish_is_the_tenants_within_its_budgets() -> None:
    desk, budgets = Desk(said(GOOD)), Budgets(tenant=1_000)
    await composer(desk, Policy(budgets=budgets)).compose(claim())
    [wish] = desk.wishes
    assert (wish.wanted.tenant_id, wish.wanted.submission_id) == (7, JOB)
    assert (wish.assignment.budgets, wish.assignment.purpose) == (budgets, Purpose.SUMMARY)
    assert (wish.assignment.learner_id, wish.assignment.submission_id) == (None, JOB)


async def test_a_house_only_tenant_asks_in_the_house_only() -> None:
    desk = Desk(said(GOOD))
    await composer(desk, Policy(mode="local")).compose(claim())
    assert [route.provider for route in desk.wishes[0].assignment.routes] == ["house"]


async def test_one_request_gets_the_time_that_long_texts_take() -> None:
    desk = Desk(said(GOOD))
    await composer(desk).compose(claim())
    seconds = {route.provider: route.timeout_seconds for route in desk.wishes[0].assignment.routes}
    assert seconds == {"cloud": 100, "house": 200}


async def test_where_nobody_may_be_asked_the_job_has_failed_for_good() -> None:
    desk = Desk(said(GOOD))
    refused = await composer(desk, Policy(mode="off")).compose(claim())
    assert isinstance(refused, Uncomposed)
    assert (refused.final, desk.wishes) == (True, [])


async def test_a_spent_budget_is_final_and_failed_providers_are_not() -> None:
    spent = await composer(Desk(Unwritten("tenant_budget_spent"))).compose(claim())
    failed = await composer(Desk(Unwritten("providers_failed", ("cloud/model-1: overloaded",)))).compose(claim())
    assert isinstance(spent, Uncomposed)
    assert isinstance(failed, Uncomposed)
    assert (spent.final, failed.final) == (True, False)
    assert "budget" in spent.error
    assert "cloud/model-1: overloaded" in failed.error


async def test_an_old_reply_that_would_not_be_taken_now_is_no_result() -> None:
    assert await composer(Desk(said("nonsense"))).compose(claim()) == Uncomposed("It is not one JSON object.")


async def test_equal_texts_share_a_summary_and_drafts_are_wanted_anew() -> None:
    desk = Desk(Unwritten("providers_failed"))
    other = JOB.replace("1", "2")
    for kind in JobKind:
        for job_id in (JOB, other, JOB):
            await composer(desk).compose(claim(kind, job_id=job_id))
    one, two, _, first, second, again = [wish.wanted.key for wish in desk.wishes]
    assert one == two
    assert first != second
    assert first == again


async def test_drafts_get_the_ids_that_they_will_have_in_the_bank() -> None:
    question = {"type": "true_false", "prompt": "Does it?", "right": ["true"], "source": "Water boils."}
    reply = msgspec.json.encode({"questions": [question, {**question, "right": []}]}).decode()
    composed = await composer(Desk(said(reply))).compose(claim(JobKind.QUESTIONS))
    assert isinstance(composed, Composed)
    [draft] = composed.result["drafts"]
    assert (draft["id"], draft["question"]["answer"], draft["source"]) == (f"{JOB}-1", {"value": True}, "Water boils.")
    assert [one["position"] for one in composed.result["dropped"]] == [2]
    assert composed.result["accepted"] == []
