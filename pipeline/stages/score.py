"""Scoring a submission: rules only, nothing else may move points."""

from collections.abc import Sequence

import msgspec

from pipeline.model import AnswerScore, Outcome, Work
from pipeline.scoring.rule import score
from pipeline.stages.outcome import Body, Done

DECIMALS = 4


class ScoreResult(msgspec.Struct, frozen=True):
    """The stored result: points reached and reachable, and each answer's score in order.

    Points still to be given by a person count as 0 for now, and `provisional` says that there are such.
    """

    points: float
    max_points: float
    fraction: float
    provisional: bool
    answers: tuple[AnswerScore, ...]


def decide(work: Work) -> Done:
    """Score every answer by its question's rule and sum up."""
    return Done(sum_up([score(answer.question, answer.response) for answer in work.answers]))


def sum_up(scores: Sequence[AnswerScore]) -> ScoreResult:
    """The result of a submission whose answers were scored so."""
    points = round(sum(s.points or 0.0 for s in scores), DECIMALS)
    max_points = round(sum(s.max_points for s in scores), DECIMALS)
    return ScoreResult(
        points=points,
        max_points=max_points,
        fraction=round(points / max_points, DECIMALS) if max_points else 0.0,
        provisional=any(s.outcome is Outcome.NEEDS_REVIEW for s in scores),
        answers=tuple(scores),
    )


def scores_in(body: Body) -> tuple[AnswerScore, ...]:
    """The answers' scores in a score stage's result, fresh or as it was stored."""
    if isinstance(body, ScoreResult):
        return body.answers
    return msgspec.convert(body, ScoreResult).answers
