"""What a feedback provider is asked and what it answers, whoever writes it: templates or a model."""

from enum import StrEnum

import msgspec

from pipeline.model import ScoredAnswer


class Source(StrEnum):
    """Who wrote a text; `mixed` only of a whole whose answers differ."""

    AI = "ai"
    TEMPLATE = "template"
    MIXED = "mixed"


class LearnerPicture(msgspec.Struct, frozen=True):
    """What is known of the learner before this submission; any part may be unknown.

    `weaknesses` are topics, the worst first, and `mistakes` runs parallel to them: the kind of mistake that prevails in
    each, "" where none does. `recent_accuracy` is in [0, 1].
    """

    level: str | None = None
    weaknesses: tuple[str, ...] = ()
    recent_accuracy: float | None = None
    career_goal: str | None = None
    industry: str | None = None
    mistakes: tuple[str, ...] = ()


class FeedbackRequest(msgspec.Struct, frozen=True):
    """One submission to write feedback on; `locale` is a BCP 47 tag.

    `learner_id` is for limits and budgets alone: no prompt and no text has it.
    """

    tenant_id: int
    submission_id: str
    locale: str
    answers: tuple[ScoredAnswer, ...]
    learner: LearnerPicture = LearnerPicture()
    learner_id: str = ""


class AnswerFeedback(msgspec.Struct, frozen=True):
    """The feedback on one answer, as plain text, and where it comes from.

    `provider` and `model` name who wrote it (`model` is None where none did); `prompt_version` is the
    reference of the text it was made with, such as `feedback/template/en@1`.
    """

    question_id: str
    text: str
    source: Source
    provider: str
    model: str | None
    prompt_version: str


class Feedback(msgspec.Struct, frozen=True, omit_defaults=True):
    """The feedback on a submission: a summary and one text per answer, in the order they came.

    `shortfall` says why this is less than was asked for (a provider failed, the budget is spent); None
    where it is all that was asked for.
    """

    source: Source
    summary: str
    answers: tuple[AnswerFeedback, ...]
    shortfall: str | None = None


def overall_source(answers: tuple[AnswerFeedback, ...]) -> Source:
    """The source of a whole: that of its answers if they agree, else mixed; of nothing, the template."""
    sources = {answer.source for answer in answers}
    if len(sources) > 1:
        return Source.MIXED
    return next(iter(sources), Source.TEMPLATE)
