"""Requests that may wait for half the price: collected, sent together, and matched with their replies."""

from typing import Final

from sqlalchemy import CheckConstraint, Column, Index, Integer, LargeBinary, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from pipeline.store.schema.base import metadata, moment, one_of, tenant

BATCH_STATES: Final = ("collecting", "sending", "sent", "done", "failed")
ITEM_STATES: Final = ("waiting", "sent", "answered", "failed", "expired")

# A batch belongs to an account of the operator's; requests of several tenants may travel in one. `tried_at` is when its
# last hand-over began of which it is not known that it failed; `size` is how many requests were in it.
llm_batches = Table(
    "llm_batches",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("provider", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("remote_id", Text),
    Column("file_id", Text),
    Column("state", Text, nullable=False),
    moment("created_at", now=True),
    moment("sent_at", nullable=True),
    moment("polled_at", nullable=True),
    moment("finished_at", nullable=True),
    moment("tried_at", now=True, nullable=True),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("size", Integer),
    CheckConstraint(one_of("state", BATCH_STATES), name="state"),
    CheckConstraint("tries >= 0", name="tries"),
    CheckConstraint("size > 0", name="size"),
    CheckConstraint("(remote_id IS NULL) = (sent_at IS NULL)", name="sent"),
    CheckConstraint("state NOT IN ('sent', 'done') OR remote_id IS NOT NULL", name="remote"),
    CheckConstraint("(state IN ('done', 'failed')) = (finished_at IS NOT NULL)", name="finished"),
    Index("llm_batches_open_idx", "state", "created_at", postgresql_where=text("finished_at IS NULL")),
    Index("llm_batches_finished_idx", "finished_at", postgresql_where=text("finished_at IS NOT NULL")),
)

llm_batch_items = Table(
    "llm_batch_items",
    metadata,
    Column("custom_id", Text, primary_key=True),
    Column("batch_id", Uuid),
    tenant(),
    Column("key", LargeBinary, nullable=False),
    Column("submission_id", Uuid, nullable=False),
    Column("prompt", JSONB, nullable=False),
    Column("reply", JSONB),
    Column("route", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempt_id", Uuid),
    moment("deadline_at"),
    moment("created_at", now=True),
    CheckConstraint("octet_length(key) BETWEEN 16 AND 64", name="key"),
    CheckConstraint(one_of("state", ITEM_STATES), name="state"),
    CheckConstraint("state NOT IN ('sent', 'answered') OR batch_id IS NOT NULL", name="batch"),
    Index(
        "llm_batch_items_open_key",
        "tenant_id",
        "key",
        unique=True,
        postgresql_where=text("state IN ('waiting', 'sent')"),
    ),
    Index("llm_batch_items_answered_idx", "tenant_id", "key", postgresql_where=text("state = 'answered'")),
    Index(
        "llm_batch_items_attempt_idx",
        "attempt_id",
        postgresql_where=text("attempt_id IS NOT NULL"),
    ),
    Index("llm_batch_items_batch_idx", "batch_id", postgresql_where=text("batch_id IS NOT NULL")),
    Index("llm_batch_items_submission_idx", "submission_id"),
    Index("llm_batch_items_collected_idx", "route", "created_at", postgresql_where=text("batch_id IS NULL")),
    Index("llm_batch_items_deadline_idx", "deadline_at", postgresql_where=text("state IN ('waiting', 'sent')")),
    Index("llm_batch_items_created_idx", "created_at"),
)
