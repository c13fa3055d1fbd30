"""The HTTP door: async endpoints."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from fastapi import FastAPI, HTTPException, Response

from benchmarks.peers.coursework.entrance import WITH_KEY, question_body
from benchmarks.peers.coursework.hand_in import HandIn, check_against
from benchmarks.peers.coursework.shown import SubmissionOut
from benchmarks.peers.coursework.tables import STAGES
from benchmarks.peers.plain_sql import submitting
from benchmarks.peers.plain_sql.talking import talk_async
from benchmarks.peers.procrastinate_only import tasks
from benchmarks.peers.procrastinate_only.database import bank, pool


@asynccontextmanager
async def pooled(_: FastAPI) -> AsyncIterator[None]:
    """Keep the pools open while requests are served."""
    await pool.open()
    async with tasks.app.open_async():
        yield
    await pool.close()


app = FastAPI(lifespan=pooled)


@app.get("/health/ready")
async def ready() -> dict[str, str]:
    """Say that requests are taken."""
    return {"status": "ready"}


@app.put("/v1/questions/{question_id}", dependencies=WITH_KEY)
async def put_question(question_id: str, raw: dict[str, Any]) -> dict[str, str]:
    """Add a question to the bank or change it."""
    async with pool.connection() as connection:
        await talk_async(connection, submitting.put_question(question_id, question_body(question_id, raw)))
    return {"id": question_id}


@app.post("/v1/submissions", status_code=202, dependencies=WITH_KEY)
async def hand_in(given: HandIn, response: Response) -> SubmissionOut:
    """Store a hand-in together with its first job."""
    check_against(bank.holding(answer.question_id for answer in given.answers).questions, given)
    async with pool.connection() as connection:
        submission = await talk_async(connection, submitting.store(given))
        await tasks.defer(connection, str(submission.id), STAGES[0])
    response.headers["Location"] = f"/v1/submissions/{submission.id}"
    return submission


@app.get("/v1/submissions/{submission_id}", dependencies=WITH_KEY)
async def show(submission_id: UUID) -> SubmissionOut:
    """Read a submission."""
    async with pool.connection() as connection:
        found = await talk_async(connection, submitting.read(submission_id))
    if found is None:
        raise HTTPException(404)
    return found
