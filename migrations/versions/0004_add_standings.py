"""Add where learners stand, which nights are complete, and the way from a question to its answers."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

# As in 0002: wait for half a second, let the others by, and try again; and last of all. Building the index keeps
# hand-ins waiting for about a second for each million answers.
CHANGE_ANSWERS: Final = """
SET LOCAL lock_timeout = '500ms';
DO $$ BEGIN
    FOR try IN 1..120 LOOP
        BEGIN
            {change};
            RETURN;
        EXCEPTION WHEN lock_not_available THEN
            PERFORM pg_sleep(0.1);
        END;
    END LOOP;
    RAISE lock_not_available USING MESSAGE = 'the table answers is in use all the time; try again later';
END $$;
SET LOCAL lock_timeout TO DEFAULT
"""

# Nights of before are taken for complete, as they were till now; but not one that is under way or broke off.
COMPLETE_SO_FAR: Final = """
INSERT INTO risk_nights (tenant_id, day)
SELECT DISTINCT tenant_id, day FROM risk_assessments WHERE day NOT IN (
    SELECT CAST(slot AT TIME ZONE 'UTC' AS date) FROM periodic_runs WHERE job = 'at-risk'
    GROUP BY 1 HAVING NOT bool_or(state = 'done'))
"""


def upgrade() -> None:
    op.create_table(
        "risk_nights",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "day", name=op.f("risk_nights_pkey")),
    )
    op.execute(COMPLETE_SO_FAR)
    op.create_table(
        "learner_standings",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("learner_id", sa.Text(), nullable=False),
        sa.Column("answers", sa.Integer(), nullable=False),
        sa.Column("surplus", sa.BigInteger(), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "learner_id", name=op.f("learner_standings_pkey")),
    )
    op.execute(CHANGE_ANSWERS.format(change="CREATE INDEX answers_version_idx ON answers (version_key)"))


def downgrade() -> None:
    op.execute(CHANGE_ANSWERS.format(change="DROP INDEX answers_version_idx"))
    op.drop_table("learner_standings")
    op.drop_table("risk_nights")
