"""What learners think of the feedback they got."""

from datetime import datetime
from typing import Annotated, Final

import msgspec

from pipeline.errors import Conflict, NotFound
from pipeline.lifecycle import Stage
from pipeline.model import SubmissionView
from pipeline.ports import ReadingStore
from pipeline.ports.experiment import Rating, RatingStore
from pipeline.service.access import Principal
from pipeline.service.showing import NO_SUCH_SUBMISSION

NO_SUCH_ANSWER: Final = "The submission has no answer to this question."


class RatingIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a learner thinks of the feedback on one answer."""

    rating: Annotated[int, msgspec.Meta(ge=1, le=5, description="From 1, useless, to 5, very helpful.")]
    comment: (
        Annotated[str, msgspec.Meta(max_length=1000, description="In the learner's words; null: nothing to say.")]
        | None
    ) = None


class RatingOut(msgspec.Struct, frozen=True):
    """The rating that holds now, and since when."""

    submission_id: str
    question_id: str
    rating: int
    comment: str | None
    rated_at: datetime


class Ratings:
    """Takes the ratings of feedback."""

    def __init__(self, store: RatingStore, reading: ReadingStore) -> None:
        self._store = store
        self._reading = reading

    async def rate(self, principal: Principal, submission_id: str, question_id: str, given: RatingIn) -> RatingOut:
        """Keep a rating in place of an earlier one.

        Raises `NotFound` for what the caller does not have, `Conflict` where there is no feedback yet.
        """
        views = await self._reading.read(principal.tenant_id, [submission_id])
        require_feedback(principal, views, question_id)
        rating = Rating(given.rating, given.comment)
        rated_at = await self._store.rate(principal.tenant_id, submission_id, question_id, rating)
        if rated_at is None:
            raise NotFound(NO_SUCH_SUBMISSION)
        return RatingOut(submission_id, question_id, given.rating, given.comment, rated_at)


def require_feedback(principal: Principal, views: list[SubmissionView], question_id: str) -> None:
    """Raise unless there is a submission, of the caller's, with feedback on this question."""
    if not views or not principal.may_see(views[0].learner_id):
        raise NotFound(NO_SUCH_SUBMISSION)
    [view] = views
    if question_id not in {question.id for question in view.questions}:
        raise NotFound(NO_SUCH_ANSWER)
    if Stage.FEEDBACK not in view.results:
        state = view.stages[Stage.FEEDBACK].state
        raise Conflict(f"There is no feedback to rate yet; its stage is {state}.")
