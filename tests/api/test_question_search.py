"""Searching the question bank over HTTP."""

from typing import Any
from urllib.parse import urlencode

import pytest

from pipeline.service.access import Role
from tests.api.installation import Caller, Installation, question
from tests.api.test_questions import ndjson

BANK = [
    question("ko-1", prompt="자료 구조란 무엇인가?", language="ko", difficulty=1, industry="general"),
    question("ko-2", prompt="자료구조와 알고리즘", language="ko", difficulty=2, tags=["exam"]),
    question("ja-1", prompt="データ構造とは何か", language="ja", difficulty=3),
    question("zh-1", prompt="数据结构是什么", language="zh", difficulty=4),
    question("en-1", prompt="What is a data structure?", difficulty=4, topics=["structures"], industry="fintech"),
    question("en-2", prompt="Which structure holds data?", difficulty=5, module="m1"),
    question("en-3", prompt="Which one?", options=[{"id": "a", "text": "A Data Structure"}, {"id": "b", "text": "no"}]),
]


@pytest.fixture
async def teacher(installation: Installation) -> Caller:
    caller = installation.caller()
    assert (await caller.import_lines(ndjson(*BANK))).json()["imported"] == len(BANK)
    return caller


async def ids(teacher: Caller, **query: Any) -> list[str]:
    answer = await teacher.get(f"/v1/questions?{urlencode(query)}")
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"q": "data structure"}, ["en-1", "en-2", "en-3"]),
        ({"q": "ＤＡＴＡ STRUCTURE"}, ["en-1", "en-2", "en-3"]),
        ({"q": "자료구조"}, ["ko-1", "ko-2"]),
        ({"q": "자료 구조"}, ["ko-1", "ko-2"]),
        ({"q": "构"}, ["zh-1"]),
        ({"q": "構造"}, ["ja-1"]),
        ({"q": "tructur"}, ["en-1", "en-2", "en-3"]),
        ({"q": "structures"}, ["en-1"]),
        ({"q": "ko-"}, ["ko-1", "ko-2"]),
        ({"q": "quantum"}, []),
        ({"q": "data", "difficulty": 5}, ["en-2"]),
        ({"q": "data", "difficulty_min": 4}, ["en-1", "en-2"]),
        ({"q": "data", "difficulty_max": 4}, ["en-1", "en-3"]),
        ({"q": "data", "industry": "fintech"}, ["en-1"]),
        ({"q": "data", "module": "m1", "language": "en", "type": "single_choice"}, ["en-2"]),
        ({"tag": "exam"}, ["ko-2"]),
        ({"industry": "general"}, ["ko-1"]),
        ({"difficulty_min": 2, "difficulty_max": 3}, ["en-3", "ja-1", "ko-2"]),
        ({"difficulty_min": 4, "difficulty_max": 3}, []),
        ({"difficulty": 1, "difficulty_min": 2}, []),
    ],
)
async def test_a_search_and_filters_find_what_fits_all_of_them(
    teacher: Caller, query: dict[str, Any], expected: list[str]
) -> None:
    assert await ids(teacher, **query) == expected


async def test_a_search_is_read_page_by_page(teacher: Caller) -> None:
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(3):
        query = {"q": "data structure", "limit": 1} | ({} if cursor is None else {"cursor": cursor})
        page = (await teacher.get(f"/v1/questions?{urlencode(query)}")).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next"]
    assert (seen, cursor) == (["en-1", "en-2", "en-3"], None)


async def test_a_cursor_of_a_list_is_none_of_a_search(teacher: Caller) -> None:
    cursor = (await teacher.get("/v1/questions?limit=1")).json()["next"]
    answer = await teacher.get(f"/v1/questions?{urlencode({'q': 'data', 'cursor': cursor})}")
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/cursor")


@pytest.mark.parametrize("query", ["q=", "q=a", "q=%25", "q=a+b", f"q={'x' * 201}", "q=%00%00", "difficulty_min=6"])
async def test_what_cannot_be_searched_is_refused_by_name(teacher: Caller, query: str) -> None:
    answer = await teacher.get(f"/v1/questions?{query}")
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/" + query.partition("=")[0])


TYPES = "single_choice, multiple_choice, true_false, numeric, short_text, cloze, ordering, matching, essay"


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("type=singel_choice", f"One of {TYPES} is expected."),
        ("module=m2", 'There is no module "m2": neither the curriculum nor a question has it.'),
        ("module=m2&q=data", 'There is no module "m2": neither the curriculum nor a question has it.'),
    ],
)
async def test_a_misspelt_filter_is_refused_and_not_answered_with_nothing(
    teacher: Caller, query: str, detail: str
) -> None:
    answer = await teacher.get(f"/v1/questions?{query}")
    pointer = "/" + query.partition("=")[0]
    assert (answer.status_code, answer.json().get("errors")) == (422, [{"pointer": pointer, "detail": detail}])


async def test_a_module_that_is_only_taught_or_only_asked_about_is_known(teacher: Caller) -> None:
    module = {"id": "m2", "title": "M", "difficulty": 1, "hours": 1}
    assert (await teacher.post("/v1/curriculum/import", {"modules": [module]})).status_code == 200
    assert (await ids(teacher, module="m2"), await ids(teacher, module="m1")) == ([], ["en-2"])


async def test_another_tenants_module_is_unknown(installation: Installation, teacher: Caller) -> None:
    assert await ids(teacher, module="m1") == ["en-2"]
    elsewhere = await installation.caller(Role.TEACHER, "academy").get("/v1/questions?module=m1")
    assert elsewhere.status_code == 422


async def test_a_search_shows_keys_to_teachers_only(installation: Installation, teacher: Caller) -> None:
    assert await ids(installation.caller(Role.TEACHER, "academy"), q="data") == []
    for role in (Role.SUBMITTER, Role.OPERATOR):
        assert (await installation.caller(role).get("/v1/questions?q=data")).status_code == 403
    assert await ids(teacher, q="data") != []
