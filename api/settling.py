"""A person's word on an answer that no rule could judge."""

from typing import Any, Final

from litestar import Response, put
from litestar.params import FromPath

from api.caller import AnyRequest, allow
from api.description import JSON, Answer, Body, described
from api.documents import SETTLED_EXAMPLE, SubmissionDocument
from api.patience import Patience
from api.reading import body_of
from pipeline.service.access import Permission
from pipeline.service.settling import DecisionIn
from pipeline.service.showing import encode_view, parse_submission_id

TAG: Final = "Submissions"
DECISIONS: Final = {
    "points": {"points": 3.5, "comment": "Clear, but the example is missing."},
    "a fraction": {"fraction": 1},
}


@put(
    "/v1/submissions/{submission_id:str}/answers/{question_id:str}/settlement",
    opt=described(
        TAG,
        {200: Answer("The submission with the score that holds now.", SubmissionDocument, SETTLED_EXAMPLE)},
        permission=Permission.SETTLE,
        body=Body(DecisionIn, DECISIONS),
        problems=(409,),
    ),
)
async def settle_answer(
    request: AnyRequest, submission_id: FromPath[str], question_id: FromPath[str]
) -> Response[bytes]:
    """Settle an answer that needs review.

    Score and totals follow at once, `score.provisional` ends with the last one, and `submission.settled` is sent to
    webhooks. The first decision is learnt from; another one later takes its place in the score alone, and the same
    again changes nothing. Answers that the rules were sure of cannot be settled. Feedback that is written already stays
    as it is.
    """
    patience = Patience()
    parts, principal = await allow(request, Permission.SETTLE, patience)
    given = await body_of(request, DecisionIn)
    async with patience:
        view = await parts.settling.settle(principal, parse_submission_id(submission_id), question_id, given)
    return Response(encode_view(view).document, media_type=JSON)


def settling_handlers() -> list[Any]:
    return [settle_answer]
