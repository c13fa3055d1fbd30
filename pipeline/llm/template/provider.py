"""The built-in feedback provider: writes from templates, needs no network and never fails for an answer."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

import msgspec

from pipeline.llm.template.remarks import details, lesson, solution, verdict
from pipeline.llm.template.summary import summary_remarks
from pipeline.model import Outcome, Question, ScoredAnswer
from pipeline.prompting.feedback import AnswerFeedback, Feedback, FeedbackRequest, Source
from pipeline.prompting.language import select_language
from pipeline.prompting.wording import Remark, Wording, join_paragraphs, wording_of
from prompts.catalog import LANGUAGES

PROVIDER: Final = "template"
TEXT_ID: Final = "feedback/template"
NOTICE_ID: Final = "feedback/notice"
NOTICES: Final = MappingProxyType(
    {
        "tenant_budget_spent": "budget",
        "learner_budget_spent": "limit",
        "learner_limit": "limit",
        "busy": "busy",
        "waited_too_long": "busy",
    }
)
"""Which notice a shortfall gets; any other is that no model could be reached."""
KEPT_LESSONS: Final = 4_096
"""Question texts kept per process, about 1 kB each."""

_ENLIGHTENED: Final = frozenset({Outcome.PARTIAL, Outcome.INCORRECT, Outcome.NEEDS_REVIEW})
"""Outcomes after which the solution helps: the learner tried, and did not show that they know it."""


class Lesson(msgspec.Struct, frozen=True):
    """What is said of one question after one outcome, whatever the response."""

    question: Question
    solution: str
    paragraphs: str


class TemplateProvider:
    """Implements the feedback port with the texts of `prompts/feedback/template`.

    Texts are compiled at the first construction, once for all providers of a process. What a question says whatever
    the response is kept, and used only for an equal question, so that one tenant's text can't come out for another's
    of the same name.
    """

    def __init__(self) -> None:
        self._wordings: Final[Mapping[str, Wording]] = {
            language: wording_of(TEXT_ID, language) for language in LANGUAGES
        }
        self._notices: Final[Mapping[str, Wording]] = {
            language: wording_of(NOTICE_ID, language) for language in LANGUAGES
        }
        self._lessons: Final[dict[tuple[str, int, str, Outcome], Lesson]] = {}

    @property
    def kept_lessons(self) -> int:
        """How many question texts are kept right now."""
        return len(self._lessons)

    async def write(self, request: FeedbackRequest) -> Feedback:
        """What `compose` says, by the port."""
        return self.compose(request)

    def compose(self, request: FeedbackRequest) -> Feedback:
        """Feedback in the language that serves the request's locale best."""
        language = select_language(request.locale)
        wording = self._wordings[language]
        return Feedback(
            source=Source.TEMPLATE,
            summary=wording.paragraph(summary_remarks(request)),
            answers=tuple(
                AnswerFeedback(
                    question_id=scored.answer.question.id,
                    text=self._text(scored, language),
                    source=Source.TEMPLATE,
                    provider=PROVIDER,
                    model=None,
                    prompt_version=wording.reference,
                )
                for scored in request.answers
            ),
        )

    def verdict(self, scored: ScoredAnswer, locale: str) -> str:
        """The outcome of an answer in a sentence, in the language that serves a locale best."""
        return self._wordings[select_language(locale)].say(verdict(scored.score))

    def notice(self, reason: str, locale: str) -> str:
        """Why these texts serve where a model was to write, for the learner; `reason` is a `Feedback.shortfall`."""
        return self._notices[select_language(locale)].say(Remark(NOTICES.get(reason, "unavailable")))

    def joined(self, sentences: Sequence[str], locale: str) -> str:
        """Sentences as running text of a locale's language."""
        return self._wordings[select_language(locale)].run_on(sentences)

    def _text(self, scored: ScoredAnswer, language: str) -> str:
        wording = self._wordings[language]
        learned = self._lesson(scored.answer.question, scored.score.outcome, language)
        opening = [wording.say(remark) for remark in (verdict(scored.score), *details(scored))]
        return join_paragraphs((wording.run_on([*opening, learned.solution]), learned.paragraphs))

    def _lesson(self, question: Question, outcome: Outcome, language: str) -> Lesson:
        key = (question.id, question.version, language, outcome)
        kept = self._lessons.get(key)
        if kept is not None and (kept.question is question or kept.question == question):
            return kept
        if len(self._lessons) >= KEPT_LESSONS:
            self._lessons.clear()
        self._lessons[key] = made = _lesson(self._wordings[language], question, outcome)
        return made


def _lesson(wording: Wording, question: Question, outcome: Outcome) -> Lesson:
    return Lesson(
        question=question,
        solution=wording.paragraph(solution(question)) if outcome in _ENLIGHTENED else "",
        paragraphs=wording.text(lesson(question, outcome)),
    )
