"""The teacher's view over HTTP, as JSON and as tables."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.settings import Settings
from pipeline.store.engine import create_engine, transaction
from pipeline.store.item import ItemStore
from tests.api.installation import Installation, question
from tests.schoolroom import Day, Try, choice_question, live_through, made_up_tries, seat


def today() -> date:
    return datetime.now(UTC).date()


@pytest.fixture
async def engine(settings: Settings) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(str(settings.database_url), pool_size=2)
    yield engine
    await engine.dispose()


async def school(engine: AsyncEngine) -> int:
    async with transaction(engine) as connection:
        found: int = (await connection.execute(text("SELECT id FROM tenants WHERE name = 'school'"))).scalar_one()
    return found


def table_in(content: bytes) -> list[dict[str, str]]:
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


async def test_who_is_at_risk_is_shown_with_factors_and_actions(
    installation: Installation, engine: AsyncEngine
) -> None:
    tenant_id = await school(engine)
    left, begun = today() - timedelta(days=9), today()
    await live_through(engine, tenant_id, [Day("bob", left, 10, 3), Day("ada", begun, 10, 9)])
    teacher = installation.caller()
    shown = (await teacher.get("/v1/analytics/at-risk?locale=ko")).json()
    day = date.fromisoformat(shown["day"])
    assert (shown["basis"], begun <= day <= today(), shown["next"]) == ("now", True, None)
    [bob] = shown["items"]
    assert (bob["learner_id"], bob["score"], bob["flagged"]) == ("bob", 0.7, True)
    assert [(f["sign"], f["value"], f["contribution"]) for f in bob["factors"]] == [
        ("accuracy", 0.3, 0.3),
        ("inactivity", (day - left).days, 0.4),
        ("completion", None, 0.0),
        ("weaknesses", 0, 0.0),
    ]
    actions = [factor["action"] for factor in bob["factors"]]
    assert actions[0].startswith("최근에")
    assert actions[2:] == [None, None]
    everybody = (await teacher.get("/v1/analytics/at-risk?min_score=0")).json()["items"]
    assert [one["learner_id"] for one in everybody] == ["bob", "ada"]


async def test_a_learner_called_like_a_formula_does_no_harm_in_a_table(
    installation: Installation, engine: AsyncEngine
) -> None:
    left = today() - timedelta(days=9)
    await live_through(engine, await school(engine), [Day("=HYPERLINK(1)", left, 10, 3)])
    answer = await installation.caller().get("/v1/analytics/at-risk?format=csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="at-risk.csv"'
    [row] = table_in(answer.content)
    assert row["learner_id"] == "'=HYPERLINK(1)"
    away = (today() - left).days
    assert (row["score"], row["flagged"], row["inactivity_contribution"]) == ("0.7", "true", "0.4")
    assert row["inactivity"] in {"9", str(away)}


async def test_a_table_has_everybody_and_is_had_by_accept_too(installation: Installation, engine: AsyncEngine) -> None:
    """450 learners are more than two parts."""
    left = today() - timedelta(days=9)
    days = [Day(f"u{number:03}", left, 10, 3) for number in range(450)]
    await live_through(engine, await school(engine), days)
    answer = await installation.caller().call("GET", "/v1/analytics/at-risk?limit=5", Accept="text/csv")
    assert [row["learner_id"] for row in table_in(answer.content)] == [day.learner_id for day in days]


async def test_a_refusal_of_a_table_is_a_problem_document(installation: Installation) -> None:
    for path in ("at-risk?group=nowhere", "careers?group=nowhere"):
        answer = await installation.caller().get(f"/v1/analytics/{path}&format=csv")
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


async def test_careers_list_goals_and_who_has_none(installation: Installation) -> None:
    teacher = installation.caller()
    await teacher.put("/v1/questions/q1", question("q1"))
    ids = [
        await teacher.hand_in("ada", {"q1": "a"}, career_goal="astronaut"),
        await teacher.hand_in("bob", {"q1": "a"}, career_goal="astronaut"),
        await teacher.hand_in("cyd", {"q1": "a"}),
        await teacher.hand_in("ada", {"q1": "a"}),
    ]
    await installation.run(ids)
    shown = (await teacher.get("/v1/analytics/careers")).json()
    assert (shown["learners"], shown["basis"]) == (3, "now")
    counted = {one["category"]: (one["learners"], one["share"], one["active_7_days"]) for one in shown["items"]}
    assert counted["astronaut"] == (2, 0.6667, 2)
    assert counted[None] == (1, 0.3333, 1)
    table = table_in((await teacher.get("/v1/analytics/careers?format=csv")).content)
    assert [row["learners"] for row in table if row["category"] == "astronaut"] == ["2"]


async def analysed_class(engine: AsyncEngine) -> None:
    questions = [choice_question(number, key="c" if number == 3 else "a") for number in range(12)]
    truths = {one.id: "a" for one in questions}
    tries = made_up_tries(questions, truths, learners=120, each=10, seed=4)
    tenant_id = await school(engine)
    await seat(engine, tenant_id, questions, tries)
    assert await ItemStore(engine).analyse_next(tenant_id, "", 1000) == "q011"


async def test_questions_are_shown_with_their_figures_and_flags(
    installation: Installation, engine: AsyncEngine
) -> None:
    await analysed_class(engine)
    teacher = installation.caller()
    [suspect] = (await teacher.get("/v1/analytics/items?flag=suspect_key&locale=ja")).json()["items"]
    assert (suspect["question_id"], suspect["flags"][0]["code"]) == ("q003", "suspect_key")
    assert suspect["flags"][0]["action"].startswith("正答")
    assert suspect["computed_at"] is not None
    drawn = max(suspect["choices"], key=lambda choice: choice["upper_share"])
    assert (drawn["id"], drawn["correct"], drawn["text"]) == ("a", False, "option a")
    hardest = (await teacher.get("/v1/analytics/items?sort=facility&limit=3")).json()
    assert hardest["items"][0]["question_id"] == "q003"
    rest = (await teacher.get(f"/v1/analytics/items?sort=facility&cursor={hardest['next']}")).json()["items"]
    facilities = [item["facility"] for item in hardest["items"] + rest]
    assert (len(facilities), facilities) == (12, sorted(facilities))
    easiest = (await teacher.get("/v1/analytics/items?sort=-facility&limit=1")).json()["items"]
    assert easiest[0]["facility"] == facilities[-1]
    assert len(table_in((await teacher.get("/v1/analytics/items?format=csv")).content)) == 12


async def test_a_question_never_analysed_shows_why_it_has_no_figures(installation: Installation) -> None:
    teacher = installation.caller()
    await teacher.put("/v1/questions/q1", question("q1"))
    [item] = (await teacher.get("/v1/analytics/items")).json()["items"]
    assert item["computed_at"] is None
    assert item["missing"] == dict.fromkeys(
        ("facility", "discrimination", "discrimination_index", "mean_time_ms"), "not_analysed_yet"
    )


async def test_a_question_is_computed_now_when_asked_for_alone(installation: Installation) -> None:
    """By what the running stages wrote, not by rows that a test made up."""
    teacher = installation.caller()
    for number in range(5):
        await teacher.put(f"/v1/questions/q{number}", question(f"q{number}"))
    everything = {f"q{number}": "a" for number in range(5)}
    ids = [await teacher.hand_in("ada", everything | {"q0": "b"}), await teacher.hand_in("ada", {"q0": "a"})]
    ids += [await teacher.hand_in("bob", everything), await teacher.hand_in("cyd", {"q0": None})]
    await installation.run(ids)
    item = (await teacher.get("/v1/analytics/items/q0")).json()
    assert (item["attempts"], item["first_attempts"], item["compared"]) == (4, 3, 2)
    assert (item["facility"], item["blank"]) == (0.3333, 1)
    assert {choice["id"]: choice["count"] for choice in item["choices"]} == {"a": 1, "b": 1}
    assert item["missing"]["discrimination"] == "too_few_learners_with_other_answers"
    assert (await teacher.get("/v1/analytics/items/none")).status_code == 404


@pytest.mark.parametrize(
    "query",
    ["at-risk?min_score=2", "at-risk?limit=0", "at-risk?cursor=x", "items?sort=luck", "items?flag=odd", "careers?x=1"],
)
async def test_a_query_that_makes_no_sense_is_refused(installation: Installation, query: str) -> None:
    assert (await installation.caller().get(f"/v1/analytics/{query}")).status_code == 422


@pytest.mark.parametrize("query", ["items?module=m9", "items?module=m9&format=csv", "at-risk?category=astronaut"])
async def test_a_name_that_nothing_has_is_refused(installation: Installation, query: str) -> None:
    teacher = installation.caller()
    await teacher.put("/v1/questions/q1", question("q1", module="m1"))
    await installation.run([await teacher.hand_in("ada", {"q1": "a"}, career_goal="baker")])
    refused = await teacher.get(f"/v1/analytics/{query}")
    [pointer] = [one["pointer"] for one in refused.json()["errors"]]
    assert (refused.status_code, pointer) == (422, "/" + query.partition("?")[2].partition("=")[0])
    known = query.replace("m9", "m1").replace("astronaut", "baker")
    assert (await teacher.get(f"/v1/analytics/{known}")).status_code == 200


async def test_a_cursor_of_another_list_is_refused(installation: Installation, engine: AsyncEngine) -> None:
    await live_through(engine, await school(engine), [Day(f"u{n}", today(), 10, 3) for n in range(3)])
    teacher = installation.caller()
    cursor = (await teacher.get("/v1/analytics/at-risk?min_score=0&limit=1")).json()["next"]
    await seat(engine, await school(engine), [choice_question(1)], [Try("u1", "q001", "a", 1.0, 5)])
    answers: list[Any] = [
        await teacher.get(f"/v1/analytics/items?cursor={cursor}x"),
        await teacher.get(f"/v1/groups?cursor={cursor}%00"),
    ]
    assert [answer.status_code for answer in answers] == [422, 422]
