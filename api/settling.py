"""A person's word on an answer that no rule could judge."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec
from litestar import Response, get, put
from litestar.params import FromPath

from api.caller import AnyRequest, allow
from api.description import JSON, Answer, Body, described
from api.documents import SETTLED_EXAMPLE, SettledDocument, SubmissionDocument
from api.patience import Patience
from api.reading import body_of
from pipeline.lifecycle import Status
from pipeline.model import JsonValue, Outcome, Question
from pipeline.service.access import Permission
from pipeline.service.reviewing import Examined
from pipeline.service.settling import DecisionIn
from pipeline.service.showing import encode_view, parse_submission_id

TAG: Final = "Submissions"
DECISIONS: Final = {
    "points": {"points": 3.5, "comment": "Clear, but the example is missing."},
    "a fraction": {"fraction": 1},
    "the first one": {"points": 3.5, "replaces": None},
}


class AnswerScoreDocument(msgspec.Struct, frozen=True):
    """What an answer scores now; `fraction` and `points` of one that `needs_review` are its rule's estimate, if any."""

    outcome: Outcome
    fraction: float | None
    points: float | None
    max_points: float
    rule: str
    settled: SettledDocument | msgspec.UnsetType = msgspec.UNSET


class AnswerDocument(msgspec.Struct, frozen=True):
    """One answer with all that a person decides by: the question version it was given to, and its key.

    `handed_in_at` is `submitted_at` where the client named it. `score` is null before the submission is scored.
    """

    submission_id: str
    status: Status
    learner_id: str
    assignment_id: str | None
    handed_in_at: datetime
    question: Question
    response: JsonValue
    response_time_ms: int | None
    confidence: int | None
    score: AnswerScoreDocument | None


ANSWER_EXAMPLE: Final[Mapping[str, Any]] = {
    "submission_id": "019abc5e-77a1-7c3e-9d5b-2f8a61c04e11",
    "status": "completed",
    "learner_id": "u-17",
    "assignment_id": "hw-3",
    "handed_in_at": "2026-03-02T09:00:00.000000Z",
    "question": msgspec.to_builtins(
        Question("py-why", 1, "essay", "Why do we write functions?", {"reference": "To name an idea once."}, points=5.0)
    ),
    "response": "So that nothing is written twice.",
    "response_time_ms": 95000,
    "confidence": 4,
    "score": {"outcome": "needs_review", "fraction": None, "points": None, "max_points": 5.0, "rule": "essay/1"},
}


@get(
    "/v1/submissions/{submission_id:str}/answers/{question_id:str}",
    opt=described(
        TAG,
        {200: Answer("The answer.", AnswerDocument, ANSWER_EXAMPLE)},
        permission=Permission.SETTLE,
    ),
)
async def show_answer(request: AnyRequest, submission_id: FromPath[str], question_id: FromPath[str]) -> AnswerDocument:
    """Show one answer as it was handed in, with its question, the key, and what it scores.

    It is what a person needs who settles it.
    """
    patience = Patience()
    parts, principal = await allow(request, Permission.SETTLE, patience)
    async with patience:
        found = await parts.reviewing.examine(principal, parse_submission_id(submission_id), question_id)
    return answer_document(found)


def answer_document(found: Examined) -> AnswerDocument:
    view, answer = found.submission, found.answer
    return AnswerDocument(
        submission_id=view.id,
        status=view.status,
        learner_id=view.learner_id,
        assignment_id=view.assignment_id,
        handed_in_at=found.handed_in_at,
        question=answer.question,
        response=answer.response,
        response_time_ms=answer.response_time_ms,
        confidence=answer.confidence,
        score=score_document(found),
    )


def score_document(found: Examined) -> AnswerScoreDocument | None:
    score = found.score
    if score is None:
        return None
    settled = score.settled and SettledDocument(score.settled.by, score.settled.at, score.settled.comment)
    return AnswerScoreDocument(
        score.outcome, score.fraction, score.points, score.max_points, score.rule, settled or msgspec.UNSET
    )


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
    as it is. With `replaces`, nothing is decided where somebody else did so meanwhile.
    """
    patience = Patience()
    parts, principal = await allow(request, Permission.SETTLE, patience)
    given = await body_of(request, DecisionIn)
    async with patience:
        view = await parts.settling.settle(principal, parse_submission_id(submission_id), question_id, given)
    return Response(encode_view(view).document, media_type=JSON)


def settling_handlers() -> list[Any]:
    return [show_answer, settle_answer]
