"""What a learner works towards: the target that was set, else the goal of what was handed in last."""

from typing import Any

from tests.api.installation import Caller, Installation, question

CURRICULUM: Any = {
    "categories": [{"id": name, "title": name.title(), "months": 6, "tracks": ["t"]} for name in ("web", "data")],
    "tracks": [{"id": "t", "title": "Track", "modules": ["first"]}],
    "modules": [{"id": "first", "title": "First", "difficulty": 1, "hours": 10, "topics": ["lists"]}],
    "projects": [
        {"id": f"{name}-project", "title": name, "description": name, "difficulty": 3, "topics": ["lists"]}
        | {"categories": [name]}
        for name in ("web", "data")
    ],
}
LONG_AGO, LATER = "2024-02-29T23:59:59Z", "2024-03-01T00:00:00Z"


async def school(installation: Installation) -> Caller:
    teacher = installation.caller()
    await teacher.put("/v1/questions/q1", question("q1"))
    assert (await teacher.post("/v1/curriculum/import", CURRICULUM)).status_code == 200
    return teacher


async def aims(teacher: Caller) -> tuple[Any, ...]:
    """What ada works towards, as her progress, her first project, the careers and the learners at risk tell it."""
    progress = (await teacher.get("/v1/learners/ada/progress")).json()
    advice = (await teacher.get("/v1/learners/ada/recommendations")).json()
    careers = (await teacher.get("/v1/analytics/careers")).json()["items"]
    [risk] = (await teacher.get("/v1/analytics/at-risk?min_score=0")).json()["items"]
    return (
        progress["course"] and progress["course"]["category"],
        next(one["id"] for one in advice["projects"] if one["reason"]["code"] == "project"),
        *(one["category"] for one in careers if one["learners"]),
        risk["career_goal"],
    )


async def test_a_target_among_the_goals_goes_before_what_hand_ins_say(installation: Installation) -> None:
    """Goals are set on purpose; a client may send the same career goal along with every hand-in for years."""
    teacher = await school(installation)
    await teacher.put("/v1/learners/ada/goals", {"target": "data"})
    assert await aims(teacher) == ("data", "data-project", "data", "data")
    await installation.run([await teacher.hand_in("ada", {"q1": "a"}, career_goal="web")])
    assert await aims(teacher) == ("data", "data-project", "data", "data")
    await teacher.put("/v1/learners/ada/goals", {"weekly_answers": 5})
    assert await aims(teacher) == ("web", "web-project", "web", "web")


async def test_what_was_handed_in_earlier_and_arrives_later_changes_no_goal(installation: Installation) -> None:
    teacher = await school(installation)
    ids = [
        await teacher.hand_in("ada", {"q1": "a"}, career_goal="web", submitted_at=LATER),
        await teacher.hand_in("ada", {"q1": "b"}, career_goal="data", submitted_at=LONG_AGO),
    ]
    await installation.run(ids)
    assert await aims(teacher) == ("web", "web-project", "web", "web")
    advice = (await teacher.get("/v1/learners/ada/recommendations")).json()
    assert advice["submission_id"] == ids[0]


async def test_a_later_hand_in_without_a_goal_keeps_the_goal_and_tells_the_language(
    installation: Installation,
) -> None:
    teacher = await school(installation)
    ids = [
        await teacher.hand_in("ada", {"q1": "a"}, career_goal="web", locale="en"),
        await teacher.hand_in("ada", {"q1": "b"}, locale="ko"),
        await teacher.hand_in("ada", {"q1": "b"}, locale="ja", submitted_at=LONG_AGO),
    ]
    await installation.run(ids)
    assert await aims(teacher) == ("web", "web-project", "web", "web")
    advice = (await teacher.get("/v1/learners/ada/recommendations")).json()
    assert (advice["submission_id"], "수준" in advice["projects"][0]["reason"]["text"]) == (ids[1], True)
