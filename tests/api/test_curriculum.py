"""Curricula over HTTP: imported as a whole, shown in the reader's language, ordered for a learner."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pipeline.service.access import Role
from tests.api.installation import Caller, Installation, question

PAGE = Path(__file__).resolve().parents[2] / "docs" / "curriculum.md"
MASTERS = 12
"""Right answers after which nobody doubts an easy topic."""


def flutter() -> bytes:
    """The example of the page about curricula."""
    [found] = re.findall(r"^```json\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return str(found).encode()


async def taught(installation: Installation) -> Caller:
    """A teacher whose tenant has the example's curriculum."""
    teacher = installation.caller()
    imported = await teacher.post("/v1/curriculum/import", flutter())
    assert imported.status_code == 200, imported.text
    return teacher


async def master(installation: Installation, learner_id: str, *topics: str) -> None:
    """Have a learner answer easy questions on these topics until they are mastered."""
    teacher = installation.caller()
    answers = {}
    for topic in topics:
        for number in range(MASTERS):
            id_ = f"{topic}-{number}"
            await teacher.put(f"/v1/questions/{id_}", question(id_, topics=[topic], difficulty=2))
            answers[id_] = "a"
    await installation.run([await teacher.hand_in(learner_id, answers)])


async def items(caller: Caller, path: str) -> list[dict[str, Any]]:
    answer = await caller.get(path)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def test_a_new_category_is_added_by_a_file_alone(installation: Installation) -> None:
    teacher = await taught(installation)
    [category] = await items(teacher, "/v1/curriculum/categories")
    assert (category["id"], category["months"], category["hours"]) == ("flutter_apps", 6, 74.0)
    tracks = await items(teacher, "/v1/curriculum/categories/flutter_apps/tracks")
    assert [(track["id"], track["specialisation"]) for track in tracks] == [
        ("dart", False),
        ("flutter", False),
        ("app_publishing", True),
    ]
    modules = await items(teacher, "/v1/curriculum/tracks/flutter/modules")
    assert [module["id"] for module in modules] == ["flutter_widgets", "flutter_payments"]
    assert modules[0]["standing"] is None
    path = (await teacher.get("/v1/curriculum/recommend-path?category=flutter_apps")).json()
    assert [step["id"] for step in path["steps"]] == [
        "dart_basics",
        "dart_async",
        "flutter_widgets",
        "flutter_payments",
    ]
    assert (path["hours"], path["months"]) == (74.0, 1.71)
    assert (await teacher.get("/v1/questions/dart-final")).json()["module"] == "dart_basics"


async def test_a_file_that_is_sent_again_changes_nothing(installation: Installation) -> None:
    teacher = await taught(installation)
    again = (await teacher.post("/v1/curriculum/import", flutter())).json()
    assert again.pop("version") == 1
    assert {part: count["unchanged"] for part, count in again.items()} == {
        "categories": 1,
        "tracks": 3,
        "modules": 5,
        "resources": 1,
        "projects": 1,
        "questions": 1,
    }
    changed = {"modules": [{"id": "app_stores", "title": "Stores", "difficulty": 2, "hours": 9}], "questions": []}
    report = (await teacher.post("/v1/curriculum/import", changed)).json()
    assert (report["version"], report["modules"]) == (2, {"added": 0, "changed": 1, "unchanged": 0})


async def test_an_import_takes_lines_that_say_their_kind(installation: Installation) -> None:
    teacher = installation.caller()
    lines = [
        {"kind": "module", "id": "m", "title": "M", "difficulty": 1, "hours": 1},
        {"kind": "question", **question("q")},
    ]
    body = b"\n".join(msgspec.json.encode(line) for line in lines)
    report = await teacher.call("POST", "/v1/curriculum/import", body, **{"Content-Type": "application/x-ndjson"})
    assert report.json()["modules"]["added"] == report.json()["questions"]["added"] == 1


async def test_a_file_with_problems_leaves_nothing_behind_and_tells_them_all(installation: Installation) -> None:
    teacher = await taught(installation)
    module = {"title": "M", "difficulty": 1, "hours": 1}
    wrong = {
        "tracks": [{"id": "new", "title": "New", "modules": ["dart_basics", "nowhere"]}],
        "modules": [
            {**module, "id": "dart_basics", "prerequisites": ["flutter_payments"]},
            {**module, "id": "sound"},
            {**module, "id": "long", "hours": 5_000},
        ],
        "questions": [question("sound"), question("import"), question("bad", points=-1)],
    }
    answer = await teacher.post("/v1/curriculum/import", wrong)
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["detail"] == "Nothing was imported: 5 things are wrong in the file."
    told = {error["pointer"]: error["detail"] for error in problem["errors"]}
    assert told["/modules/2/hours"] == 'Module "long": must be above 0 and at most 1,000.'
    assert told["/tracks/0/modules/1"] == 'Track "new": refers to the module "nowhere", which does not exist.'
    assert told["/modules/0/prerequisites"].endswith("dart_async → dart_basics → flutter_payments → dart_async.")
    assert told["/questions/1/id"].startswith('Question "import": is an address')
    assert told["/questions/2/points"].startswith('Question "bad": must be above 0')
    assert (await teacher.get("/v1/curriculum/modules/sound")).status_code == 404
    assert (await teacher.get("/v1/questions/sound")).status_code == 404
    assert len(await items(teacher, "/v1/curriculum/tracks/dart/modules")) == 2


async def test_what_is_wrong_with_references_alone_leaves_the_questions_out_too(installation: Installation) -> None:
    """Found under the lock, when the questions are written already."""
    teacher = installation.caller()
    wrong = {"tracks": [{"id": "t", "title": "T", "modules": ["nowhere"]}], "questions": [question("q")]}
    assert (await teacher.post("/v1/curriculum/import", wrong)).status_code == 422
    assert (await teacher.get("/v1/questions/q")).status_code == 404


@pytest.mark.parametrize(("body", "status"), [(b"{", 422), (b"[]", 422), (b"\xff\xfe\x00", 422), (b"{}", 200)])
async def test_a_body_that_is_no_document_is_refused(installation: Installation, body: bytes, status: int) -> None:
    assert (await installation.caller().post("/v1/curriculum/import", body)).status_code == status


async def test_an_import_may_be_as_large_as_a_batch_and_no_other_media_type(installation: Installation) -> None:
    teacher = installation.caller()
    step = "x" * 900
    projects = [
        {"id": f"p{n}", "title": "P", "description": "d", "difficulty": 1, "topics": ["x"], "steps": [step] * 50}
        for n in range(30)
    ]
    assert (await teacher.post("/v1/curriculum/import", {"projects": projects})).status_code == 200
    answer = await teacher.call("POST", "/v1/curriculum/import", b"{}", **{"Content-Type": "text/csv"})
    assert answer.status_code == 415


async def test_titles_and_reasons_are_in_the_readers_language(installation: Installation) -> None:
    teacher = await taught(installation)
    [category] = await items(teacher, "/v1/curriculum/categories?locale=ko-KR")
    assert category["title"] == "Flutter 모바일 앱"
    [category] = await items(teacher, "/v1/curriculum/categories?locale=fr")
    assert category["title"] == "Mobile apps with Flutter"
    path = (await teacher.get("/v1/curriculum/recommend-path?category=flutter_apps&locale=ko&industry=fintech")).json()
    first, second = path["steps"][:2]
    assert first["title"] == "Dart 첫걸음"
    assert second["reasons"][0] == {"code": "follows", "modules": ["dart_basics"]}
    assert second["why"].startswith("다음 모듈을 바탕으로 합니다: ‘Dart 첫걸음’.")
    assert path["summary"] == "남은 모듈 4개, 총 74시간. 주당 10시간이면 약 1.7개월 걸립니다."


async def test_a_module_is_open_once_its_prerequisites_are_mastered(installation: Installation) -> None:
    teacher = await taught(installation)
    await master(installation, "ada", "dart.values")
    [basics, later] = await items(teacher, "/v1/curriculum/tracks/dart/modules?learner_id=ada")
    assert basics["standing"]["begun"]
    assert not basics["standing"]["mastered"]  # one of its two topics was never answered
    assert later["standing"]["missing"] == [{"id": "dart_basics", "title": "First steps in Dart"}]
    assert not later["standing"]["open"]
    await master(installation, "ada", "dart.functions")
    [basics, later] = await items(teacher, "/v1/curriculum/tracks/dart/modules?learner_id=ada")
    assert basics["standing"]["mastered"]
    assert basics["standing"]["mastery"] >= 0.8
    assert (later["standing"]["open"], later["standing"]["missing"]) == (True, [])
    path = (await teacher.get("/v1/curriculum/recommend-path?category=flutter_apps&learner_id=ada")).json()
    assert path["mastered"] == [{"id": "dart_basics", "title": "First steps in Dart"}]
    assert path["steps"][0]["reasons"][0] == {"code": "prerequisites_mastered", "modules": ["dart_basics"]}


async def test_a_learner_token_sees_its_own_standing_and_no_other(installation: Installation) -> None:
    await taught(installation)
    await master(installation, "ada", "dart.values", "dart.functions")
    submitter = installation.caller(Role.SUBMITTER)
    ada, newcomer = [
        installation.bearer((await submitter.post(f"/v1/learners/{learner}/token")).json()["token"])
        for learner in ("ada", "newcomer")
    ]
    assert (await ada.get("/v1/curriculum/modules/dart_async")).json()["standing"]["open"] is True
    assert (await newcomer.get("/v1/curriculum/modules/dart_async")).json()["standing"]["open"] is False
    assert (await ada.get("/v1/curriculum/modules/dart_async?learner_id=ada")).status_code == 200
    for path in ("/modules/dart_async?", "/tracks/dart/modules?", "/recommend-path?category=flutter_apps&"):
        assert (await newcomer.get(f"/v1/curriculum{path}learner_id=ada")).status_code == 404


async def test_keys_that_may_not_read_learning_see_the_curriculum_without_learners(installation: Installation) -> None:
    await taught(installation)
    await master(installation, "ada", "dart.values")
    for role in (Role.SUBMITTER, Role.OPERATOR):
        caller = installation.caller(role)
        assert (await caller.get("/v1/curriculum/tracks/dart/modules")).status_code == 200
        assert (await caller.get("/v1/curriculum/tracks/dart/modules?learner_id=ada")).status_code == 403


async def test_a_learner_whom_nobody_knows_is_not_found(installation: Installation) -> None:
    teacher = await taught(installation)
    assert (await teacher.get("/v1/curriculum/tracks/dart/modules?learner_id=nobody")).status_code == 404
    foreign = installation.caller(Role.TEACHER, "academy")
    await foreign.post("/v1/curriculum/import", flutter())
    await master(installation, "ada", "dart.values")
    assert (await foreign.get("/v1/curriculum/tracks/dart/modules?learner_id=ada")).status_code == 404


async def test_a_module_is_shown_with_what_helps_and_what_it_opens(installation: Installation) -> None:
    teacher = await taught(installation)
    module = (await teacher.get("/v1/curriculum/modules/dart_basics")).json()
    assert module["tracks"] == [{"id": "dart", "title": "Dart"}]
    assert [other["id"] for other in module["opens"]] == ["dart_async", "flutter_widgets"]
    [resource] = module["resources"]
    assert (resource["id"], resource["url"]) == ("dart_tour", "https://dart.dev/language")
    assert (await teacher.get("/v1/curriculum/modules/none")).status_code == 404


async def test_what_is_said_to_be_mastered_is_left_out_and_a_specialisation_added(installation: Installation) -> None:
    teacher = await taught(installation)
    wish = "category=flutter_apps&mastered=dart_basics,%20dart_async&specialisations=app_publishing&hours_per_week=5.5"
    path = (await teacher.get(f"/v1/curriculum/recommend-path?{wish}")).json()
    assert [step["id"] for step in path["steps"]] == ["flutter_widgets", "flutter_payments", "app_stores"]
    assert path["specialisations"] == [{"id": "app_publishing", "title": "Publishing apps"}]
    assert (path["hours_per_week"], path["months"]) == (5.5, 2.01)


@pytest.mark.parametrize(
    ("query", "pointers"),
    [
        ("", ["/category"]),
        ("category=flutter_apps&hours_per_week=0", ["/hours_per_week"]),
        ("category=flutter_apps&hours_per_week=nan", ["/hours_per_week"]),
        ("category=flutter_apps&hours_per_week=169&locale=!&pace=1", ["/hours_per_week", "/locale", "/pace"]),
        ("category=flutter_apps&mastered=x,dart_basics&specialisations=dart", ["/mastered", "/specialisations"]),
        ("category=none", ["/category"]),
        ("category=none&mastered=x&specialisations=y", ["/category", "/mastered", "/specialisations"]),
        ("category=none&specialisations=app_publishing", ["/category"]),
        ("category=none&mastered=x&hours_per_week=0", ["/category", "/hours_per_week", "/mastered"]),
        ("mastered=x&hours_per_week=0", ["/category", "/hours_per_week", "/mastered"]),
    ],
)
async def test_a_bad_wish_is_pointed_at(installation: Installation, query: str, pointers: list[str]) -> None:
    teacher = await taught(installation)
    answer = await teacher.get(f"/v1/curriculum/recommend-path?{query}")
    assert answer.status_code == 422
    assert sorted(error["pointer"] for error in answer.json()["errors"]) == pointers


async def test_a_wish_that_is_wrong_in_no_other_way_names_the_category(installation: Installation) -> None:
    answer = await (await taught(installation)).get("/v1/curriculum/recommend-path?category=fluter_apps")
    assert answer.json()["errors"] == [{"pointer": "/category", "detail": 'There is no category "fluter_apps".'}]
