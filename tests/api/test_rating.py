"""What learners think of feedback, over HTTP."""

from typing import Any

import pytest
from sqlalchemy import text

from pipeline.lifecycle import Stage
from pipeline.ports.experiment import ServedAnswer
from pipeline.service.access import Role
from pipeline.store.assignment import AssignmentStore
from pipeline.store.engine import transaction
from tests.api.installation import Installation, question


async def scored(installation: Installation, learner: str = "ada", *, feedback: bool = True) -> str:
    """A submission of `learner` to `q-1`, with feedback or not yet; answers where its feedback is rated."""
    await installation.caller().put("/v1/questions/q-1", question("q-1"))
    id_ = await installation.caller(Role.SUBMITTER).hand_in(learner, {"q-1": "b"})
    await installation.run([id_], tuple(Stage) if feedback else [Stage.SCORE])
    return f"/v1/submissions/{id_}/feedback/q-1/rating"


async def stored(installation: Installation) -> list[Any]:
    async with transaction(installation.worker.servers.engine) as connection:
        rows = await connection.execute(text("SELECT learner_id, rating, comment, arm FROM feedback_ratings"))
        return [tuple(row) for row in rows]


async def test_a_rating_is_kept_with_its_learner_and_another_one_takes_its_place(installation: Installation) -> None:
    path, caller = await scored(installation), installation.caller(Role.SUBMITTER)
    first = await caller.post(path, {"rating": 2, "comment": "Too long."})
    assert (first.status_code, first.json()["rating"], first.json()["comment"]) == (200, 2, "Too long.")
    assert await stored(installation) == [("ada", 2, "Too long.", None)]
    assert (await caller.post(path, {"rating": 5})).json()["comment"] is None
    assert await stored(installation) == [("ada", 5, None, None)]


async def test_the_same_rating_again_changes_nothing(installation: Installation) -> None:
    path, caller = await scored(installation), installation.caller(Role.SUBMITTER)
    first = await caller.post(path, {"rating": 3, "comment": "So so."})
    assert (await caller.post(path, {"rating": 3, "comment": "So so."})).json() == first.json()


async def test_a_rating_keeps_the_arm_that_the_feedback_was_served_under(installation: Installation) -> None:
    path = await scored(installation)
    served = ServedAnswer(1, path.split("/")[3], "q-1", "size", "small", "ai", "openai", "m", "p@1")
    await AssignmentStore(installation.worker.servers.engine).record([served])
    await installation.caller(Role.SUBMITTER).post(path, {"rating": 4})
    assert await stored(installation) == [("ada", 4, None, "size/small")]


async def test_a_learner_rates_what_is_theirs_and_nothing_else_exists(installation: Installation) -> None:
    path, submitter = await scored(installation), installation.caller(Role.SUBMITTER)
    own, other = [
        installation.bearer((await submitter.post(f"/v1/learners/{learner}/token")).json()["token"])
        for learner in ("ada", "bob")
    ]
    assert (await other.post(path, {"rating": 1})).status_code == 404
    assert await stored(installation) == []
    assert (await own.post(path, {"rating": 5})).status_code == 200


async def test_before_there_is_feedback_nothing_can_be_rated(installation: Installation) -> None:
    path = await scored(installation, feedback=False)
    refused = await installation.caller(Role.SUBMITTER).post(path, {"rating": 5})
    assert (refused.status_code, "feedback" in refused.json()["detail"]) == (409, True)
    assert await stored(installation) == []


async def test_a_question_that_was_not_answered_does_not_exist(installation: Installation) -> None:
    path = (await scored(installation)).replace("q-1", "q-2")
    assert (await installation.caller(Role.SUBMITTER).post(path, {"rating": 5})).status_code == 404


async def test_an_operator_rates_nothing(installation: Installation) -> None:
    path = await scored(installation)
    assert (await installation.caller(Role.OPERATOR).post(path, {"rating": 5})).status_code == 403


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, {"/rating"}),
        ({"rating": 0}, {"/rating"}),
        ({"rating": 6, "comment": "x" * 1001}, {"/rating", "/comment"}),
        ({"rating": True}, {"/rating"}),
        ({"rating": 3, "stars": 5}, {"/stars"}),
    ],
)
async def test_what_is_wrong_with_a_rating_is_named(
    installation: Installation, body: dict[str, Any], pointers: set[str]
) -> None:
    path = await scored(installation)
    refused = await installation.caller(Role.SUBMITTER).post(path, body)
    assert refused.status_code == 422
    assert {error["pointer"] for error in refused.json()["errors"]} == pointers
    assert await stored(installation) == []
