"""Who is falling behind: four signs, each with a weight, that add up to a score from 0 to 1.

    score = 0.3·(accuracy < 0.6) + 0.4·(days since the last hand-in > 7) + 0.2·(completion < 0.3) + 0.1·(weaknesses > 5)

Each sign is there or not: so the weights are exactly what a sign adds, and a learner and a teacher can see which one
tipped the scale. From 0.6 on a learner is flagged: no sign alone is enough, and a missing fact never adds anything.

- Accuracy is that of the last four weeks where they hold at least ten scored answers, else of all answers: what
  somebody did a year ago says little, and two answers say less.
- Days are UTC days. Who never handed in counts as away.
- Completion is the share of the modules of the learner's career path that are mastered.
- Weaknesses are those of the last seven days (`weakness`), so they fade for who is away; then absence speaks.

The signs, thresholds and weights are given by the product, not fitted to data.
"""

from datetime import date, timedelta
from enum import StrEnum
from typing import Final

import msgspec

from pipeline.learning.metrics import AnswerSums
from pipeline.learning.progress import accuracy

RECENT_DAYS: Final = 28
ENOUGH_RECENT: Final = 10
"""Scored answers of the last four weeks from which on they speak for themselves."""

FLAGGED_FROM: Final = 0.6
DECIMALS: Final = 4


class Sign(StrEnum):
    """What may be wrong."""

    ACCURACY = "accuracy"
    INACTIVITY = "inactivity"
    COMPLETION = "completion"
    WEAKNESSES = "weaknesses"


class FactorBasis(StrEnum):
    """What a sign's value was taken from, or why there is none."""

    RECENT = "last_28_days"
    ALL = "all_answers"
    DAYS = "days_since_last_hand_in"
    MODULES = "modules_of_career_path"
    TOPICS = "topics_weak_in_last_7_days"
    NO_ANSWERS = "no_scored_answers"
    NEVER = "never_handed_in"
    NO_PATH = "no_career_path"


class Completion(msgspec.Struct, frozen=True):
    """How much of a career path is mastered; `modules` is at least 1."""

    mastered: int
    modules: int

    @property
    def share(self) -> float:
        return round(self.mastered / self.modules, DECIMALS)


class Facts(msgspec.Struct, frozen=True):
    """What is known of a learner as of a day. `completion` is None where there is no known career path."""

    recent: AnswerSums
    ever: AnswerSums
    last_day: date | None
    completion: Completion | None
    weaknesses: int


class Factor(msgspec.Struct, frozen=True):
    """One sign: its value (None where unknown), from where on it counts, and what it adds to the score.

    `above` says on which side of the threshold it counts: a value above it or one below it.
    """

    sign: Sign
    value: float | None
    threshold: float
    above: bool
    weight: float
    contribution: float
    basis: FactorBasis

    @property
    def met(self) -> bool:
        return self.contribution > 0


class Assessment(msgspec.Struct, frozen=True):
    """A learner's risk, its four factors in the order of `Sign`."""

    score: float
    flagged: bool
    factors: tuple[Factor, ...]


class _Rule(msgspec.Struct, frozen=True):
    threshold: float
    above: bool
    weight: float

    def holds(self, value: float) -> bool:
        return value > self.threshold if self.above else value < self.threshold


RULES: Final = {
    Sign.ACCURACY: _Rule(0.6, above=False, weight=0.3),
    Sign.INACTIVITY: _Rule(7, above=True, weight=0.4),
    Sign.COMPLETION: _Rule(0.3, above=False, weight=0.2),
    Sign.WEAKNESSES: _Rule(5, above=True, weight=0.1),
}


def assess(facts: Facts, today: date) -> Assessment:
    """The risk of a learner of whom this is known on `today`."""
    values = (_accuracy(facts), _inactivity(facts, today), _completion(facts), _weaknesses(facts))
    factors = tuple(_factor(sign, value, basis) for sign, (value, basis) in zip(Sign, values, strict=True))
    score = round(sum(factor.contribution for factor in factors), DECIMALS)
    return Assessment(score, score >= FLAGGED_FROM, factors)


def first_recent_day(today: date) -> date:
    """The first of the days that count as recent."""
    return today - timedelta(days=RECENT_DAYS - 1)


def _factor(sign: Sign, value: float | None, basis: FactorBasis) -> Factor:
    rule = RULES[sign]
    met = basis is FactorBasis.NEVER if value is None else rule.holds(value)
    return Factor(sign, value, rule.threshold, rule.above, rule.weight, rule.weight if met else 0.0, basis)


def _accuracy(facts: Facts) -> tuple[float | None, FactorBasis]:
    if facts.recent.scored >= ENOUGH_RECENT:
        return accuracy(facts.recent), FactorBasis.RECENT
    return accuracy(facts.ever), FactorBasis.ALL if facts.ever.scored else FactorBasis.NO_ANSWERS


def _inactivity(facts: Facts, today: date) -> tuple[float | None, FactorBasis]:
    if facts.last_day is None:
        return None, FactorBasis.NEVER
    return max((today - facts.last_day).days, 0), FactorBasis.DAYS


def _completion(facts: Facts) -> tuple[float | None, FactorBasis]:
    if facts.completion is None:
        return None, FactorBasis.NO_PATH
    if facts.last_day is None:  # nobody is behind on a way before the first step
        return None, FactorBasis.NO_ANSWERS
    return facts.completion.share, FactorBasis.MODULES


def _weaknesses(facts: Facts) -> tuple[float | None, FactorBasis]:
    return facts.weaknesses, FactorBasis.TOPICS
