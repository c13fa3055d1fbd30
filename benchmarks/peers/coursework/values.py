"""Between rows and the frozen values that Gradeline's pure functions take and give."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec

from benchmarks.peers.coursework.bank import Bank
from pipeline.learning.metrics import AnswerSums, StageMinute
from pipeline.learning.rating import ItemRating, Skill
from pipeline.learning.recency import Recent
from pipeline.lifecycle import Stage
from pipeline.model import Answer, AnswerScore, LearnerContext, StageTiming, Work
from pipeline.stages.outcome import Body
from pipeline.stages.recommend import LearnerState, LearningState

TENANT = 1
"""The peers know no tenants; the pure functions do."""


def now() -> datetime:
    """The time, aware."""
    return datetime.now(UTC)


class SubmissionLike(Protocol):
    """The columns of a submission, by whatever means it was read."""

    @property
    def id(self) -> Any: ...
    @property
    def learner_id(self) -> str: ...
    @property
    def locale(self) -> str | None: ...
    @property
    def career_goal(self) -> str | None: ...
    @property
    def industry(self) -> str | None: ...
    @property
    def created_at(self) -> datetime: ...


class AnswerLike(Protocol):
    """The columns of an answer."""

    @property
    def question_id(self) -> str: ...
    @property
    def response(self) -> Any: ...
    @property
    def response_time_ms(self) -> int | None: ...
    @property
    def confidence(self) -> int | None: ...


class SkillLike(Protocol):
    """The columns of a skill."""

    @property
    def topic(self) -> str: ...
    @property
    def rating(self) -> float: ...
    @property
    def answers(self) -> int: ...
    @property
    def correct(self) -> int: ...
    @property
    def recent_errors(self) -> float: ...
    @property
    def recent_answers(self) -> float: ...
    @property
    def updated_at(self) -> datetime: ...


class StageLike(Protocol):
    """The columns of a stage."""

    @property
    def stage(self) -> str: ...
    @property
    def queued_at(self) -> datetime | None: ...
    @property
    def started_at(self) -> datetime | None: ...
    @property
    def finished_at(self) -> datetime | None: ...


def work_of(
    submission: SubmissionLike,
    answers: Iterable[AnswerLike],
    bank: Bank,
    *,
    score: Mapping[str, Any] | None = None,
    stages: Iterable[StageLike] = (),
) -> Work:
    """A submission as the stages see it."""
    return Work(
        submission_id=str(submission.id),
        tenant_id=TENANT,
        learner_id=submission.learner_id,
        context=LearnerContext(submission.locale, submission.career_goal, submission.industry),
        created_at=submission.created_at,
        handed_in_at=submission.created_at,
        loaded_at=now(),
        answers=tuple(
            Answer(bank.questions[row.question_id], row.response, row.response_time_ms, row.confidence)
            for row in answers
        ),
        scores=() if score is None else tuple(msgspec.convert(score["answers"], list[AnswerScore])),
        timings=tuple(StageTiming(Stage(row.stage), row.queued_at, row.started_at, row.finished_at) for row in stages),
    )


def learning_state(
    work: Work,
    bank: Bank,
    skills: Iterable[SkillLike],
    recent_correct: Sequence[str],
    items: Mapping[str, tuple[float, int]],
) -> LearningState:
    """What is known of a learner and of the questions answered."""
    learner = LearnerState({row.topic: skill_of(row) for row in skills}, tuple(recent_correct))
    return LearningState(
        learners={(TENANT, work.learner_id): learner},
        items={(TENANT, id_): ItemRating(rating, answers) for id_, (rating, answers) in items.items()},
        banks={TENANT: bank.candidates},
    )


def skill_of(row: SkillLike) -> Skill:
    """A skill from its row."""
    recent = Recent(row.recent_errors, row.recent_answers)
    return Skill(row.topic, row.rating, row.answers, row.correct, row.updated_at, recent)


def skill_columns(learner_id: str, skill: Skill) -> dict[str, Any]:
    """A skill as a row."""
    return {
        "learner_id": learner_id,
        "topic": skill.topic,
        "rating": skill.rating,
        "answers": skill.answers,
        "correct": skill.correct,
        "recent_errors": skill.recent.errors,
        "recent_answers": skill.recent.answers,
        "updated_at": skill.updated_at,
    }


def sums_columns(sums: AnswerSums) -> dict[str, int]:
    """Sums as columns."""
    return msgspec.structs.asdict(sums)


def minute_columns(row: StageMinute) -> dict[str, Any]:
    """A stage's minute as a row."""
    return {**msgspec.structs.asdict(row), "stage": row.stage.value}


def plain(body: Body) -> dict[str, Any]:
    """A result as JSON columns take it: enumerations as their values."""
    found: dict[str, Any] = msgspec.to_builtins(body)
    return found
