"""Tenants with their keys and what was done in their name, the question bank, learners and what they know."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from pipeline.store.schema.base import metadata, moment, one_of, tenant

ROLES: Final = ("submitter", "teacher", "operator")

tenants = Table(
    "tenants",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("token_secret", Text, nullable=False),
    Column("callback_secret", Text, nullable=False),
    Column("bank_version", BigInteger, nullable=False, server_default=text("0")),
    Column("curriculum_version", BigInteger, nullable=False, server_default=text("0")),
    moment("created_at", now=True),
    CheckConstraint("name <> ''", name="name"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant_id", Integer, ForeignKey("tenants.id"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("secret_hash", LargeBinary, nullable=False, unique=True),
    moment("created_at", now=True),
    moment("revoked_at", nullable=True),
    CheckConstraint(one_of("role", ROLES), name="role"),
)

audit_log = Table(
    "audit_log",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant_id", Integer, ForeignKey("tenants.id"), nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("reason", Text),
    Column("target", JSONB, nullable=False),
    moment("created_at", now=True),
    Index("audit_log_tenant_idx", "tenant_id", "id"),
)

questions = Table(
    "questions",
    metadata,
    Column("key", BigInteger, Identity(), primary_key=True),
    Column("tenant_id", Integer, ForeignKey("tenants.id"), nullable=False),
    Column("id", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("version_key", BigInteger, nullable=False),
    moment("created_at", now=True),
    moment("updated_at", now=True),
    UniqueConstraint("tenant_id", "id"),
    CheckConstraint("version >= 1", name="version"),
)

question_versions = Table(
    "question_versions",
    metadata,
    Column("key", BigInteger, Identity(), primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("question_key", BigInteger, ForeignKey("questions.key"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", JSONB, nullable=False),
    moment("created_at", now=True),
    UniqueConstraint("question_key", "version"),
)

learners = Table(
    "learners",
    metadata,
    tenant(),
    Column("id", Text, nullable=False),
    Column("locale", Text),
    Column("career_goal", Text),
    Column("industry", Text),
    Column("recent_correct", ARRAY(BigInteger), nullable=False, server_default=text("'{}'::bigint[]")),
    Column("goals", JSONB),
    moment("created_at", now=True),
    PrimaryKeyConstraint("tenant_id", "id"),
    postgresql_with={"fillfactor": 70},
)

skills = Table(
    "skills",
    metadata,
    tenant(),
    Column("learner_id", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("rating", Double, nullable=False),
    Column("answers", Integer, nullable=False),
    Column("correct", Integer, nullable=False),
    Column("recent_errors", Double, nullable=False, server_default=text("0")),
    Column("recent_answers", Double, nullable=False, server_default=text("0")),
    Column("mistakes", ARRAY(Double), nullable=False, server_default=text("'{}'::double precision[]")),
    Column("stability", Double),
    Column("review_difficulty", Double),
    moment("due_at", nullable=True),
    moment("updated_at"),
    PrimaryKeyConstraint("tenant_id", "learner_id", "topic"),
    postgresql_with={"fillfactor": 70},
)

learner_days = Table(
    "learner_days",
    metadata,
    tenant(),
    Column("learner_id", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("submissions", Integer, nullable=False),
    Column("answers", BigInteger, nullable=False),
    Column("scored", BigInteger, nullable=False),
    Column("correct", BigInteger, nullable=False),
    Column("fraction_millionths", BigInteger, nullable=False),
    Column("timed", BigInteger, nullable=False),
    Column("response_time_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("tenant_id", "learner_id", "day"),
    postgresql_with={"fillfactor": 70},
)

item_ratings = Table(
    "item_ratings",
    metadata,
    Column("question_key", BigInteger, primary_key=True, autoincrement=False),
    tenant(),
    Column("rating", Double, nullable=False),
    Column("answers", Integer, nullable=False),
    # Where the rating began, which depends on what was known at that moment; NULL: at the question's level.
    Column("start", Double),
    postgresql_with={"fillfactor": 50},
)

item_statistics = Table(
    "item_statistics",
    metadata,
    Column("question_key", BigInteger, primary_key=True, autoincrement=False),
    tenant(),
    Column("answers", BigInteger, nullable=False),
    Column("scored", BigInteger, nullable=False),
    Column("correct", BigInteger, nullable=False),
    Column("fraction_millionths", BigInteger, nullable=False),
    Column("timed", BigInteger, nullable=False),
    Column("response_time_ms", BigInteger, nullable=False),
    postgresql_with={"fillfactor": 50},
)

# What learners who were erased since did to the questions, without who they were: a rebuild adds it in its place.
# `start` is where a question began if nobody had answered it before.
kept_item_steps = Table(
    "kept_item_steps",
    metadata,
    tenant(),
    Column("sequence", BigInteger, nullable=False),
    Column("position", SmallInteger, nullable=False),
    Column("question_key", BigInteger, nullable=False),
    Column("start", Double, nullable=False),
    Column("step", Double, nullable=False),
    Column("answers", SmallInteger, nullable=False),
    PrimaryKeyConstraint("tenant_id", "sequence", "position"),
)

kept_item_statistics = Table(
    "kept_item_statistics",
    metadata,
    Column("question_key", BigInteger, primary_key=True, autoincrement=False),
    tenant(),
    Column("answers", BigInteger, nullable=False),
    Column("scored", BigInteger, nullable=False),
    Column("correct", BigInteger, nullable=False),
    Column("fraction_millionths", BigInteger, nullable=False),
    Column("timed", BigInteger, nullable=False),
    Column("response_time_ms", BigInteger, nullable=False),
)
