"""Decides what to say of a submission as a whole: points, what went well, what to look at next."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from pipeline.llm.template.remarks import topics_text
from pipeline.model import Outcome, ScoredAnswer
from pipeline.prompting.feedback import FeedbackRequest
from pipeline.prompting.plain import points_text
from pipeline.prompting.wording import Remark

_TO_WORK_ON: Final = frozenset({Outcome.PARTIAL, Outcome.INCORRECT, Outcome.UNANSWERED})


def summary_remarks(request: FeedbackRequest) -> tuple[Remark, ...]:
    """The remarks of the summary, as they are said. Only what was right is said to have gone well."""
    outcomes = Counter(scored.score.outcome for scored in request.answers)
    next_topics = topics_to_work_on(request.answers)
    return (
        _score(request.answers),
        *_counts(outcomes, len(request.answers)),
        *_topics("went_well", topics_mastered(request.answers, next_topics)),
        *_next(outcomes, next_topics, request.learner.weaknesses),
    )


def topics_to_work_on(answers: Iterable[ScoredAnswer]) -> tuple[str, ...]:
    """Topics of answers that were not right, those that cost most points first."""
    lost: dict[str, float] = {}
    for scored in answers:
        if scored.score.outcome in _TO_WORK_ON:
            for topic in scored.answer.question.topics:
                lost[topic] = lost.get(topic, 0.0) + _lost_points(scored)
    return tuple(sorted(lost, key=lost.__getitem__, reverse=True))


def topics_mastered(answers: Iterable[ScoredAnswer], next_topics: Sequence[str]) -> tuple[str, ...]:
    """Topics of right answers that no other answer of the submission casts doubt on."""
    right = (
        topic
        for scored in answers
        if scored.score.outcome is Outcome.CORRECT
        for topic in scored.answer.question.topics
        if topic not in next_topics
    )
    return tuple(dict.fromkeys(right))


def _lost_points(scored: ScoredAnswer) -> float:
    return scored.score.max_points - (scored.score.points or 0.0)


def _score(answers: Iterable[ScoredAnswer]) -> Remark:
    scores = [scored.score for scored in answers]
    points = sum(score.points or 0.0 for score in scores)
    most = sum(score.max_points for score in scores)
    return Remark("score", {"points": points_text(points), "max_points": points_text(most)})


def _counts(outcomes: Counter[Outcome], total: int) -> tuple[Remark, ...]:
    right, open_ones, in_review = (
        outcomes[outcome] for outcome in (Outcome.CORRECT, Outcome.UNANSWERED, Outcome.NEEDS_REVIEW)
    )
    return (
        *((Remark("all_correct", {"total": total}),) if right == total else ()),
        *((Remark("some_correct", {"count": right, "total": total}),) if 0 < right < total else ()),
        *((Remark("left_open", {"count": open_ones}),) if open_ones else ()),
        *((Remark("in_review", {"count": in_review}),) if in_review else ()),
    )


def _next(outcomes: Counter[Outcome], next_topics: Sequence[str], weaknesses: Sequence[str]) -> tuple[Remark, ...]:
    if not next_topics:
        return (Remark("look_next_untagged"),) if _TO_WORK_ON & outcomes.keys() else ()
    return (
        *_topics("recurring", [topic for topic in weaknesses if topic in next_topics]),
        *_topics("look_next", [topic for topic in next_topics if topic not in weaknesses]),
    )


def _topics(name: str, topics: Sequence[str]) -> tuple[Remark, ...]:
    return (Remark(name, topics_text(topics)),) if topics else ()
