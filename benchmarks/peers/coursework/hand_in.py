"""What comes in by HTTP, checked as FastAPI teams check it, and against the question bank."""

from collections.abc import Mapping
from typing import Any

from fastapi import HTTPException
from pydantic import BaseModel, ConfigDict, Field

from pipeline.model import Question
from pipeline.scoring.shape import check_response


class AnswerIn(BaseModel):
    """One answer of a hand-in."""

    model_config = ConfigDict(extra="forbid")

    question_id: str = Field(min_length=1, max_length=200)
    response: Any = None
    response_time_ms: int | None = Field(default=None, ge=0, le=86_400_000)
    confidence: int | None = Field(default=None, ge=1, le=5)


class HandIn(BaseModel):
    """A hand-in as clients send it."""

    model_config = ConfigDict(extra="forbid")

    learner_id: str = Field(min_length=1, max_length=200)
    assignment_id: str | None = Field(default=None, max_length=200)
    locale: str | None = Field(default=None, max_length=35)
    career_goal: str | None = Field(default=None, max_length=100)
    industry: str | None = Field(default=None, max_length=100)
    answers: list[AnswerIn] = Field(min_length=1, max_length=200)


def check_against(bank: Mapping[str, Question], given: HandIn) -> None:
    """Raise 422 with every answer that the bank does not know or cannot take."""
    problems = []
    for i, answer in enumerate(given.answers):
        question = bank.get(answer.question_id)
        if question is None:
            problems.append({"pointer": f"/answers/{i}/question_id", "detail": "There is no question with this id."})
            continue
        problems += [
            {"pointer": f"/answers/{i}/response{problem.pointer}", "detail": problem.detail}
            for problem in check_response(question, answer.response)
        ]
    if problems:
        raise HTTPException(422, problems)
