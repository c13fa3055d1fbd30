"""The frozen values that stages, stores and doors hand to each other."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

import msgspec

from pipeline.lifecycle import Stage, StageState, Status

JsonValue = Any  # what json.loads may return: the one place where untyped data is let in


POINT_DECIMALS: Final = 4


class Outcome(StrEnum):
    """How an answer was judged."""

    CORRECT = "correct"
    PARTIAL = "partial"
    INCORRECT = "incorrect"
    NEEDS_REVIEW = "needs_review"
    UNANSWERED = "unanswered"


class Settlement(msgspec.Struct, frozen=True):
    """A person's decision on an answer that no rule could judge: whose, when, and in which words, if any.

    `estimate` is the fraction that the rule had guessed, None where it had none.
    """

    by: str
    at: datetime
    comment: str | None
    estimate: float | None


class AnswerScore(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a scoring rule says of one answer, or a person where `settled` tells so.

    `fraction` is in [0, 1], or None where the rule cannot estimate one (an essay); `points` is
    `fraction × max_points` rounded to 4 decimals, None with it. `rule` names the rule and its version.
    """

    outcome: Outcome
    fraction: float | None
    points: float | None
    max_points: float
    rule: str
    settled: Settlement | None = None

    @property
    def ruled(self) -> "AnswerScore":
        """What the rule had said before anybody decided."""
        if self.settled is None:
            return self
        estimate = self.settled.estimate
        points = None if estimate is None else points_of(estimate, self.max_points)
        return AnswerScore(Outcome.NEEDS_REVIEW, estimate, points, self.max_points, self.rule)


def points_of(fraction: float, max_points: float) -> float:
    """What a fraction is worth."""
    return round(fraction * max_points, POINT_DECIMALS)


class Question(msgspec.Struct, frozen=True):
    """One version of a question of the bank.

    `answer` is the key in its JSON form, already validated for `type`; `options` are `{"id", "text"}`
    in the order shown; `difficulty` is 1 (easy) to 5 (hard); `language` is a BCP 47 tag.
    """

    id: str
    version: int
    type: str
    prompt: str
    answer: Mapping[str, JsonValue]
    points: float = 1.0
    difficulty: int = 3
    topics: tuple[str, ...] = ()
    options: tuple[Mapping[str, str], ...] = ()
    module: str | None = None
    language: str = "en"
    explanation: str | None = None
    industry: str | None = None
    tags: tuple[str, ...] = ()
    hide_solution: bool = False
    """True where feedback must not reveal the solution."""


class Answer(msgspec.Struct, frozen=True):
    """A learner's answer to one question version, as it was handed in."""

    question: Question
    response: JsonValue = None
    response_time_ms: int | None = None
    confidence: int | None = None


class ScoredAnswer(msgspec.Struct, frozen=True):
    """An answer together with what its rule said of it."""

    answer: Answer
    score: AnswerScore


class LearnerContext(msgspec.Struct, frozen=True):
    """What a submission says about who is learning and for what; each part may be unknown."""

    locale: str | None = None
    career_goal: str | None = None
    industry: str | None = None


class NewAnswer(msgspec.Struct, frozen=True):
    """An accepted answer on its way into the store; `version_key` is the question version it was checked against."""

    question_id: str
    question_version: int
    version_key: int
    response: JsonValue
    response_time_ms: int | None
    confidence: int | None


class NewSubmission(msgspec.Struct, frozen=True):
    """A checked hand-in on its way into the store."""

    id: str
    tenant_id: int
    learner_id: str
    assignment_id: str | None
    context: LearnerContext
    priority: str
    callback_url: str | None
    metadata: Mapping[str, JsonValue]
    submitted_at: datetime | None
    answers: tuple[NewAnswer, ...]
    idempotency_key: str | None = None
    fingerprint: bytes | None = None
    retry_feedback: bool = False


class Claim(msgspec.Struct, frozen=True):
    """The right to work on one stage of one submission until its lease ends.

    A result counts only while the stage is still running under this `epoch` and this worker.
    `attempt` is how many times it was handed out in this round, this one included; `solo` means that an
    earlier holder died, so it runs with no neighbours.
    """

    submission_id: str
    tenant_id: int
    epoch: int
    attempt: int
    solo: bool = False


class Work(msgspec.Struct, frozen=True):
    """Everything a stage needs to know of one submission, as of `loaded_at` by the store's clock.

    `scores` is empty before it is scored; `timings` tells of the stages that were handed out, where it is known.
    """

    submission_id: str
    tenant_id: int
    learner_id: str
    context: LearnerContext
    created_at: datetime
    handed_in_at: datetime
    loaded_at: datetime
    answers: tuple[Answer, ...]
    scores: tuple[AnswerScore, ...] = ()
    timings: tuple["StageTiming", ...] = ()

    @property
    def scored_answers(self) -> tuple[ScoredAnswer, ...]:
        """The answers with their scores as they are now."""
        return tuple(ScoredAnswer(a, s) for a, s in zip(self.answers, self.scores, strict=True))

    @property
    def ruled_answers(self) -> tuple[ScoredAnswer, ...]:
        """The answers with what the rules said of them: what is learnt when they are handed in.

        What a person decides later, or has decided by now, is learnt by itself.
        """
        return tuple(ScoredAnswer(a, s.ruled) for a, s in zip(self.answers, self.scores, strict=True))


class StageTiming(msgspec.Struct, frozen=True, array_like=True):
    """When a stage was queued, started and finished; None where it has not."""

    stage: Stage
    queued_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None


class Change(msgspec.Struct, frozen=True):
    """A submission's new version after something happened to it.

    `ready` are the stages that are to be rung for; `finished` are those that succeeded, and `followed` those
    that ran without having been rung for. `settled` where it is a person's decision on an answer.
    """

    submission_id: str
    tenant_id: int
    version: int
    status: Status
    ready: tuple[Stage, ...] = ()
    finished: tuple[Stage, ...] = ()
    followed: tuple[Stage, ...] = ()
    settled: bool = False


class Held(msgspec.Struct, frozen=True):
    """A submission under our lock: what it was before we touch it. `states` are those of all its stages."""

    submission_id: str
    tenant_id: int
    version: int
    status: Status
    states: dict[Stage, StageState]
    epochs: dict[Stage, int]
    attempts: dict[Stage, int]


class Recorded(msgspec.Struct, frozen=True):
    """What a write changed: new versions to publish, stages to ring, webhook deliveries to ring."""

    changes: tuple[Change, ...] = ()
    deliveries: tuple[str, ...] = ()


def merged(parts: Sequence[Recorded]) -> Recorded:
    """What several writes changed, as one."""
    return Recorded(
        changes=tuple(change for part in parts for change in part.changes),
        deliveries=tuple(delivery for part in parts for delivery in part.deliveries),
    )


class StoredQuestion(msgspec.Struct, frozen=True):
    """A question version with the keys the database knows it by."""

    version_key: int
    question_key: int
    tenant_id: int
    question: Question


class StageView(msgspec.Struct, frozen=True):
    """One stage as it is shown."""

    state: StageState
    attempts: int
    queued_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    error: str | None


class SubmissionView(msgspec.Struct, frozen=True):
    """A submission as it stands, with the question versions it was answered with and what stages stored.

    `topic_names` are what topics of its recommendations are called, in its language; those without a name are left out.
    """

    id: str
    tenant_id: int
    version: int
    status: Status
    learner_id: str
    assignment_id: str | None
    locale: str | None
    career_goal: str | None
    industry: str | None
    priority: str
    callback_url: str | None
    metadata: Mapping[str, JsonValue]
    submitted_at: datetime | None
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None
    stages: Mapping[Stage, StageView]
    questions: tuple[Question, ...]
    results: Mapping[str, Any]
    retry_feedback: bool = False
    topic_names: Mapping[str, str] = MappingProxyType({})


class Grant(msgspec.Struct, frozen=True):
    """What a caller's right rests on: an API key, and for a token that the key made its end too, in Unix seconds."""

    key_id: str
    ends_at: float | None = None


class Standing(msgspec.Struct, frozen=True):
    """Where a submission stands. `learner_id` is known where it was read from the store.

    `settled_version` is the newest version that came of a person's decision, where it is known that there is one.
    """

    submission_id: str
    tenant_id: int
    version: int
    status: Status
    learner_id: str | None = None
    settled_version: int | None = None


class Shown(msgspec.Struct, frozen=True):
    """A submission's document as JSON, and the version that it shows."""

    tenant_id: int
    version: int
    status: Status
    document: bytes


class Passage(msgspec.Struct, frozen=True):
    """What was told of the feedback on one answer while it was written.

    `marks` say after which sequence number how many bytes of `text` had been told; `began` is the number under which
    an earlier text was last taken back, 0 where none was.
    """

    question_id: str
    text: bytes
    marks: tuple[tuple[int, int], ...]
    began: int = 0

    @property
    def sequence(self) -> int:
        """The number of the last thing that happened to it."""
        return self.marks[-1][0] if self.marks else self.began


class Transcript(msgspec.Struct, frozen=True):
    """What was told of a submission's feedback so far; its numbers only grow, and begin after `start`."""

    submission_id: str
    tenant_id: int
    start: int
    sequence: int
    passages: tuple[Passage, ...]


class Piece(msgspec.Struct, frozen=True):
    """A piece of the feedback on one answer: text that goes behind what was told; None takes that back.

    Whoever has read it has read everything up to `sequence`.
    """

    submission_id: str
    question_id: str
    sequence: int
    text: str | None
