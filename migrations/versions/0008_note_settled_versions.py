"""Note the version of the last decision on a submission's answers: who follows it is told of it by its name."""

from typing import Final

from alembic import op

revision = "0008"
down_revision = "0007"

# As in 0002: wait for half a second, let the others by, and try again. The table is locked for a moment only; a
# constraint on the new column would have Postgres read all of it meanwhile, and one statement is all that writes it.
CHANGE: Final = """
SET LOCAL lock_timeout = '500ms';
DO $$ BEGIN
    FOR try IN 1..120 LOOP
        BEGIN
            ALTER TABLE submissions {change};
            RETURN;
        EXCEPTION WHEN lock_not_available THEN
            PERFORM pg_sleep(0.1);
        END;
    END LOOP;
    RAISE lock_not_available USING MESSAGE = 'the table is in use all the time; try again later';
END $$;
SET LOCAL lock_timeout TO DEFAULT
"""

def upgrade() -> None:
    op.execute(CHANGE.format(change="ADD COLUMN settled_version integer"))


def downgrade() -> None:
    op.execute(CHANGE.format(change="DROP COLUMN settled_version"))
