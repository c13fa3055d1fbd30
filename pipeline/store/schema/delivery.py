"""Webhooks, and what is sent to them."""

from typing import Final

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from pipeline.store.schema.base import metadata, moment, one_of, tenant

EVENTS: Final = ("submission.completed", "submission.failed", "submission.cancelled", "submission.settled")

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
