"""The shapes of what is answered as ready-made JSON (built in `pipeline/service/view.py`), for the OpenAPI document."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal

import msgspec

from pipeline.lifecycle import Stage, StageState, Status
from pipeline.model import JsonValue, Outcome
from pipeline.prompting.feedback import Feedback
from pipeline.service.advice import Advice


class StageDocument(msgspec.Struct, frozen=True):
    """One stage of a submission. `attempts` counts the tries of this round; `error` is why it is dead or waits."""

    state: StageState
    attempts: int
    queued_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    error: str | None


class SettledDocument(msgspec.Struct, frozen=True):
    """Who decided what an answer is worth (a key, by its role and name), when, and in which words."""

    by: str
    at: datetime
    comment: str | None


class ScoredAnswerDocument(msgspec.Struct, frozen=True):
    """How one answer was scored.

    `fraction` is in [0, 1], `points` is its share of `max_points`; both are null where no rule can say (an
    essay), which `needs_review` tells. `rule` names the rule and its version; where a person decided, `settled` says
    so.
    """

    question_id: str
    question_version: int
    outcome: Outcome
    fraction: float | None
    points: float | None
    max_points: float
    rule: str
    explanation: str | None
    settled: SettledDocument | msgspec.UnsetType = msgspec.UNSET


class ScoreDocument(msgspec.Struct, frozen=True):
    """The score of a submission; `provisional` where an answer still needs a person's review."""

    points: float
    max_points: float
    fraction: float
    provisional: bool
    answers: tuple[ScoredAnswerDocument, ...]


class SubmissionDocument(msgspec.Struct, frozen=True):
    """A submission as it stands; score, feedback and recommendations appear as they become known.

    `version` grows with every change. Times are in UTC.
    """

    id: str
    status: Status
    version: int
    learner_id: str
    assignment_id: str | None
    locale: str | None
    career_goal: str | None
    industry: str | None
    priority: Literal["low", "normal", "high"]
    retry_feedback: bool
    callback_url: str | None
    metadata: Mapping[str, JsonValue]
    submitted_at: datetime | None
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None
    stages: Mapping[Stage, StageDocument]
    score: ScoreDocument | msgspec.UnsetType = msgspec.UNSET
    feedback: Feedback | msgspec.UnsetType = msgspec.UNSET
    recommendations: Advice | msgspec.UnsetType = msgspec.UNSET


SUBMISSION_IN_EXAMPLE: Final[Mapping[str, Any]] = {
    "learner_id": "u-17",
    "assignment_id": "hw-3",
    "locale": "ko",
    "answers": [{"question_id": "py-loops-1", "response": "b", "response_time_ms": 5300, "confidence": 4}],
}

SUBMISSION_EXAMPLE: Final[Mapping[str, Any]] = {
    "id": "019abc5e-77a1-7c3e-9d5b-2f8a61c04e11",
    "status": "ai_processing",
    "version": 4,
    "learner_id": "u-17",
    "assignment_id": "hw-3",
    "locale": "ko",
    "career_goal": None,
    "industry": None,
    "priority": "normal",
    "retry_feedback": False,
    "callback_url": None,
    "metadata": {},
    "submitted_at": None,
    "created_at": "2026-03-02T09:00:00.000000Z",
    "updated_at": "2026-03-02T09:00:00.041000Z",
    "completed_at": None,
    "stages": {
        "score": {
            "state": "done",
            "attempts": 1,
            "queued_at": "2026-03-02T09:00:00.000000Z",
            "started_at": "2026-03-02T09:00:00.006000Z",
            "finished_at": "2026-03-02T09:00:00.011000Z",
            "error": None,
        },
        "feedback": {
            "state": "running",
            "attempts": 1,
            "queued_at": "2026-03-02T09:00:00.011000Z",
            "started_at": "2026-03-02T09:00:00.041000Z",
            "finished_at": None,
            "error": None,
        },
        "recommend": {
            "state": "ready",
            "attempts": 0,
            "queued_at": "2026-03-02T09:00:00.011000Z",
            "started_at": None,
            "finished_at": None,
            "error": None,
        },
        "metrics": {
            "state": "waiting",
            "attempts": 0,
            "queued_at": None,
            "started_at": None,
            "finished_at": None,
            "error": None,
        },
    },
    "score": {
        "points": 1.0,
        "max_points": 1.0,
        "fraction": 1.0,
        "provisional": False,
        "answers": [
            {
                "question_id": "py-loops-1",
                "question_version": 2,
                "outcome": "correct",
                "fraction": 1.0,
                "points": 1.0,
                "max_points": 1.0,
                "rule": "single_choice/1",
                "explanation": "`range(3)` counts 0, 1, 2.",
            }
        ],
    },
}

SETTLED_EXAMPLE: Final[Mapping[str, Any]] = {
    **SUBMISSION_EXAMPLE,
    "status": "completed",
    "version": 7,
    "updated_at": "2026-03-03T08:00:00.000000Z",
    "completed_at": "2026-03-02T09:00:01.000000Z",
    "stages": {
        stage: {
            "state": "done",
            "attempts": 1,
            "queued_at": "2026-03-02T09:00:00.000000Z",
            "started_at": "2026-03-02T09:00:00.006000Z",
            "finished_at": "2026-03-02T09:00:01.000000Z",
            "error": None,
        }
        for stage in Stage
    },
    "score": {
        "points": 3.5,
        "max_points": 5.0,
        "fraction": 0.7,
        "provisional": False,
        "answers": [
            {
                "question_id": "api-essay",
                "question_version": 1,
                "outcome": "partial",
                "fraction": 0.7,
                "points": 3.5,
                "max_points": 5.0,
                "rule": "essay/1",
                "settled": {
                    "by": "key:019abc5e-77a1-7c3e-9d5b-2f8a61c04e22",
                    "at": "2026-03-03T08:00:00.000000Z",
                    "comment": "Clear, but the example is missing.",
                },
                "explanation": None,
            }
        ],
    },
}
