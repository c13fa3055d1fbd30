"""Importing a curriculum that will not do."""

import msgspec
import pytest

from pipeline.curriculum.model import NO_CURRICULUM, Curriculum
from pipeline.errors import InvalidInput
from pipeline.service.curriculum import Curricula


class LockedStore:
    """A store of curricula that can be read; whoever saves would hold up everybody else of the tenant."""

    async def current(self, tenant_id: int) -> Curriculum:  # noqa: ARG002 - the port's
        return NO_CURRICULUM


def module(name: str, *needed: str) -> dict[str, object]:
    return {"id": name, "title": name, "difficulty": 1, "hours": 1, "prerequisites": list(needed)}


@pytest.mark.parametrize(
    "modules", [[module("a", "b"), module("b", "a")], [module("a", "unknown")], [{"id": "a"}, module("b", "b")]]
)
async def test_what_is_wrong_in_a_file_is_found_before_anything_is_locked(modules: list[dict[str, object]]) -> None:
    curricula = Curricula(LockedStore(), bank=None, learners=None)  # type: ignore[arg-type]  # nothing else is asked
    with pytest.raises(InvalidInput):
        await curricula.import_file(1, msgspec.json.encode({"modules": modules}))
