"""What is known of a learner, over HTTP."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import text

from pipeline.service.access import Role
from pipeline.settings import Settings
from pipeline.store.engine import create_engine, transaction
from tests.api.installation import Installation, question


async def learnt(installation: Installation, learner_id: str = "ada", at: datetime | None = None) -> list[str]:
    """Two questions, two hand-ins at one moment (now, unless told), all stages done."""
    fields = {"submitted_at": (at or datetime.now(UTC)).isoformat()}
    teacher = installation.caller()
    await teacher.put("/v1/questions/q1", question("q1"))
    await teacher.put("/v1/questions/q2", question("q2", topics=["lists"]))
    ids = [
        await teacher.hand_in(learner_id, {"q1": "a", "q2": "b"}, **fields),
        await teacher.hand_in(learner_id, {"q1": "b"}, **fields),
    ]
    await installation.run(ids)
    return ids


async def test_skills_tell_standing_and_weakness_per_topic(installation: Installation) -> None:
    await learnt(installation)
    answer = await installation.caller().get("/v1/learners/ada/skills")
    choosing, lists = answer.json()["items"]
    assert answer.json()["next"] is None
    assert (choosing["topic"], choosing["answers"], choosing["correct"]) == ("choosing", 2, 1)
    assert (lists["topic"], lists["answers"], lists["correct"]) == ("lists", 1, 0)
    assert lists["rating"] < choosing["rating"]
    assert 0 < lists["mastery"] < choosing["mastery"] < 1
    assert 0 < choosing["uncertainty"] < lists["uncertainty"] < 1
    assert (choosing["level"], lists["level"]) == ("developing", "novice")
    assert 0 < choosing["weakness"] < 1
    assert datetime.fromisoformat(lists["updated_at"]) <= datetime.now(UTC)


async def test_progress_sums_up_all_and_the_range(installation: Installation) -> None:
    now = datetime.now(UTC)
    await learnt(installation, at=now)
    shown = (await installation.caller().get("/v1/learners/ada/progress")).json()
    figures = {
        "submissions": 2,
        "answers": 3,
        "correct": 1,
        "accuracy": 0.3333,
        "mean_score": 0.3333,
        "mean_response_time_ms": None,
    }
    assert shown["total"] == shown["in_range"] == figures
    assert shown["days"] == [{**figures, "day": str(now.date())}]
    today = date.fromisoformat(shown["to"])
    assert (shown["from"], now.date() <= today <= datetime.now(UTC).date()) == (str(today - timedelta(days=29)), True)
    assert shown["current_streak"] == 1
    earlier = (await installation.caller().get("/v1/learners/ada/progress?from=2020-01-01&to=2020-01-31")).json()
    assert (earlier["total"], earlier["days"], earlier["in_range"]["answers"]) == (figures, [], 0)


async def test_a_range_that_makes_no_sense_is_refused(installation: Installation) -> None:
    await learnt(installation)
    for query in ("from=2026-02-01&to=2026-01-01", "from=2020-01-01&to=2026-01-01", "from=yesterday"):
        answer = await installation.caller().get(f"/v1/learners/ada/progress?{query}")
        assert [problem["pointer"] for problem in answer.json()["errors"]] == ["/from"]


async def test_recommendations_are_worked_out_of_the_present_state(installation: Installation) -> None:
    teacher = installation.caller()
    ids = await learnt(installation)
    for number in range(8):
        await teacher.put(f"/v1/questions/more-{number}", question(f"more-{number}", topics=["lists"]))
    shown = (await teacher.get("/v1/learners/ada/recommendations")).json()
    assert shown["submission_id"] == ids[1]
    assert [one["topic"] for one in shown["weaknesses"]] == ["lists", "choosing"]
    assert [one["mistakes"][0]["kind"] for one in shown["weaknesses"]] == ["gap", "gap"]
    advised = [one["question_id"] for one in shown["questions"]]
    assert len(advised) == len(set(advised)) == 5
    assert "more-0" in {f"{id_[:5]}0" for id_ in advised}
    assert "q1" not in advised
    for one in shown["questions"]:
        assert one["topic"] in one["reason"]["text"]
        assert one["reason"]["code"] == "weak"
    again = (await teacher.get("/v1/learners/ada/recommendations")).json()
    days = [datetime.fromisoformat(one["advised_at"]).date() for one in (shown, again)]
    assert (again["questions"] == shown["questions"]) or days[0] < days[1], "the same all through a day"


async def test_as_many_recommendations_come_as_asked_for_and_in_the_language_asked_for(
    installation: Installation,
) -> None:
    teacher = installation.caller()
    await learnt(installation)
    for number in range(8):
        await teacher.put(f"/v1/questions/more-{number}", question(f"more-{number}", topics=["lists"]))
    shown = (await teacher.get("/v1/learners/ada/recommendations?count=7&locale=ko")).json()
    assert len(shown["questions"]) == 7
    assert "최근 7일" in shown["questions"][0]["reason"]["text"]
    for query in ("count=0", "count=51", "count=many", "locale=x"):
        refused = await teacher.get(f"/v1/learners/ada/recommendations?{query}")
        assert [problem["pointer"] for problem in refused.json()["errors"]] == [f"/{query.partition('=')[0]}"]


async def test_a_learner_of_whom_nothing_is_known_yet_gets_something_to_begin_with(
    installation: Installation,
) -> None:
    teacher = installation.caller()
    for number in range(3):
        await teacher.put(f"/v1/questions/q{number}", question(f"q{number}", topics=[f"topic-{number}"]))
    submission_id = await teacher.hand_in("ada", {"q1": "a"})
    shown = (await teacher.get("/v1/learners/ada/recommendations")).json()
    assert (shown["submission_id"], shown["weaknesses"]) == (submission_id, [])
    assert {one["reason"]["code"] for one in shown["questions"]} == {"new"}
    assert [one["question_id"] for one in shown["questions"]][-1] == "q1"


RESOURCES = [
    {
        "id": f"r{number}",
        "title": f"Lists {kind}",
        "kind": kind,
        "url": "https://example.org/lists",
        "topics": ["lists"],
    }
    for number, kind in enumerate(("documentation", "video", "tutorial", "tutorial"))
]
PROJECT = {
    "id": "shop",
    "title": "A shop",
    "description": "Build one.",
    "difficulty": 2,
    "topics": ["lists", "sets"],
    "translations": {"ko": {"title": "가게"}},
}


async def test_what_the_curriculum_offers_comes_with_the_advice_and_with_every_submission(
    installation: Installation,
) -> None:
    teacher = installation.caller()
    given = {"resources": RESOURCES, "projects": [PROJECT]}
    assert (await teacher.post("/v1/curriculum/import", given)).status_code == 200
    ids = await learnt(installation)
    stored = (await teacher.get(f"/v1/submissions/{ids[0]}")).json()["recommendations"]
    fresh = (await teacher.get("/v1/learners/ada/recommendations?locale=ko")).json()
    for shown in (stored, fresh):
        assert sorted(one["kind"] for one in shown["resources"]) == ["documentation", "tutorial", "video"]
        assert {one["reason"]["code"] for one in shown["resources"]} == {"weak"}
    assert [one["title"] for one in stored["projects"]] == ["A shop"]
    assert [one["title"] for one in fresh["projects"]] == ["가게"]
    reason = fresh["projects"][0]["reason"]
    assert (reason["code"], reason["met"], reason["topics"], reason["for_goal"]) == ("project", 1, 2, False)


WRITTEN_BY_A_MODEL = [
    (
        "INSERT INTO feedback_ratings (tenant_id, submission_id, question_id, learner_id, rating, comment)"
        " VALUES (1, CAST(:id AS uuid), 'q1', 'ada', 4, 'thanks')"
    ),
    (
        "INSERT INTO feedback_assignments (tenant_id, submission_id, question_id, experiment, arm, source)"
        " VALUES (1, CAST(:id AS uuid), 'q1', 'tone', 'warm', 'template')"
    ),
    (
        "INSERT INTO llm_attempts (id, tenant_id, learner_id, submission_id, question_id, purpose, provider, model,"
        " account, prompt_version, state, estimate) VALUES (gen_random_uuid(), 1, 'ada', CAST(:id AS uuid), 'q1',"
        " 'feedback', 'openai', 'gpt-6-luna', 'main', 'feedback/personalized/en@1', 'open', 5)"
    ),
]


async def test_an_unknown_learner_is_not_found(installation: Installation) -> None:
    teacher = installation.caller()
    for part in ("/skills", "/progress", "/recommendations", "/export"):
        assert (await teacher.get(f"/v1/learners/nobody{part}")).status_code == 404
        assert (await teacher.get(f"/v1/learners/no%00body{part}")).status_code == 404
    assert (await teacher.delete("/v1/learners/nobody")).status_code == 404


async def test_an_export_holds_everything_and_says_that_it_ended(installation: Installation) -> None:
    ids = await learnt(installation)
    answer = await installation.caller().get("/v1/learners/ada/export")
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    lines = [msgspec.json.decode(line) for line in answer.content.splitlines()]
    assert [line["kind"] for line in lines] == ["learner", "skill", "skill", "day", "submission", "submission", "end"]
    assert lines[-1] == {"kind": "end", "submissions": 2}
    first = lines[4]
    assert (first["id"], first["status"]) == (ids[0], "completed")
    assert [one["response"] for one in first["answers"]] == ["a", "b"]
    assert {"score", "feedback", "recommendations"} <= first.keys()


async def test_an_export_says_what_models_were_asked_and_what_the_learner_thought(
    installation: Installation, settings: Settings
) -> None:
    ids = await learnt(installation)
    engine = create_engine(str(settings.database_url), pool_size=1)
    async with transaction(engine) as connection:
        for statement in WRITTEN_BY_A_MODEL:
            await connection.execute(text(statement), {"id": ids[0]})
    await engine.dispose()
    answer = await installation.caller().get("/v1/learners/ada/export")
    first, second = [line for line in map(msgspec.json.decode, answer.content.splitlines()) if "score" in line]
    assert [(one["rating"], one["comment"]) for one in first["ratings"]] == [(4, "thanks")]
    assert [(one["experiment"], one["arm"]) for one in first["experiments"]] == [("tone", "warm")]
    assert [(one["provider"], one["model"]) for one in first["model_requests"]] == [("openai", "gpt-6-luna")]
    assert [second[part] for part in ("ratings", "experiments", "model_requests")] == [[], [], []]


async def test_a_token_is_minted_for_as_long_as_asked(installation: Installation) -> None:
    submitter = installation.caller(Role.SUBMITTER)
    before = datetime.now(UTC)
    for body, seconds in ((None, 900), ({}, 900), ({"expires_in": 60}, 60)):
        answer = await submitter.post("/v1/learners/ada/token", body)
        assert answer.status_code == 201
        lasts = datetime.fromisoformat(answer.json()["expires_at"]) - before
        assert timedelta(seconds=seconds - 2) < lasts < timedelta(seconds=seconds + 60)


async def test_a_token_for_too_long_or_for_nobody_is_refused(installation: Installation) -> None:
    submitter = installation.caller(Role.SUBMITTER)
    bad: list[Any] = [{"expires_in": 3601}, {"expires_in": 0}, {"expires_in": "long"}, {"expires": 1}, []]
    for body in bad:
        assert (await submitter.post("/v1/learners/ada/token", body)).status_code == 422
    assert (await submitter.post(f"/v1/learners/{'x' * 201}/token")).status_code == 422
    assert (await submitter.post("/v1/learners/a%00b/token")).status_code == 422


async def test_a_token_reads_its_own_learner_only(installation: Installation) -> None:
    await learnt(installation, "ada")
    await learnt(installation, "bob")
    token = (await installation.caller(Role.SUBMITTER).post("/v1/learners/ada/token")).json()["token"]
    learner = installation.bearer(token)
    for part in ("skills", "progress", "recommendations"):
        assert (await learner.get(f"/v1/learners/ada/{part}")).status_code == 200
        assert (await learner.get(f"/v1/learners/bob/{part}")).status_code == 404
    assert (await learner.get("/v1/learners/ada/export")).status_code == 403
    assert (await learner.delete("/v1/learners/ada")).status_code == 403
    assert (await learner.post("/v1/learners/ada/token")).status_code == 403
