"""The question bank."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Protocol, runtime_checkable

import msgspec

from pipeline.model import (
    Question,
    StoredQuestion,
)
from pipeline.scoring.search import Search


class Saved(msgspec.Struct, frozen=True):
    """What became of one question: its current version, and whether anything changed."""

    id: str
    version: int
    changed: bool


class QuestionFilter(msgspec.Struct, frozen=True):
    """Which questions to list; what is None does not matter. `difficulties` are those that any of them may have."""

    type: str | None = None
    topic: str | None = None
    difficulties: tuple[int, ...] | None = None
    module: str | None = None
    language: str | None = None
    industry: str | None = None
    tag: str | None = None
    search: Search | None = None


class Place(msgspec.Struct, frozen=True):
    """Where a question stands in a list: behind all of a lower rank, and in the order of ids among its own.

    The rank is None where the list goes by ids alone.
    """

    id: str
    rank: int | None = None


class Found(msgspec.Struct, frozen=True):
    """A question and where it stands."""

    question: Question
    place: Place


BEGINNING: Final = Place("")
RANKS: Final = range(3)
"""The whole phrase in the prompt, all words in the prompt, all words anywhere."""


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

    async def browse(self, tenant_id: int, wanted: QuestionFilter, *, after: Place, most: int) -> list[Found]:
        """At most `most` questions that fit `wanted`, from the first behind `after`.

        They come in the order of their ids. What a search finds comes by rank first, unless that is more than anybody
        reads: the whole phrase in the prompt, all words in the prompt, and all words anywhere.
        """
        ...

    async def save(self, tenant_id: int, questions: Sequence[Question]) -> list[Saved]:
        """Store questions (ids distinct) together; one that is already there unchanged keeps its version."""
        ...
