from datetime import UTC, datetime

import msgspec

from pipeline.model import Answer, AnswerScore, LearnerContext, Outcome, Question, Work
from pipeline.prompting.feedback import AnswerFeedback, Feedback, LearnerPicture, Source
from pipeline.stages.feedback import outcome_of, request_of
from pipeline.stages.outcome import Degraded, Done

NOW = datetime(2026, 1, 2, tzinfo=UTC)
QUESTION = Question(id="q", version=1, type="numeric", prompt="?", answer={"value": 1}, language="ja")
SCORE = AnswerScore(Outcome.CORRECT, 1.0, 1.0, 1.0, "numeric/1")
WRITTEN = AnswerFeedback("q", "Correct.", Source.TEMPLATE, "template", None, "feedback/template/en@1")


def work(context: LearnerContext) -> Work:
    return Work("s-1", 7, "u-1", context, NOW, NOW, NOW, answers=(Answer(QUESTION, 1),), scores=(SCORE,))


def test_a_request_says_whose_answers_these_are_and_for_what_they_learn() -> None:
    context = LearnerContext(locale="ko-KR", career_goal="saas", industry="fintech")

    asked = request_of(work(context), LearnerPicture(weaknesses=("loops",)))

    assert (asked.tenant_id, asked.submission_id, asked.locale) == (7, "s-1", "ko-KR")
    assert asked.learner == LearnerPicture(weaknesses=("loops",), career_goal="saas", industry="fintech")
    assert [scored.score for scored in asked.answers] == [SCORE]


def test_without_a_locale_feedback_speaks_the_language_of_the_question() -> None:
    assert request_of(work(LearnerContext())).locale == "ja"


def test_a_reply_that_is_all_that_was_asked_for_is_done() -> None:
    outcome = outcome_of(Feedback(Source.TEMPLATE, "All right.", (WRITTEN,)))

    assert isinstance(outcome, Done)
    assert msgspec.to_builtins(outcome.body) == {
        "source": "template",
        "summary": "All right.",
        "answers": (
            {
                "question_id": "q",
                "text": "Correct.",
                "source": "template",
                "provider": "template",
                "model": None,
                "prompt_version": "feedback/template/en@1",
            },
        ),
    }


def test_a_reply_that_falls_short_is_degraded_and_says_why() -> None:
    outcome = outcome_of(Feedback(Source.TEMPLATE, "All right.", (WRITTEN,), shortfall="the budget is spent"))

    assert isinstance(outcome, Degraded)
    assert outcome.reason == msgspec.to_builtins(outcome.body)["shortfall"] == "the budget is spent"
