"""What goes to language models and comes back: replies that were paid for, every request, what it cost, who may ask."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)

from pipeline.exchange import Purpose
from pipeline.store.schema.base import metadata, moment, one_of, tenant

MODES: Final = ("cloud", "local", "off")
REPLY: Final = "num_nonnulls(text, submission_id, provider, model, prompt_version, answered_at)"

# `asker_id` and `submission_id` are submissions or generations: who asked last, and who paid for the reply that is
# kept. A reply too old for others stays beside the next request for the same, for whoever paid for it.
llm_replies = Table(
    "llm_replies",
    metadata,
    tenant(),
    Column("key", LargeBinary, nullable=False),
    Column("state", Text, nullable=False),
    Column("token", Uuid, nullable=False),
    Column("asker_id", Uuid, nullable=False),
    moment("lease_expires_at", nullable=True),
    moment("quiet_until", nullable=True),
    Column("reason", Text),
    Column("submission_id", Uuid),
    Column("text", Text),
    Column("provider", Text),
    Column("model", Text),
    Column("prompt_version", Text),
    moment("created_at", now=True),
    moment("answered_at", nullable=True),
    PrimaryKeyConstraint("tenant_id", "key"),
    CheckConstraint("octet_length(key) BETWEEN 16 AND 64", name="key"),
    CheckConstraint(one_of("state", ("asked", "answered", "abandoned")), name="state"),
    CheckConstraint("(state = 'asked') = (lease_expires_at IS NOT NULL)", name="lease"),
    CheckConstraint("(state = 'abandoned') = (quiet_until IS NOT NULL)", name="quiet"),
    CheckConstraint("(state = 'abandoned') = (reason IS NOT NULL)", name="reason"),
    CheckConstraint(f"{REPLY} IN (0, 6)", name="reply"),
    CheckConstraint("state <> 'answered' OR text IS NOT NULL", name="answered"),
    Index("llm_replies_asker_idx", "asker_id"),
    Index("llm_replies_submission_idx", "submission_id", postgresql_where=text("submission_id IS NOT NULL")),
    Index("llm_replies_created_idx", "created_at"),
)

llm_attempts = Table(
    "llm_attempts",
    metadata,
    Column("id", Uuid, primary_key=True),
    tenant(),
    Column("learner_id", Text),
    Column("submission_id", Uuid),
    Column("question_id", Text),
    Column("purpose", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("arm", Text),
    Column("prompt_version", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("estimate", BigInteger, nullable=False),
    Column("cost", BigInteger),
    Column("cost_known", Boolean),
    Column("trouble", Text),
    Column("status", SmallInteger),
    Column("code", Text),
    Column("served_model", Text),
    Column("request_id", Text),
    Column("input_tokens", BigInteger),
    Column("cached_input_tokens", BigInteger),
    Column("cache_write_tokens", BigInteger),
    Column("output_tokens", BigInteger),
    Column("reasoning_tokens", BigInteger),
    Column("cut_quotations", Integer, nullable=False, server_default=text("0")),
    moment("started_at", now=True),
    moment("settled_at", nullable=True),
    Column("duration_ms", BigInteger),
    Column("first_text_ms", BigInteger),
    CheckConstraint(one_of("purpose", Purpose), name="purpose"),
    CheckConstraint(one_of("state", ("open", "settled", "lost")), name="state"),
    CheckConstraint("(state = 'open') = (settled_at IS NULL)", name="settled"),
    CheckConstraint("(state = 'open') = (cost IS NULL)", name="cost"),
    CheckConstraint("(cost IS NULL) = (cost_known IS NULL)", name="cost_known"),
    CheckConstraint("state <> 'lost' OR NOT cost_known", name="lost"),
    CheckConstraint("estimate >= 0 AND cost >= 0", name="money"),
    CheckConstraint("state = 'settled' OR num_nonnulls(trouble, input_tokens, output_tokens) = 0", name="outcome"),
    CheckConstraint("num_nonnulls(input_tokens, output_tokens) IN (0, 2)", name="usage"),
    CheckConstraint("cut_quotations >= 0", name="cut_quotations"),
    Index("llm_attempts_started_idx", "started_at"),
    Index("llm_attempts_tenant_idx", "tenant_id", "started_at"),
    Index("llm_attempts_open_idx", "started_at", postgresql_where=text("state = 'open'")),
    Index("llm_attempts_learner_idx", "tenant_id", "learner_id", postgresql_where=text("learner_id IS NOT NULL")),
    Index("llm_attempts_submission_idx", "submission_id", postgresql_where=text("submission_id IS NOT NULL")),
)

# `learner_id` is '' for the tenant's own sum. `spent` is in nanodollars and includes what is reserved.
llm_budgets = Table(
    "llm_budgets",
    metadata,
    tenant(),
    Column("learner_id", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("spent", BigInteger, nullable=False),
    PrimaryKeyConstraint("tenant_id", "learner_id", "day"),
    CheckConstraint("spent >= 0", name="spent"),
    Index("llm_budgets_day_idx", "day", postgresql_where=text("learner_id <> ''")),
    postgresql_with={"fillfactor": 50},
)

# No foreign key: to add one keeps everybody from writing tenants while the migration waits for other tables.
llm_policies = Table(
    "llm_policies",
    metadata,
    Column("tenant_id", Integer, primary_key=True, autoincrement=False),
    Column("mode", Text, nullable=False),
    Column("tenant_budget", BigInteger),
    Column("learner_budget", BigInteger),
    Column("batch", Boolean, nullable=False, server_default=text("false")),
    moment("updated_at", now=True),
    CheckConstraint(one_of("mode", MODES), name="mode"),
    CheckConstraint("tenant_budget >= 0 AND learner_budget >= 0", name="budgets"),
)

# `arm` is '' where there is no experiment.
llm_served = Table(
    "llm_served",
    metadata,
    tenant(),
    Column("arm", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("count", BigInteger, nullable=False),
    PrimaryKeyConstraint("tenant_id", "arm", "purpose", "provider", "day"),
    CheckConstraint(one_of("purpose", Purpose), name="purpose"),
    CheckConstraint("count >= 1", name="count"),
    Index("llm_served_day_idx", "day"),
    postgresql_with={"fillfactor": 50},
)
