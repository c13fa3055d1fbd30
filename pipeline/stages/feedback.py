"""Feedback on a scored submission: what the provider is asked, and what its reply means for the stage."""

import msgspec

from pipeline.model import Work
from pipeline.prompting.feedback import Feedback, FeedbackRequest, LearnerContext
from pipeline.stages.outcome import Degraded, Done


def request_for(work: Work) -> FeedbackRequest:
    """What a provider needs to know of a submission."""
    return FeedbackRequest(
        tenant_id=work.tenant_id,
        submission_id=work.submission_id,
        locale=work.context.locale or "en",
        answers=work.scored_answers,
        learner=LearnerContext(career_goal=work.context.career_goal, industry=work.context.industry),
    )


def decide(feedback: Feedback) -> Done | Degraded:
    """The stage is done if the feedback is all that was asked for; otherwise it is degraded and says why."""
    body = msgspec.to_builtins(feedback)
    shortfall = body.pop("shortfall", None)
    if feedback.shortfall is None:
        return Done(body)
    return Degraded({**body, "degraded_because": shortfall}, feedback.shortfall)
