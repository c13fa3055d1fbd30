"""Note where the ratings of questions began: a rebuild from history begins there, too."""

from typing import Final

from alembic import op

revision = "0007"
down_revision = "0006"

# As in 0002: wait for half a second, let the others by, and try again. The table is locked for a moment only.
CHANGE: Final = """
SET LOCAL lock_timeout = '500ms';
DO $$ BEGIN
    FOR try IN 1..120 LOOP
        BEGIN
            ALTER TABLE item_ratings {change};
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
    op.execute(CHANGE.format(change='ADD COLUMN "start" double precision'))


def downgrade() -> None:
    op.execute(CHANGE.format(change='DROP COLUMN "start"'))
