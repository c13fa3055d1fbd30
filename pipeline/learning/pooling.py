"""Ratings pooled over a learner's topics: what one topic tells is used in all others. Beside `rating`, not live yet.

A learner's ability in topic t is θ + dₜ, an overall ability θ ~ N(0, A) and a bent dₜ ~ N(0, D) for the topic. The
state is that of `rating`, topic ratings and item ratings with the numbers of their answers: θ is not stored but
follows from the topics, and every uncertainty follows from a count. Each answer tells about I = 0.1875 of a unit.

    what a topic tells alone       xₜ = rₜ·(1 + 1/(B·I·nₜ)),  B = A + D    its rating without the pull to 0
    overall, its variance          θ = C·Σ hₜ·xₜ,  C = 1/(1/A + Σ hₜ),  hₜ = I·nₜ/(1 + D·I·nₜ)
    ability in t, its variance     aₜ = θ + sₜ·(xₜ - θ),  D·(1 - sₜ) + C·(1 - sₜ)²,  sₜ = D·I·nₜ/(1 + D·I·nₜ)
    question's variance            vb = E/(1 + E·I·n)
    expected                       P = c + (1 - c)·σ(z/√(1 + 3·v/π²)),  z = a - b,  v = all variances together

Several topics count by their means. After the answer S, each rating moves along the gradient of its likelihood
by its variance, damped by what all uncertain parts explain together:

    e(z, v) = k·(S - p)/(1 + k·g·v),   p = c + (1 - c)·σ(z),   g = (1 - c)·σ(z)·(1 - σ(z)),   k = g/(p·(1 - p))
    question       b  -= vb·e(a - b, v)
    topic          rₜ += (vₜ·e(r - b, Σ vₜ/K² + vb) + G·ln((nₜ + 5)/(nₜ + 4)))/K     vₜ = max(B/(1 + B·I·nₜ), 0.05)

K is the number of the question's topics and r the mean of their own ratings; the weights of `evidence` apply as in
`rating`. G·ln(…) is what practice teaches, where something was answered: without it, where all learners meet the
questions in one order, what they learn would be taken for the ease of later questions.

Sources: M. E. Glickman, "Parameter estimation in large dynamic paired comparison experiments", Applied Statistics
48 (1999), for steps by uncertainty and √(1 + 3·v/π²); A. Gelman, J. Hill, "Data analysis using regression and
multilevel/hierarchical models" (2007), chapter 12, for partial pooling; Koedinger et al., "An astonishing
regularity in student learning rate", PNAS 120 (2023), for gains of about 0.1 logits per early practice, of which
G takes half, as not every answer is followed by instruction. A = 0.7, D = 0.25, E = 1 and G = 0.25 are round
numbers of the size usual on the logit scale, settled on made-up logs; none was fitted to a public log.
"""

from collections.abc import Mapping
from datetime import datetime
from math import fsum, log, pi, sqrt
from typing import Final

import msgspec

from pipeline.learning.evidence import Evidence
from pipeline.learning.rating import AnswerEffect, Change, ItemRating, Skill, expected_score, moved, new_skill

INFORMATION: Final = 0.1875
"""p·(1 - p) at p = 3/4, where most answers on well chosen questions lie."""

OVERALL_VARIANCE: Final = 0.7
TOPIC_VARIANCE: Final = 0.25
ALONE_VARIANCE: Final = OVERALL_VARIANCE + TOPIC_VARIANCE
ITEM_VARIANCE: Final = 1.0
SMALLEST_VARIANCE: Final = 0.05
"""Learners go on learning, so what is known of them never becomes certain."""

PRACTICE_GAIN: Final = 0.25
PRACTICE_START: Final = 4


class Estimate(msgspec.Struct, frozen=True):
    """A rating that is not certain, in logits and squared logits."""

    mean: float
    variance: float


NOTHING_KNOWN: Final = Estimate(0.0, OVERALL_VARIANCE)


def overall(skills: Mapping[str, Skill]) -> Estimate:
    """θ and C: the ability that all of a learner's topics together tell; the same in whatever order they come."""
    if not skills:
        return NOTHING_KNOWN
    weights = [_weight(skill.answers) for skill in skills.values()]
    told = fsum(weight * _alone(skill) for weight, skill in zip(weights, skills.values(), strict=True))
    variance = 1.0 / (1.0 / OVERALL_VARIANCE + fsum(weights))
    return Estimate(told * variance, variance)


def ability_in(skills: Mapping[str, Skill], topics: tuple[str, ...], everywhere: Estimate) -> Estimate:
    """The ability in a question's topics (at least one), `everywhere` being the learner's `overall`."""
    mean = spread = certain = 0.0
    for topic in topics:
        skill = skills.get(topic)
        share = 0.0 if skill is None else TOPIC_VARIANCE * _weight(skill.answers)
        mean += everywhere.mean if skill is None else everywhere.mean + share * (_alone(skill) - everywhere.mean)
        spread += TOPIC_VARIANCE * (1.0 - share)
        certain += share
    count = len(topics)
    return Estimate(mean / count, spread / count**2 + everywhere.variance * (1.0 - certain / count) ** 2)


def difficulty_of(item: ItemRating) -> Estimate:
    """A question's rating with its uncertainty."""
    return Estimate(item.rating, ITEM_VARIANCE / (1.0 + ITEM_VARIANCE * INFORMATION * item.answers))


def predicted_score(ability: Estimate, difficulty: Estimate, guess: float = 0.0) -> float:
    """The mean score, in [guess, 1], over all that ability and difficulty may be."""
    flatter = sqrt(1.0 + 3.0 * (ability.variance + difficulty.variance) / pi**2)
    return expected_score((ability.mean - difficulty.mean) / flatter, 0.0, guess)


def apply_answer(skills: Mapping[str, Skill], item: ItemRating, evidence: Evidence, now: datetime) -> AnswerEffect:
    """The effect of one answer given at `now`; takes and gives what `rating.apply_answer` does."""
    ability = ability_in(skills, evidence.topics, overall(skills))
    difficulty = difficulty_of(item)
    before = tuple(skills.get(topic) or new_skill(topic, now) for topic in evidence.topics)
    share = evidence.learner_weight / len(before)
    steps = _topic_steps(before, difficulty, evidence)
    down = -difficulty.variance * evidence.item_weight * _pull(ability, difficulty, evidence)
    counted = int(evidence.item_weight > 0)
    return AnswerEffect(
        skills=tuple(moved(skill, step, evidence, share, now) for skill, step in zip(before, steps, strict=True)),
        item=ItemRating(rating=item.rating + down, answers=item.answers + counted),
        change=Change(
            question_id=evidence.question_id,
            topics=evidence.topics,
            expected=predicted_score(ability, difficulty, evidence.guess),
            outcome=evidence.outcome,
            skill_steps=steps,
            item_before=item.rating,
            item_step=down,
            item_answers=counted,
        ),
    )


def _topic_steps(before: tuple[Skill, ...], difficulty: Estimate, evidence: Evidence) -> tuple[float, ...]:
    """What each topic's own rating moves by: the answer, seen from these topics alone, and the practice."""
    count = len(before)
    variances = [_topic_variance(skill.answers) for skill in before]
    alone = Estimate(sum(skill.rating for skill in before) / count, sum(variances) / count**2)
    pull = _pull(alone, difficulty, evidence)
    practised = float(evidence.item_weight > 0)
    return tuple(
        evidence.learner_weight / count * (variance * pull + practised * practice_gain(skill.answers))
        for skill, variance in zip(before, variances, strict=True)
    )


def practice_gain(answers: int) -> float:
    """What one more answer in a topic teaches on average after `answers` of them, in logits."""
    return PRACTICE_GAIN * log((answers + PRACTICE_START + 1) / (answers + PRACTICE_START))


def _pull(ability: Estimate, difficulty: Estimate, evidence: Evidence) -> float:
    """e: how far the answer pulls, per unit of variance."""
    guess = evidence.guess
    known = expected_score(ability.mean, difficulty.mean)
    expected = guess + (1.0 - guess) * known
    slope = (1.0 - guess) * known * (1.0 - known)
    uncertain = expected * (1.0 - expected)
    if uncertain <= 0.0:
        return 0.0  # so far apart that the curve is flat in a double
    steepness = slope / uncertain
    return (
        steepness * (evidence.outcome - expected) / (1.0 + steepness * slope * (ability.variance + difficulty.variance))
    )


def _topic_variance(answers: int) -> float:
    return max(ALONE_VARIANCE / (1.0 + ALONE_VARIANCE * INFORMATION * answers), SMALLEST_VARIANCE)


def _weight(answers: int) -> float:
    """h: how much a topic tells about the overall ability, at most 1/D."""
    known = INFORMATION * answers
    return known / (1.0 + TOPIC_VARIANCE * known)


def _alone(skill: Skill) -> float:
    """x: what a topic's answers tell without the pull to 0 that a rating starts under."""
    return skill.rating * (1.0 + 1.0 / (ALONE_VARIANCE * INFORMATION * skill.answers)) if skill.answers else 0.0
