"""What the pages show on which teachers settle answers: rows, facts, and what is wrong with what was typed."""

import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import Final

import msgspec

from api.pages.excerpt import excerpt
from api.pages.teacher_frame import REVIEW_PATH
from api.pages.teacher_view import LONGEST_PROMPT, address
from api.pages.words import Words
from pipeline.lifecycle import Status
from pipeline.model import POINT_DECIMALS, AnswerScore, Outcome
from pipeline.scoring.readable import key_texts, response_text
from pipeline.service.reviewing import Examined, Waiting, handed_in_at
from pipeline.service.settling import LONGEST_COMMENT
from pipeline.stages.settlement import decided_at

ANSWER_PATH: Final = "/pages/teacher/review/answer"


class WaitingRow(msgspec.Struct, frozen=True):
    """An answer in the list; `of_learner` and `of_assignment` lead to those like it."""

    href: str
    question_id: str
    prompt: str
    learner_id: str
    of_learner: str
    assignment_id: str | None
    of_assignment: str
    handed_in: str
    estimate: str
    most: str


class Typed(msgspec.Struct, frozen=True):
    """What stands in the form; `seen` is when the decision was made that was seen, empty for none."""

    points: str
    comment: str
    seen: str


class AnswerView(msgspec.Struct, frozen=True):
    """One answer. `held` is the decision that holds; `closed` says why nothing can be decided."""

    question_id: str
    prompt: str
    response: str
    key: Mapping[str, str]
    facts: tuple[tuple[str, str], ...]
    most: str
    held: str | None
    held_by: str | None
    held_comment: str | None
    closed: str | None


def waiting_row(one: Waiting, say: Words) -> WaitingRow:
    view, score = one.submission, one.score
    return WaitingRow(
        href=answer_address(view.id, one.question.id, say),
        question_id=one.question.id,
        prompt=excerpt(one.question.prompt, LONGEST_PROMPT),
        learner_id=view.learner_id,
        of_learner=address(REVIEW_PATH, say, learner_id=view.learner_id),
        assignment_id=view.assignment_id,
        of_assignment=address(REVIEW_PATH, say, assignment_id=view.assignment_id),
        handed_in=moment(handed_in_at(view)),
        estimate=say("no_estimate") if score.points is None else number(score.points),
        most=number(score.max_points),
    )


def answer_address(submission_id: str, question_id: str, say: Words) -> str:
    """Where the page of one answer is. An id may have slashes, so it stands in the query."""
    return address(ANSWER_PATH, say, submission=submission_id, question=question_id)


def answer_view(found: Examined, say: Words) -> AnswerView:
    view, question, score = found.submission, found.answer.question, found.score
    settled = score.settled if score else None
    return AnswerView(
        question_id=question.id,
        prompt=question.prompt,
        response=response_text(found.answer.response),
        key=key_texts(question),
        facts=(
            (say("learner"), view.learner_id),
            (say("assignment"), view.assignment_id or say("unknown")),
            (say("handed_in"), moment(found.handed_in_at)),
            *([(say("estimate"), estimate_said(score.ruled, say))] if score and may_be_decided(score) else []),
        ),
        most=number(found.most_points),
        held=held_said(score, say) if score else None,
        held_by=say("decided_by", who=settled.by) if settled else None,
        held_comment=settled.comment if settled else None,
        closed=closed_said(found, say),
    )


def may_be_decided(score: AnswerScore) -> bool:
    return score.settled is not None or score.outcome is Outcome.NEEDS_REVIEW


def estimate_said(ruled: AnswerScore, say: Words) -> str:
    """What the rules had guessed before anybody decided."""
    if ruled.points is None:
        return say("no_estimate")
    return say("of_points", value=number(ruled.points), most=number(ruled.max_points))


def held_said(score: AnswerScore, say: Words) -> str | None:
    """The decision that holds, in words."""
    if score.settled is None or score.points is None:
        return None
    time = moment(score.settled.at)
    return say("held_said", points=number(score.points), most=number(score.max_points), time=time)


def closed_said(found: Examined, say: Words) -> str | None:
    """Why nothing can be decided; None where it can."""
    score = found.score
    if found.submission.status is Status.CANCELLED:
        return say("cancelled")
    if score is None:
        return say("unscored")
    if may_be_decided(score):
        return None
    return say("ruled", points=number(score.points or 0.0), most=number(score.max_points))


def typed_before(found: Examined) -> Typed:
    """The form as it is opened: with the decision that holds, if any."""
    score = found.score
    if score is None or score.settled is None or score.points is None:
        return Typed("", "", seen_in(found))
    return Typed(number(score.points), score.settled.comment or "", seen_in(found))


def seen_in(found: Examined) -> str:
    """The moment of the decision that holds, as the form carries it."""
    at = found.score and decided_at(found.score)
    return at.isoformat() if at else ""


def problems_with(typed: Typed, most: float, say: Words) -> Mapping[str, str]:
    """What is wrong with what was typed, by field."""
    found = {"points": points_problem(typed.points, most, say), "comment": comment_problem(typed.comment, say)}
    return {name: problem for name, problem in found.items() if problem is not None}


def points_problem(text: str, most: float, say: Words) -> str | None:
    if not text.strip():
        return say("problem_missing")
    points = points_in(text)
    if points is None:
        return say("problem_number")
    return None if 0 <= points <= most else say("problem_range", most=number(most))


def points_in(text: str) -> float | None:
    """`3.5`, `3,5` or the same in full width; None for what is no number."""
    try:
        points = float(unicodedata.normalize("NFKC", text).strip().replace(",", "."))
    except ValueError:
        return None
    return points if isfinite(points) else None


def comment_problem(comment: str, say: Words) -> str | None:
    if len(comment) <= LONGEST_COMMENT:
        return None
    return say("problem_long", count=len(comment), most=LONGEST_COMMENT)


def number(points: float) -> str:
    """Points as people write them, without zeros at the end."""
    return f"{points:.{POINT_DECIMALS}f}".rstrip("0").rstrip(".")


def moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
