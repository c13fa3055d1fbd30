"""What a tenant teaches, as documents: the whole is checked when it is imported and read at once."""

from typing import Final

from sqlalchemy import CheckConstraint, Column, Integer, PrimaryKeyConstraint, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from pipeline.store.schema.base import metadata, moment, one_of, tenant

KINDS: Final = ("category", "track", "module", "resource", "project")

curriculum_entries = Table(
    "curriculum_entries",
    metadata,
    tenant(),
    Column("kind", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("body", JSONB, nullable=False),
    moment("updated_at", now=True),
    PrimaryKeyConstraint("tenant_id", "kind", "id"),
    CheckConstraint(one_of("kind", KINDS), name="kind"),
)
