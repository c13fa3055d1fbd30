"""What is worked out now and then rather than with every submission, groups of learners, and when it was done."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from pipeline.store.schema.base import metadata, moment, one_of, tenant

RUN_STATES: Final = ("running", "waiting", "done", "failed", "skipped")

question_search = Table(
    "question_search",
    metadata,
    Column("question_key", BigInteger, ForeignKey("questions.key"), primary_key=True, autoincrement=False),
    tenant(),
    Column("id", Text, nullable=False),
    Column("version_key", BigInteger, nullable=False),
    Column("content", Text, nullable=False),
    Column("terms", ARRAY(Text), nullable=False),
    Index("question_search_terms_idx", "terms", postgresql_using="gin"),
)

learner_groups = Table(
    "learner_groups",
    metadata,
    tenant(),
    Column("id", Text, nullable=False),
    Column("name", Text, nullable=False),
    moment("created_at", now=True),
    moment("updated_at", now=True),
    PrimaryKeyConstraint("tenant_id", "id"),
)

learner_group_members = Table(
    "learner_group_members",
    metadata,
    tenant(),
    Column("group_id", Text, nullable=False),
    Column("learner_id", Text, nullable=False),
    PrimaryKeyConstraint("tenant_id", "group_id", "learner_id"),
    ForeignKeyConstraint(
        ["tenant_id", "group_id"],
        ["learner_groups.tenant_id", "learner_groups.id"],
        ondelete="CASCADE",
        name="learner_group_members_group_fkey",
    ),
    Index("learner_group_members_learner_idx", "tenant_id", "learner_id"),
)

learner_reports = Table(
    "learner_reports",
    metadata,
    tenant(),
    Column("learner_id", Text, nullable=False),
    Column("week", Date, nullable=False),
    Column("body", JSONB, nullable=False),
    moment("created_at", now=True),
    PrimaryKeyConstraint("tenant_id", "learner_id", "week"),
)

risk_assessments = Table(
    "risk_assessments",
    metadata,
    tenant(),
    Column("learner_id", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("score", Double, nullable=False),
    Column("body", JSONB, nullable=False),
    PrimaryKeyConstraint("tenant_id", "learner_id", "day"),
    CheckConstraint("score BETWEEN 0 AND 1", name="score"),
    Index("risk_assessments_day_idx", "tenant_id", "day", text("score DESC")),
)

# Days as of which a tenant's learners were all assessed: a night that broke off has assessments, but is none of them.
risk_nights = Table(
    "risk_nights",
    metadata,
    tenant(),
    Column("day", Date, nullable=False),
    PrimaryKeyConstraint("tenant_id", "day"),
)

# By how many millionths a learner's first attempts beat what is usual on the same questions, all together; `answers`
# are those that were scored until `as_of`.
learner_standings = Table(
    "learner_standings",
    metadata,
    tenant(),
    Column("learner_id", Text, nullable=False),
    Column("answers", Integer, nullable=False),
    Column("surplus", BigInteger, nullable=False),
    moment("as_of"),
    PrimaryKeyConstraint("tenant_id", "learner_id"),
)

item_analyses = Table(
    "item_analyses",
    metadata,
    Column("question_key", BigInteger, primary_key=True, autoincrement=False),
    tenant(),
    Column("body", JSONB, nullable=False),
    moment("computed_at", now=True),
    Index("item_analyses_tenant_idx", "tenant_id"),
)

periodic_runs = Table(
    "periodic_runs",
    metadata,
    Column("job", Text, nullable=False),
    moment("slot"),
    Column("state", Text, nullable=False),
    Column("attempts", SmallInteger, nullable=False, server_default=text("1")),
    Column("worker_id", Uuid),
    Column("progress", JSONB),
    Column("error", Text),
    moment("lease_expires_at", nullable=True),
    moment("available_at", nullable=True),
    moment("started_at", now=True),
    moment("finished_at", nullable=True),
    PrimaryKeyConstraint("job", "slot"),
    CheckConstraint(one_of("state", RUN_STATES), name="state"),
    CheckConstraint("(state = 'running') = (lease_expires_at IS NOT NULL)", name="lease"),
    CheckConstraint("(state = 'running') = (worker_id IS NOT NULL)", name="worker"),
    CheckConstraint("(state = 'waiting') = (available_at IS NOT NULL)", name="available"),
    CheckConstraint("(state IN ('done', 'failed', 'skipped')) = (finished_at IS NOT NULL)", name="finished"),
)
