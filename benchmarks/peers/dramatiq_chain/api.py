"""The HTTP door: plain `def` endpoints on FastAPI's threads."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from fastapi import FastAPI, HTTPException, Response

from benchmarks.peers.coursework.entrance import WITH_KEY, question_body
from benchmarks.peers.coursework.hand_in import HandIn, check_against
from benchmarks.peers.coursework.shown import SubmissionOut
from benchmarks.peers.dramatiq_chain.actors import score
from benchmarks.peers.dramatiq_chain.database import bank, pool
from benchmarks.peers.plain_sql import submitting
from benchmarks.peers.plain_sql.talking import talk


@asynccontextmanager
async def pooled(_: FastAPI) -> AsyncIterator[None]:
    """Keep the pool open while requests are served."""
    pool.open()
    yield
    pool.close()


app = FastAPI(lifespan=pooled)


@app.get("/health/ready")
def ready() -> dict[str, str]:
    """Say that requests are taken."""
    return {"status": "ready"}


@app.put("/v1/questions/{question_id}", dependencies=WITH_KEY)
def put_question(question_id: str, raw: dict[str, Any]) -> dict[str, str]:
    """Add a question to the bank or change it."""
    with pool.connection() as connection:
        talk(connection, submitting.put_question(question_id, question_body(question_id, raw)))
    return {"id": question_id}


@app.post("/v1/submissions", status_code=202, dependencies=WITH_KEY)
def hand_in(given: HandIn, response: Response) -> SubmissionOut:
    """Store a hand-in, then send its first message."""
    check_against(bank.holding(answer.question_id for answer in given.answers).questions, given)
    with pool.connection() as connection:
        submission = talk(connection, submitting.store(given))
    score.send(str(submission.id))
    response.headers["Location"] = f"/v1/submissions/{submission.id}"
    return submission


@app.get("/v1/submissions/{submission_id}", dependencies=WITH_KEY)
def show(submission_id: UUID) -> SubmissionOut:
    """Read a submission."""
    with pool.connection() as connection:
        found = talk(connection, submitting.read(submission_id))
    if found is None:
        raise HTTPException(404)
    return found
