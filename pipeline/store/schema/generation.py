"""Texts that are generated on request: summaries, and drafts of questions."""

from typing import Final

from sqlalchemy import CheckConstraint, Column, Index, Integer, LargeBinary, SmallInteger, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from pipeline.store.schema.base import metadata, moment, one_of, tenant

KINDS: Final = ("summary", "questions")
STATES: Final = ("pending", "running", "completed", "failed", "cancelled")

generations = Table(
    "generations",
    metadata,
    Column("id", Uuid, primary_key=True),
    tenant(),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Column("input", JSONB, nullable=False),
    Column("result", JSONB),
    Column("error", Text),
    Column("attempts", SmallInteger, nullable=False, server_default=text("0")),
    Column("epoch", Integer, nullable=False, server_default=text("0")),
    Column("worker_id", Uuid),
    moment("lease_expires_at", nullable=True),
    moment("available_at", nullable=True),
    moment("created_at", now=True),
    moment("updated_at", now=True),
    moment("finished_at", nullable=True),
    Column("idempotency_key", Text),
    Column("fingerprint", LargeBinary),
    CheckConstraint("(idempotency_key IS NULL) = (fingerprint IS NULL)", name="fingerprint"),
    CheckConstraint(one_of("kind", KINDS), name="kind"),
    CheckConstraint(one_of("state", STATES), name="state"),
    CheckConstraint("version >= 1", name="version"),
    CheckConstraint("attempts <= epoch", name="attempts"),
    CheckConstraint("(state = 'pending') = (available_at IS NOT NULL)", name="available"),
    CheckConstraint("(state = 'running') = (lease_expires_at IS NOT NULL)", name="lease"),
    CheckConstraint("(state = 'running') = (worker_id IS NOT NULL)", name="worker"),
    CheckConstraint("(state IN ('completed', 'failed', 'cancelled')) = (finished_at IS NOT NULL)", name="finished"),
    CheckConstraint("(state = 'completed') = (result IS NOT NULL)", name="result"),
    CheckConstraint("state <> 'failed' OR error IS NOT NULL", name="error"),
    Index("generations_tenant_idx", "tenant_id", "id"),
    Index(
        "generations_idempotency_key",
        "tenant_id",
        "idempotency_key",
        unique=True,
        postgresql_where=text("idempotency_key IS NOT NULL"),
    ),
    Index("generations_pending_idx", "available_at", postgresql_where=text("state = 'pending'")),
    Index("generations_running_idx", "lease_expires_at", postgresql_where=text("state = 'running'")),
    Index("generations_finished_idx", "finished_at", postgresql_where=text("finished_at IS NOT NULL")),
)
