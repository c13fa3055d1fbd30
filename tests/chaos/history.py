"""Postgres' own history: every change of a stage, a submission's status and a result, and the rules it must keep.

Triggers of the driver append to `chaos_history` in the transaction of the change, so what is in it is what was
committed, no more and no less. The product knows nothing of them.
"""

from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.lifecycle import FINAL_STATUSES, SUCCEEDED_STATES, StageState
from pipeline.store.engine import transaction
from tests.sums import query

INSTALL: Final = """
CREATE TABLE chaos_history (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    xact xid8 NOT NULL DEFAULT pg_current_xact_id(),
    tenant_id int NOT NULL,
    submission_id uuid NOT NULL,
    kind text NOT NULL,
    operation text NOT NULL,
    stage text,
    before text,
    after text,
    epoch_before int,
    epoch_after int,
    worker_before uuid,
    worker_after uuid
);
CREATE INDEX chaos_history_tenant_idx ON chaos_history (tenant_id, submission_id, seq);

CREATE FUNCTION chaos_stage() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO chaos_history (tenant_id, submission_id, kind, operation, stage, before, after,
        epoch_before, epoch_after, worker_before, worker_after)
    VALUES (coalesce(NEW.tenant_id, OLD.tenant_id), coalesce(NEW.submission_id, OLD.submission_id), 'stage', TG_OP,
        coalesce(NEW.stage, OLD.stage), OLD.state, NEW.state, OLD.epoch, NEW.epoch, OLD.worker_id, NEW.worker_id);
    RETURN NULL;
END $$;
CREATE FUNCTION chaos_submission() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO chaos_history (tenant_id, submission_id, kind, operation, before, after, epoch_before, epoch_after)
    VALUES (coalesce(NEW.tenant_id, OLD.tenant_id), coalesce(NEW.id, OLD.id), 'submission', TG_OP,
        OLD.status, NEW.status, OLD.version, NEW.version);
    RETURN NULL;
END $$;
CREATE FUNCTION chaos_result() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO chaos_history (tenant_id, submission_id, kind, operation, stage)
    VALUES (coalesce(NEW.tenant_id, OLD.tenant_id), coalesce(NEW.submission_id, OLD.submission_id), 'result', TG_OP,
        coalesce(NEW.stage, OLD.stage));
    RETURN NULL;
END $$;

CREATE TRIGGER chaos AFTER INSERT OR DELETE ON stages FOR EACH ROW EXECUTE FUNCTION chaos_stage();
CREATE TRIGGER chaos_update AFTER UPDATE ON stages FOR EACH ROW
    WHEN ((OLD.state, OLD.epoch, OLD.worker_id) IS DISTINCT FROM (NEW.state, NEW.epoch, NEW.worker_id))
    EXECUTE FUNCTION chaos_stage();
CREATE TRIGGER chaos AFTER INSERT OR DELETE OR UPDATE ON submissions
    FOR EACH ROW EXECUTE FUNCTION chaos_submission();
CREATE TRIGGER chaos AFTER INSERT OR DELETE OR UPDATE ON results
    FOR EACH ROW EXECUTE FUNCTION chaos_result();
"""

CHANGES: Final = """
WITH history AS (SELECT * FROM chaos_history WHERE tenant_id = :tenant_id),
stage AS (
    SELECT *, lag(epoch_after) OVER w AS epoch_known, lag(after) OVER w AS state_known
    FROM history WHERE kind = 'stage'
    WINDOW w AS (PARTITION BY submission_id, stage ORDER BY seq)
)
"""

# Each rule is a query for what breaks it.
RULES: Final = {
    "epochs only grow": (
        CHANGES + "SELECT submission_id, stage, epoch_known, epoch_after FROM stage WHERE epoch_after < epoch_known"
    ),
    "the history of a stage has no gap": (
        CHANGES + "SELECT submission_id, stage, state_known, before, after FROM stage"
        " WHERE operation <> 'INSERT' AND before IS DISTINCT FROM state_known"
    ),
    "a stage is handed out only when it is ready, or goes on at once with the stage that readied it": (
        CHANGES + "SELECT submission_id, stage, before, after, epoch_before, epoch_after FROM stage"
        " WHERE operation = 'UPDATE' AND epoch_after <> epoch_before AND NOT ("
        " (before = 'ready' AND after = 'running')"
        " OR (before = 'waiting' AND after IN ('done', 'degraded', 'dead', 'ready') AND EXISTS ("
        "   SELECT FROM stage s WHERE s.submission_id = stage.submission_id AND s.xact = stage.xact"
        "   AND s.before = 'running' AND s.after IN ('done', 'degraded'))))"
    ),
    "each handing-out has the next epoch": (
        CHANGES + "SELECT submission_id, stage, before, after, epoch_before, epoch_after FROM stage"
        " WHERE operation = 'UPDATE' AND epoch_after <> epoch_before"
        " + (after = 'running' OR before = 'waiting' AND after IN ('done', 'degraded'))::int"
        " AND NOT (before = 'waiting' AND after IN ('dead', 'ready') AND epoch_after = epoch_before + 1)"
    ),
    "a lease does not change hands while it lives": (
        CHANGES + "SELECT submission_id, stage, worker_before, worker_after FROM stage"
        " WHERE before = 'running' AND after = 'running'"
    ),
    "only the epoch that runs is ended": (
        CHANGES + "SELECT submission_id, stage, before, after, epoch_before, epoch_after FROM stage"
        " WHERE before = 'running' AND epoch_after <> epoch_before"
    ),
    "a final stage stays as it is": (
        CHANGES + "SELECT submission_id, stage, before, after FROM stage WHERE before = ANY(:final_states)"
    ),
    "a final submission stays as it is": (
        CHANGES + "SELECT submission_id, before, after FROM history"
        " WHERE kind = 'submission' AND before = ANY(:final_statuses) AND after IS DISTINCT FROM before"
    ),
    "versions of a submission grow by one": (
        CHANGES + "SELECT submission_id, epoch_before, epoch_after FROM history"
        " WHERE kind = 'submission' AND operation = 'UPDATE' AND epoch_after <> epoch_before + 1"
    ),
    "a result is stored in the transaction that ends its stage, by whoever holds the lease, and never changed": (
        CHANGES + "SELECT r.submission_id, r.stage, r.operation FROM history r WHERE r.kind = 'result' AND ("
        " r.operation <> 'INSERT'"
        " OR NOT EXISTS (SELECT FROM stage s WHERE s.submission_id = r.submission_id AND s.stage = r.stage"
        "   AND s.xact = r.xact AND s.after IN ('done', 'degraded'))"
        " OR NOT EXISTS (SELECT FROM stage s WHERE s.submission_id = r.submission_id AND s.xact = r.xact"
        "   AND s.before = 'running' AND s.after IN ('done', 'degraded')))"
    ),
    "nothing is deleted": (
        CHANGES + "SELECT submission_id, kind, stage FROM history WHERE operation = 'DELETE'"
    ),
}  # fmt: skip

FIRST_FINAL_AFTER: Final = """
SELECT extract(epoch FROM min(at))::float AS at FROM chaos_history
WHERE tenant_id = :tenant_id AND kind = 'submission' AND after = ANY(:final_statuses) AND at > to_timestamp(:moment)
"""
LAST_FINAL_OF_EARLIER: Final = """
SELECT extract(epoch FROM max(h.at))::float AS at FROM chaos_history h
JOIN submissions s ON s.tenant_id = h.tenant_id AND s.id = h.submission_id
WHERE h.tenant_id = :tenant_id AND h.kind = 'submission' AND h.after = ANY(:final_statuses)
  AND s.created_at <= to_timestamp(:moment)
"""
FINALS: Final = {
    "final_states": sorted(state.value for state in {*SUCCEEDED_STATES, StageState.DEAD, StageState.CANCELLED}),
    "final_statuses": sorted(status.value for status in FINAL_STATUSES),
}


async def install(engine: AsyncEngine) -> None:
    """Begin to keep history."""
    async with transaction(engine) as connection:
        await connection.exec_driver_sql(INSTALL)


async def broken_rules(engine: AsyncEngine, tenant_id: int) -> list[str]:
    """What a tenant's history has against the rules: a sentence each."""
    found = []
    for rule, sql in RULES.items():
        wanted = {name: values for name, values in FINALS.items() if f":{name}" in sql}
        rows = await query(engine, sql, tenant_id=tenant_id, **wanted)
        found += [f"{rule}: {tuple(map(str, row))}" for row in rows]
    return found


async def first_final_after(engine: AsyncEngine, tenant_id: int, moment: float) -> float | None:
    """When the first submission became final after a moment; None if none did yet."""
    return await _moment(engine, FIRST_FINAL_AFTER, tenant_id, moment)


async def last_final_of_earlier(engine: AsyncEngine, tenant_id: int, moment: float) -> float | None:
    """When the last of those that had been accepted by a moment became final."""
    return await _moment(engine, LAST_FINAL_OF_EARLIER, tenant_id, moment)


async def _moment(engine: AsyncEngine, sql: str, tenant_id: int, moment: float) -> float | None:
    statuses = FINALS["final_statuses"]
    (row,) = await query(engine, sql, tenant_id=tenant_id, moment=moment, final_statuses=statuses)
    return float(row.at) if row.at is not None else None
