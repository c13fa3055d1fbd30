"""Submissions, their stages and results, and the workers that make them."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Sequence,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from pipeline.lifecycle import Stage, StageState, Status
from pipeline.store.schema.base import metadata, moment, one_of, tenant

submissions = Table(
    "submissions",
    metadata,
    tenant(),
    Column("id", Uuid, nullable=False),
    Column("learner_id", Text, nullable=False),
    Column("assignment_id", Text),
    Column("status", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("settled_version", Integer),
    Column("locale", Text),
    Column("career_goal", Text),
    Column("industry", Text),
    Column("priority", Text),
    Column("retry_feedback", Boolean),
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
    Index("answers_version_idx", "version_key"),
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
    # In which order submissions moved ratings, and what each answer added to its question's (NULL: nothing); of
    # `recommend` only. No steps at all: the learner is being erased, and they are in `kept_item_steps`.
    Column("learning_sequence", BigInteger),
    Column("item_steps", ARRAY(Double)),
    moment("created_at", now=True),
    PrimaryKeyConstraint("submission_id", "stage"),
    CheckConstraint(one_of("stage", Stage), name="stage"),
    # Where a person's word is waited for.
    Index(
        "results_provisional_idx",
        "tenant_id",
        "submission_id",
        postgresql_where=text("stage = 'score' AND body @> '{\"provisional\": true}'"),
    ),
)

# What was learnt from the first decision on an answer, and its place in the order of learning; later ones change the
# score alone. `answers` is 1 where the answer had not counted for its question before.
settlements = Table(
    "settlements",
    metadata,
    Column("submission_id", Uuid, nullable=False),
    Column("position", SmallInteger, nullable=False),
    tenant(),
    Column("fraction", Double, nullable=False),
    moment("settled_at"),
    Column("learning_sequence", BigInteger, nullable=False),
    Column("item_step", Double, nullable=False),
    Column("answers", SmallInteger, nullable=False),
    PrimaryKeyConstraint("submission_id", "position"),
    CheckConstraint("fraction BETWEEN 0 AND 1", name="fraction"),
    CheckConstraint("answers IN (0, 1)", name="answers"),
    Index("settlements_learning_idx", "tenant_id", "learning_sequence"),
)

learning_sequence = Sequence("learning_sequence", metadata=metadata)

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
