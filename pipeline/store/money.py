"""What is said to Postgres of money: what a request may cost, and what it did cost."""

from sqlalchemy import text

LOOK = text(
    """
    SELECT w.id::text,
        w.submission_id IS NOT NULL
            AND NOT EXISTS (SELECT FROM submissions s WHERE s.tenant_id = w.tenant_id AND s.id = w.submission_id)
            AND NOT EXISTS (SELECT FROM generations g WHERE g.tenant_id = w.tenant_id AND g.id = w.submission_id)
            AS erased,
        EXISTS (SELECT FROM llm_attempts a WHERE a.id = w.id) AS noted
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS w(id uuid, tenant_id int, submission_id uuid)
    """
)

OPEN_BUDGETS = text(
    """
    INSERT INTO llm_budgets AS b (tenant_id, learner_id, day, spent)
    SELECT w.tenant_id, w.learner_id, CAST(now() AT TIME ZONE 'UTC' AS date), 0
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS w(tenant_id int, learner_id text)
    ORDER BY w.tenant_id, w.learner_id COLLATE "C"
    ON CONFLICT (tenant_id, learner_id, day) DO UPDATE SET spent = b.spent
    RETURNING tenant_id, learner_id, spent
    """
)

BOOK = text(
    """
    WITH booked AS (
        INSERT INTO llm_attempts (id, tenant_id, learner_id, submission_id, question_id, purpose, provider, model,
            account, arm, prompt_version, state, estimate, started_at)
        SELECT w.id, w.tenant_id, w.learner_id, w.submission_id, w.question_id, w.purpose, w.provider, w.model,
            w.account, w.arm, w.prompt_version, 'open', w.estimate, now()
        FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS w(id uuid, tenant_id int, learner_id text, submission_id uuid,
            question_id text, purpose text, provider text, model text, account text, arm text, prompt_version text,
            estimate bigint)
    )
    UPDATE llm_budgets b SET spent = b.spent + w.amount
    FROM jsonb_to_recordset(CAST(:sums AS jsonb)) AS w(tenant_id int, learner_id text, amount bigint)
    WHERE b.tenant_id = w.tenant_id AND b.learner_id = w.learner_id
      AND b.day = CAST(now() AT TIME ZONE 'UTC' AS date)
    """
)

# Where no budget has a limit, all are let in. Whoever erases a submission waits for those who hold it here, and who
# comes later finds it gone; a learner is erased when none of his submissions is left.
BOOK_FREELY = text(
    """
    WITH wish AS MATERIALIZED (
        SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS w(id uuid, tenant_id int, learner_id text,
            submission_id uuid, question_id text, purpose text, provider text, model text, account text, arm text,
            prompt_version text, estimate bigint)
    ), submission AS MATERIALIZED (
        SELECT s.tenant_id, s.id FROM submissions s JOIN wish w ON s.tenant_id = w.tenant_id AND s.id = w.submission_id
        ORDER BY s.id FOR KEY SHARE OF s
    ), job AS MATERIALIZED (
        SELECT g.tenant_id, g.id FROM generations g JOIN wish w ON g.tenant_id = w.tenant_id AND g.id = w.submission_id
        ORDER BY g.id FOR KEY SHARE OF g
    ), known AS MATERIALIZED (
        SELECT w.*, w.submission_id IS NULL
            OR EXISTS (SELECT FROM submission s WHERE s.tenant_id = w.tenant_id AND s.id = w.submission_id)
            OR EXISTS (SELECT FROM job g WHERE g.tenant_id = w.tenant_id AND g.id = w.submission_id) AS there
        FROM wish w
    ), booked AS (
        INSERT INTO llm_attempts (id, tenant_id, learner_id, submission_id, question_id, purpose, provider, model,
            account, arm, prompt_version, state, estimate, started_at)
        SELECT id, tenant_id, CASE WHEN there THEN learner_id END, CASE WHEN there THEN submission_id END, question_id,
            purpose, provider, model, account, arm, prompt_version, 'open', estimate, now()
        FROM known ORDER BY id
        ON CONFLICT (id) DO NOTHING
        RETURNING tenant_id, learner_id, estimate
    ), sums AS (
        SELECT a.tenant_id, l.learner_id, sum(a.estimate) AS amount
        FROM booked a CROSS JOIN unnest(ARRAY['', a.learner_id]) AS l(learner_id)
        WHERE l.learner_id IS NOT NULL GROUP BY a.tenant_id, l.learner_id
    )
    INSERT INTO llm_budgets AS b (tenant_id, learner_id, day, spent)
    SELECT tenant_id, learner_id, CAST(now() AT TIME ZONE 'UTC' AS date), amount
    FROM sums ORDER BY tenant_id, learner_id COLLATE "C"
    ON CONFLICT (tenant_id, learner_id, day) DO UPDATE SET spent = b.spent + excluded.spent
    """
)

# Budgets are locked before attempts, in order; each is then written as it is by that time, not as it was seen first. An
# attempt that was given up as lost may be settled after all: then its true cost is known.
#
# LATERAL, LIMIT and the arrays hold the planner to the primary keys. A young day's statistics are out of date within
# seconds; left to them, it joined all of a tenant's attempts with all budgets of that day.
#
# Nobody waits for the disk here: whoever uses the reply commits after it, and with that all that was written before.
SETTLE = text(
    """
    WITH relaxed AS (
        SELECT set_config('synchronous_commit', 'off', true) AS commit
    ), wish AS MATERIALIZED (
        SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS w(id uuid, cost bigint, known boolean, trouble text,
            status smallint, code text, served_model text, request_id text, input_tokens bigint,
            cached_input_tokens bigint, cache_write_tokens bigint, output_tokens bigint, reasoning_tokens bigint,
            cut_quotations int, duration_ms bigint, first_text_ms bigint)
        WHERE (SELECT commit FROM relaxed) = 'off'
    ), account AS MATERIALIZED (
        SELECT a.tenant_id, l.learner_id, a.day
        FROM wish w CROSS JOIN LATERAL (
            SELECT tenant_id, learner_id, CAST(started_at AT TIME ZONE 'UTC' AS date) AS day
            FROM llm_attempts WHERE id = w.id LIMIT 1
        ) AS a CROSS JOIN unnest(ARRAY['', a.learner_id]) AS l(learner_id)
        GROUP BY a.tenant_id, l.learner_id, a.day ORDER BY a.tenant_id, l.learner_id COLLATE "C", a.day
    ), budgets AS MATERIALIZED (
        SELECT FROM account a CROSS JOIN LATERAL (
            SELECT FROM llm_budgets b
            WHERE b.tenant_id = a.tenant_id AND b.learner_id = a.learner_id AND b.day = a.day
            FOR UPDATE
        ) AS b
    ), booked AS MATERIALIZED (
        SELECT a.*, w.* FROM (SELECT * FROM wish ORDER BY id) AS w CROSS JOIN LATERAL (
            SELECT id AS attempt_id, state AS left_state, coalesce(cost, estimate) AS amount FROM llm_attempts
            WHERE id = w.id AND state IN ('open', 'lost') FOR UPDATE
        ) AS a
        WHERE (SELECT count(*) FROM budgets) >= 0
    ), settled AS (
        UPDATE llm_attempts a
        SET state = 'settled', cost = w.cost, cost_known = w.known, trouble = w.trouble, status = w.status,
            code = w.code, served_model = w.served_model, request_id = w.request_id, input_tokens = w.input_tokens,
            cached_input_tokens = w.cached_input_tokens, cache_write_tokens = w.cache_write_tokens,
            output_tokens = w.output_tokens, reasoning_tokens = w.reasoning_tokens,
            cut_quotations = w.cut_quotations, duration_ms = w.duration_ms, first_text_ms = w.first_text_ms,
            settled_at = clock_timestamp()
        FROM booked w
        WHERE a.id = w.attempt_id AND a.id = ANY (ARRAY(SELECT id FROM wish)) AND a.state = w.left_state
        RETURNING a.tenant_id, a.learner_id, CAST(a.started_at AT TIME ZONE 'UTC' AS date) AS day,
            w.cost - w.amount AS difference
    ), sums AS (
        SELECT s.tenant_id, l.learner_id, s.day, sum(s.difference) AS difference
        FROM settled s CROSS JOIN unnest(ARRAY['', s.learner_id]) AS l(learner_id)
        WHERE l.learner_id IS NOT NULL GROUP BY s.tenant_id, l.learner_id, s.day
    )
    UPDATE llm_budgets b SET spent = greatest(0, b.spent + s.difference)
    FROM sums s
    WHERE b.tenant_id = s.tenant_id AND b.learner_id = s.learner_id AND b.day = s.day
      AND b.tenant_id = ANY (ARRAY(SELECT tenant_id FROM account))
      AND b.learner_id = ANY (ARRAY(SELECT learner_id FROM account))
      AND b.day = ANY (ARRAY(SELECT day FROM account))
    """
)
