"""What waits for a person to decide on, for teachers: a list, and one answer with all that a decision goes by."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

import msgspec

from pipeline.errors import NotFound
from pipeline.lifecycle import Stage
from pipeline.model import Answer, AnswerScore, Outcome, Question, SubmissionView
from pipeline.ports import ReadingStore, SubmissionFilter
from pipeline.ports.settlement import SettlementStore
from pipeline.service.access import Principal
from pipeline.service.page import cursor_behind
from pipeline.service.showing import NO_SUCH_SUBMISSION, id_in
from pipeline.stages.score import scores_in

NO_SUCH_ANSWER: Final = "The submission has no answer to this question."


class Waiting(msgspec.Struct, frozen=True):
    """An answer that waits for a person, with the estimate of its rule in `score`."""

    submission: SubmissionView
    question: Question
    score: AnswerScore


class WaitingList(msgspec.Struct, frozen=True):
    """A part of what waits, oldest first; `next` is the cursor of the following part."""

    items: tuple[Waiting, ...]
    next: str | None


class Examined(msgspec.Struct, frozen=True):
    """One answer as it was handed in; `score` is None before there is one."""

    submission: SubmissionView
    answer: Answer
    score: AnswerScore | None

    @property
    def handed_in_at(self) -> datetime:
        return handed_in_at(self.submission)

    @property
    def most_points(self) -> float:
        return self.answer.question.points if self.score is None else self.score.max_points


class Reviewing:
    """Reads what teachers decide on."""

    def __init__(self, *, store: SettlementStore, reading: ReadingStore) -> None:
        self._store = store
        self._reading = reading

    async def waiting(
        self, principal: Principal, wanted: SubmissionFilter, cursor: str | None, limit: int
    ) -> WaitingList:
        """The waiting answers of at most `limit` submissions that fit; `InvalidInput` for a cursor that is not ours."""
        asked = msgspec.structs.replace(wanted, needs_review=True)
        behind = None if cursor is None else id_in(cursor)
        ids = await self._reading.browse(principal.tenant_id, asked, behind, limit + 1)
        views = await self._reading.read(principal.tenant_id, ids[:limit])
        return WaitingList(tuple(waiting_in(views)), cursor_behind(ids[limit - 1]) if len(ids) > limit else None)

    async def examine(self, principal: Principal, submission_id: str, question_id: str) -> Examined:
        """One answer, whether it waits or not; raises `NotFound`."""
        work = await self._store.examine(principal.tenant_id, submission_id)
        views = await self._reading.read(principal.tenant_id, [submission_id])
        if not views:
            raise NotFound(NO_SUCH_SUBMISSION)
        place = next((n for n, answer in enumerate(work.answers) if answer.question.id == question_id), None)
        if place is None:
            raise NotFound(NO_SUCH_ANSWER)
        return Examined(views[0], work.answers[place], work.scores[place] if work.scores else None)


def waiting_in(views: Sequence[SubmissionView]) -> Iterator[Waiting]:
    """The answers of these submissions that wait, in their order."""
    for view in views:
        if body := view.results.get(Stage.SCORE):
            for question, score in zip(view.questions, scores_in(body), strict=True):
                if score.outcome is Outcome.NEEDS_REVIEW:
                    yield Waiting(view, question, score)


def handed_in_at(view: SubmissionView) -> datetime:
    """When a learner handed in, as the client says where it does."""
    return view.submitted_at or view.created_at
