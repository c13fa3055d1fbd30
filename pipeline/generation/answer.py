"""Feedback on one answer by a model: what is asked, what of the reply may be shown, and how it reads."""

import secrets
from collections.abc import Mapping
from functools import partial
from typing import Final

import msgspec

from pipeline.generation.assignment import Judged, Written
from pipeline.generation.telling import Sections
from pipeline.model import ScoredAnswer
from pipeline.privacy.programming import is_programming
from pipeline.privacy.redaction import redact, restore, showable
from pipeline.prompting.compose import compose_text, text_so_far
from pipeline.prompting.facts import AnswerFacts, facts_of, with_response
from pipeline.prompting.feedback import AnswerFeedback, FeedbackRequest, Source
from pipeline.prompting.picture import bucket_of, choose_prompt
from pipeline.prompting.reply import Accepted, Rejection, accept
from pipeline.prompting.visible import bounded

FENCE_BYTES: Final = 8
VISIBLE_CHARS: Final = 12_000
"""So much of an answer is looked through for private parts; no more of it is ever sent."""


class Errand(msgspec.Struct, frozen=True):
    """One answer to write on: what a model may know of it, which prompt it gets, and what may be put back into it.

    `verdict` is the rule's sentence, with which the text begins.
    """

    scored: ScoredAnswer
    facts: AnswerFacts
    prompt_id: str
    originals: Mapping[str, str]
    verdict: str

    @property
    def question_id(self) -> str:
        """Which question it answers."""
        return self.scored.answer.question.id


class AnswerText(msgspec.Struct, frozen=True):
    """What a model wrote on one answer, as the learner reads it; `summary` is its gist in a sentence, or ""."""

    feedback: AnswerFeedback
    summary: str


def errand_of(
    scored: ScoredAnswer, request: FeedbackRequest, names: tuple[str, ...], prompt_id: str | None, verdict: str
) -> Errand:
    """What to ask of one answer; `prompt_id` overrides the rule, `names` are the learner's own."""
    question = scored.answer.question
    bucket = bucket_of(request.learner, question)
    facts = facts_of(scored, locale=request.locale, learner=bucket)
    redacted = redact(bounded(facts.response, VISIBLE_CHARS), names, programming=is_programming(question))
    chosen = prompt_id or choose_prompt(scored.score.outcome, bucket)
    return Errand(scored, with_response(facts, redacted.text), chosen, showable(redacted.originals), verdict)


def judge_reply(facts: AnswerFacts, text: str) -> Judged:
    """Whether a reply will do, and how many of its quotations were made up."""
    accepted = accept(text, facts)
    if isinstance(accepted, Rejection):
        return Judged(accepted.problem)
    return Judged(cut_quotations=accepted.cut_quotations)


def shown_so_far(errand: Errand, sections: Sections) -> str:
    """The beginning of the text as far as it is certain, while a model writes; private parts are still out."""
    finished = {name: value or "" for name, value in sections.items()}
    return text_so_far(errand.verdict, finished, errand.facts)


def text_of(errand: Errand, written: Written) -> AnswerText | None:
    """The feedback that a reply makes; None for one that will not do (its rules may be newer than the reply)."""
    accepted = accept(written.text, errand.facts)
    if not isinstance(accepted, Accepted):
        return None
    put_back = partial(restore, originals=errand.originals)
    return AnswerText(
        AnswerFeedback(
            question_id=errand.question_id,
            text=put_back(compose_text(errand.verdict, accepted, errand.facts.language)),
            source=Source.AI,
            provider=written.provider,
            model=written.model,
            prompt_version=written.prompt_version,
        ),
        put_back(accepted.sections.summary),
    )


def fresh_fence() -> str:
    """A word that nobody who writes an answer can know."""
    return secrets.token_hex(FENCE_BYTES)
