"""A hand-in as clients send it: every field with its shape, its limits and what it means.

docs/fields.md and the OpenAPI document are written from here.
"""

from datetime import datetime
from typing import Annotated, Final, Literal

import msgspec

from pipeline.model import JsonValue

MAX_RESPONSE_TIME_MS: Final = 86_400_000

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Word = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
LanguageTag = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9]{1,8}([-_][A-Za-z0-9]{1,8})*$", max_length=35)]
Address = Annotated[str, msgspec.Meta(pattern=r"^https?://\S+$", max_length=2000)]


def meaning(text: str) -> msgspec.Meta:
    """What a field means, in sentences for those who send it."""
    return msgspec.Meta(description=text)


class AnswerIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One answer of a hand-in; a null or absent response is unanswered."""

    question_id: Annotated[Name, meaning("The question of the bank that is answered, once in a submission.")]
    response: Annotated[
        JsonValue,
        meaning("What was answered; its shape follows from the question's type (docs/questions.md). Null: unanswered."),
    ] = None
    response_time_ms: Annotated[
        Annotated[int, msgspec.Meta(ge=0, le=MAX_RESPONSE_TIME_MS)] | None,
        meaning(
            "How long this answer took, in milliseconds. It tells haste from knowledge, and how long sessions were."
        ),
    ] = None
    confidence: Annotated[
        Annotated[int, msgspec.Meta(ge=1, le=5)] | None,
        meaning(
            "How sure the learner was, 1 (guessed) to 5 (certain). Wrong with 4 or 5 is a misconception; right with 4 "
            "or 5 was easy."
        ),
    ] = None


class SubmissionIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A hand-in as clients send it: a learner's answers to one or more questions."""

    learner_id: Annotated[
        Name,
        meaning("Whose answers these are: an id of your own choice. The first hand-in makes the learner known."),
    ]
    answers: Annotated[list[AnswerIn], msgspec.Meta(min_length=1), meaning("The answers, each question once.")]
    assignment_id: Annotated[
        Name | None, meaning("The work this belongs to, by an id of your own; lists can be filtered by it.")
    ] = None
    locale: Annotated[
        LanguageTag | None,
        meaning(
            "The language of feedback and reasons, as a BCP 47 tag: `en`, `ko`, `ja` and `zh` are spoken, others get "
            "English. Absent: the language of the first question."
        ),
    ] = None
    career_goal: Annotated[
        Word | None,
        meaning(
            "What the learner works towards: best the id of a category of the curriculum, else a label. It counts as "
            "long as no `target` is set among the learner's goals; then that of the hand-in with the latest "
            "`submitted_at` counts. Feedback and recommendations of this submission go by its own."
        ),
    ] = None
    industry: Annotated[
        Word | None,
        meaning(
            "The field the learner works in, such as `fintech`: projects and feedback lean towards it. A label, "
            "compared with those of modules and projects."
        ),
    ] = None
    priority: Annotated[
        Literal["low", "normal", "high"],
        meaning(
            "`low`: feedback by a model may wait for a batch at half the price, where the tenant's policy says so. "
            "`high` is kept and shown, and treated like `normal`."
        ),
    ] = "normal"
    retry_feedback: Annotated[
        bool,
        meaning(
            "Ask again for feedback that a model was to write and could not. The submission is completed with feedback "
            "from a template, and gets a new version once a model has written it, within a day; no webhook tells that."
        ),
    ] = False
    callback_url: Annotated[
        Address | None,
        meaning(
            "Where to tell how the submission ended, besides the tenant's webhooks (docs/webhooks.md): http or https, "
            "and no private address unless a setting allows them."
        ),
    ] = None
    metadata: Annotated[
        dict[str, JsonValue],
        meaning("Whatever you want to find again with the submission and in its webhooks. Nothing goes by it."),
    ] = {}
    submitted_at: Annotated[
        datetime | None,
        meaning(
            "When the learner handed in, where that was before the arrival (work done off line): from the year 2000 to "
            "five minutes ahead. Days, weeks, forgetting and which hand-in is the latest go by it. Absent: the arrival."
        ),
    ] = None
    idempotency_key: Annotated[
        Annotated[str, msgspec.Meta(min_length=1, max_length=255)] | None,
        meaning("The header `Idempotency-Key` for one submission of a batch: sent twice, it is accepted once."),
    ] = None
