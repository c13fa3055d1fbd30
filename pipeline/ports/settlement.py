"""Deciding on answers that no rule could judge."""

from typing import Protocol, runtime_checkable

from pipeline.model import Recorded, Work
from pipeline.stages.settlement import Decision


@runtime_checkable
class SettlementStore(Protocol):
    """Where decisions are kept, with all that follows from them."""

    async def settle(
        self, tenant_id: int, submission_id: str, question_id: str, decision: Decision, *, actor: str
    ) -> Recorded:
        """Decide on an answer, in one transaction with what is learnt from it; nothing where the same was decided.

        Raises `NotFound`, `Conflict` where there is nothing to decide, or not yet, and `InvalidInput`.
        """
        ...

    async def examine(self, tenant_id: int, submission_id: str) -> Work:
        """The answers of a submission as they were handed in, with their scores as far as there are; `NotFound`."""
        ...
