"""Storing a hand-in and reading a submission."""

from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb
from uuid_utils.compat import uuid7

from benchmarks.peers.coursework.hand_in import HandIn
from benchmarks.peers.coursework.shown import StageOut, SubmissionOut
from benchmarks.peers.coursework.tables import STAGES
from benchmarks.peers.coursework.values import now
from benchmarks.peers.plain_sql import statements
from benchmarks.peers.plain_sql.talking import Ask, Work


def store(given: HandIn) -> Work[SubmissionOut]:
    """Write a hand-in as rows, its first stage ready; the submission as it is then."""
    id_, moment = uuid7(), now()
    context = (given.locale, given.career_goal, given.industry)
    yield Ask(statements.STORE_SUBMISSION, (id_, given.learner_id, given.assignment_id, *context, moment, moment))
    yield Ask(
        statements.STORE_ANSWERS,
        [
            (id_, place, one.question_id, Jsonb(one.response), one.response_time_ms, one.confidence)
            for place, one in enumerate(given.answers)
        ],
    )
    yield Ask(statements.STORE_STAGES, [(id_, stage, *first_state(stage, moment)) for stage in STAGES])
    return SubmissionOut(
        id=id_,
        status="pending",
        learner_id=given.learner_id,
        assignment_id=given.assignment_id,
        created_at=moment,
        updated_at=moment,
        completed_at=None,
        stages={
            stage: StageOut(state=state, attempts=0, queued_at=queued_at, started_at=None, finished_at=None)
            for stage in STAGES
            for state, queued_at in [first_state(stage, moment)]
        },
        score=None,
        feedback=None,
        recommendations=None,
    )


def first_state(stage: str, moment: Any) -> tuple[str, Any]:
    return ("ready", moment) if stage == STAGES[0] else ("waiting", None)


def read(submission_id: UUID) -> Work[SubmissionOut | None]:
    """A submission as it stands."""
    found = yield Ask(statements.READ_SUBMISSION, (submission_id,))
    if not found:
        return None
    stages = yield Ask(statements.READ_STAGES, (submission_id,))
    results = yield Ask(statements.READ_RESULTS, (submission_id,))
    bodies = {row.stage: row.body for row in results}
    row = found[0]
    return SubmissionOut(
        id=row.id,
        status=row.status,
        learner_id=row.learner_id,
        assignment_id=row.assignment_id,
        created_at=row.created_at,
        updated_at=row.updated_at,
        completed_at=row.completed_at,
        stages={run.stage: StageOut.model_validate(run, from_attributes=True) for run in stages},
        score=bodies.get("score"),
        feedback=bodies.get("feedback"),
        recommendations=bodies.get("recommend"),
    )


def put_question(question_id: str, body: dict[str, Any]) -> Work[None]:
    """Add a question to the bank or change it."""
    yield Ask(statements.PUT_QUESTION, (question_id, Jsonb(body)))
