"""PostgreSQL and Valkey of our own, run from wheels when no external server is named in the settings."""

from pipeline.embedded.postgres import EmbeddedPostgres
from pipeline.embedded.valkey import EmbeddedValkey

__all__ = ["EmbeddedPostgres", "EmbeddedValkey"]
