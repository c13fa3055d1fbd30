"""What HTTP gives: the submission as far as it is known, in Gradeline's shape."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel


class StageOut(BaseModel):
    """One stage as it stands."""

    state: str
    attempts: int
    queued_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None


class SubmissionOut(BaseModel):
    """A submission as it stands; parts that are not known yet are null."""

    id: UUID
    status: str
    learner_id: str
    assignment_id: str | None
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None
    stages: dict[str, StageOut]
    score: dict[str, Any] | None
    feedback: dict[str, Any] | None
    recommendations: dict[str, Any] | None
