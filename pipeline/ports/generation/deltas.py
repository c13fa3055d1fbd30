"""Feedback that is read while it is written."""

from collections.abc import Iterable
from typing import Protocol, runtime_checkable

from pipeline.model import Transcript


@runtime_checkable
class Deltas(Protocol):
    """Feedback that learners read while it is written. Always rebuildable: the stored text is what counts."""

    async def tell(
        self, submission_id: str, tenant_id: int, question_id: str, text: str, *, after: str = "", whole: bool = False
    ) -> None:
        """Show this text of an answer's feedback behind `after`, which is all that was told of it before.

        So what was lost on the way is made up for, and telling the same again shows nothing twice. With `whole`
        nothing follows: should anything else be shown by now, it is taken back. Loses it where Redis is away.
        """
        ...

    async def restart(self, submission_id: str, tenant_id: int, question_id: str) -> None:
        """Take back what was shown of an answer's feedback: it begins anew."""
        ...


@runtime_checkable
class Transcripts(Protocol):
    """Reading what `Deltas` were told."""

    async def transcripts(self, named: Iterable[tuple[int, str]]) -> list[Transcript]:
        """What was told of these submissions (tenant, id), without those of which there is nothing.

        Raises `Unavailable`.
        """
        ...
