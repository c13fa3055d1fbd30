"""The tables, as SQLAlchemy knows them; `migrations/` builds the same ones, and a test compares the two.

Tables that every submission writes to carry no foreign keys: the one statement that accepts a submission
writes its rows together and joins the question versions it refers to, so a key check per row would pay
again for what already holds. Erasure deletes them explicitly.
"""

from pipeline.store.schema import analytics, batch, curriculum, delivery, exchange, feedback, generation, school, work
from pipeline.store.schema.base import metadata

__all__ = [
    "analytics",
    "batch",
    "curriculum",
    "delivery",
    "exchange",
    "feedback",
    "generation",
    "metadata",
    "school",
    "work",
]
