"""Create the tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "answers",
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("version_key", sa.BigInteger(), nullable=False),
        sa.Column("response", postgresql.JSONB(), nullable=True),
        sa.Column("response_time_ms", sa.Integer(), nullable=True),
        sa.Column("confidence", sa.SmallInteger(), nullable=True),
        sa.CheckConstraint("confidence BETWEEN 1 AND 5", name=op.f("answers_confidence_check")),
        sa.CheckConstraint("response_time_ms >= 0", name=op.f("answers_response_time_check")),
        sa.PrimaryKeyConstraint("submission_id", "position", name=op.f("answers_pkey")),
    )
    op.create_table(
        "attempts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("attempt", sa.SmallInteger(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("worker_id", sa.Uuid(), nullable=True),
        sa.Column("ended", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("traceback", sa.Text(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "ended IN ('failed', 'rejected', 'lease_lost', 'gave_back')", name=op.f("attempts_ended_check")
        ),
        sa.CheckConstraint(
            "stage IN ('score', 'feedback', 'recommend', 'metrics')", name=op.f("attempts_stage_check")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("attempts_pkey")),
        sa.UniqueConstraint("submission_id", "stage", "epoch", name=op.f("attempts_submission_id_key")),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("webhook_id", sa.Uuid(), nullable=True),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("epoch", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("worker_id", sa.Uuid(), nullable=True),
        sa.Column("available_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("queued_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'ready') = (available_at IS NOT NULL)", name=op.f("deliveries_available_check")
        ),
        sa.CheckConstraint(
            "(state = 'running') = (lease_expires_at IS NOT NULL)", name=op.f("deliveries_lease_check")
        ),
        sa.CheckConstraint("(state = 'running') = (worker_id IS NOT NULL)", name=op.f("deliveries_worker_check")),
        sa.CheckConstraint("attempts <= epoch", name=op.f("deliveries_attempts_check")),
        sa.CheckConstraint(
            "(state IN ('delivered', 'dead')) = (finished_at IS NOT NULL)",
            name=op.f("deliveries_finished_check"),
        ),
        sa.CheckConstraint(
            "event IN ('submission.completed', 'submission.failed', 'submission.cancelled')",
            name=op.f("deliveries_event_check"),
        ),
        sa.CheckConstraint(
            "state IN ('ready', 'running', 'delivered', 'dead')", name=op.f("deliveries_state_check")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("deliveries_pkey")),
    )
    op.create_index(
        "deliveries_ready_idx",
        "deliveries",
        ["available_at"],
        unique=False,
        postgresql_where=sa.text("state = 'ready'"),
    )
    op.create_index(
        "deliveries_lane_idx",
        "deliveries",
        ["lane", "available_at"],
        unique=False,
        postgresql_where=sa.text("state = 'ready'"),
    )
    op.create_index(
        "deliveries_webhook_idx",
        "deliveries",
        ["webhook_id"],
        unique=False,
        postgresql_where=sa.text("webhook_id IS NOT NULL"),
    )
    op.create_index(
        "deliveries_running_idx",
        "deliveries",
        ["lease_expires_at"],
        unique=False,
        postgresql_where=sa.text("state = 'running'"),
    )
    op.create_index(
        "deliveries_dead_idx",
        "deliveries",
        ["tenant_id", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'dead'"),
    )
    op.create_index(
        "deliveries_finished_idx",
        "deliveries",
        ["finished_at"],
        unique=False,
        postgresql_where=sa.text("finished_at IS NOT NULL"),
    )
    op.create_index("deliveries_submission_idx", "deliveries", ["submission_id"], unique=False)
    op.create_index("deliveries_tenant_idx", "deliveries", ["tenant_id", "id"], unique=False)
    op.create_table(
        "delivery_tries",
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("response_status", sa.SmallInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("duration_ms", sa.Integer(), nullable=True),
        sa.Column("tried_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("delivery_id", "epoch", name=op.f("delivery_tries_pkey")),
    )
    op.create_table(
        "item_ratings",
        sa.Column("question_key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("rating", sa.Double(), nullable=False),
        sa.Column("answers", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("question_key", name=op.f("item_ratings_pkey")),
        postgresql_with={"fillfactor": 50},
    )
    op.create_table(
        "item_statistics",
        sa.Column("question_key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("answers", sa.BigInteger(), nullable=False),
        sa.Column("scored", sa.BigInteger(), nullable=False),
        sa.Column("correct", sa.BigInteger(), nullable=False),
        sa.Column("fraction_millionths", sa.BigInteger(), nullable=False),
        sa.Column("timed", sa.BigInteger(), nullable=False),
        sa.Column("response_time_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("question_key", name=op.f("item_statistics_pkey")),
        postgresql_with={"fillfactor": 50},
    )
    op.create_table(
        "learner_days",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("learner_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("submissions", sa.Integer(), nullable=False),
        sa.Column("answers", sa.BigInteger(), nullable=False),
        sa.Column("scored", sa.BigInteger(), nullable=False),
        sa.Column("correct", sa.BigInteger(), nullable=False),
        sa.Column("fraction_millionths", sa.BigInteger(), nullable=False),
        sa.Column("timed", sa.BigInteger(), nullable=False),
        sa.Column("response_time_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "learner_id", "day", name=op.f("learner_days_pkey")),
        postgresql_with={"fillfactor": 70},
    )
    op.create_table(
        "learners",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=True),
        sa.Column("career_goal", sa.Text(), nullable=True),
        sa.Column("industry", sa.Text(), nullable=True),
        sa.Column(
            "recent_correct",
            postgresql.ARRAY(sa.BigInteger()),
            server_default=sa.text("'{}'::bigint[]"),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("learners_pkey")),
        postgresql_with={"fillfactor": 70},
    )
    op.create_table(
        "results",
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("body", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "stage IN ('score', 'feedback', 'recommend', 'metrics')", name=op.f("results_stage_check")
        ),
        sa.PrimaryKeyConstraint("submission_id", "stage", name=op.f("results_pkey")),
    )
    op.create_table(
        "skills",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("learner_id", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("rating", sa.Double(), nullable=False),
        sa.Column("answers", sa.Integer(), nullable=False),
        sa.Column("correct", sa.Integer(), nullable=False),
        sa.Column("recent_errors", sa.Double(), server_default=sa.text("0"), nullable=False),
        sa.Column("recent_answers", sa.Double(), server_default=sa.text("0"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "learner_id", "topic", name=op.f("skills_pkey")),
        postgresql_with={"fillfactor": 70},
    )
    op.create_table(
        "stage_minutes",
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("minute", sa.DateTime(timezone=True), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("wait_ms", sa.BigInteger(), nullable=False),
        sa.Column("run_ms", sa.BigInteger(), nullable=False),
        sa.Column("longest_wait_ms", sa.BigInteger(), nullable=False),
        sa.Column("longest_run_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "stage IN ('score', 'feedback', 'recommend', 'metrics')", name=op.f("stage_minutes_stage_check")
        ),
        sa.PrimaryKeyConstraint("stage", "minute", name=op.f("stage_minutes_pkey")),
        postgresql_with={"fillfactor": 50},
    )
    op.create_table(
        "stage_pauses",
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("paused_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "stage IN ('score', 'feedback', 'recommend', 'metrics')", name=op.f("stage_pauses_stage_check")
        ),
        sa.PrimaryKeyConstraint("stage", name=op.f("stage_pauses_pkey")),
    )
    op.create_table(
        "stages",
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("epoch", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("solo", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("worker_id", sa.Uuid(), nullable=True),
        sa.Column("available_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'ready') = (available_at IS NOT NULL)", name=op.f("stages_available_check")
        ),
        sa.CheckConstraint(
            "(state = 'running') = (lease_expires_at IS NOT NULL)", name=op.f("stages_lease_check")
        ),
        sa.CheckConstraint("(state = 'running') = (worker_id IS NOT NULL)", name=op.f("stages_worker_check")),
        sa.CheckConstraint(
            "(state IN ('done', 'degraded', 'dead', 'cancelled')) = (finished_at IS NOT NULL)",
            name=op.f("stages_finished_check"),
        ),
        sa.CheckConstraint(
            "stage IN ('score', 'feedback', 'recommend', 'metrics')", name=op.f("stages_stage_check")
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'ready', 'running', 'done', 'degraded', 'dead', 'cancelled')",
            name=op.f("stages_state_check"),
        ),
        sa.CheckConstraint("attempts <= epoch", name=op.f("stages_attempts_check")),
        sa.PrimaryKeyConstraint("submission_id", "stage", name=op.f("stages_pkey")),
    )
    op.create_index(
        "stages_dead_idx",
        "stages",
        ["tenant_id", "submission_id"],
        unique=False,
        postgresql_where=sa.text("state = 'dead'"),
    )
    op.create_index(
        "stages_cancelled_idx",
        "stages",
        ["tenant_id", "submission_id"],
        unique=False,
        postgresql_where=sa.text("state = 'cancelled'"),
    )
    op.create_index(
        "stages_ready_idx",
        "stages",
        ["stage", "available_at"],
        unique=False,
        postgresql_where=sa.text("state = 'ready'"),
    )
    op.create_index(
        "stages_running_idx",
        "stages",
        ["worker_id"],
        unique=False,
        postgresql_where=sa.text("state = 'running'"),
    )
    op.create_table(
        "submissions",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("learner_id", sa.Text(), nullable=False),
        sa.Column("assignment_id", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=True),
        sa.Column("career_goal", sa.Text(), nullable=True),
        sa.Column("industry", sa.Text(), nullable=True),
        sa.Column("priority", sa.Text(), nullable=True),
        sa.Column("callback_url", sa.Text(), nullable=True),
        sa.Column("metadata", postgresql.JSONB(), nullable=True),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(status = 'completed') = (completed_at IS NOT NULL)", name=op.f("submissions_completed_check")
        ),
        sa.CheckConstraint("priority IN ('low', 'normal', 'high')", name=op.f("submissions_priority_check")),
        sa.CheckConstraint(
            "status IN ('pending', 'scoring', 'ai_processing', 'completed', 'failed', 'cancelled')",
            name=op.f("submissions_status_check"),
        ),
        sa.CheckConstraint(
            "(idempotency_key IS NULL) = (fingerprint IS NULL)", name=op.f("submissions_fingerprint_check")
        ),
        sa.CheckConstraint("version >= 1", name=op.f("submissions_version_check")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("submissions_pkey")),
        postgresql_with={"fillfactor": 80},
    )
    op.create_index(
        "submissions_assignment_idx",
        "submissions",
        ["tenant_id", "assignment_id", "id"],
        unique=False,
        postgresql_where=sa.text("assignment_id IS NOT NULL"),
    )
    op.create_index(
        "submissions_idempotency_key",
        "submissions",
        ["tenant_id", "idempotency_key"],
        unique=True,
        postgresql_where=sa.text("idempotency_key IS NOT NULL"),
    )
    op.create_index("submissions_learner_idx", "submissions", ["tenant_id", "learner_id", "id"], unique=False)
    op.create_table(
        "tenants",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("token_secret", sa.Text(), nullable=False),
        sa.Column("callback_secret", sa.Text(), nullable=False),
        sa.Column("bank_version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("name <> ''", name=op.f("tenants_name_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("tenants_pkey")),
        sa.UniqueConstraint("name", name=op.f("tenants_name_key")),
    )
    op.create_table(
        "workers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("stages", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("stopping", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column(
            "heartbeat_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("workers_pkey")),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("role IN ('submitter', 'teacher', 'operator')", name=op.f("api_keys_role_check")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("api_keys_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("api_keys_pkey")),
        sa.UniqueConstraint("secret_hash", name=op.f("api_keys_secret_hash_key")),
    )
    op.create_index(op.f("api_keys_tenant_id_idx"), "api_keys", ["tenant_id"], unique=False)
    op.create_table(
        "audit_log",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("target", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("audit_log_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("audit_log_pkey")),
    )
    op.create_index("audit_log_tenant_idx", "audit_log", ["tenant_id", "id"], unique=False)
    op.create_table(
        "questions",
        sa.Column("key", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("version_key", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("version >= 1", name=op.f("questions_version_check")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("questions_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("key", name=op.f("questions_pkey")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("questions_tenant_id_key")),
    )
    op.create_table(
        "webhooks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("events", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("webhooks_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("webhooks_pkey")),
    )
    op.create_index(op.f("webhooks_tenant_id_idx"), "webhooks", ["tenant_id"], unique=False)
    op.create_table(
        "question_versions",
        sa.Column("key", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("question_key", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["question_key"], ["questions.key"], name=op.f("question_versions_question_key_fkey")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("question_versions_pkey")),
        sa.UniqueConstraint("question_key", "version", name=op.f("question_versions_question_key_key")),
    )


def downgrade() -> None:
    op.drop_table("question_versions")
    op.drop_index(op.f("webhooks_tenant_id_idx"), table_name="webhooks")
    op.drop_table("webhooks")
    op.drop_table("questions")
    op.drop_index("audit_log_tenant_idx", table_name="audit_log")
    op.drop_table("audit_log")
    op.drop_index(op.f("api_keys_tenant_id_idx"), table_name="api_keys")
    op.drop_table("api_keys")
    op.drop_table("workers")
    op.drop_table("tenants")
    op.drop_index("submissions_learner_idx", table_name="submissions")
    op.drop_index(
        "submissions_idempotency_key",
        table_name="submissions",
        postgresql_where=sa.text("idempotency_key IS NOT NULL"),
    )
    op.drop_index(
        "submissions_assignment_idx",
        table_name="submissions",
        postgresql_where=sa.text("assignment_id IS NOT NULL"),
    )
    op.drop_table("submissions")
    op.drop_index("stages_running_idx", table_name="stages", postgresql_where=sa.text("state = 'running'"))
    op.drop_index("stages_ready_idx", table_name="stages", postgresql_where=sa.text("state = 'ready'"))
    op.drop_index("stages_dead_idx", table_name="stages", postgresql_where=sa.text("state = 'dead'"))
    op.drop_index("stages_cancelled_idx", table_name="stages", postgresql_where=sa.text("state = 'cancelled'"))
    op.drop_table("stages")
    op.drop_table("stage_pauses")
    op.drop_table("stage_minutes")
    op.drop_table("skills")
    op.drop_table("results")
    op.drop_table("learners")
    op.drop_table("learner_days")
    op.drop_table("item_statistics")
    op.drop_table("item_ratings")
    op.drop_table("delivery_tries")
    op.drop_index("deliveries_tenant_idx", table_name="deliveries")
    op.drop_index("deliveries_submission_idx", table_name="deliveries")
    op.drop_index(
        "deliveries_finished_idx", table_name="deliveries", postgresql_where=sa.text("finished_at IS NOT NULL")
    )
    op.drop_index("deliveries_dead_idx", table_name="deliveries", postgresql_where=sa.text("state = 'dead'"))
    op.drop_index("deliveries_lane_idx", table_name="deliveries", postgresql_where=sa.text("state = 'ready'"))
    op.drop_index(
        "deliveries_webhook_idx", table_name="deliveries", postgresql_where=sa.text("webhook_id IS NOT NULL")
    )
    op.drop_index(
        "deliveries_running_idx", table_name="deliveries", postgresql_where=sa.text("state = 'running'")
    )
    op.drop_index(
        "deliveries_ready_idx", table_name="deliveries", postgresql_where=sa.text("state = 'ready'")
    )
    op.drop_table("deliveries")
    op.drop_table("attempts")
    op.drop_table("answers")
