"""Accepting submissions: many in one statement, each kept whole or not at all."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from pipeline import telemetry
from pipeline.lifecycle import Stage, StageState, Status, first_states
from pipeline.model import JsonValue, NewSubmission
from pipeline.ports import Acceptance, Accepted, Repeated, Stale
from pipeline.store.engine import as_json, statement

log = structlog.get_logger()

# One statement for the whole batch. `current` holds the submissions whose questions are all still at the
# version they were checked against; a repeated idempotency key inserts nothing and is looked up afterwards.
INSERT = text(
    """
    WITH input AS (
        SELECT * FROM jsonb_to_recordset(CAST(:submissions AS jsonb)) AS s(
            id uuid, tenant_id int, learner_id text, assignment_id text, locale text, career_goal text,
            industry text, priority text, retry_feedback boolean, callback_url text, metadata jsonb,
            submitted_at timestamptz, idempotency_key text, fingerprint text)
    ), answer AS (
        SELECT * FROM jsonb_to_recordset(CAST(:answers AS jsonb)) AS a(
            submission_id uuid, position smallint, tenant_id int, question_id text, version_key bigint,
            response jsonb, response_time_ms int, confidence smallint)
    ), stale AS (
        SELECT a.submission_id, array_agg(a.question_id) AS question_ids
        FROM answer a
        LEFT JOIN questions q ON q.tenant_id = a.tenant_id AND q.id = a.question_id
        WHERE q.version_key IS DISTINCT FROM a.version_key
        GROUP BY a.submission_id
    ), inserted AS (
        INSERT INTO submissions (id, tenant_id, learner_id, assignment_id, status, version, locale, career_goal,
            industry, priority, retry_feedback, callback_url, metadata, submitted_at, idempotency_key, fingerprint)
        SELECT id, tenant_id, learner_id, assignment_id, :status, 1, locale, career_goal, industry, priority,
            retry_feedback, callback_url, metadata, submitted_at, idempotency_key, decode(fingerprint, 'hex')
        FROM input i
        WHERE NOT EXISTS (SELECT FROM stale WHERE stale.submission_id = i.id)
        ORDER BY tenant_id, idempotency_key, id
        ON CONFLICT (tenant_id, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
        RETURNING id, tenant_id, learner_id, created_at
    ), stored_answers AS (
        INSERT INTO answers (submission_id, position, tenant_id, version_key, response, response_time_ms, confidence)
        SELECT a.submission_id, a.position, a.tenant_id, a.version_key, a.response,
            a.response_time_ms, a.confidence
        FROM answer a JOIN inserted i ON i.id = a.submission_id
    ), stored_stages AS (
        INSERT INTO stages (submission_id, stage, tenant_id, state, available_at, queued_at)
        SELECT i.id, f.stage, i.tenant_id, f.state,
            CASE WHEN f.state = 'ready' THEN i.created_at END, CASE WHEN f.state = 'ready' THEN i.created_at END
        FROM inserted i CROSS JOIN jsonb_to_recordset(CAST(:first_states AS jsonb)) AS f(stage text, state text)
    ), stored_learners AS (
        INSERT INTO learners (tenant_id, id)
        SELECT DISTINCT tenant_id, learner_id FROM inserted i
        WHERE NOT EXISTS (SELECT FROM learners l WHERE (l.tenant_id, l.id) = (i.tenant_id, i.learner_id))
        ORDER BY tenant_id, learner_id
        ON CONFLICT DO NOTHING
    )
    SELECT i.id::text AS id, inserted.created_at, stale.question_ids
    FROM input i LEFT JOIN inserted ON inserted.id = i.id LEFT JOIN stale ON stale.submission_id = i.id
    """
)

FIND_REPEATED = text(
    """
    SELECT i.id AS new_id, s.id::text AS id, encode(s.fingerprint, 'hex') = i.fingerprint AS same_body
    FROM jsonb_to_recordset(CAST(:keys AS jsonb)) AS i(id text, tenant_id int, idempotency_key text, fingerprint text)
    JOIN submissions s ON s.tenant_id = i.tenant_id AND s.idempotency_key = i.idempotency_key
    """
)

FIRST_STATES = as_json([{"stage": stage, "state": state} for stage, state in first_states().items()])
READY_AT_FIRST: tuple[Stage, ...] = tuple(s for s, state in first_states().items() if state is StageState.READY)


class SubmissionRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """A submission as the statement reads it. What is not known is left out: most of it mostly is."""

    id: str
    tenant_id: int
    learner_id: str
    assignment_id: str | None = None
    locale: str | None = None
    career_goal: str | None = None
    industry: str | None = None
    priority: str | None = None
    retry_feedback: bool | None = None
    callback_url: str | None = None
    metadata: Mapping[str, JsonValue] | None = None
    submitted_at: datetime | None = None
    idempotency_key: str | None = None
    fingerprint: str | None = None


class AnswerRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """An answer as the statement reads it."""

    submission_id: str
    position: int
    tenant_id: int
    question_id: str
    version_key: int
    response: JsonValue = None
    response_time_ms: int | None = None
    confidence: int | None = None


def submission_row(submission: NewSubmission) -> SubmissionRow:
    return SubmissionRow(
        id=submission.id,
        tenant_id=submission.tenant_id,
        learner_id=submission.learner_id,
        assignment_id=submission.assignment_id,
        locale=submission.context.locale,
        career_goal=submission.context.career_goal,
        industry=submission.context.industry,
        priority=submission.priority if submission.priority != "normal" else None,
        retry_feedback=submission.retry_feedback or None,
        callback_url=submission.callback_url,
        metadata=submission.metadata or None,
        submitted_at=submission.submitted_at,
        idempotency_key=submission.idempotency_key,
        fingerprint=submission.fingerprint.hex() if submission.fingerprint else None,
    )


def answer_rows(submission: NewSubmission) -> list[AnswerRow]:
    return [
        AnswerRow(
            submission_id=submission.id,
            position=position,
            tenant_id=submission.tenant_id,
            question_id=answer.question_id,
            version_key=answer.version_key,
            response=answer.response,
            response_time_ms=answer.response_time_ms,
            confidence=answer.confidence,
        )
        for position, answer in enumerate(submission.answers)
    ]


class IntakeStore:
    """Postgres as the port `pipeline.ports.IntakeStore`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def find(self, submission: NewSubmission) -> Repeated | None:
        """The earlier submission with this one's idempotency key, if there is one."""
        async with statement(self._engine) as connection:
            return (await _find_repeated(connection, [submission])).get(submission.id)

    async def accept(self, batch: Sequence[NewSubmission]) -> list[Acceptance]:
        """Commit a batch in one transaction; one answer per submission, in order."""
        return await accept(self._engine, batch)


async def accept(engine: AsyncEngine, batch: Sequence[NewSubmission]) -> list[Acceptance]:
    """Commit a batch in one statement, which is a transaction by itself; one answer per submission, in order."""
    async with statement(engine) as connection:
        rows = await connection.execute(
            INSERT,
            {
                "submissions": as_json([submission_row(s) for s in batch]),
                "answers": as_json([row for s in batch for row in answer_rows(s)]),
                "first_states": FIRST_STATES,
                "status": Status.PENDING,
            },
        )
        found: dict[str, Acceptance] = {}
        for row in rows:
            if row.created_at is not None:
                found[row.id] = Accepted(row.created_at)
            elif row.question_ids is not None:
                found[row.id] = Stale(tuple(row.question_ids))
        if left := [s for s in batch if s.id not in found]:
            found.update(await _repeated_if_readable(connection, left))
    # Neither stored nor found: it may try again.
    return [found.get(s.id, Stale(())) for s in batch]


async def _repeated_if_readable(connection: AsyncConnection, left: Sequence[NewSubmission]) -> dict[str, Repeated]:
    """The earlier ones of these. Their neighbours are stored by now, so no failure here may be theirs too."""
    try:
        return await _find_repeated(connection, left)
    except DBAPIError as error:
        log.warning(telemetry.LOOK_UP_FAILED, submissions=len(left), error=type(error).__name__)
        return {}


async def _find_repeated(connection: AsyncConnection, left: Sequence[NewSubmission]) -> dict[str, Repeated]:
    keys = [
        {
            "id": s.id,
            "tenant_id": s.tenant_id,
            "idempotency_key": s.idempotency_key,
            "fingerprint": s.fingerprint.hex() if s.fingerprint else None,
        }
        for s in left
    ]
    rows = await connection.execute(FIND_REPEATED, {"keys": as_json(keys)})
    return {row.new_id: Repeated(row.id, row.same_body) for row in rows}
