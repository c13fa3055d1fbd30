"""The feedback stage, decided purely: what to ask a provider, and what its reply means for the stage."""

from typing import Final

import msgspec

from pipeline.model import Work
from pipeline.prompting.feedback import Feedback, FeedbackRequest, LearnerPicture
from pipeline.stages.outcome import Degraded, Done, Outcome

UNKNOWN_LOCALE: Final = ""


def request_of(work: Work, picture: LearnerPicture | None = None) -> FeedbackRequest:
    """What to ask for one scored submission; `picture` is what is known of the learner besides.

    Where the client named no locale, feedback speaks the language of the first question.
    """
    context = work.context
    known = picture or LearnerPicture()
    return FeedbackRequest(
        tenant_id=work.tenant_id,
        submission_id=work.submission_id,
        locale=context.locale or _language_asked_in(work),
        answers=work.scored_answers,
        learner=msgspec.structs.replace(known, career_goal=context.career_goal, industry=context.industry),
        learner_id=work.learner_id,
    )


def outcome_of(feedback: Feedback) -> Outcome:
    """Done, or degraded where the reply is less than was asked for; its body is the API's `feedback`."""
    return Done(feedback) if feedback.shortfall is None else Degraded(feedback, reason=feedback.shortfall)


def _language_asked_in(work: Work) -> str:
    return next((answer.question.language for answer in work.answers), UNKNOWN_LOCALE)
