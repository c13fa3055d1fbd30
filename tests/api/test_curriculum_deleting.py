"""Deleting entries of a curriculum: only what nobody uses, for this tenant, with a note of who did."""

from typing import Any

import pytest

from pipeline.service.access import Role
from tests.api.installation import Caller, Installation

CURRICULUM: Any = {
    "categories": [
        {"id": "web", "title": "Web", "months": 6, "tracks": ["front"], "specialisations": ["extra"]},
        {"id": "data", "title": "Data", "months": 6, "tracks": ["front"]},
    ],
    "tracks": [
        {"id": "front", "title": "Front", "modules": ["first", "second"]},
        {"id": "extra", "title": "Extra", "modules": ["second"]},
    ],
    "modules": [
        {"id": "first", "title": "First", "difficulty": 1, "hours": 1},
        {"id": "second", "title": "Second", "difficulty": 1, "hours": 1, "prerequisites": ["first"]},
    ],
    "resources": [
        {"id": "tour", "title": "Tour", "kind": "video", "url": "https://example.org/", "topics": ["t"]}
        | {"modules": ["first"]}
    ],
    "projects": [
        {"id": "shop", "title": "Shop", "description": "d", "difficulty": 1, "topics": ["t"], "categories": ["web"]}
    ],
}


async def school(installation: Installation) -> Caller:
    teacher = installation.caller()
    assert (await teacher.post("/v1/curriculum/import", CURRICULUM)).status_code == 200
    return teacher


@pytest.mark.parametrize(
    ("entry", "users"),
    [
        ("categories/web", 'The category "web" is used by the project "shop", the goals of one learner.'),
        ("tracks/front", 'The track "front" is used by the category "web", the category "data".'),
        ("tracks/extra", 'The track "extra" is used by the category "web".'),
        (
            "modules/first",
            'The module "first" is used by the track "front", the module "second", the resource "tour".',
        ),
    ],
)
async def test_what_is_used_is_kept_and_the_refusal_names_who_uses_it(
    installation: Installation, entry: str, users: str
) -> None:
    teacher = await school(installation)
    await teacher.put("/v1/learners/ada/goals", {"target": "web"})
    refused = await teacher.delete(f"/v1/curriculum/{entry}")
    assert (refused.status_code, refused.json()["detail"]) == (409, users)
    assert len((await teacher.get("/v1/curriculum/categories")).json()["items"]) == 2


async def test_a_curriculum_is_taken_down_from_the_top(installation: Installation) -> None:
    """In this order nothing is in use any more when its turn comes; a second time it is not there."""
    teacher = await school(installation)
    entries = ("projects/shop", "resources/tour", "categories/web", "categories/data", "tracks/front", "tracks/extra")
    for entry in (*entries, "modules/second", "modules/first"):
        assert (await teacher.delete(f"/v1/curriculum/{entry}")).status_code == 204, entry
        assert (await teacher.delete(f"/v1/curriculum/{entry}")).status_code == 404, entry
    assert (await teacher.get("/v1/curriculum/categories")).json()["items"] == []
    audit = (await installation.caller(Role.OPERATOR).get("/v1/ops/audit?limit=200")).json()["items"]
    noted = [one["target"] for one in audit if one["action"] == "curriculum.delete"]
    assert noted[0] == {"kind": "module", "id": "first"}
    assert len(noted) == 8


async def test_a_new_entry_comes_behind_all_others_after_one_was_deleted(installation: Installation) -> None:
    teacher = await school(installation)
    await teacher.delete("/v1/curriculum/projects/shop")
    await teacher.delete("/v1/curriculum/categories/web")
    for name in ("b", "a"):
        category = {"id": name, "title": name, "months": 1, "tracks": ["extra"]}
        assert (await teacher.post("/v1/curriculum/import", {"categories": [category]})).status_code == 200
    shown = (await teacher.get("/v1/curriculum/categories")).json()["items"]
    assert [one["id"] for one in shown] == ["data", "b", "a"]


async def test_a_category_can_be_deleted_once_no_learner_aims_at_it(installation: Installation) -> None:
    teacher = await school(installation)
    await teacher.put("/v1/learners/ada/goals", {"target": "data"})
    assert (await teacher.delete("/v1/curriculum/categories/data")).status_code == 409
    await teacher.put("/v1/learners/ada/goals", {"weekly_answers": 3})
    assert (await teacher.delete("/v1/curriculum/categories/data")).status_code == 204
    assert (await teacher.put("/v1/learners/ada/goals", {"target": "data"})).status_code == 422
