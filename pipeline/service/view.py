"""How a submission is shown: one document, parts appearing as they become known."""

from collections.abc import Mapping
from typing import Any, Final

from pipeline.lifecycle import Stage
from pipeline.model import Question, SubmissionView
from pipeline.service.advice import stored_advice

Document = dict[str, Any]
"""Ready to be encoded as JSON."""
STAGES: Final = tuple(Stage)


def submission_document(view: SubmissionView) -> Document:
    """The submission as clients see it."""
    document: Document = {
        "id": view.id,
        "status": view.status,
        "version": view.version,
        "learner_id": view.learner_id,
        "assignment_id": view.assignment_id,
        "locale": view.locale,
        "career_goal": view.career_goal,
        "industry": view.industry,
        "priority": view.priority,
        "retry_feedback": view.retry_feedback,
        "callback_url": view.callback_url,
        "metadata": view.metadata,
        "submitted_at": view.submitted_at,
        "created_at": view.created_at,
        "updated_at": view.updated_at,
        "completed_at": view.completed_at,
        "stages": {stage: view.stages[stage] for stage in STAGES},
    }
    document.update(known_parts(view))
    return document


def known_parts(view: SubmissionView) -> Document:
    parts: Document = {}
    if score := view.results.get(Stage.SCORE):
        parts["score"] = score_document(score, view.questions)
    if feedback := view.results.get(Stage.FEEDBACK):
        parts["feedback"] = feedback
    if recommendations := view.results.get(Stage.RECOMMEND):
        parts["recommendations"] = stored_advice(recommendations, view.locale, view.topic_names)
    return parts


def scored_document(answer: Mapping[str, Any]) -> Document:
    """The stored score of one answer. What the rules had guessed before a person decided is nobody's any more."""
    if "settled" not in answer:
        return dict(answer)
    settled = answer["settled"]
    return {**answer, "settled": {name: settled[name] for name in ("by", "at", "comment")}}


def score_document(score: Mapping[str, Any], questions: tuple[Question, ...]) -> Document:
    """The stored score with what its question versions say about each answer."""
    answers = [
        {
            "question_id": question.id,
            "question_version": question.version,
            **scored_document(answer),
            "explanation": None if question.hide_solution else question.explanation,
        }
        for question, answer in zip(questions, score["answers"], strict=True)
    ]
    return {**score, "answers": answers}
