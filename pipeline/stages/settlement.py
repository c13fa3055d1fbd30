"""A person's word on an answer that no rule could judge: what becomes of its score, and what is learnt from it."""

from datetime import UTC, datetime
from typing import Final

import msgspec

from pipeline.errors import Conflict, FieldProblem, InvalidInput
from pipeline.learning.evidence import evidence_of_decision, fully_answered
from pipeline.learning.fold import fold
from pipeline.learning.metrics import FinishedAnswer, Increments, LearnerDay, QuestionCount, sums_of
from pipeline.learning.rating import ItemRating, SubmissionEffect, apply_submission
from pipeline.model import POINT_DECIMALS, AnswerScore, Outcome, ScoredAnswer, Settlement, Work, points_of
from pipeline.scoring.judgement import graded
from pipeline.stages.recommend import LearnerState, remember_correct

FRACTION_DECIMALS: Final = 6
DECIDED_MEANWHILE: Final = "Another decision on this answer holds than the one to be replaced."


class Decision(msgspec.Struct, frozen=True):
    """What an answer is worth: `points` or `fraction`, exactly one of the two, and perhaps a word on it.

    `replaces` is when the decision was made that was seen, None where none was; unset, any is replaced.
    """

    points: float | None = None
    fraction: float | None = None
    comment: str | None = None
    replaces: datetime | msgspec.UnsetType | None = msgspec.UNSET


def settle(score: AnswerScore, decision: Decision, *, by: str, at: datetime) -> AnswerScore:
    """The score once `by` has decided; the very same one where nothing changes.

    Raises `Conflict` where the rule was sure or where another decision holds than was seen, `InvalidInput` for points
    beyond the question's.
    """
    if score.settled is None and score.outcome is not Outcome.NEEDS_REVIEW:
        raise Conflict(f"The answer is {score.outcome}: only one that needs review can be settled.")
    points, fraction = _worth(decision, score.max_points)
    held = score.settled and (score.points, score.fraction, score.settled.comment)
    if held == (points, fraction, decision.comment):
        return score
    if decision.replaces is not msgspec.UNSET and decision.replaces != decided_at(score):
        raise Conflict(DECIDED_MEANWHILE)
    settlement = Settlement(by, at, decision.comment, score.ruled.fraction)
    return AnswerScore(graded(fraction).outcome, fraction, points, score.max_points, score.rule, settlement)


def decided_at(score: AnswerScore) -> datetime | None:
    """When the decision was made that holds; None where there is none."""
    return None if score.settled is None else score.settled.at


def _worth(decision: Decision, max_points: float) -> tuple[float, float]:
    """Points and fraction; points that a teacher gave stay as they are."""
    if decision.points is None:
        fraction = round(decision.fraction or 0.0, FRACTION_DECIMALS)
        return points_of(fraction, max_points), fraction
    if decision.points > max_points:
        raise InvalidInput([FieldProblem("/points", f"The question is worth {max_points:g} points at most.")])
    points = round(decision.points, POINT_DECIMALS)
    return points, min(round(points / max_points, FRACTION_DECIMALS), 1.0)


def first_decision(scored: ScoredAnswer, fraction: float, at: datetime) -> ScoredAnswer:
    """An answer as it was first settled, whatever became of it later: all that learning goes by."""
    ruled = scored.score.ruled
    settlement = Settlement("", at, None, ruled.fraction)
    points = points_of(fraction, ruled.max_points)
    score = AnswerScore(graded(fraction).outcome, fraction, points, ruled.max_points, ruled.rule, settlement)
    return ScoredAnswer(scored.answer, score)


def learn_decision(
    scored: ScoredAnswer, at: datetime, learner: LearnerState, item: ItemRating
) -> tuple[SubmissionEffect, LearnerState]:
    """What the first decision on an answer adds, made at `at`: to the learner, and to the question rated `item`.

    It is the same whenever it is worked out again from the same state.
    """
    id_ = scored.answer.question.id
    effect = apply_submission(learner.skills, {id_: item}, [scored], at, evidence_of_decision)
    skills = fold(learner.skills, effect, at)
    recent = remember_correct(learner.recent_correct, [id_], fully_answered([scored]))
    return effect, LearnerState(skills, recent)


def recounted(work: Work, place: int, after: AnswerScore) -> Increments:
    """What the figures that count a submission have to add once the answer at `place` scores as `after`."""
    sums = sums_of(_finished(work, place, after)) - sums_of(_finished(work, place, work.scores[place]))
    day = work.handed_in_at.astimezone(UTC).date()
    return Increments(
        days=(LearnerDay(work.tenant_id, work.learner_id, day, 0, sums),),
        questions=(QuestionCount(work.tenant_id, work.answers[place].question.id, sums),),
    )


def _finished(work: Work, place: int, score: AnswerScore) -> FinishedAnswer:
    answer = work.answers[place]
    return FinishedAnswer(answer.question.id, score.outcome, score.fraction, answer.response_time_ms)
