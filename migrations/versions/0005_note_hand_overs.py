"""Note when a batch was handed over to its provider, and find the replies of a text that are there."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    # A batch counts as handed over unless it is said that it was not: those of before, and those of a worker that does
    # not know this column yet.
    op.add_column(
        "llm_batches",
        sa.Column("tried_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=True),
    )
    op.add_column("llm_batches", sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("llm_batches", sa.Column("size", sa.Integer(), nullable=True))
    op.create_check_constraint(op.f("llm_batches_tries_check"), "llm_batches", "tries >= 0")
    op.create_check_constraint(op.f("llm_batches_size_check"), "llm_batches", "size > 0")
    op.create_index(
        "llm_batch_items_answered_idx",
        "llm_batch_items",
        ["tenant_id", "key"],
        unique=False,
        postgresql_where=sa.text("state = 'answered'"),
    )


def downgrade() -> None:
    op.drop_index(
        "llm_batch_items_answered_idx", table_name="llm_batch_items", postgresql_where=sa.text("state = 'answered'")
    )
    for column in ("size", "tries", "tried_at"):
        op.drop_column("llm_batches", column)
