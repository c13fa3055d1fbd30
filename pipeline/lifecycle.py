"""The life of a stage and of a submission, as one table and a few pure functions.

Everything that moves state (SQL guards, executor, cancel, retry, drawing) speaks in these words.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Stage(StrEnum):
    """The four steps of a submission; each has a Dramatiq queue of the same name."""

    SCORE = "score"
    FEEDBACK = "feedback"
    RECOMMEND = "recommend"
    METRICS = "metrics"


class StageState(StrEnum):
    """Where one stage of one submission stands."""

    WAITING = "waiting"
    READY = "ready"
    RUNNING = "running"
    DONE = "done"
    DEGRADED = "degraded"
    DEAD = "dead"
    CANCELLED = "cancelled"


class Status(StrEnum):
    """Where a submission stands; always derived from its stages by `status_of`."""

    PENDING = "pending"
    SCORING = "scoring"
    AI_PROCESSING = "ai_processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Event(StrEnum):
    """What can happen to a stage."""

    PREDECESSORS_FINISHED = "predecessors_finished"
    CLAIMED = "claimed"
    SUCCEEDED = "succeeded"
    SUCCEEDED_WITH_LESS = "succeeded_with_less"
    POSTPONED = "postponed"
    GAVE_BACK = "gave_back"
    LEASE_LOST = "lease_lost"
    EXHAUSTED = "exhausted"
    CANCELLED = "cancelled"
    RETRIED = "retried"
    IMPROVED = "improved"


class IllegalTransition(Exception):
    """The table has no row for this state and event; the text names both."""


TRANSITIONS: Final[Mapping[tuple[StageState, Event], StageState]] = MappingProxyType(
    {
        (StageState.WAITING, Event.PREDECESSORS_FINISHED): StageState.READY,
        (StageState.WAITING, Event.CANCELLED): StageState.CANCELLED,
        (StageState.READY, Event.CLAIMED): StageState.RUNNING,
        (StageState.READY, Event.EXHAUSTED): StageState.DEAD,
        (StageState.READY, Event.CANCELLED): StageState.CANCELLED,
        (StageState.RUNNING, Event.SUCCEEDED): StageState.DONE,
        (StageState.RUNNING, Event.SUCCEEDED_WITH_LESS): StageState.DEGRADED,
        (StageState.RUNNING, Event.POSTPONED): StageState.READY,
        (StageState.RUNNING, Event.GAVE_BACK): StageState.READY,
        (StageState.RUNNING, Event.LEASE_LOST): StageState.READY,
        (StageState.RUNNING, Event.EXHAUSTED): StageState.DEAD,
        (StageState.RUNNING, Event.CANCELLED): StageState.CANCELLED,
        (StageState.DEGRADED, Event.IMPROVED): StageState.DONE,
        (StageState.DEAD, Event.RETRIED): StageState.READY,
        (StageState.DEAD, Event.CANCELLED): StageState.CANCELLED,
    }
)

EVENT_MEANING: Final[Mapping[Event, str]] = MappingProxyType(
    {
        Event.PREDECESSORS_FINISHED: "the last stage it waited for has succeeded",
        Event.CLAIMED: "a worker takes it: new epoch, one more attempt, a lease",
        Event.SUCCEEDED: "its result is stored",
        Event.SUCCEEDED_WITH_LESS: "a lesser result than asked for is stored, and says so",
        Event.POSTPONED: "it failed and will be tried again after a back-off",
        Event.GAVE_BACK: "its worker stops gracefully, or it waits for something; it is returned unharmed",
        Event.LEASE_LOST: "its worker died or fell silent; the sweeper takes it back",
        Event.EXHAUSTED: "no attempt is left, or the failure is final",
        Event.CANCELLED: "the client or an operator asked for it",
        Event.RETRIED: "somebody asked for another round of attempts",
        Event.IMPROVED: "what was asked for takes the place of the lesser result",
    }
)

SUCCESSORS: Final[Mapping[Stage, tuple[Stage, ...]]] = MappingProxyType(
    {
        Stage.SCORE: (Stage.FEEDBACK, Stage.RECOMMEND),
        Stage.FEEDBACK: (Stage.METRICS,),
        Stage.RECOMMEND: (Stage.METRICS,),
        Stage.METRICS: (),
    }
)

PREDECESSORS: Final[Mapping[Stage, tuple[Stage, ...]]] = MappingProxyType(
    {stage: tuple(before for before in Stage if stage in SUCCESSORS[before]) for stage in Stage}
)

SUCCEEDED_STATES: Final = frozenset({StageState.DONE, StageState.DEGRADED})
OPEN_STATES: Final = frozenset({StageState.WAITING, StageState.READY, StageState.RUNNING})
FINAL_STATUSES: Final = frozenset({Status.COMPLETED, Status.FAILED, Status.CANCELLED})

StageStates = Mapping[Stage, StageState]


def move(state: StageState, event: Event) -> StageState:
    """The state after `event`; raises `IllegalTransition` where the table has no row."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise IllegalTransition(f"a {state} stage cannot be {event}") from None


def sources(event: Event) -> tuple[StageState, ...]:
    """The states that `event` may leave, in table order; SQL guards are written from this."""
    return tuple(state for state, happened in TRANSITIONS if happened is event)


def first_states() -> dict[Stage, StageState]:
    """The states of a submission just accepted: stages with no predecessor are ready."""
    return {stage: StageState.WAITING if PREDECESSORS[stage] else StageState.READY for stage in Stage}


def status_of(stages: StageStates) -> Status:
    """The submission's status from its stages' states.

    A dead stage fails the submission at once, though others may still be finishing; cancelled stages
    mean the submission was cancelled; otherwise the score says how far it is.
    """
    states = set(stages.values())
    if StageState.DEAD in states:
        return Status.FAILED
    if StageState.CANCELLED in states:
        return Status.CANCELLED
    if states <= SUCCEEDED_STATES:
        return Status.COMPLETED
    if stages[Stage.SCORE] in SUCCEEDED_STATES:
        return Status.AI_PROCESSING
    return Status.SCORING if stages[Stage.SCORE] is StageState.RUNNING else Status.PENDING


def advance(stages: StageStates, stage: Stage, event: Event) -> dict[Stage, StageState]:
    """All states after `event` happened to `stage`; a successor waiting for nothing else becomes ready."""
    after = dict(stages)
    after[stage] = move(stages[stage], event)
    for successor in SUCCESSORS[stage]:
        blocked = any(after[before] not in SUCCEEDED_STATES for before in PREDECESSORS[successor])
        if after[successor] is StageState.WAITING and not blocked:
            after[successor] = move(StageState.WAITING, Event.PREDECESSORS_FINISHED)
    return after


def cancel(stages: StageStates) -> dict[Stage, StageState]:
    """All states after a cancel: what is finished stays, everything else is cancelled."""
    cancellable = set(sources(Event.CANCELLED))
    return {stage: move(state, Event.CANCELLED) if state in cancellable else state for stage, state in stages.items()}


def retry(stages: StageStates) -> dict[Stage, StageState]:
    """All states after a retry: every dead stage is ready again, and what the others did is kept."""
    retryable = set(sources(Event.RETRIED))
    return {stage: move(state, Event.RETRIED) if state in retryable else state for stage, state in stages.items()}


def discard(stages: StageStates) -> dict[Stage, StageState]:
    """All states after a discard: a cancel for a submission with a dead stage, and nothing for any other."""
    return cancel(stages) if StageState.DEAD in stages.values() else dict(stages)
