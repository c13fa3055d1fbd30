"""The HTTP door: plain `def` endpoints on FastAPI's threads, a session per request."""

from collections.abc import Iterator
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, FastAPI, HTTPException, Response
from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession
from sqlalchemy.orm import selectinload
from uuid_utils.compat import uuid7

from benchmarks.peers.celery_orm.database import Session, bank
from benchmarks.peers.celery_orm.tasks import grade
from benchmarks.peers.coursework.entrance import WITH_KEY, question_body
from benchmarks.peers.coursework.hand_in import HandIn, check_against
from benchmarks.peers.coursework.shown import StageOut, SubmissionOut
from benchmarks.peers.coursework.tables import STAGES, AnswerRow, QuestionRow, StageRow, SubmissionRow
from benchmarks.peers.coursework.values import now


def opened() -> Iterator[OrmSession]:
    """A session for one request."""
    with Session() as session:
        yield session


app = FastAPI()
Opened = Annotated[OrmSession, Depends(opened)]


@app.get("/health/ready")
def ready() -> dict[str, str]:
    """Say that requests are taken."""
    return {"status": "ready"}


@app.put("/v1/questions/{question_id}", dependencies=WITH_KEY)
def put_question(question_id: str, raw: dict[str, Any], session: Opened) -> dict[str, str]:
    """Add a question to the bank or change it."""
    session.merge(QuestionRow(id=question_id, version=1, body=question_body(question_id, raw)))
    session.commit()
    return {"id": question_id}


@app.post("/v1/submissions", status_code=202, dependencies=WITH_KEY)
def hand_in(given: HandIn, session: Opened, response: Response) -> SubmissionOut:
    """Store a hand-in, then start its chain of tasks."""
    check_against(bank.holding(answer.question_id for answer in given.answers).questions, given)
    submission = submission_row(given)
    session.add(submission)
    session.commit()
    grade(submission.id)
    response.headers["Location"] = f"/v1/submissions/{submission.id}"
    return shown(submission)


@app.get("/v1/submissions/{submission_id}", dependencies=WITH_KEY)
def show(submission_id: UUID, session: Opened) -> SubmissionOut:
    """Read a submission."""
    found = session.scalar(
        select(SubmissionRow)
        .where(SubmissionRow.id == submission_id)
        .options(selectinload(SubmissionRow.stages), selectinload(SubmissionRow.results))
    )
    if found is None:
        raise HTTPException(404)
    return shown(found)


def submission_row(given: HandIn) -> SubmissionRow:
    """A hand-in as rows, its first stage ready."""
    moment = now()
    return SubmissionRow(
        id=uuid7(),
        learner_id=given.learner_id,
        assignment_id=given.assignment_id,
        status="pending",
        locale=given.locale,
        career_goal=given.career_goal,
        industry=given.industry,
        created_at=moment,
        updated_at=moment,
        answers=[AnswerRow(position=place, **answer.model_dump()) for place, answer in enumerate(given.answers)],
        stages=[
            StageRow(
                stage=stage,
                state="ready" if stage == STAGES[0] else "waiting",
                attempts=0,
                queued_at=moment if stage == STAGES[0] else None,
            )
            for stage in STAGES
        ],
        results=[],
    )


def shown(submission: SubmissionRow) -> SubmissionOut:
    """A submission as HTTP gives it."""
    bodies = {result.stage: result.body for result in submission.results}
    return SubmissionOut(
        id=submission.id,
        status=submission.status,
        learner_id=submission.learner_id,
        assignment_id=submission.assignment_id,
        created_at=submission.created_at,
        updated_at=submission.updated_at,
        completed_at=submission.completed_at,
        stages={run.stage: StageOut.model_validate(run, from_attributes=True) for run in submission.stages},
        score=bodies.get("score"),
        feedback=bodies.get("feedback"),
        recommendations=bodies.get("recommend"),
    )
