"""Groups of learners, over HTTP."""

from typing import Any

import msgspec
from sqlalchemy import text

from pipeline.store.engine import transaction
from tests.api.installation import Caller, Installation, question

MORE_GROUPS = text(
    """
    INSERT INTO learner_groups (tenant_id, id, name)
    SELECT tenant_id, 'g' || n, name FROM learner_groups, generate_series(2, CAST(:last AS int)) AS n
    """
)


async def class_of(teacher: Caller, *learners: str, group: str = "7b") -> dict[str, Any]:
    """A group of these learners."""
    assert (await teacher.put(f"/v1/groups/{group}", {"name": "Class 7b"})).status_code in {200, 201}
    answer = await teacher.put(f"/v1/groups/{group}/members", {"learner_ids": list(learners)})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def members(teacher: Caller, group: str = "7b") -> list[str]:
    return list((await teacher.get(f"/v1/groups/{group}/members?limit=200")).json()["items"])


async def test_a_group_is_made_renamed_shown_and_deleted(installation: Installation) -> None:
    teacher = installation.caller()
    made = await teacher.put("/v1/groups/7b", {"name": "Class 7b"})
    renamed = await teacher.put("/v1/groups/7b", {"name": "7b, 2026"})
    assert (made.status_code, renamed.status_code) == (201, 200)
    shown = (await teacher.get("/v1/groups/7b")).json()
    assert (shown["id"], shown["name"], shown["members"]) == ("7b", "7b, 2026", 0)
    assert (await teacher.get("/v1/groups")).json()["items"] == [shown]
    assert (await teacher.delete("/v1/groups/7b")).status_code == 204
    assert (await teacher.get("/v1/groups/7b")).status_code == 404
    assert (await teacher.delete("/v1/groups/7b")).status_code == 404


async def test_members_come_and_go_in_bulk(installation: Installation) -> None:
    teacher = installation.caller()
    assert await class_of(teacher, "ada", "bob") == {"added": 2, "removed": 0, "members": 2}
    again = await teacher.put("/v1/groups/7b/members", {"learner_ids": ["bob", "cyd", "cyd"]})
    assert again.json() == {"added": 1, "removed": 0, "members": 3}
    replaced = await teacher.put("/v1/groups/7b/members?replace=true", {"learner_ids": ["cyd", "dan"]})
    assert replaced.json() == {"added": 1, "removed": 2, "members": 2}
    gone = await teacher.call("DELETE", "/v1/groups/7b/members", {"learner_ids": ["dan", "eve"]})
    assert gone.json() == {"added": 0, "removed": 1, "members": 1}
    assert await members(teacher) == ["cyd"]


async def test_five_thousand_learners_fit_into_one_call_and_one_more_into_no_group(installation: Installation) -> None:
    teacher = installation.caller()
    everybody = [f"learner-with-a-long-name-{number:05}" for number in range(5_000)]
    assert (await class_of(teacher, *everybody))["members"] == 5_000
    one_more = await teacher.put("/v1/groups/7b/members", {"learner_ids": ["zoe"]})
    assert one_more.status_code == 409
    assert "5,000" in one_more.json()["detail"]
    assert (await teacher.get("/v1/groups/7b")).json()["members"] == 5_000
    too_many = await teacher.put("/v1/groups/7b/members", {"learner_ids": [*everybody, "zoe"]})
    assert [one["pointer"] for one in too_many.json()["errors"]] == ["/learner_ids"]


async def test_a_tenant_has_at_most_a_thousand_groups(installation: Installation) -> None:
    teacher = installation.caller()
    await teacher.put("/v1/groups/g1", {"name": "G"})
    async with transaction(installation.worker.servers.engine) as connection:
        await connection.execute(MORE_GROUPS, {"last": 999})
    answers = [await teacher.put(f"/v1/groups/g{n}", {"name": "G"}) for n in (1_000, 1_001, 2)]
    assert [one.status_code for one in answers] == [201, 409, 200]
    assert "1,000" in answers[1].json()["detail"]


async def test_groups_and_members_are_listed_in_parts(installation: Installation) -> None:
    teacher = installation.caller()
    for number in range(5):
        await class_of(teacher, *(f"u{n}" for n in range(5)), group=f"g{number}")
    for path, key in (("/v1/groups", "id"), ("/v1/groups/g0/members", None)):
        seen: list[str] = []
        page = (await teacher.get(f"{path}?limit=2")).json()
        while True:
            seen += [item[key] if key else item for item in page["items"]]
            if page["next"] is None:
                break
            page = (await teacher.get(f"{path}?limit=2&cursor={page['next']}")).json()
        assert len(seen) == len(set(seen)) == 5
        assert seen == sorted(seen)


async def test_what_cannot_be_a_group_or_a_learner_is_refused(installation: Installation) -> None:
    teacher = installation.caller()
    await class_of(teacher, "ada")
    assert (await teacher.put(f"/v1/groups/{'x' * 201}", {"name": "long"})).status_code == 422
    assert (await teacher.put("/v1/groups/a%00b", {"name": "nul"})).status_code == 422
    assert (await teacher.get("/v1/groups/a%00b")).status_code == 404
    bad: list[Any] = [{"name": ""}, {"name": 5}, {}, {"name": "x", "more": 1}]
    for body in bad:
        assert (await teacher.put("/v1/groups/7b", body)).status_code == 422
    bad = [{"learner_ids": []}, {"learner_ids": [""]}, {"learner_ids": ["x" * 201]}, {"learner_ids": ["a\x00b"]}, {}]
    for body in bad:
        assert (await teacher.put("/v1/groups/7b/members", body)).status_code == 422
        assert (await teacher.call("DELETE", "/v1/groups/7b/members", body)).status_code == 422
    assert await members(teacher) == ["ada"]


async def test_an_erased_learner_is_in_no_group_any_more(installation: Installation) -> None:
    teacher = installation.caller()
    await teacher.put("/v1/questions/q1", question("q1"))
    await installation.run([await teacher.hand_in("ada", {"q1": "a"})])
    await class_of(teacher, "ada", "bob")
    assert (await teacher.delete("/v1/learners/ada")).status_code == 204
    assert await members(teacher) == ["bob"]
    assert (await teacher.get("/v1/groups/7b")).json()["members"] == 1


async def test_a_member_who_never_handed_in_can_be_exported_and_erased(installation: Installation) -> None:
    """Being on a list is being known."""
    teacher = installation.caller()
    await class_of(teacher, "ada")
    exported = await teacher.get("/v1/learners/ada/export")
    kinds = [msgspec.json.decode(line) for line in exported.content.splitlines()]
    assert [line["kind"] for line in kinds] == ["learner", "group", "end"]
    assert (kinds[1]["id"], kinds[1]["name"]) == ("7b", "Class 7b")
    assert (await teacher.delete("/v1/learners/ada")).status_code == 204
    assert await members(teacher) == []
    assert (await teacher.delete("/v1/learners/ada")).status_code == 404


async def test_a_member_who_never_handed_in_has_empty_views_instead_of_none(installation: Installation) -> None:
    teacher = installation.caller()
    await class_of(teacher, "ada")
    for part in ("skills", "progress", "recommendations", "report", "goals"):
        answer = await teacher.get(f"/v1/learners/ada/{part}")
        assert answer.status_code == 200, (part, answer.text)
    assert (await teacher.get("/v1/learners/bob/skills")).status_code == 404
