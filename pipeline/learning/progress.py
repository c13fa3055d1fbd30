"""How a learner is getting on, from the sums of their days."""

from collections.abc import Collection, Iterable
from datetime import date, timedelta
from typing import Final

from pipeline.learning.metrics import AnswerSums, LearnerDay

ONE_DAY: Final = timedelta(days=1)
MILLION: Final = 1_000_000
DECIMALS: Final = 4


def total(days: Iterable[LearnerDay]) -> AnswerSums:
    """All days together."""
    return sum((day.sums for day in days), AnswerSums())


def accuracy(sums: AnswerSums) -> float | None:
    """Right answers as a share of those that have a score, 0 to 1; None where none has."""
    return round(sums.correct / sums.scored, DECIMALS) if sums.scored else None


def mean_fraction(sums: AnswerSums) -> float | None:
    """The mean score of an answer, 0 to 1, partial credit counted; None where none has a score."""
    return round(sums.fraction_millionths / sums.scored / MILLION, DECIMALS) if sums.scored else None


def mean_response_time_ms(sums: AnswerSums) -> int | None:
    """The mean response time in milliseconds of those answers that tell one; None where none does."""
    return round(sums.response_time_ms / sums.timed) if sums.timed else None


def current_streak(days: Collection[date], today: date) -> int:
    """On how many days in a row, up to today, the learner handed in; today may still be missing."""
    known = frozenset(days)
    day = today if today in known else today - ONE_DAY
    length = 0
    while day in known:
        length += 1
        day -= ONE_DAY
    return length
