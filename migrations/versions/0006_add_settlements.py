"""Add people's decisions on answers: what was learnt from them, what waits for one, and the event that tells of one."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

# As in 0002: wait for half a second, let the others by, and try again; and last of all. Both tables are locked together
# and let go together. Results can be read while the index is built; writing them waits for about a second for each
# million. Deliveries are few: they go when they are old.
CHANGE_TABLES: Final = """
SET LOCAL lock_timeout = '500ms';
DO $$ BEGIN
    FOR try IN 1..120 LOOP
        BEGIN
            LOCK TABLE results IN SHARE MODE;
            LOCK TABLE deliveries IN ACCESS EXCLUSIVE MODE;
            {changes}
            RETURN;
        EXCEPTION WHEN lock_not_available THEN
            PERFORM pg_sleep(0.1);
        END;
    END LOOP;
    RAISE lock_not_available USING MESSAGE = 'the tables are in use all the time; try again later';
END $$;
SET LOCAL lock_timeout TO DEFAULT
"""

ADDED: Final = """
            ALTER TABLE deliveries DROP CONSTRAINT deliveries_event_check;
            ALTER TABLE deliveries ADD CONSTRAINT deliveries_event_check CHECK (event IN
                ('submission.completed', 'submission.failed', 'submission.cancelled', 'submission.settled'));
            CREATE INDEX results_provisional_idx ON results (tenant_id, submission_id)
                WHERE stage = 'score' AND body @> '{"provisional": true}';
"""

DROPPED: Final = """
            DELETE FROM delivery_tries t USING deliveries d
            WHERE t.delivery_id = d.id AND d.event = 'submission.settled';
            DELETE FROM deliveries WHERE event = 'submission.settled';
            UPDATE webhooks SET events = array_remove(events, 'submission.settled')
            WHERE 'submission.settled' = ANY(events);
            ALTER TABLE deliveries DROP CONSTRAINT deliveries_event_check;
            ALTER TABLE deliveries ADD CONSTRAINT deliveries_event_check CHECK (event IN
                ('submission.completed', 'submission.failed', 'submission.cancelled'));
            DROP INDEX results_provisional_idx;
"""


def upgrade() -> None:
    op.create_table(
        "settlements",
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("fraction", sa.Double(), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("learning_sequence", sa.BigInteger(), nullable=False),
        sa.Column("item_step", sa.Double(), nullable=False),
        sa.Column("answers", sa.SmallInteger(), nullable=False),
        sa.CheckConstraint("answers IN (0, 1)", name=op.f("settlements_answers_check")),
        sa.CheckConstraint("fraction BETWEEN 0 AND 1", name=op.f("settlements_fraction_check")),
        sa.PrimaryKeyConstraint("submission_id", "position", name=op.f("settlements_pkey")),
    )
    op.create_index("settlements_learning_idx", "settlements", ["tenant_id", "learning_sequence"], unique=False)
    op.execute(CHANGE_TABLES.format(changes=ADDED))


def downgrade() -> None:
    op.execute(CHANGE_TABLES.format(changes=DROPPED))
    op.drop_table("settlements")
