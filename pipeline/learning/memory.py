"""How long what was learnt of a topic stays, and when it should be reviewed: FSRS-6, one memory per learner and topic.

A submission is one review of each topic that its answers tell of, at the moment it was handed in. The rating that
FSRS wants follows from the answers' mean fraction m, weighted as in `evidence`:

    again   m < 0.6
    hard    m < 0.85
    good    m ≥ 0.85
    easy    everything right, and every answer without effort: sure (confidence 4 or 5) or, where no
            confidence was told, fast (see `effort`)

FSRS counts whole days: learning steps of minutes are switched off, and so is fuzz, so equal reviews give equal
memories in every process. A second review on the same day moves the stability by FSRS' rule for short terms.

Sources: J. Ye, J. Su, Y. Cao, "A stochastic shortest path algorithm for optimizing spaced repetition scheduling",
KDD 2022, and the library `fsrs` 6.3.2, whose default parameters are used as they are. That 3 of 5 (0.6) is the least
that passes is the rule of SM-2 (P. A. Woźniak, "Optimization of learning", 1990); the other border lies halfway
between it and all but full marks.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from math import fsum
from typing import Final, Self

import msgspec
from fsrs import Card, Rating, Scheduler, State

from pipeline.learning.effort import is_effortless
from pipeline.learning.evidence import Told
from pipeline.model import Outcome

RETENTION: Final = 0.9
"""A topic is due when the chance to recall it has come down to this."""

LONGEST_DAYS: Final = 365
"""No review is put off for longer; a course hardly lasts longer either."""

LEAST_HARD: Final = 0.6
LEAST_GOOD: Final = 0.85

SCHEDULER: Final = Scheduler(
    desired_retention=RETENTION,
    learning_steps=(),
    relearning_steps=(),
    maximum_interval=LONGEST_DAYS,
    enable_fuzzing=False,
)
FORGETTING_DECAY: Final = SCHEDULER.parameters[20]
FORGETTING_FACTOR: Final = 0.9 ** (-1.0 / FORGETTING_DECAY) - 1.0
ONE_DAY: Final = timedelta(days=1)
CARD_ID: Final = 0
"""The library makes up an id for a card without one, and waits a millisecond for it to be unique."""


class Memory(msgspec.Struct, frozen=True):
    """A topic's memory as of its latest answer.

    `stability` is the days after which it is recalled with 90 % chance, `difficulty` 1 (easy) to 10; it should be
    reviewed at `due_at`.
    """

    stability: float
    difficulty: float
    due_at: datetime


class _OwnCard(Card):
    """A card made for one review and dropped after it: the library copies cards, which takes a quarter of its time."""

    def __copy__(self) -> Self:
        return self


def rating_of(told: Sequence[Told]) -> Rating:
    """The rating that these answers of one submission to one topic, at least one, stand for."""
    weights = [evidence.learner_weight for _, evidence in told]
    lost = fsum(evidence.error * evidence.learner_weight for _, evidence in told) / fsum(weights)
    if lost > 1.0 - LEAST_HARD:
        return Rating.Again
    if lost > 1.0 - LEAST_GOOD:
        return Rating.Hard
    return Rating.Easy if _came_easily(told) else Rating.Good


def memory_after(memory: Memory | None, last_seen: datetime, rating: Rating, at: datetime) -> Memory:
    """The memory after a review at `at`; one that comes late counts at the time of the last one, `last_seen`."""
    at = at.astimezone(UTC)
    if memory is None:
        card = _OwnCard(card_id=CARD_ID, due=at)
    else:
        at = max(at, last_seen.astimezone(UTC))
        card = _card(memory, last_seen)
    reviewed, _ = SCHEDULER.review_card(card, rating, at)
    if reviewed.stability is None or reviewed.difficulty is None:
        raise AssertionError("a card has a stability and a difficulty once it was reviewed")
    return Memory(reviewed.stability, reviewed.difficulty, reviewed.due)


def retrievability(memory: Memory | None, last_seen: datetime, now: datetime) -> float:
    """The chance, in (0, 1], that what was known at `last_seen` is recalled at `now`; 1 where nothing is kept.

    FSRS' forgetting curve, (1 + F·t/S)^-D with F = 0.9^(-1/D) - 1, over t in fractions of days.
    """
    if memory is None:
        return 1.0
    days = max((now - last_seen) / ONE_DAY, 0.0)
    recalled: float = (1.0 + FORGETTING_FACTOR * days / memory.stability) ** -FORGETTING_DECAY
    return recalled


def is_due(memory: Memory | None, now: datetime) -> bool:
    """Whether it should be reviewed by now."""
    return memory is not None and memory.due_at <= now


def overdue_days(memory: Memory, now: datetime) -> int:
    """The whole days since it was due."""
    return max((now - memory.due_at).days, 0)


def _card(memory: Memory, last_seen: datetime) -> _OwnCard:
    return _OwnCard(
        card_id=CARD_ID,
        state=State.Review,
        stability=memory.stability,
        difficulty=memory.difficulty,
        due=memory.due_at,
        last_review=last_seen.astimezone(UTC),
    )


def _came_easily(told: Sequence[Told]) -> bool:
    return all(one.score.outcome is Outcome.CORRECT and is_effortless(one.answer) for one, _ in told)
