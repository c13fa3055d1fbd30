"""Scoring a submission: rules only, nothing else may move points."""

from collections.abc import Sequence

import msgspec

from pipeline.model import AnswerScore, JsonValue, Outcome, Work
from pipeline.scoring.rule import score
from pipeline.stages.outcome import Done

DECIMALS = 4


def decide(work: Work) -> Done:
    """Score every answer by its question's rule and sum up."""
    return Done(score_body([score(answer.question, answer.response) for answer in work.answers]))


def score_body(scores: Sequence[AnswerScore]) -> dict[str, JsonValue]:
    """The stored result: points reached and reachable, and each answer's score in order.

    Points still to be given by a person count as 0 for now, and `provisional` says that there are such.
    """
    points = round(sum(s.points or 0.0 for s in scores), DECIMALS)
    max_points = round(sum(s.max_points for s in scores), DECIMALS)
    return {
        "points": points,
        "max_points": max_points,
        "fraction": round(points / max_points, DECIMALS) if max_points else 0.0,
        "provisional": any(s.outcome is Outcome.NEEDS_REVIEW for s in scores),
        "answers": [msgspec.to_builtins(s) for s in scores],
    }
