"""Add what writing with models needs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"

# Hand-ins go on while this runs. Whoever waits for a table's strictest lock holds up everybody who comes after, so we
# wait for half a second, let the others by, and try again. It comes last: the lock is kept until the commit.
CHANGE_SUBMISSIONS = """
SET LOCAL lock_timeout = '500ms';
DO $$ BEGIN
    FOR try IN 1..120 LOOP
        BEGIN
            ALTER TABLE submissions {change};
            RETURN;
        EXCEPTION WHEN lock_not_available THEN
            PERFORM pg_sleep(0.1);
        END;
    END LOOP;
    RAISE lock_not_available USING MESSAGE = 'the table submissions is in use all the time; try again later';
END $$;
SET LOCAL lock_timeout TO DEFAULT
"""


def upgrade() -> None:
    op.create_table(
        "feedback_assignments",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("question_id", sa.Text(), nullable=False),
        sa.Column("experiment", sa.Text(), nullable=False),
        sa.Column("arm", sa.Text(), nullable=False),
        sa.Column("served_provider", sa.Text(), nullable=True),
        sa.Column("served_model", sa.Text(), nullable=True),
        sa.Column("prompt_version", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "(source = 'ai') = (served_model IS NOT NULL)", name=op.f("feedback_assignments_model_check")
        ),
        sa.CheckConstraint(
            "(source = 'ai') = (served_provider IS NOT NULL)", name=op.f("feedback_assignments_provider_check")
        ),
        sa.CheckConstraint("experiment <> '' AND arm <> ''", name=op.f("feedback_assignments_arm_check")),
        sa.CheckConstraint("source IN ('ai', 'template')", name=op.f("feedback_assignments_source_check")),
        sa.PrimaryKeyConstraint("tenant_id", "submission_id", "question_id", name=op.f("feedback_assignments_pkey")),
    )
    op.create_index(
        "feedback_assignments_created_idx", "feedback_assignments", ["tenant_id", "created_at"], unique=False
    )
    op.create_index("feedback_assignments_submission_idx", "feedback_assignments", ["submission_id"], unique=False)
    op.create_table(
        "feedback_backgrounds",
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("picture", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("submission_id", name=op.f("feedback_backgrounds_pkey")),
    )
    op.create_index("feedback_backgrounds_created_idx", "feedback_backgrounds", ["created_at"], unique=False)
    op.create_table(
        "feedback_improvements",
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("available_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("give_up_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("tries >= 0", name=op.f("feedback_improvements_tries_check")),
        sa.PrimaryKeyConstraint("submission_id", name=op.f("feedback_improvements_pkey")),
    )
    op.create_index("feedback_improvements_available_idx", "feedback_improvements", ["available_at"], unique=False)
    op.create_table(
        "feedback_ratings",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("question_id", sa.Text(), nullable=False),
        sa.Column("learner_id", sa.Text(), nullable=False),
        sa.Column("rating", sa.SmallInteger(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("arm", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("rating BETWEEN 1 AND 5", name=op.f("feedback_ratings_rating_check")),
        sa.PrimaryKeyConstraint("tenant_id", "submission_id", "question_id", name=op.f("feedback_ratings_pkey")),
    )
    op.create_index("feedback_ratings_created_idx", "feedback_ratings", ["tenant_id", "created_at"], unique=False)
    op.create_index("feedback_ratings_learner_idx", "feedback_ratings", ["tenant_id", "learner_id"], unique=False)
    op.create_table(
        "generations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("input", postgresql.JSONB(), nullable=False),
        sa.Column("result", postgresql.JSONB(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("attempts", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("epoch", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("worker_id", sa.Uuid(), nullable=True),
        sa.Column("lease_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("available_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(state = 'completed') = (result IS NOT NULL)", name=op.f("generations_result_check")),
        sa.CheckConstraint(
            "(state = 'pending') = (available_at IS NOT NULL)", name=op.f("generations_available_check")
        ),
        sa.CheckConstraint(
            "(state = 'running') = (lease_expires_at IS NOT NULL)", name=op.f("generations_lease_check")
        ),
        sa.CheckConstraint("(state = 'running') = (worker_id IS NOT NULL)", name=op.f("generations_worker_check")),
        sa.CheckConstraint(
            "(state IN ('completed', 'failed', 'cancelled')) = (finished_at IS NOT NULL)",
            name=op.f("generations_finished_check"),
        ),
        sa.CheckConstraint("kind IN ('summary', 'questions')", name=op.f("generations_kind_check")),
        sa.CheckConstraint("state <> 'failed' OR error IS NOT NULL", name=op.f("generations_error_check")),
        sa.CheckConstraint(
            "state IN ('pending', 'running', 'completed', 'failed', 'cancelled')", name=op.f("generations_state_check")
        ),
        sa.CheckConstraint("attempts <= epoch", name=op.f("generations_attempts_check")),
        sa.CheckConstraint("version >= 1", name=op.f("generations_version_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("generations_pkey")),
    )
    op.create_index(
        "generations_finished_idx",
        "generations",
        ["finished_at"],
        unique=False,
        postgresql_where=sa.text("finished_at IS NOT NULL"),
    )
    op.create_index(
        "generations_pending_idx",
        "generations",
        ["available_at"],
        unique=False,
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_index(
        "generations_running_idx",
        "generations",
        ["lease_expires_at"],
        unique=False,
        postgresql_where=sa.text("state = 'running'"),
    )
    op.create_index("generations_tenant_idx", "generations", ["tenant_id", "id"], unique=False)
    op.create_table(
        "llm_attempts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("learner_id", sa.Text(), nullable=True),
        sa.Column("submission_id", sa.Uuid(), nullable=True),
        sa.Column("question_id", sa.Text(), nullable=True),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("arm", sa.Text(), nullable=True),
        sa.Column("prompt_version", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("estimate", sa.BigInteger(), nullable=False),
        sa.Column("cost", sa.BigInteger(), nullable=True),
        sa.Column("cost_known", sa.Boolean(), nullable=True),
        sa.Column("trouble", sa.Text(), nullable=True),
        sa.Column("status", sa.SmallInteger(), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("served_model", sa.Text(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("input_tokens", sa.BigInteger(), nullable=True),
        sa.Column("cached_input_tokens", sa.BigInteger(), nullable=True),
        sa.Column("cache_write_tokens", sa.BigInteger(), nullable=True),
        sa.Column("output_tokens", sa.BigInteger(), nullable=True),
        sa.Column("reasoning_tokens", sa.BigInteger(), nullable=True),
        sa.Column("cut_quotations", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("duration_ms", sa.BigInteger(), nullable=True),
        sa.Column("first_text_ms", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("(state = 'open') = (cost IS NULL)", name=op.f("llm_attempts_cost_check")),
        sa.CheckConstraint("(state = 'open') = (settled_at IS NULL)", name=op.f("llm_attempts_settled_check")),
        sa.CheckConstraint("purpose IN ('feedback', 'summary', 'questions')", name=op.f("llm_attempts_purpose_check")),
        sa.CheckConstraint("state <> 'lost' OR NOT cost_known", name=op.f("llm_attempts_lost_check")),
        sa.CheckConstraint(
            "state = 'settled' OR num_nonnulls(trouble, input_tokens, output_tokens) = 0",
            name=op.f("llm_attempts_outcome_check"),
        ),
        sa.CheckConstraint("state IN ('open', 'settled', 'lost')", name=op.f("llm_attempts_state_check")),
        sa.CheckConstraint("(cost IS NULL) = (cost_known IS NULL)", name=op.f("llm_attempts_cost_known_check")),
        sa.CheckConstraint("cut_quotations >= 0", name=op.f("llm_attempts_cut_quotations_check")),
        sa.CheckConstraint("estimate >= 0 AND cost >= 0", name=op.f("llm_attempts_money_check")),
        sa.CheckConstraint(
            "num_nonnulls(input_tokens, output_tokens) IN (0, 2)", name=op.f("llm_attempts_usage_check")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("llm_attempts_pkey")),
    )
    op.create_index(
        "llm_attempts_learner_idx",
        "llm_attempts",
        ["tenant_id", "learner_id"],
        unique=False,
        postgresql_where=sa.text("learner_id IS NOT NULL"),
    )
    op.create_index(
        "llm_attempts_open_idx",
        "llm_attempts",
        ["started_at"],
        unique=False,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index("llm_attempts_started_idx", "llm_attempts", ["started_at"], unique=False)
    op.create_index(
        "llm_attempts_submission_idx",
        "llm_attempts",
        ["submission_id"],
        unique=False,
        postgresql_where=sa.text("submission_id IS NOT NULL"),
    )
    op.create_index("llm_attempts_tenant_idx", "llm_attempts", ["tenant_id", "started_at"], unique=False)
    op.create_table(
        "llm_batch_items",
        sa.Column("custom_id", sa.Text(), nullable=False),
        sa.Column("batch_id", sa.Uuid(), nullable=True),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("prompt", postgresql.JSONB(), nullable=False),
        sa.Column("reply", postgresql.JSONB(), nullable=True),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempt_id", sa.Uuid(), nullable=True),
        sa.Column("deadline_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "state IN ('waiting', 'sent', 'answered', 'failed', 'expired')", name=op.f("llm_batch_items_state_check")
        ),
        sa.CheckConstraint(
            "state NOT IN ('sent', 'answered') OR batch_id IS NOT NULL", name=op.f("llm_batch_items_batch_check")
        ),
        sa.CheckConstraint("octet_length(key) BETWEEN 16 AND 64", name=op.f("llm_batch_items_key_check")),
        sa.PrimaryKeyConstraint("custom_id", name=op.f("llm_batch_items_pkey")),
    )
    op.create_index(
        "llm_batch_items_attempt_idx",
        "llm_batch_items",
        ["attempt_id"],
        unique=False,
        postgresql_where=sa.text("attempt_id IS NOT NULL"),
    )
    op.create_index(
        "llm_batch_items_batch_idx",
        "llm_batch_items",
        ["batch_id"],
        unique=False,
        postgresql_where=sa.text("batch_id IS NOT NULL"),
    )
    op.create_index(
        "llm_batch_items_collected_idx",
        "llm_batch_items",
        ["route", "created_at"],
        unique=False,
        postgresql_where=sa.text("batch_id IS NULL"),
    )
    op.create_index("llm_batch_items_created_idx", "llm_batch_items", ["created_at"], unique=False)
    op.create_index(
        "llm_batch_items_deadline_idx",
        "llm_batch_items",
        ["deadline_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('waiting', 'sent')"),
    )
    op.create_index(
        "llm_batch_items_open_key",
        "llm_batch_items",
        ["tenant_id", "key"],
        unique=True,
        postgresql_where=sa.text("state IN ('waiting', 'sent')"),
    )
    op.create_index("llm_batch_items_submission_idx", "llm_batch_items", ["submission_id"], unique=False)
    op.create_table(
        "llm_batches",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("remote_id", sa.Text(), nullable=True),
        sa.Column("file_id", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("polled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state IN ('done', 'failed')) = (finished_at IS NOT NULL)", name=op.f("llm_batches_finished_check")
        ),
        sa.CheckConstraint(
            "state IN ('collecting', 'sending', 'sent', 'done', 'failed')", name=op.f("llm_batches_state_check")
        ),
        sa.CheckConstraint(
            "state NOT IN ('sent', 'done') OR remote_id IS NOT NULL", name=op.f("llm_batches_remote_check")
        ),
        sa.CheckConstraint("(remote_id IS NULL) = (sent_at IS NULL)", name=op.f("llm_batches_sent_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("llm_batches_pkey")),
    )
    op.create_index(
        "llm_batches_finished_idx",
        "llm_batches",
        ["finished_at"],
        unique=False,
        postgresql_where=sa.text("finished_at IS NOT NULL"),
    )
    op.create_index(
        "llm_batches_open_idx",
        "llm_batches",
        ["state", "created_at"],
        unique=False,
        postgresql_where=sa.text("finished_at IS NULL"),
    )
    op.create_table(
        "llm_budgets",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("learner_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("spent", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("spent >= 0", name=op.f("llm_budgets_spent_check")),
        sa.PrimaryKeyConstraint("tenant_id", "learner_id", "day", name=op.f("llm_budgets_pkey")),
        postgresql_with={"fillfactor": 50},
    )
    op.create_index(
        "llm_budgets_day_idx",
        "llm_budgets",
        ["day"],
        unique=False,
        postgresql_where=sa.text("learner_id <> ''"),
    )
    op.create_table(
        "llm_replies",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("token", sa.Uuid(), nullable=False),
        sa.Column("asker_id", sa.Uuid(), nullable=False),
        sa.Column("lease_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("quiet_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("submission_id", sa.Uuid(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("provider", sa.Text(), nullable=True),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("prompt_version", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(state = 'abandoned') = (quiet_until IS NOT NULL)", name=op.f("llm_replies_quiet_check")),
        sa.CheckConstraint("(state = 'abandoned') = (reason IS NOT NULL)", name=op.f("llm_replies_reason_check")),
        sa.CheckConstraint("(state = 'asked') = (lease_expires_at IS NOT NULL)", name=op.f("llm_replies_lease_check")),
        sa.CheckConstraint("state <> 'answered' OR text IS NOT NULL", name=op.f("llm_replies_answered_check")),
        sa.CheckConstraint("state IN ('asked', 'answered', 'abandoned')", name=op.f("llm_replies_state_check")),
        sa.CheckConstraint(
            "num_nonnulls(text, submission_id, provider, model, prompt_version, answered_at) IN (0, 6)",
            name=op.f("llm_replies_reply_check"),
        ),
        sa.CheckConstraint("octet_length(key) BETWEEN 16 AND 64", name=op.f("llm_replies_key_check")),
        sa.PrimaryKeyConstraint("tenant_id", "key", name=op.f("llm_replies_pkey")),
    )
    op.create_index("llm_replies_asker_idx", "llm_replies", ["asker_id"], unique=False)
    op.create_index("llm_replies_created_idx", "llm_replies", ["created_at"], unique=False)
    op.create_index(
        "llm_replies_submission_idx",
        "llm_replies",
        ["submission_id"],
        unique=False,
        postgresql_where=sa.text("submission_id IS NOT NULL"),
    )
    op.create_table(
        "llm_served",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("arm", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("purpose IN ('feedback', 'summary', 'questions')", name=op.f("llm_served_purpose_check")),
        sa.CheckConstraint("count >= 1", name=op.f("llm_served_count_check")),
        sa.PrimaryKeyConstraint("tenant_id", "arm", "purpose", "provider", "day", name=op.f("llm_served_pkey")),
        postgresql_with={"fillfactor": 50},
    )
    op.create_index("llm_served_day_idx", "llm_served", ["day"], unique=False)
    op.create_table(
        "llm_policies",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("tenant_budget", sa.BigInteger(), nullable=True),
        sa.Column("learner_budget", sa.BigInteger(), nullable=True),
        sa.Column("batch", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("mode IN ('cloud', 'local', 'off')", name=op.f("llm_policies_mode_check")),
        sa.CheckConstraint("tenant_budget >= 0 AND learner_budget >= 0", name=op.f("llm_policies_budgets_check")),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("llm_policies_pkey")),
    )
    op.execute(CHANGE_SUBMISSIONS.format(change="ADD COLUMN retry_feedback boolean"))


def downgrade() -> None:
    op.drop_table("llm_policies")
    op.drop_index("llm_served_day_idx", table_name="llm_served")
    op.drop_table("llm_served")
    op.drop_index(
        "llm_replies_submission_idx", table_name="llm_replies", postgresql_where=sa.text("submission_id IS NOT NULL")
    )
    op.drop_index("llm_replies_created_idx", table_name="llm_replies")
    op.drop_index("llm_replies_asker_idx", table_name="llm_replies")
    op.drop_table("llm_replies")
    op.drop_index(
        "llm_budgets_day_idx", table_name="llm_budgets", postgresql_where=sa.text("learner_id <> ''")
    )
    op.drop_table("llm_budgets")
    op.drop_index("llm_batches_open_idx", table_name="llm_batches", postgresql_where=sa.text("finished_at IS NULL"))
    op.drop_index(
        "llm_batches_finished_idx", table_name="llm_batches", postgresql_where=sa.text("finished_at IS NOT NULL")
    )
    op.drop_table("llm_batches")
    op.drop_index("llm_batch_items_submission_idx", table_name="llm_batch_items")
    op.drop_index(
        "llm_batch_items_open_key",
        table_name="llm_batch_items",
        postgresql_where=sa.text("state IN ('waiting', 'sent')"),
    )
    op.drop_index(
        "llm_batch_items_deadline_idx",
        table_name="llm_batch_items",
        postgresql_where=sa.text("state IN ('waiting', 'sent')"),
    )
    op.drop_index("llm_batch_items_created_idx", table_name="llm_batch_items")
    op.drop_index(
        "llm_batch_items_collected_idx", table_name="llm_batch_items", postgresql_where=sa.text("batch_id IS NULL")
    )
    op.drop_index(
        "llm_batch_items_attempt_idx", table_name="llm_batch_items", postgresql_where=sa.text("attempt_id IS NOT NULL")
    )
    op.drop_index(
        "llm_batch_items_batch_idx", table_name="llm_batch_items", postgresql_where=sa.text("batch_id IS NOT NULL")
    )
    op.drop_table("llm_batch_items")
    op.drop_index("llm_attempts_tenant_idx", table_name="llm_attempts")
    op.drop_index(
        "llm_attempts_submission_idx", table_name="llm_attempts", postgresql_where=sa.text("submission_id IS NOT NULL")
    )
    op.drop_index("llm_attempts_started_idx", table_name="llm_attempts")
    op.drop_index("llm_attempts_open_idx", table_name="llm_attempts", postgresql_where=sa.text("state = 'open'"))
    op.drop_index(
        "llm_attempts_learner_idx", table_name="llm_attempts", postgresql_where=sa.text("learner_id IS NOT NULL")
    )
    op.drop_table("llm_attempts")
    op.drop_index("generations_tenant_idx", table_name="generations")
    op.drop_index("generations_running_idx", table_name="generations", postgresql_where=sa.text("state = 'running'"))
    op.drop_index("generations_pending_idx", table_name="generations", postgresql_where=sa.text("state = 'pending'"))
    op.drop_index(
        "generations_finished_idx", table_name="generations", postgresql_where=sa.text("finished_at IS NOT NULL")
    )
    op.drop_table("generations")
    op.drop_index("feedback_ratings_learner_idx", table_name="feedback_ratings")
    op.drop_index("feedback_ratings_created_idx", table_name="feedback_ratings")
    op.drop_table("feedback_ratings")
    op.drop_index("feedback_improvements_available_idx", table_name="feedback_improvements")
    op.drop_table("feedback_improvements")
    op.drop_index("feedback_backgrounds_created_idx", table_name="feedback_backgrounds")
    op.drop_table("feedback_backgrounds")
    op.drop_index("feedback_assignments_submission_idx", table_name="feedback_assignments")
    op.drop_index("feedback_assignments_created_idx", table_name="feedback_assignments")
    op.drop_table("feedback_assignments")
    op.execute(CHANGE_SUBMISSIONS.format(change="DROP COLUMN retry_feedback"))
