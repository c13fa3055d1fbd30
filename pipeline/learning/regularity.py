"""When in a week a learner works: the busiest hours, on how many days, and how evenly."""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from math import log
from typing import Final

import msgspec

from pipeline.learning.local import DECIMALS, Local, accuracy_of, answers_of

PEAK_HOURS: Final = 2
"""The busiest time of the day is looked for in spans of so many hours."""
LEAST_FOR_PEAK: Final = 10
"""With fewer answers in the week than this no time of the day is called the busiest."""


class PeakHours(msgspec.Struct, frozen=True):
    """The busiest hours of the day, from `from_hour` to below `to_hour` (24: midnight), and their part of the week."""

    from_hour: int
    to_hour: int
    answers: int
    share: float
    accuracy: float | None


class Consistency(msgspec.Struct, frozen=True):
    """How regularly the learner worked: on how many of the week's days so far, and how evenly.

    `evenness` is 1 where every day has the same number of answers, 0 where all are on one: E. C. Pielou's index
    (Journal of Theoretical Biology 13, 1966), the Shannon entropy of the days' shares over the largest it could be.
    """

    active_days: int
    days: int
    share: float
    evenness: float | None


def peak_hours(local: Sequence[Local]) -> PeakHours | None:
    """The busiest `PEAK_HOURS` hours in a row, of equals those that begin busiest; None in a week with few answers."""
    counts = Counter(dict.fromkeys(range(24), 0))
    for one in local:
        counts[one.hour] += len(one.hand_in.answers)
    if counts.total() < LEAST_FOR_PEAK:
        return None
    spans = {start: sum(counts[start + hour] for hour in range(PEAK_HOURS)) for start in range(25 - PEAK_HOURS)}
    start = max(spans, key=lambda hour: (spans[hour], counts[hour], -hour))
    inside = answers_of(one for one in local if start <= one.hour < start + PEAK_HOURS)
    share = round(spans[start] / counts.total(), DECIMALS)
    return PeakHours(start, start + PEAK_HOURS, spans[start], share, accuracy_of(inside))


def consistency_of(local: Sequence[Local], days: int) -> Consistency:
    """Of the first `days` days of the week."""
    counts = Counter[date]()
    for one in local:
        counts[one.day] += len(one.hand_in.answers)
    return Consistency(len(counts), days, round(len(counts) / days, DECIMALS), evenness([*counts.values()], days))


def evenness(counts: Sequence[int], days: int) -> float | None:
    """Pielou's index of answers over `days` days; None for a single day, and where nothing was answered."""
    total = sum(counts)
    if days < 2 or not total:  # noqa: PLR2004 - a single day is even by itself
        return None
    entropy = -sum(count / total * log(count / total) for count in counts if count)
    return round(entropy / log(days), DECIMALS) + 0.0
