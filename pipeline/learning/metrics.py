"""What finished submissions add to the daily, per-question and per-stage figures.

Everything is an integer, so sums are exact and the same in whatever batches they come. Rows come sorted by key: two
workers that write them in this order cannot deadlock.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any, Final, Protocol, Self, TypeVar

import msgspec

from pipeline.lifecycle import Stage
from pipeline.model import Outcome

MILLION: Final = 1_000_000


class FinishedAnswer(msgspec.Struct, frozen=True):
    """The part of a scored answer that is counted; `fraction` in [0, 1] or None while it is not known."""

    question_id: str
    outcome: Outcome
    fraction: float | None
    response_time_ms: int | None = None


class StageRun(msgspec.Struct, frozen=True):
    """One stage's final attempt: how long it was ready before it was taken, and how long it ran."""

    stage: Stage
    finished_at: datetime
    wait_ms: int
    run_ms: int


class FinishedSubmission(msgspec.Struct, frozen=True):
    """What the metrics need to know of one submission; `submitted_at` is aware, its UTC day counts."""

    tenant_id: int
    learner_id: str
    submitted_at: datetime
    answers: tuple[FinishedAnswer, ...] = ()
    stages: tuple[StageRun, ...] = ()


class AnswerSums(msgspec.Struct, frozen=True):
    """Sums over answers.

    `scored` answers have a fraction, and `fraction_millionths` is their sum: the mean score (of a question,
    its facility) is fraction_millionths / scored / 10⁶. `timed` answers have a response time, and
    `response_time_ms` is their sum.
    """

    answers: int = 0
    scored: int = 0
    correct: int = 0
    fraction_millionths: int = 0
    timed: int = 0
    response_time_ms: int = 0

    def __add__(self, other: "AnswerSums") -> "AnswerSums":
        """Both together."""
        return AnswerSums(
            self.answers + other.answers,
            self.scored + other.scored,
            self.correct + other.correct,
            self.fraction_millionths + other.fraction_millionths,
            self.timed + other.timed,
            self.response_time_ms + other.response_time_ms,
        )

    def __sub__(self, other: "AnswerSums") -> "AnswerSums":
        """These without the others."""
        return AnswerSums(
            self.answers - other.answers,
            self.scored - other.scored,
            self.correct - other.correct,
            self.fraction_millionths - other.fraction_millionths,
            self.timed - other.timed,
            self.response_time_ms - other.response_time_ms,
        )


class LearnerDay(msgspec.Struct, frozen=True):
    """What one learner did on one UTC day."""

    tenant_id: int
    learner_id: str
    day: date
    submissions: int
    sums: AnswerSums

    @property
    def key(self) -> tuple[int, str, date]:
        return self.tenant_id, self.learner_id, self.day

    def __add__(self, other: Self) -> Self:
        """Both together; they have the same key."""
        return msgspec.structs.replace(
            self, submissions=self.submissions + other.submissions, sums=self.sums + other.sums
        )


class QuestionCount(msgspec.Struct, frozen=True):
    """How one question was answered; `sums.answers` are its attempts."""

    tenant_id: int
    question_id: str
    sums: AnswerSums

    @property
    def key(self) -> tuple[int, str]:
        return self.tenant_id, self.question_id

    def __add__(self, other: Self) -> Self:
        """Both together; they have the same key."""
        return msgspec.structs.replace(self, sums=self.sums + other.sums)


class StageMinute(msgspec.Struct, frozen=True):
    """How one stage ran, over all tenants, in the UTC minute that begins at `minute`."""

    stage: Stage
    minute: datetime
    count: int
    wait_ms: int
    run_ms: int
    longest_wait_ms: int
    longest_run_ms: int

    @property
    def key(self) -> tuple[Stage, datetime]:
        return self.stage, self.minute

    def __add__(self, other: Self) -> Self:
        """Both together; they have the same key."""
        return msgspec.structs.replace(
            self,
            count=self.count + other.count,
            wait_ms=self.wait_ms + other.wait_ms,
            run_ms=self.run_ms + other.run_ms,
            longest_wait_ms=max(self.longest_wait_ms, other.longest_wait_ms),
            longest_run_ms=max(self.longest_run_ms, other.longest_run_ms),
        )


class Increments(msgspec.Struct, frozen=True):
    """What to add to the stored figures: one row per key, sorted by key."""

    days: tuple[LearnerDay, ...] = ()
    questions: tuple[QuestionCount, ...] = ()
    stages: tuple[StageMinute, ...] = ()


class _Row(Protocol):
    @property
    def key(self) -> tuple[int, str, date] | tuple[int, str] | tuple[Stage, datetime]: ...

    def __add__(self, other: Self) -> Self: ...


RowT = TypeVar("RowT", bound=_Row)


def count_up(submissions: Iterable[FinishedSubmission]) -> Increments:
    """The increments of a batch of finished submissions, each counted once per appearance."""
    batch = [(submission, [sums_of(answer) for answer in submission.answers]) for submission in submissions]
    return Increments(
        days=_gathered(_day_of(submission, counted) for submission, counted in batch),
        questions=_gathered(row for submission, counted in batch for row in _questions_of(submission, counted)),
        stages=_gathered(_minute_of(run) for submission, _ in batch for run in submission.stages),
    )


def sums_of(answer: FinishedAnswer) -> AnswerSums:
    """One answer as sums; its fraction rounded to the nearest millionth."""
    return AnswerSums(
        answers=1,
        scored=int(answer.fraction is not None),
        correct=int(answer.outcome is Outcome.CORRECT),
        fraction_millionths=round((answer.fraction or 0.0) * MILLION),
        timed=int(answer.response_time_ms is not None),
        response_time_ms=answer.response_time_ms or 0,
    )


def _day_of(submission: FinishedSubmission, counted: Iterable[AnswerSums]) -> LearnerDay:
    day = submission.submitted_at.astimezone(UTC).date()
    return LearnerDay(submission.tenant_id, submission.learner_id, day, 1, sum(counted, AnswerSums()))


def _questions_of(submission: FinishedSubmission, counted: Iterable[AnswerSums]) -> Iterable[QuestionCount]:
    for answer, sums in zip(submission.answers, counted, strict=True):
        yield QuestionCount(submission.tenant_id, answer.question_id, sums)


def _minute_of(run: StageRun) -> StageMinute:
    minute = run.finished_at.astimezone(UTC).replace(second=0, microsecond=0)
    return StageMinute(run.stage, minute, 1, run.wait_ms, run.run_ms, run.wait_ms, run.run_ms)


def _gathered(rows: Iterable[RowT]) -> tuple[RowT, ...]:
    """`rows` summed by key and sorted by it."""
    sums: dict[Any, RowT] = {}
    for row in rows:
        key = row.key
        sums[key] = sums[key] + row if key in sums else row
    return tuple(sums[key] for key in sorted(sums))
