"""Asking for better feedback later, as clients see it."""

from typing import Any

import pytest
from sqlalchemy import text

from pipeline.lifecycle import Stage
from pipeline.model import Work
from pipeline.service.improving import Improver
from pipeline.stages.outcome import Degraded, Done, Outcome
from pipeline.stages.run import first_step
from pipeline.stages.verdict import judge
from pipeline.store.engine import transaction
from pipeline.store.improvement import ImprovementStore
from tests.api.installation import Installation, question

TEMPLATE: dict[str, Any] = {
    "source": "template",
    "summary": "From a template.",
    "answers": [],
    "shortfall": "providers_failed",
}
BETTER: dict[str, Any] = {"source": "ai", "summary": "By a model.", "answers": []}
LESSER = Degraded(TEMPLATE, reason="providers_failed")
PAST = "UPDATE feedback_improvements SET available_at = now() - interval '1 second'"


async def complete_with_less(installation: Installation, submission_id: str) -> None:
    """Run all stages; no model could write feedback."""
    shop = installation.worker.shop
    await installation.run([submission_id], [Stage.SCORE, Stage.RECOMMEND])
    claims, _ = await shop.store.claim(Stage.FEEDBACK, [submission_id], shop.worker_id, 30)
    async with shop.store.unit(Stage.FEEDBACK, shop.worker_id) as unit:
        held = await unit.hold(claims)
        await unit.record(
            [first_step(Stage.FEEDBACK, judge(claim, LESSER, shop.policy), before) for claim, before in held]
        )
    await installation.run([submission_id], [Stage.METRICS])


async def improve(installation: Installation) -> None:
    """A model can write again."""

    async def write(_: Work) -> Outcome:
        return Done(BETTER)

    shop, engine = installation.worker.shop, installation.worker.servers.engine
    async with transaction(engine) as connection:
        await connection.execute(text(PAST))
    await Improver(store=ImprovementStore(engine), works=shop.store, board=shop.board, write=write).tick()


async def handed_in(installation: Installation, **fields: Any) -> str:
    await installation.caller().put("/v1/questions/q-1", question("q-1"))
    return await installation.caller().hand_in("u-1", {"q-1": "b"}, **fields)


async def test_better_feedback_is_a_new_version_of_a_completed_submission(installation: Installation) -> None:
    """Still completed, at the same time, with another text and another entity tag."""
    submission_id = await handed_in(installation, retry_feedback=True)
    await complete_with_less(installation, submission_id)
    path, caller = f"/v1/submissions/{submission_id}", installation.caller()
    before = await caller.get(path)
    assert before.json()["stages"]["feedback"]["state"] == "degraded"
    await improve(installation)
    after = await caller.call("GET", path, **{"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200
    document = after.json()
    assert (document["status"], document["stages"]["feedback"]["state"]) == ("completed", "done")
    assert document["feedback"]["summary"] == "By a model."
    assert document["version"] == before.json()["version"] + 1
    assert document["completed_at"] == before.json()["completed_at"]


async def test_feedback_is_left_as_it_is_where_nobody_asked(installation: Installation) -> None:
    submission_id = await handed_in(installation)
    await complete_with_less(installation, submission_id)
    await improve(installation)
    document = (await installation.caller().get(f"/v1/submissions/{submission_id}")).json()
    assert (document["retry_feedback"], document["feedback"]["summary"]) == (False, "From a template.")


async def test_the_wish_is_kept_and_shown(installation: Installation) -> None:
    submission_id = await handed_in(installation, retry_feedback=True)
    document = (await installation.caller().get(f"/v1/submissions/{submission_id}")).json()
    assert document["retry_feedback"] is True


@pytest.mark.parametrize("wish", ["yes", 1, None])
async def test_the_wish_is_yes_or_no(installation: Installation, wish: Any) -> None:
    await installation.caller().put("/v1/questions/q-1", question("q-1"))
    body = {"learner_id": "u-1", "answers": [{"question_id": "q-1"}], "retry_feedback": wish}
    answer = await installation.caller().post("/v1/submissions", body)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/retry_feedback"]
