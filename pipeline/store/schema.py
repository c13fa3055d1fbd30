"""The tables, as SQLAlchemy knows them; `migrations/` builds the same ones, and a test compares the two.

Tables that every submission writes to carry no foreign keys: the one statement that accepts a submission
writes its rows together and joins the question versions it refers to, so a key check per row would pay
again for what already holds. Erasure deletes them explicitly.
"""

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from pipeline.lifecycle import Stage, StageState, Status

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_name)s_fkey",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "uq": "%(table_name)s_%(column_0_name)s_key",
        "ix": "%(table_name)s_%(column_0_name)s_idx",
    }
)

ROLES: Final = ("submitter", "teacher", "operator")
EVENTS: Final = ("submission.completed", "submission.failed", "submission.cancelled")


def one_of(column: str, values: Any) -> str:
    listed = ", ".join(f"'{value}'" for value in values)
    return f"{column} IN ({listed})"


def moment(name: str, *, nullable: bool = False, now: bool = False) -> Column[Any]:
    return Column(name, DateTime(timezone=True), nullable=nullable, server_default=func.now() if now else None)


def tenant() -> Column[Any]:
    return Column("tenant_id", Integer, nullable=False)


tenants = Table(
    "tenants",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("token_secret", Text, nullable=False),
    Column("callback_secret", Text, nullable=False),
    Column("bank_version", BigInteger, nullable=False, server_default=text("0")),
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

learners = Table(
    "learners",
    metadata,
    tenant(),
    Column("id", Text, nullable=False),
    Column("locale", Text),
    Column("career_goal", Text),
    Column("industry", Text),
    Column("recent_correct", ARRAY(BigInteger), nullable=False, server_default=text("'{}'::bigint[]")),
    moment("created_at", now=True),
    PrimaryKeyConstraint("tenant_id", "id"),
    postgresql_with={"fillfactor": 70},
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

item_ratings = Table(
    "item_ratings",
    metadata,
    Column("question_key", BigInteger, primary_key=True, autoincrement=False),
    tenant(),
    Column("rating", Double, nullable=False),
    Column("answers", Integer, nullable=False),
    postgresql_with={"fillfactor": 50},
)

submissions = Table(
    "submissions",
    metadata,
    tenant(),
    Column("id", Uuid, nullable=False),
    Column("learner_id", Text, nullable=False),
    Column("assignment_id", Text),
    Column("status", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("locale", Text),
    Column("career_goal", Text),
    Column("industry", Text),
    Column("priority", Text),
    Column("callback_url", Text),
    Column("metadata", JSONB),
    Column("idempotency_key", Text),
    Column("fingerprint", LargeBinary),
    moment("submitted_at", nullable=True),
    moment("created_at", now=True),
    moment("updated_at", now=True),
    moment("completed_at", nullable=True),
    PrimaryKeyConstraint("tenant_id", "id"),
    CheckConstraint(one_of("status", Status), name="status"),
    CheckConstraint("version >= 1", name="version"),
    CheckConstraint("(status = 'completed') = (completed_at IS NOT NULL)", name="completed"),
    CheckConstraint("(idempotency_key IS NULL) = (fingerprint IS NULL)", name="fingerprint"),
    CheckConstraint(one_of("priority", ("low", "normal", "high")), name="priority"),
    Index("submissions_learner_idx", "tenant_id", "learner_id", "id"),
    Index(
        "submissions_assignment_idx",
        "tenant_id",
        "assignment_id",
        "id",
        postgresql_where=text("assignment_id IS NOT NULL"),
    ),
    Index(
        "submissions_idempotency_key",
        "tenant_id",
        "idempotency_key",
        unique=True,
        postgresql_where=text("idempotency_key IS NOT NULL"),
    ),
    # Room for the few status changes of a row to stay on its page, so that they touch no index.
    postgresql_with={"fillfactor": 80},
)

answers = Table(
    "answers",
    metadata,
    Column("submission_id", Uuid, nullable=False),
    Column("position", SmallInteger, nullable=False),
    tenant(),
    Column("version_key", BigInteger, nullable=False),
    Column("response", JSONB),
    Column("response_time_ms", Integer),
    Column("confidence", SmallInteger),
    PrimaryKeyConstraint("submission_id", "position"),
    CheckConstraint("response_time_ms >= 0", name="response_time"),
    CheckConstraint("confidence BETWEEN 1 AND 5", name="confidence"),
)

stages = Table(
    "stages",
    metadata,
    Column("submission_id", Uuid, nullable=False),
    Column("stage", Text, nullable=False),
    tenant(),
    Column("state", Text, nullable=False),
    Column("attempts", SmallInteger, nullable=False, server_default=text("0")),
    Column("epoch", Integer, nullable=False, server_default=text("0")),
    Column("solo", Boolean, nullable=False, server_default=text("false")),
    Column("worker_id", Uuid),
    moment("available_at", nullable=True),
    moment("lease_expires_at", nullable=True),
    moment("queued_at", nullable=True),
    moment("started_at", nullable=True),
    moment("finished_at", nullable=True),
    PrimaryKeyConstraint("submission_id", "stage"),
    CheckConstraint(one_of("stage", Stage), name="stage"),
    CheckConstraint(one_of("state", StageState), name="state"),
    CheckConstraint("(state = 'running') = (lease_expires_at IS NOT NULL)", name="lease"),
    CheckConstraint("(state = 'running') = (worker_id IS NOT NULL)", name="worker"),
    CheckConstraint("(state = 'ready') = (available_at IS NOT NULL)", name="available"),
    CheckConstraint(
        "(state IN ('done', 'degraded', 'dead', 'cancelled')) = (finished_at IS NOT NULL)", name="finished"
    ),
    CheckConstraint("attempts <= epoch", name="attempts"),
    Index("stages_ready_idx", "stage", "available_at", postgresql_where=text("state = 'ready'")),
    Index("stages_running_idx", "worker_id", postgresql_where=text("state = 'running'")),
    Index("stages_dead_idx", "tenant_id", "submission_id", postgresql_where=text("state = 'dead'")),
    Index("stages_cancelled_idx", "tenant_id", "submission_id", postgresql_where=text("state = 'cancelled'")),
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    tenant(),
    Column("submission_id", Uuid, nullable=False),
    Column("stage", Text, nullable=False),
    Column("attempt", SmallInteger, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("worker_id", Uuid),
    Column("ended", Text, nullable=False),
    Column("error", Text, nullable=False),
    Column("traceback", Text),
    moment("started_at", nullable=True),
    moment("ended_at", now=True),
    CheckConstraint(one_of("stage", Stage), name="stage"),
    CheckConstraint(one_of("ended", ("failed", "rejected", "lease_lost", "gave_back")), name="ended"),
    UniqueConstraint("submission_id", "stage", "epoch"),
)

results = Table(
    "results",
    metadata,
    Column("submission_id", Uuid, nullable=False),
    Column("stage", Text, nullable=False),
    tenant(),
    Column("body", JSONB, nullable=False),
    moment("created_at", now=True),
    PrimaryKeyConstraint("submission_id", "stage"),
    CheckConstraint(one_of("stage", Stage), name="stage"),
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

stage_minutes = Table(
    "stage_minutes",
    metadata,
    Column("stage", Text, nullable=False),
    moment("minute"),
    Column("count", BigInteger, nullable=False),
    Column("wait_ms", BigInteger, nullable=False),
    Column("run_ms", BigInteger, nullable=False),
    Column("longest_wait_ms", BigInteger, nullable=False),
    Column("longest_run_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("stage", "minute"),
    CheckConstraint(one_of("stage", Stage), name="stage"),
    postgresql_with={"fillfactor": 50},
)

stage_pauses = Table(
    "stage_pauses",
    metadata,
    Column("stage", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    moment("paused_at", now=True),
    CheckConstraint(one_of("stage", Stage), name="stage"),
)

workers = Table(
    "workers",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("stages", ARRAY(Text), nullable=False),
    Column("stopping", Boolean, nullable=False, server_default=text("false")),
    moment("started_at", now=True),
    moment("heartbeat_at", now=True),
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

webhooks = Table(
    "webhooks",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant_id", Integer, ForeignKey("tenants.id"), nullable=False, index=True),
    Column("url", Text, nullable=False),
    Column("secret", Text, nullable=False),
    Column("events", ARRAY(Text), nullable=False),
    Column("description", Text),
    moment("created_at", now=True),
    moment("disabled_at", nullable=True),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Uuid, primary_key=True),
    tenant(),
    Column("submission_id", Uuid, nullable=False),
    Column("webhook_id", Uuid),
    Column("event", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", SmallInteger, nullable=False, server_default=text("0")),
    Column("epoch", Integer, nullable=False, server_default=text("0")),
    Column("worker_id", Uuid),
    moment("available_at", nullable=True),
    moment("lease_expires_at", nullable=True),
    moment("created_at", now=True),
    moment("queued_at", now=True),
    moment("finished_at", nullable=True),
    CheckConstraint(one_of("event", EVENTS), name="event"),
    CheckConstraint(one_of("state", ("ready", "running", "delivered", "dead")), name="state"),
    CheckConstraint("(state = 'ready') = (available_at IS NOT NULL)", name="available"),
    CheckConstraint("(state = 'running') = (lease_expires_at IS NOT NULL)", name="lease"),
    CheckConstraint("(state = 'running') = (worker_id IS NOT NULL)", name="worker"),
    CheckConstraint("attempts <= epoch", name="attempts"),
    CheckConstraint("(state IN ('delivered', 'dead')) = (finished_at IS NOT NULL)", name="finished"),
    Index("deliveries_tenant_idx", "tenant_id", "id"),
    Index("deliveries_submission_idx", "submission_id"),
    Index("deliveries_webhook_idx", "webhook_id", postgresql_where=text("webhook_id IS NOT NULL")),
    Index("deliveries_ready_idx", "available_at", postgresql_where=text("state = 'ready'")),
    Index("deliveries_lane_idx", "lane", "available_at", postgresql_where=text("state = 'ready'")),
    Index("deliveries_running_idx", "lease_expires_at", postgresql_where=text("state = 'running'")),
    Index("deliveries_dead_idx", "tenant_id", "id", postgresql_where=text("state = 'dead'")),
    Index("deliveries_finished_idx", "finished_at", postgresql_where=text("finished_at IS NOT NULL")),
)

delivery_tries = Table(
    "delivery_tries",
    metadata,
    Column("delivery_id", Uuid, nullable=False),
    Column("epoch", Integer, nullable=False),
    tenant(),
    Column("response_status", SmallInteger),
    Column("error", Text),
    Column("duration_ms", Integer),
    moment("tried_at", now=True),
    PrimaryKeyConstraint("delivery_id", "epoch"),
)
