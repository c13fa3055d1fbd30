"""The question bank."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, runtime_checkable

import msgspec

from pipeline.model import (
    Question,
    StoredQuestion,
)


class Saved(msgspec.Struct, frozen=True):
    """What became of one question: its current version, and whether anything changed."""

    id: str
    version: int
    changed: bool


class QuestionFilter(msgspec.Struct, frozen=True):
    """Which questions to list; what is None does not matter."""

    type: str | None = None
    topic: str | None = None
    difficulty: int | None = None
    module: str | None = None
    language: str | None = None


@runtime_checkable
class BankStore(Protocol):
    """The question bank."""

    async def current(self, tenant_id: int, ids: Iterable[str]) -> Mapping[str, StoredQuestion]:
        """The current versions of these questions; unknown ids are absent."""
        ...

    def forget(self, tenant_id: int, ids: Iterable[str]) -> None:
        """Read these questions anew the next time they are asked for."""
        ...

    async def find(self, tenant_id: int, question_id: str, version: int | None = None) -> Question | None:
        """One version of a question, the current one unless told otherwise; never an outdated one."""
        ...

    async def browse(self, tenant_id: int, wanted: QuestionFilter, *, after: str, most: int) -> list[Question]:
        """At most `most` questions that fit `wanted`, in the order of their ids, from the first behind `after`."""
        ...

    async def save(self, tenant_id: int, questions: Sequence[Question]) -> list[Saved]:
        """Store questions (ids distinct) together; one that is already there unchanged keeps its version."""
        ...
