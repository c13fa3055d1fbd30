"""What a tenant teaches."""

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

import msgspec

from pipeline.curriculum.entry import Kind
from pipeline.curriculum.model import Curriculum
from pipeline.model import Question
from pipeline.ports.bank import Saved


class SavedCurriculum(msgspec.Struct, frozen=True):
    """What an import changed: the curriculum before and after it, and what became of each question, in their order."""

    before: Curriculum
    after: Curriculum
    questions: tuple[Saved, ...] = ()


@runtime_checkable
class CurriculumStore(Protocol):
    """Each tenant's curriculum."""

    async def current(self, tenant_id: int) -> Curriculum:
        """The whole curriculum as it is now; an empty one, of version 0, where nothing was imported yet."""
        ...

    async def save(
        self, tenant_id: int, change: Callable[[Curriculum], Curriculum], questions: Sequence[Question] = ()
    ) -> SavedCurriculum:
        """Put what `change` makes of the current curriculum in its place, and questions (ids distinct) into the bank.

        All of it or, where anything fails or `change` raises, nothing. Changes of one tenant come one after the other,
        each on what the one before left. Only a change makes a new version.
        """
        ...

    async def delete(
        self,
        tenant_id: int,
        kind: Kind,
        entry_id: str,
        *,
        allow: Callable[[Curriculum, int], None],
        actor: str,
        audit_id: str,
    ) -> None:
        """Delete an entry and note in the audit log who did, or nothing of both where `allow` raises.

        `allow` gets the current curriculum, to see that the entry is there and that none names it, and the number of
        learners who have it as the target among their goals. It makes a new version.
        """
        ...
