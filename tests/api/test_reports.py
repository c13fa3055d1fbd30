"""A learner's weeks and goals, over HTTP and as they are made in advance."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx
import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.learning.report import WeeklyReport
from pipeline.learning.week import Week, last_whole_week
from pipeline.service.access import Principal, Role
from pipeline.service.course import Courses
from pipeline.service.report import Reports
from pipeline.settings import Settings
from pipeline.store.curriculum import CurriculumStore
from pipeline.store.engine import create_engine, transaction
from pipeline.store.learner import LearnerStore
from pipeline.store.question import QuestionVersions
from pipeline.store.report import ReportStore
from tests.api.installation import Installation, question

GOALS = {"weekly_answers": 2, "weekly_minutes": 60, "target": None, "hours_per_week": 4.5}


@pytest.fixture
def now() -> datetime:
    """The moment at which a test begins; it may end in another week."""
    return datetime.now(UTC)


@pytest.fixture
def last_week(now: datetime) -> Week:
    return last_whole_week(now, UTC)


@pytest.fixture
async def engine(settings: Settings) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(str(settings.database_url), pool_size=2)
    yield engine
    await engine.dispose()


def reports_on(engine: AsyncEngine, now: datetime) -> Reports:
    store = ReportStore(engine, QuestionVersions())
    curricula = CurriculumStore(engine)
    return Reports(store, LearnerStore(engine), Courses(store, curricula), curricula, clock=lambda: now)


async def worked(installation: Installation, now: datetime, learner_id: str = "ada") -> None:
    """In the week before `now` one of two right, in its own both; all stages done."""
    teacher = installation.caller()
    await teacher.put("/v1/questions/q1", question("q1"))
    await teacher.put("/v1/questions/q2", question("q2", topics=["lists", "loops"]))
    tuesday = last_whole_week(now, UTC).start(UTC) + timedelta(days=1, hours=15)
    ids = [
        await teacher.hand_in(learner_id, {"q1": "a", "q2": "b"}, submitted_at=tuesday.isoformat()),
        await teacher.hand_in(learner_id, {"q1": "a", "q2": "a"}, submitted_at=now.isoformat()),
    ]
    await installation.run(ids)


async def report(installation: Installation, week: Week, query: str = "", learner_id: str = "ada") -> dict[str, Any]:
    answer = await installation.caller().get(f"/v1/learners/{quote(learner_id)}/report?week={week.name}&{query}")
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


async def test_the_last_whole_week_is_shown_unless_another_is_asked_for(
    installation: Installation, now: datetime, last_week: Week
) -> None:
    await worked(installation, now)
    shown = (await installation.caller().get("/v1/learners/ada/report")).json()
    told = last_whole_week(datetime.fromisoformat(shown["made_at"]), UTC)
    assert (shown["learner_id"], shown["week"], shown["timezone"]) == ("ada", told.name, "UTC")
    assert told in {last_week, last_week.after}


async def test_a_week_that_is_over_is_complete_and_one_under_way_is_not(
    installation: Installation, now: datetime, last_week: Week
) -> None:
    await worked(installation, now)
    shown = await report(installation, last_week)
    assert (shown["complete"], shown["stored"]) == (True, False)
    assert (shown["total"]["answers"], shown["total"]["correct"], shown["total"]["accuracy"]) == (2, 1, 0.5)
    assert [topic["topic"] for topic in shown["topics"]] == ["choosing", "lists", "loops"]
    under_way = await report(installation, last_week.after)
    over = datetime.fromisoformat(under_way["made_at"]) >= last_week.after.end(UTC)
    assert (under_way["complete"], under_way["total"]["correct"], under_way["before"]["correct"]) == (over, 2, 1)


async def test_every_finding_is_data_and_a_sentence_in_the_language_asked_for(
    installation: Installation, now: datetime, last_week: Week
) -> None:
    await worked(installation, now)
    await installation.run([await installation.caller().hand_in("ada", {"q2": "b"})])
    english, korean = await report(installation, last_week), await report(installation, last_week, "locale=ko")
    assert english["findings"][0] == {
        "code": "answered_untimed",
        "values": {"count": 2, "correct": 1},
        "text": "You answered 2 questions and got 1 of them right.",
    }
    assert korean["findings"][0]["text"] == "문제 2개를 풀어 1개를 맞혔습니다."
    assert {step["code"] for step in english["next_steps"]} >= {"practise"}


async def test_days_begin_where_the_learner_is(installation: Installation, now: datetime, last_week: Week) -> None:
    await worked(installation, now)
    shown = await report(installation, last_week, "timezone=Pacific/Kiritimati")
    wednesday = last_week.monday + timedelta(days=2)
    assert [day["day"] for day in shown["days"] if day["answers"]] == [str(wednesday)]
    assert shown["timezone"] == "Pacific/Kiritimati"


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("week=2026-47", "/week"),
        ("week=2999-W01", "/week"),
        ("week=1999-W10", "/week"),
        ("week=0001-W01", "/week"),
        ("timezone=Asia", "/timezone"),
        ("timezone=Asia/Nowhere", "/timezone"),
        ("timezone=../../etc/passwd", "/timezone"),
        ("timezone=%2Fetc%2Flocaltime", "/timezone"),
        ("day=1", "/day"),
    ],
)
async def test_what_is_no_week_and_no_time_zone_is_refused(
    installation: Installation, query: str, pointer: str, now: datetime
) -> None:
    await worked(installation, now)
    answer = await installation.caller().get(f"/v1/learners/ada/report?{query}")
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


async def test_a_learner_token_reads_its_own_report_and_sets_no_goals(
    installation: Installation, now: datetime
) -> None:
    await worked(installation, now)
    minted = await installation.caller(Role.SUBMITTER).post("/v1/learners/ada/token")
    ada = installation.bearer(minted.json()["token"])
    assert (await ada.get("/v1/learners/ada/report")).status_code == 200
    assert (await ada.get("/v1/learners/bob/report")).status_code == 404
    assert (await ada.put("/v1/learners/ada/goals", GOALS)).status_code == 403


async def test_goals_are_kept_as_a_whole_and_told_in_the_report(
    installation: Installation, now: datetime, last_week: Week
) -> None:
    await worked(installation, now)
    teacher, submitter = installation.caller(), installation.caller(Role.SUBMITTER)
    nothing = dict.fromkeys(GOALS)
    assert (await teacher.get("/v1/learners/ada/goals")).json() == nothing
    assert (await submitter.put("/v1/learners/ada/goals", GOALS)).json() == GOALS
    assert (await teacher.get("/v1/learners/ada/goals")).json() == GOALS
    met, missed = (await report(installation, last_week))["goals"]
    assert (met["goal"], met["wanted"], met["reached"], met["met"]) == ("weekly_answers", 2, 2, True)
    assert (missed["goal"], missed["met"]) == ("weekly_minutes", False)
    await submitter.put("/v1/learners/ada/goals", {})
    assert (await teacher.get("/v1/learners/ada/goals")).json() == nothing


async def test_goals_that_make_no_sense_are_refused(installation: Installation, now: datetime) -> None:
    await worked(installation, now)
    answer = await installation.caller().put(
        "/v1/learners/ada/goals", {"weekly_answers": 0, "hours_per_week": 1e-308, "streak": 4}
    )
    assert answer.status_code == 422
    assert {one["pointer"] for one in answer.json()["errors"]} == {"/weekly_answers", "/hours_per_week", "/streak"}
    assert (await installation.caller().get("/v1/learners/nobody/goals")).status_code == 404


async def made(reports: Reports, week: Week, most: int = 100) -> int:
    """Make all reports of a week piece by piece; answers how many pieces it took."""
    after: str | None = None
    for piece in range(1, 100):
        after = await reports.make_weekly_reports(1, week, after, most)
        if after is None:
            return piece
    raise AssertionError("it never ends")


async def stored(engine: AsyncEngine) -> list[Any]:
    statement = text("SELECT tenant_id, learner_id, week, body FROM learner_reports ORDER BY learner_id")
    async with transaction(engine) as connection:
        return list(await connection.execute(statement))


async def test_weekly_reports_are_made_once_for_whoever_was_active(
    installation: Installation, engine: AsyncEngine, now: datetime, last_week: Week
) -> None:
    for learner in ("ada", "bob", "cleo"):
        await worked(installation, now, learner)
    async with transaction(engine) as connection:  # cleo has been away for long
        await connection.execute(text("UPDATE learner_days SET day = day - 100 WHERE learner_id = 'cleo'"))
    assert await made(reports_on(engine, now), last_week, most=1) > 3
    rows = await stored(engine)
    assert [(row.tenant_id, row.learner_id, row.week) for row in rows] == [
        (1, "ada", last_week.monday),
        (1, "bob", last_week.monday),
    ]
    assert msgspec.convert(rows[0].body, WeeklyReport).total.answers == 2
    assert await made(reports_on(engine, now), last_week) == 1
    assert await stored(engine) == rows


async def test_reports_made_together_are_those_made_one_by_one(
    installation: Installation, engine: AsyncEngine, now: datetime, last_week: Week
) -> None:
    """To the last digit, whatever learners differ in: answers, days, goals, targets, advice."""
    teacher = installation.caller()
    await worked(installation, now, "ada")
    assert (await teacher.post("/v1/curriculum/import", CURRICULUM)).status_code == 200
    await worked(installation, now, "bob")
    wrong = [await teacher.hand_in("bob", {"q1": "b", "q2": "b"}, career_goal="web") for _ in range(3)]
    late = (last_week.start(UTC) - timedelta(days=2)).isoformat()
    blank = await teacher.hand_in("cleo", {"q2": None}, submitted_at=late)
    await installation.run([*wrong, blank])
    await teacher.put("/v1/learners/cleo/goals", {**GOALS, "target": "web"})
    reports, learners = reports_on(engine, now), ("ada", "bob", "cleo")
    principal = Principal(1, Role.TEACHER, "test")
    alone = {id_: (await reports.week(principal, id_, last_week.name, None)).report for id_ in learners}
    assert [(one.total.answers, bool(one.goals), bool(one.next_steps)) for one in alone.values()] == [
        (2, False, False),
        (2, False, True),
        (0, True, True),
    ]
    assert await made(reports, last_week) == 1
    together = {row.learner_id: row.body for row in await stored(engine)}
    assert together == {id_: msgspec.json.decode(msgspec.json.encode(one)) for id_, one in alone.items()}


async def test_a_stored_report_stays_what_it_was(
    installation: Installation, engine: AsyncEngine, now: datetime, last_week: Week
) -> None:
    """What arrives later changes what is worked out, as in another time zone, and not what was told."""
    await worked(installation, now)
    await made(reports_on(engine, now), last_week)
    late = (last_week.start(UTC) + timedelta(days=3)).isoformat()
    await installation.run([await installation.caller().hand_in("ada", {"q1": "a"}, submitted_at=late)])
    shown, elsewhere = (
        await report(installation, last_week),
        await report(installation, last_week, "timezone=Asia/Seoul"),
    )
    assert (shown["stored"], shown["total"]["answers"]) == (True, 2)
    assert (elsewhere["stored"], elsewhere["total"]["answers"]) == (False, 3)


async def test_an_export_has_goals_and_reports_and_an_erasure_takes_them(
    installation: Installation, engine: AsyncEngine, now: datetime, last_week: Week
) -> None:
    await worked(installation, now)
    teacher = installation.caller()
    await teacher.put("/v1/learners/ada/goals", GOALS)
    await made(reports_on(engine, now), last_week)
    lines = [msgspec.json.decode(line) for line in (await teacher.get("/v1/learners/ada/export")).content.splitlines()]
    assert lines[0]["goals"] == GOALS
    [kept] = [line for line in lines if line["kind"] == "report"]
    assert (kept["week"], kept["total"]["answers"]) == (last_week.name, 2)
    assert (await teacher.delete("/v1/learners/ada")).status_code == 204
    assert await stored(engine) == []


async def test_no_report_outlives_its_learner(
    installation: Installation, engine: AsyncEngine, now: datetime, last_week: Week
) -> None:
    """A report that is worked out while its learner is erased finds nobody to be kept for."""
    await worked(installation, now)
    store = ReportStore(engine, QuestionVersions())
    assert (await installation.caller().delete("/v1/learners/ada")).status_code == 204
    await store.keep(1, last_week.monday, {"ada": {"timezone": "UTC"}})
    assert await stored(engine) == []


async def test_goals_set_before_the_first_hand_in_start_the_learner(installation: Installation, now: datetime) -> None:
    """A school sets up its pupils first; every view is there from then on, for this tenant alone."""
    school, teacher = installation.caller(Role.SUBMITTER), installation.caller()
    before = await teacher.get("/v1/learners/ada/goals")
    assert (before.status_code, "has goals" in before.json()["detail"]) == (404, True)
    set_ = await school.put("/v1/learners/ada/goals", GOALS)
    assert (set_.status_code, set_.json()) == (200, GOALS)
    assert (await teacher.get("/v1/learners/ada/goals")).json() == GOALS
    for part in ("skills", "progress", "recommendations", "report"):
        assert (await teacher.get(f"/v1/learners/ada/{part}")).status_code == 200, part
    await worked(installation, now)
    assert (await teacher.get("/v1/learners/ada/progress")).json()["goals"] == GOALS


async def test_erasing_a_learner_who_only_has_goals_leaves_nobody(installation: Installation) -> None:
    teacher = installation.caller()
    await teacher.put("/v1/learners/ada/goals", GOALS)
    assert (await teacher.delete("/v1/learners/ada")).status_code == 204
    assert (await teacher.get("/v1/learners/ada/goals")).status_code == 404
    assert (await teacher.delete("/v1/learners/ada")).status_code == 404


async def test_goals_are_kept_only_for_ids_that_can_hand_in(installation: Installation) -> None:
    for id_ in ("x" * 201, "a%00b"):
        refused = await installation.caller().put(f"/v1/learners/{id_}/goals", GOALS)
        assert refused.status_code == 422, refused.text


async def test_more_hand_ins_than_are_looked_at_are_said_to_be_cut(
    installation: Installation, engine: AsyncEngine, now: datetime, last_week: Week
) -> None:
    await worked(installation, now)
    store = ReportStore(engine, QuestionVersions())
    since, until = last_week.start(UTC), now + timedelta(hours=1)
    [cut] = await store.facts(1, ["ada"], since, until, most=1)
    assert (len(cut.found.hand_ins), cut.found.clipped) == (1, True)
    assert cut.found.hand_ins[0].at > last_week.end(UTC)
    [whole] = await store.facts(1, ["ada"], since, until, most=2)
    assert (len(whole.found.hand_ins), whole.found.clipped) == (2, False)


CURRICULUM: dict[str, Any] = {
    "categories": [
        {"id": "web", "title": "Web", "months": 6, "tracks": ["t"], "translations": {"ko": {"title": "웹"}}}
    ],
    "tracks": [{"id": "t", "title": "Track", "modules": ["first", "second"]}],
    "modules": [
        {"id": "first", "title": "First", "difficulty": 1, "hours": 10, "topics": ["choosing"]},
        {
            "id": "second",
            "title": "Second",
            "difficulty": 3,
            "hours": 16,
            "topics": ["joins"],
            "prerequisites": ["first"],
        },
    ],
}


async def test_progress_tells_topics_goals_and_the_way_to_the_target(
    installation: Installation, now: datetime, last_week: Week
) -> None:
    await worked(installation, now)
    teacher = installation.caller()
    assert (await teacher.get("/v1/learners/ada/progress")).json()["course"] is None
    assert (await teacher.post("/v1/curriculum/import", CURRICULUM)).status_code == 200
    refused = await teacher.put("/v1/learners/ada/goals", {"target": "nowhere"})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/target")
    await teacher.put("/v1/learners/ada/goals", {"target": "web", "hours_per_week": 6})
    shown = (await teacher.get("/v1/learners/ada/progress")).json()
    assert (shown["goals"]["target"], shown["goals"]["hours_per_week"]) == ("web", 6)
    assert [(one["topic"], one["answers"], one["correct"], one["accuracy"]) for one in shown["topics"]] == [
        ("choosing", 2, 2, 1.0),
        ("lists", 2, 1, 0.5),
        ("loops", 2, 1, 0.5),
    ]
    course = shown["course"]
    assert (course["category"], course["modules"], course["mastered"], course["share"]) == ("web", 2, 0, 0.0)
    assert (course["hours_left"], course["hours_per_week"], course["months_left"]) == (26, 6, 1.0)
    assert [module["id"] for module in course["next"]] == ["first"]
    steps = (await report(installation, last_week))["next_steps"]
    assert steps[-1]["text"] == "Go on with the module First."


async def test_sentences_call_topics_after_their_modules_and_data_by_their_ids(
    installation: Installation, now: datetime, last_week: Week
) -> None:
    await worked(installation, now)
    teacher = installation.caller()
    assert (await teacher.post("/v1/curriculum/import", CURRICULUM)).status_code == 200
    await installation.run([await teacher.hand_in("ada", {"q1": "b"})])
    [step] = [
        one for one in (await report(installation, last_week))["next_steps"] if one["values"].get("topic") == "choosing"
    ]
    assert step["text"] == "Practise First, where answers went wrong lately."
    advice = (await teacher.get("/v1/learners/ada/recommendations")).json()
    told = [one["reason"] for one in advice["questions"] if one["topic"] == "choosing"]
    assert told
    assert all("“First”" in reason["text"] and reason["topic"] == "choosing" for reason in told)
    token = (await teacher.post("/v1/learners/ada/token")).json()["token"]
    entered = await teacher.get(f"/pages/enter?token={token}")
    page = await teacher.call("GET", "/pages/learner", None, Cookie=entered.headers["set-cookie"].partition(";")[0])
    assert page.status_code == 200
    assert "<bdi>q1" not in page.text
    assert ">choosing<" not in page.text
    assert question("q1")["prompt"] in page.text


async def test_a_learners_page_shows_the_first_week_while_it_lasts(
    installation: Installation, now: datetime, last_week: Week
) -> None:
    """The way back leads to the week before the first, from the day after it as well."""
    teacher = installation.caller()
    await teacher.put("/v1/questions/q1", question("q1"))
    await installation.run([await teacher.hand_in("ada", {"q1": "a"}, submitted_at=now.isoformat())])
    token = (await teacher.post("/v1/learners/ada/token")).json()["token"]
    page = await installation.bearer(None).call("GET", "/pages/learner", Cookie=f"gradeline_page={token}")
    assert f'href="/pages/learner?week={last_week.name}"' in page.text


async def test_what_is_stored_with_a_submission_is_told_by_names_wherever_it_is_shown(
    installation: Installation, now: datetime
) -> None:
    """In the submission's language; data keep ids, and there are no names where nothing is taught."""
    teacher = installation.caller()
    await worked(installation, now)
    translated = {**CURRICULUM["modules"][0], "translations": {"ko": {"title": "첫걸음"}}}
    taught = {**CURRICULUM, "modules": [translated, CURRICULUM["modules"][1]]}
    ids = [await teacher.hand_in("ada", {"q1": "b"}, locale=locale) for locale in (None, "ko")]
    await installation.run(ids)
    assert "“choosing”" in reason_of(await teacher.get(f"/v1/submissions/{ids[0]}"))["text"]
    assert (await teacher.post("/v1/curriculum/import", taught)).status_code == 200
    listed = (await teacher.get("/v1/submissions?learner_id=ada&limit=2")).json()["items"]
    exported = [
        msgspec.json.decode(line) for line in (await teacher.get("/v1/learners/ada/export")).content.splitlines()
    ]
    for id_, name in zip(ids, ("“First”", "‘첫걸음’"), strict=True):
        [shown] = [one for one in listed if one["id"] == id_]
        [kept] = [one for one in exported if one.get("id") == id_]
        for document in (shown, kept):
            reason = next(one["reason"] for one in document["recommendations"]["questions"])
            assert (reason["topic"], name in reason["text"]) == ("choosing", True)


def reason_of(answer: httpx.Response) -> dict[str, Any]:
    """Why the first question is recommended with a submission."""
    reason: dict[str, Any] = answer.json()["recommendations"]["questions"][0]["reason"]
    return reason


async def test_without_a_target_the_latest_career_goal_tells_the_course(
    installation: Installation, now: datetime
) -> None:
    await worked(installation, now)
    teacher = installation.caller()
    assert (await teacher.post("/v1/curriculum/import", CURRICULUM)).status_code == 200
    for goal in ("web", None):
        await installation.run([await teacher.hand_in("ada", {"q1": "a"}, career_goal=goal)])
    assert (await teacher.get("/v1/learners/ada/progress")).json()["course"]["category"] == "web"
    await installation.run([await teacher.hand_in("ada", {"q1": "a"}, career_goal="gardener")])
    assert (await teacher.get("/v1/learners/ada/progress")).json()["course"] is None
