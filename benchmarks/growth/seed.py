"""Many submissions at once, by SQL: copies of real ones, so that each row is what the pipeline itself writes.

A copy has its own id (UUIDv7), learner and times; answers, stages, results and attempts are the original's.
"""

from typing import Final

from benchmarks.growth.system import System

CHUNK: Final = 50_000
PER_LEARNER: Final = 4
COPIED_TABLES: Final = ("submissions", "answers", "stages", "results", "learners")

# The last submissions that went through the pipeline are the originals.
PREPARE = """
    CREATE TEMP TABLE IF NOT EXISTS originals AS
        SELECT row_number() OVER () - 1 AS place, id, tenant_id FROM (
            SELECT id, tenant_id FROM submissions WHERE status = 'completed' ORDER BY id DESC LIMIT 16) newest;
    CREATE TEMP TABLE IF NOT EXISTS copies (number bigint, id uuid, original uuid, tenant_id int, made_at timestamptz);
"""
NAME_COPIES = """
    INSERT INTO copies
    SELECT n, uuidv7(), o.id, o.tenant_id, clock_timestamp()
    FROM generate_series(%(first)s::bigint, %(last)s) AS n
    JOIN originals o ON o.place = n %% (SELECT count(*) FROM originals)
"""
SUBMISSIONS = """
    INSERT INTO submissions (tenant_id, id, learner_id, status, version, created_at, updated_at, completed_at)
    SELECT c.tenant_id, c.id, %(name)s || c.number / %(per_learner)s, %(status)s, %(version)s, c.made_at, c.made_at,
        CASE WHEN %(status)s = 'completed' THEN c.made_at END
    FROM copies c ORDER BY c.number
"""
LEARNERS = """
    INSERT INTO learners (tenant_id, id)
    SELECT DISTINCT c.tenant_id, %(name)s || c.number / %(per_learner)s FROM copies c
    ON CONFLICT DO NOTHING
"""
ANSWERS = """
    INSERT INTO answers (submission_id, position, tenant_id, version_key, response, response_time_ms, confidence)
    SELECT c.id, a.position, a.tenant_id, a.version_key, a.response, a.response_time_ms, a.confidence
    FROM copies c JOIN answers a ON a.submission_id = c.original ORDER BY c.number, a.position
"""
RESULTS = """
    INSERT INTO results (submission_id, stage, tenant_id, body, created_at)
    SELECT c.id, r.stage, r.tenant_id, r.body, c.made_at
    FROM copies c JOIN results r ON r.submission_id = c.original
    WHERE r.stage = ANY(%(results)s) ORDER BY c.number
"""
HANDED_IN = """
    INSERT INTO stages (submission_id, stage, tenant_id, state, available_at, queued_at)
    SELECT c.id, f.stage, c.tenant_id, f.state, CASE WHEN f.state = 'ready' THEN c.made_at END,
        CASE WHEN f.state = 'ready' THEN c.made_at END
    FROM copies c CROSS JOIN (VALUES ('score', 'ready'), ('feedback', 'waiting'), ('recommend', 'waiting'),
        ('metrics', 'waiting')) AS f(stage, state)
    ORDER BY c.number
"""
RETRYING = """
    INSERT INTO stages (submission_id, stage, tenant_id, state, attempts, epoch, available_at, queued_at, started_at,
        finished_at)
    SELECT c.id, f.stage, c.tenant_id, f.state, f.attempts, f.attempts,
        CASE WHEN f.state = 'ready' THEN c.made_at + interval '1 day' END,
        CASE WHEN f.state <> 'waiting' THEN c.made_at END, CASE WHEN f.attempts > 0 THEN c.made_at END,
        CASE WHEN f.state = 'done' THEN c.made_at END
    FROM copies c CROSS JOIN (VALUES ('score', 'done', 1), ('feedback', 'ready', 1), ('recommend', 'done', 1),
        ('metrics', 'waiting', 0)) AS f(stage, state, attempts)
    ORDER BY c.number
"""
COMPLETED = """
    INSERT INTO stages (submission_id, stage, tenant_id, state, attempts, epoch, queued_at, started_at, finished_at)
    SELECT c.id, t.stage, t.tenant_id, t.state, t.attempts, t.epoch, c.made_at, c.made_at, c.made_at
    FROM copies c JOIN stages t ON t.submission_id = c.original ORDER BY c.number
"""


def hand_in_copies(system: System, number: int, name: str) -> list[str]:
    """So many submissions just handed in, whose `score` is ready and not rung; their ids, oldest first."""
    return copy(system, number, name, "pending", 1, HANDED_IN, [])


def put_off_copies(system: System, number: int, name: str) -> list[str]:
    """So many submissions whose `feedback` failed once and is to be tried again tomorrow; their ids."""
    return copy(system, number, name, "ai_processing", 3, RETRYING, ["score", "recommend"])


def complete_copies(system: System, number: int, name: str) -> list[str]:
    """So many completed submissions; their ids."""
    return copy(system, number, name, "completed", 3, COMPLETED, ["score", "feedback", "recommend"])


def settle(system: System) -> None:
    """Vacuum and analyse what was copied, as autovacuum does all along where so much comes in its own time."""
    for name in COPIED_TABLES:
        system.database.execute(f"VACUUM (ANALYZE) {name}".encode())


def copy(
    system: System, number: int, name: str, status: str, version: int, stages: str, results: list[str]
) -> list[str]:
    """Copies in chunks of one transaction each."""
    database = system.database
    database.execute(PREPARE.encode())
    ids: list[str] = []
    values = {"name": f"{name}-", "per_learner": PER_LEARNER, "status": status, "version": version, "results": results}
    for first in range(0, number, CHUNK):
        with database.transaction():
            database.execute(b"TRUNCATE copies")
            database.execute(NAME_COPIES.encode(), {"first": first, "last": min(first + CHUNK, number) - 1})
            for sql in (SUBMISSIONS, LEARNERS, ANSWERS, RESULTS, stages):
                database.execute(sql.encode(), values)
            ids += [row[0] for row in database.execute(b"SELECT id::text FROM copies ORDER BY number")]
    return ids
