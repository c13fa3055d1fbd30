"""Deciding on answers that no rule could judge, as teachers ask for it."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Final

import msgspec

from pipeline.errors import FieldProblem, InvalidInput, NotFound
from pipeline.execution import announce
from pipeline.model import SubmissionView
from pipeline.ports import Bell, Board, ReadingStore
from pipeline.ports.settlement import SettlementStore
from pipeline.service.access import Principal
from pipeline.service.showing import NO_SUCH_SUBMISSION
from pipeline.stages.settlement import Decision

LONGEST_COMMENT: Final = 4_000
ONE_OF_TWO: Final = "Give either points or a fraction."


class DecisionIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an answer is worth: `points` or `fraction`, exactly one of the two."""

    points: Annotated[float, msgspec.Meta(ge=0, description="From 0 to the points of the question.")] | None = None
    fraction: (
        Annotated[float, msgspec.Meta(ge=0, le=1, description="The share of the question's points, from 0 to 1.")]
        | None
    ) = None
    comment: (
        Annotated[str, msgspec.Meta(max_length=LONGEST_COMMENT, description="A word to the learner; null: nothing.")]
        | None
    ) = None
    replaces: (
        Annotated[
            datetime,
            msgspec.Meta(tz=True, description="The `settled.at` that was seen; null: none. Where another holds: 409."),
        ]
        | msgspec.UnsetType
        | None
    ) = msgspec.UNSET


class Settling:
    """Takes decisions, tells workers and watchers, and answers with the new state."""

    def __init__(self, *, store: SettlementStore, reading: ReadingStore, bell: Bell, board: Board) -> None:
        self._store = store
        self._reading = reading
        self.bell: Final = bell
        self.board: Final = board

    async def settle(
        self, principal: Principal, submission_id: str, question_id: str, given: DecisionIn
    ) -> SubmissionView:
        """Decide on an answer in place of an earlier decision; the same again changes nothing.

        Raises `InvalidInput`, `NotFound`, or `Conflict` where the answer needs no decision, is not scored yet, or was
        decided on meanwhile.
        """
        if problems := list(problems_in(given)):
            raise InvalidInput(problems)
        tenant_id = principal.tenant_id
        decision = Decision(given.points, given.fraction, given.comment, given.replaces)
        recorded = await self._store.settle(tenant_id, submission_id, question_id, decision, actor=principal.actor)
        await announce(recorded, self)
        views = await self._reading.read(tenant_id, [submission_id])
        if not views:
            raise NotFound(NO_SUCH_SUBMISSION)
        return views[0]


def problems_in(given: DecisionIn) -> Iterator[FieldProblem]:
    """Neither worth is a problem, and so are both."""
    if given.points is None and given.fraction is None:
        yield FieldProblem("/points", ONE_OF_TWO)
    elif given.points is not None and given.fraction is not None:
        yield FieldProblem("/fraction", ONE_OF_TWO)
