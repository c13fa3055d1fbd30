"""Add curricula, what rebuilding and reviewing need, search, groups, reports and periodic runs."""

from typing import Final

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"

# As in 0002: wait for half a second, let the others by, and try again; and last of all. The tables are locked together
# and let go together, or a worker that holds one and wants the next would wait for us while we wait for it.
CHANGE_TABLES: Final = """
SET LOCAL lock_timeout = '500ms';
DO $$ BEGIN
    FOR try IN 1..120 LOOP
        BEGIN
            LOCK TABLE tenants, learners, skills, results, generations IN ACCESS EXCLUSIVE MODE;
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
            ALTER TABLE tenants ADD COLUMN curriculum_version bigint NOT NULL DEFAULT 0;
            ALTER TABLE learners ADD COLUMN goals jsonb;
            ALTER TABLE skills
                ADD COLUMN mistakes double precision[] NOT NULL DEFAULT '{}'::double precision[],
                ADD COLUMN stability double precision,
                ADD COLUMN review_difficulty double precision,
                ADD COLUMN due_at timestamptz;
            ALTER TABLE results ADD COLUMN learning_sequence bigint, ADD COLUMN item_steps double precision[];
            ALTER TABLE generations
                ADD COLUMN idempotency_key text,
                ADD COLUMN fingerprint bytea,
                ADD CONSTRAINT generations_fingerprint_check
                    CHECK ((idempotency_key IS NULL) = (fingerprint IS NULL));
            CREATE UNIQUE INDEX generations_idempotency_key ON generations (tenant_id, idempotency_key)
                WHERE idempotency_key IS NOT NULL;
"""

DROPPED: Final = """
            ALTER TABLE tenants DROP COLUMN curriculum_version;
            ALTER TABLE learners DROP COLUMN goals;
            ALTER TABLE skills
                DROP COLUMN mistakes, DROP COLUMN stability, DROP COLUMN review_difficulty, DROP COLUMN due_at;
            ALTER TABLE results DROP COLUMN learning_sequence, DROP COLUMN item_steps;
            ALTER TABLE generations DROP COLUMN idempotency_key, DROP COLUMN fingerprint;
"""


def upgrade() -> None:
    op.create_table('curriculum_entries',
    sa.Column('tenant_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('body', postgresql.JSONB(), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("kind IN ('category', 'track', 'module', 'resource', 'project')", name=op.f('curriculum_entries_kind_check')),
    sa.PrimaryKeyConstraint('tenant_id', 'kind', 'id', name=op.f('curriculum_entries_pkey'))
    )
    op.create_table('item_analyses',
    sa.Column('question_key', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('tenant_id', sa.Integer(), nullable=False),
    sa.Column('body', postgresql.JSONB(), nullable=False),
    sa.Column('computed_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('question_key', name=op.f('item_analyses_pkey'))
    )
    op.create_index('item_analyses_tenant_idx', 'item_analyses', ['tenant_id'], unique=False)
    op.create_table('kept_item_statistics',
    sa.Column('question_key', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('tenant_id', sa.Integer(), nullable=False),
    sa.Column('answers', sa.BigInteger(), nullable=False),
    sa.Column('scored', sa.BigInteger(), nullable=False),
    sa.Column('correct', sa.BigInteger(), nullable=False),
    sa.Column('fraction_millionths', sa.BigInteger(), nullable=False),
    sa.Column('timed', sa.BigInteger(), nullable=False),
    sa.Column('response_time_ms', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('question_key', name=op.f('kept_item_statistics_pkey'))
    )
    op.create_table('kept_item_steps',
    sa.Column('tenant_id', sa.Integer(), nullable=False),
    sa.Column('sequence', sa.BigInteger(), nullable=False),
    sa.Column('position', sa.SmallInteger(), nullable=False),
    sa.Column('question_key', sa.BigInteger(), nullable=False),
    sa.Column('start', sa.Double(), nullable=False),
    sa.Column('step', sa.Double(), nullable=False),
    sa.Column('answers', sa.SmallInteger(), nullable=False),
    sa.PrimaryKeyConstraint('tenant_id', 'sequence', 'position', name=op.f('kept_item_steps_pkey'))
    )
    op.create_table('learner_groups',
    sa.Column('tenant_id', sa.Integer(), nullable=False),
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('learner_groups_pkey'))
    )
    op.create_table('learner_reports',
    sa.Column('tenant_id', sa.Integer(), nullable=False),
    sa.Column('learner_id', sa.Text(), nullable=False),
    sa.Column('week', sa.Date(), nullable=False),
    sa.Column('body', postgresql.JSONB(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('tenant_id', 'learner_id', 'week', name=op.f('learner_reports_pkey'))
    )
    op.create_table('periodic_runs',
    sa.Column('job', sa.Text(), nullable=False),
    sa.Column('slot', sa.DateTime(timezone=True), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('attempts', sa.SmallInteger(), server_default=sa.text('1'), nullable=False),
    sa.Column('worker_id', sa.Uuid(), nullable=True),
    sa.Column('progress', postgresql.JSONB(), nullable=True),
    sa.Column('error', sa.Text(), nullable=True),
    sa.Column('lease_expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('available_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('started_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("(state = 'running') = (lease_expires_at IS NOT NULL)", name=op.f('periodic_runs_lease_check')),
    sa.CheckConstraint("(state = 'running') = (worker_id IS NOT NULL)", name=op.f('periodic_runs_worker_check')),
    sa.CheckConstraint("(state = 'waiting') = (available_at IS NOT NULL)", name=op.f('periodic_runs_available_check')),
    sa.CheckConstraint("(state IN ('done', 'failed', 'skipped')) = (finished_at IS NOT NULL)", name=op.f('periodic_runs_finished_check')),
    sa.CheckConstraint("state IN ('running', 'waiting', 'done', 'failed', 'skipped')", name=op.f('periodic_runs_state_check')),
    sa.PrimaryKeyConstraint('job', 'slot', name=op.f('periodic_runs_pkey'))
    )
    op.create_table('risk_assessments',
    sa.Column('tenant_id', sa.Integer(), nullable=False),
    sa.Column('learner_id', sa.Text(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('score', sa.Double(), nullable=False),
    sa.Column('body', postgresql.JSONB(), nullable=False),
    sa.CheckConstraint('score BETWEEN 0 AND 1', name=op.f('risk_assessments_score_check')),
    sa.PrimaryKeyConstraint('tenant_id', 'learner_id', 'day', name=op.f('risk_assessments_pkey'))
    )
    op.create_index('risk_assessments_day_idx', 'risk_assessments', ['tenant_id', 'day', sa.literal_column('score DESC')], unique=False)
    op.create_table('learner_group_members',
    sa.Column('tenant_id', sa.Integer(), nullable=False),
    sa.Column('group_id', sa.Text(), nullable=False),
    sa.Column('learner_id', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id', 'group_id'], ['learner_groups.tenant_id', 'learner_groups.id'], name='learner_group_members_group_fkey', ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('tenant_id', 'group_id', 'learner_id', name=op.f('learner_group_members_pkey'))
    )
    op.create_index('learner_group_members_learner_idx', 'learner_group_members', ['tenant_id', 'learner_id'], unique=False)
    op.create_table('question_search',
    sa.Column('question_key', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('tenant_id', sa.Integer(), nullable=False),
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('version_key', sa.BigInteger(), nullable=False),
    sa.Column('content', sa.Text(), nullable=False),
    sa.Column('terms', postgresql.ARRAY(sa.Text()), nullable=False),
    sa.ForeignKeyConstraint(['question_key'], ['questions.key'], name=op.f('question_search_question_key_fkey')),
    sa.PrimaryKeyConstraint('question_key', name=op.f('question_search_pkey'))
    )
    op.create_index('question_search_terms_idx', 'question_search', ['terms'], unique=False, postgresql_using='gin')
    op.execute(sa.schema.CreateSequence(sa.Sequence("learning_sequence")))
    op.execute(CHANGE_TABLES.format(changes=ADDED))



def downgrade() -> None:
    op.execute(CHANGE_TABLES.format(changes=DROPPED))
    op.execute(sa.schema.DropSequence(sa.Sequence("learning_sequence")))
    op.drop_index('question_search_terms_idx', table_name='question_search', postgresql_using='gin')
    op.drop_table('question_search')
    op.drop_index('learner_group_members_learner_idx', table_name='learner_group_members')
    op.drop_table('learner_group_members')
    op.drop_index('risk_assessments_day_idx', table_name='risk_assessments')
    op.drop_table('risk_assessments')
    op.drop_table('periodic_runs')
    op.drop_table('learner_reports')
    op.drop_table('learner_groups')
    op.drop_table('kept_item_steps')
    op.drop_table('kept_item_statistics')
    op.drop_index('item_analyses_tenant_idx', table_name='item_analyses')
    op.drop_table('item_analyses')
    op.drop_table('curriculum_entries')
