"""What is known of an ability and a difficulty, pooled over a learner's topics: what one tells is used in all others.

A learner's ability in topic t is θ + dₜ, an overall ability θ ~ N(0, A) and a bent dₜ ~ N(0, D) for the topic. What
is stored are topic ratings and question ratings with the numbers of their answers: θ is not stored but follows from
the topics, and every uncertainty follows from a count. Each answer tells about I = 0.15 of a unit.

    what a topic tells alone       xₜ = (rₜ - gₜ)·(1 + 1/(B·I·nₜ)),  B = A + D    without practice and the pull to 0
    overall, its variance          θ = C·Σ hₜ·xₜ,  C = 1/(1/A + Σ hₜ),  hₜ = I·nₜ/(1 + D·I·nₜ)
    ability in t, its variance     aₜ = θ + sₜ·(xₜ - θ) + gₜ,  D·(1 - sₜ) + C·(1 - sₜ)²,  sₜ = D·I·nₜ/(1 + D·I·nₜ)
    question's variance            vb = E/(1 + E·I·n)
    expected                       P = c + (1 - c)·σ((a·(1 + H·vb) - b)/f),  f = √(1 + 3·v/π²),  v = the ability's

gₜ is what nₜ answers have taught (`practice`): it is part of the rating and of the ability in its own topic, and says
nothing of any other.

What is not known of a learner brings the expectation nearer to even (f). What is not known of a question does not: the
ratings were learnt from questions as little known as those that come, and have that counted in. It rather stretches
the ability by H·vb: the pull to 0 is right among questions that are known, but the new ones of a topic or of a whole
bank may be easier or harder than they are rated, and the learner's answers to others of them already tell it.

Several topics count by their means. How ratings move is told in `rating`.

Sources: M. E. Glickman, "Parameter estimation in large dynamic paired comparison experiments", Applied Statistics
48 (1999), for √(1 + 3·v/π²); A. Gelman, J. Hill, "Data analysis using regression and multilevel/hierarchical
models" (2007), chapter 12, for partial pooling; the floor c is that of A. Birnbaum's three-parameter model (1968).
A = 0.7, D = 0.3, E = 1, H = 0.1 and I = 0.15 are round numbers of the size usual on the logit scale, settled on
made-up logs; none was fitted to a public log.
"""

from collections.abc import Iterable, Mapping
from math import copysign, exp, fsum, pi, sqrt
from typing import Final, Protocol

import msgspec

from pipeline.learning.practice import practised

INFORMATION: Final = 0.15
"""p·(1 - p) at p = 0.81: below what answers tell at best, a quarter, as many are nearly sure and some mere luck."""

OVERALL_VARIANCE: Final = 0.7
TOPIC_VARIANCE: Final = 0.3
ALONE_VARIANCE: Final = OVERALL_VARIANCE + TOPIC_VARIANCE
ITEM_VARIANCE: Final = 1.0
STRETCH: Final = 0.1
PI_SQUARED: Final = pi**2
STEEPEST: Final = 36.0
"""Beyond this distance the logistic curve is flat in a double, and exp() comes near its limits."""


class Rated(Protocol):
    """A rating in logits, and after how many answers."""

    @property
    def rating(self) -> float: ...
    @property
    def answers(self) -> int: ...


class Estimate(msgspec.Struct, frozen=True):
    """A rating that is not certain, in logits and squared logits."""

    mean: float
    variance: float


NOTHING_KNOWN: Final = Estimate(0.0, OVERALL_VARIANCE)


class Pool:
    """What each of a learner's topics tells about the overall ability, kept while topics move.

    `overall` is at any moment, to the last digit, that of all the topics as they are: its sums are exact.
    """

    def __init__(self, skills: Mapping[str, Rated]) -> None:
        self._weights: dict[str, float] = {}
        self._told: dict[str, float] = {}
        for topic, skill in skills.items():
            self.put(topic, skill)

    def put(self, topic: str, skill: Rated) -> None:
        """A topic as it is now."""
        weight = _weight(skill.answers)
        self._weights[topic] = weight
        self._told[topic] = weight * _alone(skill)

    def overall(self) -> Estimate:
        """θ and C."""
        return _overall(self._weights.values(), self._told.values())


def overall(skills: Mapping[str, Rated]) -> Estimate:
    """θ and C: the ability that all of a learner's topics together tell; the same in whatever order they come."""
    weights = [_weight(skill.answers) for skill in skills.values()]
    told = [weight * _alone(skill) for weight, skill in zip(weights, skills.values(), strict=True)]
    return _overall(weights, told)


def ability_in(skills: Mapping[str, Rated], topics: tuple[str, ...], everywhere: Estimate) -> Estimate:
    """The ability in a question's topics (at least one), `everywhere` being the learner's `overall`."""
    mean = spread = certain = 0.0
    for topic in topics:
        skill = skills.get(topic)
        share = 0.0 if skill is None else TOPIC_VARIANCE * _weight(skill.answers)
        mean += everywhere.mean
        if skill is not None:
            mean += share * (_alone(skill) - everywhere.mean) + practised(skill.answers)
        spread += TOPIC_VARIANCE * (1.0 - share)
        certain += share
    count = len(topics)
    return Estimate(mean / count, spread / count**2 + everywhere.variance * (1.0 - certain / count) ** 2)


def difficulty_of(item: Rated) -> Estimate:
    """A question's rating with its uncertainty."""
    return Estimate(item.rating, ITEM_VARIANCE / (1.0 + ITEM_VARIANCE * INFORMATION * item.answers))


def expected_score(ability: float, difficulty: float, guess: float = 0.0) -> float:
    """The mean score, in [guess, 1], of a learner of `ability` on a question of `difficulty`, both known for sure."""
    distance = ability - difficulty
    if abs(distance) > STEEPEST:
        distance = copysign(STEEPEST, distance)
    return guess + (1.0 - guess) / (1.0 + exp(-distance))


def predicted_score(ability: Estimate, difficulty: Estimate, guess: float = 0.0) -> float:
    """P: the mean score, in [guess, 1], over all that ability and difficulty may be."""
    return score_ahead(ability, difficulty.mean, difficulty.variance, guess)


def score_ahead(ability: Estimate, difficulty: float, variance: float, guess: float = 0.0) -> float:
    """P on a question of this `difficulty`, which is known with this `variance`."""
    distance = ability.mean * stretching(variance) - difficulty
    return expected_score(distance / flattening(ability.variance), 0.0, guess)


def flattening(variance: float) -> float:
    """f: by how much an ability of this `variance` brings the expectation nearer to even, at least 1."""
    return sqrt(1.0 + 3.0 * variance / PI_SQUARED)


def stretching(variance: float) -> float:
    """1 + H·vb: how much more an ability counts on a question whose difficulty has this `variance`, at least 1."""
    return 1.0 + STRETCH * variance


def _overall(weights: Iterable[float], told: Iterable[float]) -> Estimate:
    variance = 1.0 / (1.0 / OVERALL_VARIANCE + fsum(weights))
    return Estimate(fsum(told) * variance, variance)


def _weight(answers: int) -> float:
    """h: how much a topic tells about the overall ability, at most 1/D."""
    known = INFORMATION * answers
    return known / (1.0 + TOPIC_VARIANCE * known)


def _alone(skill: Rated) -> float:
    """x: what a topic's answers tell without what practice taught and the pull to 0 that a rating starts under."""
    if not skill.answers:
        return 0.0
    return (skill.rating - practised(skill.answers)) * (1.0 + 1.0 / (ALONE_VARIANCE * INFORMATION * skill.answers))
