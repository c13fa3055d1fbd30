"""An erasure's entry in the audit log is of its end: by its id, tokens find who was erased since they were made."""

from collections.abc import Sequence
from typing import Any

from uuid_utils import uuid7

from pipeline.service.access import Principal, Role
from pipeline.service.erasure import Erasure

TEACHER = Principal(1, Role.TEACHER, "key:k")


class Forgetful:
    """Two submissions in two pieces, and one more that came in between; notes the moments of what is done as ids."""

    def __init__(self) -> None:
        self.left = [["s-1"], ["s-2"], [], ["s-3"], []]
        self.erased_at: list[str] = []
        self.entries: list[str] = []

    async def submission_ids(self, tenant_id: int, learner_id: str, *, after: str | None, most: int) -> list[str]:  # noqa: ARG002 - the port's
        return self.left.pop(0)

    async def bury(self, ids: Sequence[str]) -> None:
        """Redis forgets at once."""

    async def erase_submissions(self, tenant_id: int, submission_ids: Sequence[str]) -> None:  # noqa: ARG002 - the port's
        self.erased_at.append(str(uuid7()))

    async def erase_learner(self, tenant_id: int, learner_id: str, **noted: str) -> bool:  # noqa: ARG002 - the port's
        self.entries.append(noted["audit_id"])
        return not self.left


async def test_an_entry_is_named_after_all_that_was_erased_before_it() -> None:
    store: Any = Forgetful()
    await Erasure(store, store, store).erase(TEACHER, "ada")
    assert len(store.erased_at) == 3
    assert store.erased_at[1] < store.entries[0] < store.erased_at[2] < store.entries[1]
