"""The tables of a peer, as an ORM team would declare them: the same facts that Gradeline keeps, without tenants.

Submission ids are uuid7 like Gradeline's, whose inserts touch the right end of an index only.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, MetaData, SmallInteger, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from pipeline.lifecycle import Stage

STAGES = tuple(stage.value for stage in Stage)
"""In the order in which the chain runs them."""


class Base(DeclarativeBase):
    """Python types as columns."""

    metadata = MetaData()
    type_annotation_map = {  # noqa: RUF012 - the form SQLAlchemy asks for
        datetime: TIMESTAMP(timezone=True),
        dict[str, Any]: JSONB,
        str: Text,
        list[str]: ARRAY(Text),
    }


class QuestionRow(Base):
    """A question of the bank; `body` is everything but its id and version."""

    __tablename__ = "questions"

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=1)
    body: Mapped[dict[str, Any]]


class SubmissionRow(Base):
    """One hand-in."""

    __tablename__ = "submissions"
    __table_args__ = (Index("submissions_learner_idx", "learner_id", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    learner_id: Mapped[str]
    assignment_id: Mapped[str | None]
    status: Mapped[str]
    locale: Mapped[str | None]
    career_goal: Mapped[str | None]
    industry: Mapped[str | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]

    answers: Mapped[list["AnswerRow"]] = relationship(order_by="AnswerRow.position")
    stages: Mapped[list["StageRow"]] = relationship()
    results: Mapped[list["ResultRow"]] = relationship()


class AnswerRow(Base):
    """One answer of a hand-in."""

    __tablename__ = "answers"

    submission_id: Mapped[UUID] = mapped_column(ForeignKey("submissions.id"), primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    question_id: Mapped[str] = mapped_column(ForeignKey("questions.id"))
    response: Mapped[Any] = mapped_column(JSONB, nullable=True)
    response_time_ms: Mapped[int | None]
    confidence: Mapped[int | None] = mapped_column(SmallInteger)


class StageRow(Base):
    """How far one stage of a hand-in is: `waiting`, `ready` or `done`."""

    __tablename__ = "stages"

    submission_id: Mapped[UUID] = mapped_column(ForeignKey("submissions.id"), primary_key=True)
    stage: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    attempts: Mapped[int] = mapped_column(SmallInteger, default=0)
    queued_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class ResultRow(Base):
    """What a stage found, as the API shows it."""

    __tablename__ = "results"

    submission_id: Mapped[UUID] = mapped_column(ForeignKey("submissions.id"), primary_key=True)
    stage: Mapped[str] = mapped_column(primary_key=True)
    body: Mapped[dict[str, Any]]


class LearnerRow(Base):
    """A learner, whose lock guards the learner's skills."""

    __tablename__ = "learners"

    id: Mapped[str] = mapped_column(primary_key=True)
    recent_correct: Mapped[list[str]]


class SkillRow(Base):
    """A learner's standing in one topic."""

    __tablename__ = "skills"

    learner_id: Mapped[str] = mapped_column(ForeignKey("learners.id"), primary_key=True)
    topic: Mapped[str] = mapped_column(primary_key=True)
    rating: Mapped[float]
    answers: Mapped[int]
    correct: Mapped[int]
    recent_errors: Mapped[float]
    recent_answers: Mapped[float]
    updated_at: Mapped[datetime]


class ItemRatingRow(Base):
    """How hard a question proved to be."""

    __tablename__ = "item_ratings"

    question_id: Mapped[str] = mapped_column(ForeignKey("questions.id"), primary_key=True)
    rating: Mapped[float]
    answers: Mapped[int]


class Sums:
    """Columns of sums over answers."""

    answers: Mapped[int] = mapped_column(BigInteger)
    scored: Mapped[int] = mapped_column(BigInteger)
    correct: Mapped[int] = mapped_column(BigInteger)
    fraction_millionths: Mapped[int] = mapped_column(BigInteger)
    timed: Mapped[int] = mapped_column(BigInteger)
    response_time_ms: Mapped[int] = mapped_column(BigInteger)


class LearnerDayRow(Sums, Base):
    """What one learner did on one UTC day."""

    __tablename__ = "learner_days"

    learner_id: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    submissions: Mapped[int]


class ItemStatisticsRow(Sums, Base):
    """How one question was answered."""

    __tablename__ = "item_statistics"

    question_id: Mapped[str] = mapped_column(primary_key=True)


class StageMinuteRow(Base):
    """How one stage ran in one minute."""

    __tablename__ = "stage_minutes"

    stage: Mapped[str] = mapped_column(primary_key=True)
    minute: Mapped[datetime] = mapped_column(primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)
    wait_ms: Mapped[int] = mapped_column(BigInteger)
    run_ms: Mapped[int] = mapped_column(BigInteger)
    longest_wait_ms: Mapped[int] = mapped_column(BigInteger)
    longest_run_ms: Mapped[int] = mapped_column(BigInteger)
