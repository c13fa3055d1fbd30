"""Feedback by models: who was to write it in an experiment, what learners thought of it, what is to be improved."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Index,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from pipeline.store.schema.base import metadata, moment, one_of, tenant

feedback_assignments = Table(
    "feedback_assignments",
    metadata,
    tenant(),
    Column("submission_id", Uuid, nullable=False),
    Column("question_id", Text, nullable=False),
    Column("experiment", Text, nullable=False),
    Column("arm", Text, nullable=False),
    Column("served_provider", Text),
    Column("served_model", Text),
    Column("prompt_version", Text),
    Column("source", Text, nullable=False),
    moment("created_at", now=True),
    PrimaryKeyConstraint("tenant_id", "submission_id", "question_id"),
    CheckConstraint("experiment <> '' AND arm <> ''", name="arm"),
    CheckConstraint(one_of("source", ("ai", "template")), name="source"),
    CheckConstraint("(source = 'ai') = (served_provider IS NOT NULL)", name="provider"),
    CheckConstraint("(source = 'ai') = (served_model IS NOT NULL)", name="model"),
    Index("feedback_assignments_submission_idx", "submission_id"),
    Index("feedback_assignments_created_idx", "tenant_id", "created_at"),
)

feedback_ratings = Table(
    "feedback_ratings",
    metadata,
    tenant(),
    Column("submission_id", Uuid, nullable=False),
    Column("question_id", Text, nullable=False),
    Column("learner_id", Text, nullable=False),
    Column("rating", SmallInteger, nullable=False),
    Column("comment", Text),
    Column("arm", Text),
    moment("created_at", now=True),
    PrimaryKeyConstraint("tenant_id", "submission_id", "question_id"),
    CheckConstraint("rating BETWEEN 1 AND 5", name="rating"),
    Index("feedback_ratings_learner_idx", "tenant_id", "learner_id"),
    Index("feedback_ratings_created_idx", "tenant_id", "created_at"),
)

feedback_improvements = Table(
    "feedback_improvements",
    metadata,
    Column("submission_id", Uuid, primary_key=True),
    tenant(),
    moment("available_at"),
    Column("tries", SmallInteger, nullable=False, server_default=text("0")),
    moment("give_up_at"),
    moment("created_at", now=True),
    CheckConstraint("tries >= 0", name="tries"),
    Index("feedback_improvements_available_idx", "available_at"),
)

# What was known of the learner when feedback was first begun: a stage that is repeated asks for the very same.
feedback_backgrounds = Table(
    "feedback_backgrounds",
    metadata,
    Column("submission_id", Uuid, primary_key=True),
    tenant(),
    Column("picture", JSONB, nullable=False),
    moment("created_at", now=True),
    Index("feedback_backgrounds_created_idx", "created_at"),
)
