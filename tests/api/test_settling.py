"""Settling answers over HTTP: who may, what is refused by name, and where everybody sees what was decided."""

from typing import Any

import pytest

from pipeline.lifecycle import Stage
from pipeline.live.board import submission_key
from pipeline.service.access import Role
from tests.api.installation import Installation, question

COMMENT = "Clear, but the example is missing."


def essay(question_id: str = "essay", points: float = 5) -> dict[str, Any]:
    return {"id": question_id, "type": "essay", "prompt": "Why?", "answer": {}, "points": points, "topics": ["why"]}


async def scored(installation: Installation, learner: str = "ada", **fields: Any) -> str:
    """A completed submission with a choice and an essay."""
    teacher = installation.caller()
    await teacher.put("/v1/questions/q-1", question("q-1"))
    await teacher.put("/v1/questions/essay", essay())
    id_ = await installation.caller(Role.SUBMITTER).hand_in(learner, {"q-1": "a", "essay": "It depends."}, **fields)
    await installation.run([id_])
    return id_


def place(submission_id: str, question_id: str = "essay") -> str:
    return f"/v1/submissions/{submission_id}/answers/{question_id}/settlement"


async def test_a_decision_is_answered_with_the_submission_as_it_is_now(installation: Installation) -> None:
    id_ = await scored(installation)
    reader = installation.caller(Role.SUBMITTER)
    before = (await reader.get(f"/v1/submissions/{id_}")).json()
    answer = await installation.caller().put(place(id_), {"points": 3.5, "comment": COMMENT})
    assert answer.status_code == 200, answer.text
    settled = answer.json()
    assert (before["score"]["provisional"], settled["score"]["provisional"]) == (True, False)
    assert (settled["score"]["points"], settled["score"]["fraction"]) == (4.5, 0.75)
    assert (settled["status"], settled["version"]) == ("completed", before["version"] + 1)
    first, second = settled["score"]["answers"]
    assert "settled" not in first
    assert (second["outcome"], second["fraction"], second["points"]) == ("partial", 0.7, 3.5)
    assert second["settled"]["comment"] == COMMENT
    assert second["settled"]["by"].startswith("key:")
    assert set(second["settled"]) == {"by", "at", "comment"}
    assert (await reader.get(f"/v1/submissions/{id_}")).json() == settled


async def test_what_was_shown_is_never_older_than_what_was_decided(installation: Installation) -> None:
    """Even where the word of the change is lost on its way to Redis."""
    id_ = await scored(installation)
    reader = installation.caller(Role.SUBMITTER)
    await reader.get(f"/v1/submissions/{id_}")
    redis, key = installation.worker.servers.redis, submission_key(id_)
    for points in (1, 2):
        kept = await redis.dump(key)
        assert kept is not None
        await installation.caller().put(place(id_), {"points": points})
        await redis.restore(key, 0, kept, replace=True)
        assert (await reader.get(f"/v1/submissions/{id_}")).json()["score"]["points"] == 1 + points


async def test_the_same_decision_again_changes_nothing_and_another_one_holds(installation: Installation) -> None:
    id_, teacher = await scored(installation), installation.caller()
    first = (await teacher.put(place(id_), {"points": 5})).json()
    assert (await teacher.put(place(id_), {"fraction": 1, "comment": None})).json() == first
    other = (await teacher.put(place(id_), {"fraction": 0.5})).json()
    assert (other["version"], other["score"]["points"]) == (first["version"] + 1, 3.5)


async def test_who_names_the_decision_that_is_replaced_overwrites_no_other(installation: Installation) -> None:
    id_, teacher = await scored(installation), installation.caller()
    unseen = {"points": 3.5, "replaces": None}
    first = (await teacher.put(place(id_), unseen)).json()
    at = first["score"]["answers"][1]["settled"]["at"]
    assert (await teacher.put(place(id_), unseen)).json() == first
    for replaces in (None, "2026-03-02T09:00:00Z"):
        refused = await teacher.put(place(id_), {"points": 1, "replaces": replaces})
        assert (refused.status_code, "Another decision" in refused.json()["detail"]) == (409, True)
    assert (await teacher.get(f"/v1/submissions/{id_}")).json() == first
    second = await teacher.put(place(id_), {"points": 1, "replaces": at})
    assert (second.status_code, second.json()["score"]["points"]) == (200, 2)


async def test_a_moment_without_an_offset_is_no_moment(installation: Installation) -> None:
    id_ = await scored(installation)
    refused = await installation.caller().put(place(id_), {"points": 1, "replaces": "2026-03-02T09:00:00"})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/replaces")


async def test_an_answer_is_shown_with_all_that_a_decision_goes_by(installation: Installation) -> None:
    teacher = installation.caller()
    id_ = await scored(installation, assignment_id="hw-1")
    path = f"/v1/submissions/{id_}/answers/essay"
    shown = (await teacher.get(path)).json()
    assert {name: shown[name] for name in ("submission_id", "status", "learner_id", "assignment_id", "response")} == {
        "submission_id": id_,
        "status": "completed",
        "learner_id": "ada",
        "assignment_id": "hw-1",
        "response": "It depends.",
    }
    question = {name: shown["question"][name] for name in ("id", "version", "type", "prompt")}
    assert question == {"id": "essay", "version": 1, "type": "essay", "prompt": "Why?"}
    waiting = {"outcome": "needs_review", "fraction": None, "points": None, "max_points": 5.0, "rule": "essay/1"}
    assert shown["score"] == waiting
    settled = (await teacher.put(place(id_), {"points": 2})).json()["score"]["answers"][1]["settled"]
    assert (await teacher.get(path)).json()["score"]["settled"] == settled
    assert (await teacher.get(f"/v1/submissions/{id_}/answers/other")).status_code == 404
    unscored = await installation.caller(Role.SUBMITTER).hand_in("ada", {"essay": "It depends."})
    assert (await teacher.get(f"/v1/submissions/{unscored}/answers/essay")).json()["score"] is None


@pytest.mark.parametrize("role", [Role.SUBMITTER, Role.OPERATOR])
async def test_only_a_teacher_decides(installation: Installation, role: Role) -> None:
    id_ = await scored(installation)
    assert (await installation.caller(role).put(place(id_), {"points": 5})).status_code == 403


async def test_a_learner_does_not_decide_on_their_own_answer(installation: Installation) -> None:
    id_ = await scored(installation)
    token = (await installation.caller(Role.SUBMITTER).post("/v1/learners/ada/token")).json()["token"]
    assert (await installation.bearer(token).put(place(id_), {"points": 5})).status_code == 403


async def test_what_is_not_there_or_not_ones_own_does_not_exist(installation: Installation) -> None:
    id_, teacher = await scored(installation), installation.caller()
    stranger = installation.caller(Role.TEACHER, "academy")
    assert (await stranger.put(place(id_), {"points": 5})).status_code == 404
    assert (await teacher.put(place(id_, "other"), {"points": 5})).status_code == 404
    assert (await teacher.put(place("not-an-id"), {"points": 5})).status_code == 404
    assert (await teacher.put(place("01900000-0000-7000-8000-000000000001"), {"points": 5})).status_code == 404


async def test_what_needs_no_decision_or_is_not_scored_yet_is_a_conflict(installation: Installation) -> None:
    id_, teacher = await scored(installation), installation.caller()
    sure = await teacher.put(place(id_, "q-1"), {"points": 1})
    assert (sure.status_code, "correct" in sure.json()["detail"]) == (409, True)
    unscored = await installation.caller(Role.SUBMITTER).hand_in("ada", {"essay": "It depends."})
    waiting = await teacher.put(place(unscored), {"points": 1})
    assert (waiting.status_code, "not scored yet" in waiting.json()["detail"]) == (409, True)


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, {"/points"}),
        ({"points": 1, "fraction": 0.5}, {"/fraction"}),
        ({"points": 5.01}, {"/points"}),
        ({"points": -1}, {"/points"}),
        ({"fraction": 1.5}, {"/fraction"}),
        ({"points": "3"}, {"/points"}),
        ({"points": True}, {"/points"}),
        (b'{"points": NaN}', {""}),
        (b'{"points": 1e999}', {""}),
        ({"points": 1e300}, {"/points"}),
        ({"points": 1, "comment": "x" * 4001}, {"/comment"}),
        ({"points": 1, "comment": "a\x00b"}, {"/comment"}),
        ({"points": 1, "mark": "A"}, {"/mark"}),
        ([], {""}),
    ],
)
async def test_what_is_wrong_with_a_decision_is_named(
    installation: Installation, body: Any, pointers: set[str]
) -> None:
    id_ = await scored(installation)
    refused = await installation.caller().put(place(id_), body)
    assert refused.status_code == 422, refused.text
    assert {error["pointer"] for error in refused.json()["errors"]} == pointers
    assert (await installation.caller().get(f"/v1/submissions/{id_}")).json()["score"]["provisional"] is True


async def listed(installation: Installation, query: str) -> list[str]:
    answer = await installation.caller().get(f"/v1/submissions?{query}")
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


async def test_what_waits_for_a_person_is_listed_oldest_first_and_leaves_the_list_when_decided(
    installation: Installation,
) -> None:
    ids = [await scored(installation, learner) for learner in ("ada", "bob", "eve", "ada")]
    submitter = installation.caller(Role.SUBMITTER)
    sure = await submitter.hand_in("ada", {"q-1": "a"})
    cancelled = await submitter.hand_in("ada", {"essay": "It depends."})
    await installation.run([sure])
    await installation.run([cancelled], [Stage.SCORE])
    await submitter.post(f"/v1/submissions/{cancelled}/cancel")
    await scored_elsewhere(installation)
    assert await listed(installation, "needs_review=true") == ids
    assert await listed(installation, "needs_review=true&learner_id=ada") == [ids[0], ids[3]]
    assert await listed(installation, "needs_review=false") == [sure]
    page = (await installation.caller().get("/v1/submissions?needs_review=true&limit=3")).json()
    await installation.caller().put(place(ids[1]), {"points": 5})
    assert await listed(installation, "needs_review=true") == [ids[0], ids[2], ids[3]]
    rest = (await installation.caller().get(f"/v1/submissions?needs_review=true&cursor={page['next']}")).json()
    assert ([item["id"] for item in rest["items"]], rest["next"]) == ([ids[3]], None)


async def scored_elsewhere(installation: Installation) -> None:
    """Another tenant's essay."""
    await installation.caller(Role.TEACHER, "academy").put("/v1/questions/essay", essay())
    id_ = await installation.caller(Role.SUBMITTER, "academy").hand_in("ada", {"essay": "It depends."})
    await installation.run([id_])


async def test_a_learners_own_list_of_what_waits_holds_nobody_elses(installation: Installation) -> None:
    own, _ = await scored(installation, "ada"), await scored(installation, "bob")
    token = (await installation.caller(Role.SUBMITTER).post("/v1/learners/ada/token")).json()["token"]
    answer = await installation.bearer(token).get("/v1/submissions?needs_review=true")
    assert [item["id"] for item in answer.json()["items"]] == [own]


async def test_endpoints_that_asked_for_it_are_told_of_a_decision(installation: Installation) -> None:
    teacher = installation.caller()
    for events in (["submission.settled"], ["submission.completed"]):
        made = await teacher.post("/v1/webhooks", {"url": "https://school.example/hook", "events": events})
        assert made.status_code == 201, made.text
    id_ = await scored(installation)
    await teacher.put(place(id_), {"points": 5})
    told = (await teacher.get("/v1/webhooks/deliveries?event=submission.settled")).json()["items"]
    assert [one["submission_id"] for one in told] == [id_]


async def test_progress_and_skills_follow_a_decision(installation: Installation) -> None:
    id_, teacher = await scored(installation), installation.caller()
    before = (await teacher.get("/v1/learners/ada/skills")).json()
    await teacher.put(place(id_), {"points": 5})
    after = (await teacher.get("/v1/learners/ada/skills")).json()
    assert [one["topic"] for one in before["items"]] == ["choosing"]
    assert {one["topic"]: (one["answers"], one["correct"]) for one in after["items"]} == {
        "choosing": (1, 1),
        "why": (1, 1),
    }


async def test_a_learners_export_has_what_was_decided_and_an_erasure_leaves_nothing_of_it(
    installation: Installation,
) -> None:
    id_, teacher = await scored(installation, callback_url="https://school.example/hook"), installation.caller()
    await teacher.put(place(id_), {"points": 5, "comment": COMMENT})
    assert COMMENT in (await teacher.get("/v1/learners/ada/export")).text
    assert (await teacher.delete("/v1/learners/ada")).status_code == 204
    assert (await teacher.put(place(id_), {"points": 1})).status_code == 404
    audit = (await installation.caller(Role.OPERATOR).get("/v1/ops/audit")).text
    assert "submission.settle" in audit
    assert COMMENT not in audit
