"""Learners' word on the feedback they got."""

from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from litestar import post
from litestar.params import FromPath

from api.caller import AnyRequest, allow
from api.description import Answer, Body, described
from api.patience import Patience
from api.reading import body_of
from pipeline.service.access import Permission
from pipeline.service.rating import RatingIn, RatingOut
from pipeline.service.showing import parse_submission_id

TAG: Final = "Submissions"
RATED: Final = RatingOut(
    submission_id="019abc5e-77a1-7c3e-9d5b-2f8a61c04e11",
    question_id="py-loops-1",
    rating=4,
    comment="The hint helped.",
    rated_at=datetime(2026, 11, 21, 9, 30, tzinfo=UTC),
)
RATING_BODIES: Final = {
    "with a comment": msgspec.to_builtins(RatingIn(4, "The hint helped.")),
    "the rating alone": {"rating": 2},
}


@post(
    "/v1/submissions/{submission_id:str}/feedback/{question_id:str}/rating",
    status_code=200,
    opt=described(
        TAG,
        {200: Answer("The rating that holds now.", RatingOut, RATED)},
        permission=Permission.RATE,
        body=Body(RatingIn, RATING_BODIES),
        problems=(409,),
    ),
)
async def rate_feedback(request: AnyRequest, submission_id: FromPath[str], question_id: FromPath[str]) -> RatingOut:
    """Rate the feedback on one answer.

    Each answer has one rating: another one takes its place. With a learner token, only feedback of the learner's own
    submissions can be rated; others do not exist for it.
    """
    patience = Patience()
    parts, principal = await allow(request, Permission.RATE, patience)
    given = await body_of(request, RatingIn)
    async with patience:
        return await parts.ratings.rate(principal, parse_submission_id(submission_id), question_id, given)


def rating_handlers() -> list[Any]:
    return [rate_feedback]
