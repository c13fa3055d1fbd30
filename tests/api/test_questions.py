"""The question bank over HTTP."""

from typing import Any

import msgspec
import pytest

from tests.api.installation import Installation, question


def ndjson(*documents: Any) -> bytes:
    return b"\n".join(one if isinstance(one, bytes) else msgspec.json.encode(one) for one in documents)


async def test_a_change_makes_a_version_and_a_repetition_does_not(installation: Installation) -> None:
    teacher = installation.caller()
    first = await teacher.put("/v1/questions/q1", question("q1"))
    again = await teacher.put("/v1/questions/q1", dict(reversed(question("q1").items())))
    changed = await teacher.put("/v1/questions/q1", question("q1", prompt="Which of the two?"))
    assert [(answer.status_code, answer.json()["version"]) for answer in (first, again, changed)] == [
        (201, 1),
        (200, 1),
        (200, 2),
    ]
    assert changed.json()["prompt"] == "Which of the two?"


@pytest.mark.parametrize("value", [1e30, 0.1, 1, 1.0, 12345678901234567890])
async def test_a_number_is_the_same_however_it_was_kept(installation: Installation, value: float) -> None:
    teacher = installation.caller()
    numeric = {"type": "numeric", "prompt": "How many?", "answer": {"value": value}}
    answers = [await teacher.put("/v1/questions/n", numeric) for _ in range(2)]
    assert [(answer.status_code, answer.json()["version"]) for answer in answers] == [(201, 1), (200, 1)]


async def test_every_version_can_be_read(installation: Installation) -> None:
    teacher = installation.caller()
    put = [(await teacher.put("/v1/questions/q1", question("q1", prompt=f"Version {n}?"))).json() for n in (1, 2)]
    assert (await teacher.get("/v1/questions/q1")).json() == put[1]
    assert (await teacher.get("/v1/questions/q1?version=1")).json() == put[0]
    assert (await teacher.get("/v1/questions/q1?version=3")).status_code == 404
    assert (await teacher.get("/v1/questions/q2")).status_code == 404
    assert (await teacher.get("/v1/questions/q1?version=0")).json()["errors"][0]["pointer"] == "/version"
    assert (await teacher.get("/v1/questions/q%00")).status_code == 404


async def test_a_bad_question_is_refused_with_all_its_problems(installation: Installation) -> None:
    teacher = installation.caller()
    answer = await teacher.put("/v1/questions/q1", question("q2", points=-1, color="red"))
    assert answer.status_code == 422
    assert {problem["pointer"] for problem in answer.json()["errors"]} == {"/id", "/points", "/color"}
    assert (await teacher.get("/v1/questions/q1")).status_code == 404


async def test_lists_filter_and_page_in_the_order_of_ids(installation: Installation) -> None:
    teacher = installation.caller()
    bank = [question(f"q{n:02}", difficulty=1 + n % 3, topics=["even" if n % 2 == 0 else "odd"]) for n in range(12)]
    bank[3] |= {"module": "m1", "language": "ko"}
    assert (await teacher.import_lines(ndjson(*bank))).json()["imported"] == 12
    ids, cursor = [], ""
    while cursor is not None:
        page = (await teacher.get(f"/v1/questions?limit=5{cursor and '&cursor=' + cursor}")).json()
        ids += [one["id"] for one in page["items"]]
        cursor = page["next"]
    assert ids == [one["id"] for one in bank]
    found = (await teacher.get("/v1/questions?topic=even&difficulty=1")).json()
    assert ([one["id"] for one in found["items"]], found["next"]) == (["q00", "q06"], None)
    for query in ("module=m1", "language=ko", "module=m1&type=single_choice"):
        assert [one["id"] for one in (await teacher.get(f"/v1/questions?{query}")).json()["items"]] == ["q03"]
    assert (await teacher.get("/v1/questions?type=essay")).json() == {"items": [], "next": None}


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=201", "/limit"),
        ("limit=0", "/limit"),
        ("difficulty=6", "/difficulty"),
        ("cursor=nonsense!", "/cursor"),
        ("cursor=W10", "/cursor"),
        ("cursor=WyJcdTAwMDAiXQ", "/cursor"),
        ("colour=red", "/colour"),
    ],
)
async def test_a_bad_query_is_pointed_at(installation: Installation, query: str, pointer: str) -> None:
    answer = await installation.caller().get(f"/v1/questions?{query}")
    assert answer.status_code == 422
    assert [problem["pointer"] for problem in answer.json()["errors"]] == [pointer]


async def test_an_import_reports_on_every_line(installation: Installation) -> None:
    teacher = installation.caller()
    await teacher.put("/v1/questions/old", question("old"))
    await teacher.put("/v1/questions/moved", question("moved"))
    lines = ndjson(
        question("old"),
        question("moved", difficulty=5),
        question("new"),
        b"",
        b'{"id": "cut',
        question("bad", points="many"),
        question("new", difficulty=1),
        b"\xff\xfe",
        question("import"),
        b"[1]",
    )
    report = (await teacher.import_lines(lines)).json()
    shown = [(item["line"], item["status"], item.get("id"), item.get("version")) for item in report["items"]]
    assert shown == [
        (1, 200, "old", 1),
        (2, 200, "moved", 2),
        (3, 201, "new", 1),
        (5, 422, None, None),
        (6, 422, None, None),
        (7, 422, None, None),
        (8, 422, None, None),
        (9, 422, None, None),
        (10, 422, None, None),
    ]
    assert (report["imported"], report["unchanged"], report["rejected"]) == (2, 1, 6)
    problems = {item["line"]: item["problem"] for item in report["items"] if "problem" in item}
    assert problems[6]["errors"][0]["pointer"] == "/points"
    assert "line 3" in problems[7]["errors"][0]["detail"]
    assert {problem["status"] for problem in problems.values()} == {422}
    assert (await teacher.get("/v1/questions/new")).json()["difficulty"] == 3


async def test_an_import_takes_a_json_array(installation: Installation) -> None:
    teacher = installation.caller()
    report = (await teacher.post("/v1/questions/import", [question("a"), 7, question("b")])).json()
    assert [(item["line"], item["status"]) for item in report["items"]] == [(1, 201), (2, 422), (3, 201)]
    assert (await teacher.post("/v1/questions/import", b'[{"id": "a"')).status_code == 422


async def test_an_import_may_be_larger_than_other_bodies(installation: Installation) -> None:
    """A megabyte is the limit elsewhere; one line may not be larger than that either."""
    teacher = installation.caller()
    lines = [question(f"q{n}", explanation="x" * 15_000) for n in range(100)]
    assert (await teacher.import_lines(ndjson(*lines))).json()["imported"] == 100
    report = (await teacher.import_lines(ndjson(question("big", tags=["y" * 200] * 6000), question("small")))).json()
    assert [item["status"] for item in report["items"]] == [422, 201]
    assert (await teacher.put("/v1/questions/big", question("big", tags=["y" * 200] * 6000))).status_code == 413


async def test_too_many_lines_are_refused_before_any_is_read(installation: Installation) -> None:
    answer = await installation.caller().import_lines(b"{}\n" * 50_001)
    assert answer.status_code == 413


async def test_a_file_of_another_kind_is_refused(installation: Installation) -> None:
    teacher = installation.caller()
    answer = await teacher.call("POST", "/v1/questions/import", b"a,b", **{"Content-Type": "text/csv"})
    assert answer.status_code == 415
