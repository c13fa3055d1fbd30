"""Ratings of learners per topic and of questions, moved by each answer.

All ratings are on the logit scale of item response theory: 0 is an average learner and a question of difficulty 3;
one unit more skill multiplies the odds of a right answer by e. What an answer is expected to score, and the
abilities, difficulties and variances below, are those of `pooling`. After the answer S, each rating moves along the
gradient of its likelihood by its variance, damped by what all uncertain parts explain together:

    e(z, v) = k·(S - p)/(1 + k·g·v),   p = c + (1 - c)·σ(z),   g = (1 - c)·σ(z)·(1 - σ(z)),   k = g/(p·(1 - p))
    question       b  -= u·vb·e(a - b, v)
    topic          rₜ += w·(vₜ·e(r - b, Σ vₜ/K² + vb)/K + G·ln((nₜ + 5)/(nₜ + 4)))     vₜ = max(B/(1 + B·I·nₜ), 0.05)

K is the number of the question's topics and r the mean of their own ratings, w and u are the answer's weights for
learner and question (see `evidence`). All terms are taken before the answer. G·ln(…) is what practice teaches (see
`practice`), where something was answered, and each topic in full: without it, where all learners meet the questions in
one order, what they learn would be taken for the ease of later questions.

Source: M. E. Glickman, "Parameter estimation in large dynamic paired comparison experiments", Applied Statistics
48 (1999), for steps by uncertainty.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from math import fsum
from typing import Final

import msgspec

from pipeline.learning.evidence import Evidence, Tells, Told, evidence_of
from pipeline.learning.memory import Memory
from pipeline.learning.pooling import (
    ALONE_VARIANCE,
    INFORMATION,
    Estimate,
    Pool,
    ability_in,
    difficulty_of,
    expected_score,
    predicted_score,
)
from pipeline.learning.practice import practice_gain
from pipeline.learning.recency import NOTHING_RECENT, Recent, remembered
from pipeline.model import Question, ScoredAnswer

SMALLEST_VARIANCE: Final = 0.05
"""Learners go on learning, so what is known of them never becomes certain."""

START_RATING: Final = 0.0
MIDDLE_DIFFICULTY: Final = 3


class Skill(msgspec.Struct, frozen=True):
    """A learner's standing in one topic.

    `answers` and `correct` count since the beginning, `recent` and `mistakes` fade and are true at `updated_at`, the
    time of the latest answer. `mistakes` are faded sums of errors by kind, in the order of `Mistake`; empty where
    there were none.
    """

    topic: str
    rating: float
    answers: int
    correct: int
    updated_at: datetime
    recent: Recent = NOTHING_RECENT
    mistakes: tuple[float, ...] = ()
    memory: Memory | None = None


class ItemRating(msgspec.Struct, frozen=True):
    """How hard a question proved to be, after `answers` answers."""

    rating: float
    answers: int = 0


class Change(msgspec.Struct, frozen=True):
    """What one answer moved: `skill_steps[i]` was added to `topics[i]`, `item_step` to `item_before`.

    `item_answers` is 1 where the answer counted for the question, and had not before, else 0.
    """

    question_id: str
    topics: tuple[str, ...]
    expected: float
    outcome: float
    skill_steps: tuple[float, ...]
    item_before: float
    item_step: float
    item_answers: int


class AnswerEffect(msgspec.Struct, frozen=True):
    """After one answer: the skills of the question's topics, the question's rating, and the change."""

    skills: tuple[Skill, ...]
    item: ItemRating
    change: Change


ItemSteps = tuple[float | None, ...]
"""What the answers of a submission, in their order, added to the ratings of their questions; None: nothing."""


class SubmissionEffect(msgspec.Struct, frozen=True):
    """After one submission: all skills by topic, all item ratings by question id, changes in order.

    `told` are the answers that made these changes, each with what it says.
    `item_steps` says for each answer what was added to its question's rating, None where it did not count for it.
    """

    skills: Mapping[str, Skill]
    items: Mapping[str, ItemRating]
    changes: tuple[Change, ...]
    item_steps: ItemSteps = ()
    told: tuple[Told, ...] = ()


def first_item_rating(question: Question) -> ItemRating:
    """Where a question starts of which nothing is known: its difficulty level 1 to 5 as -2 … +2 (see `start`)."""
    return ItemRating(rating=float(question.difficulty - MIDDLE_DIFFICULTY))


class Learner:
    """One learner's skills while answers are folded in, `skills` by topic."""

    def __init__(self, skills: Mapping[str, Skill]) -> None:
        self.skills = dict(skills)
        self._pool = Pool(skills)

    def learn(self, item: ItemRating, evidence: Evidence, now: datetime) -> AnswerEffect:
        """Fold in one answer, given at `now` to a question rated `item`."""
        effect = apply_answer(self.skills, item, evidence, now, self._pool.overall())
        for skill in effect.skills:
            self.skills[skill.topic] = skill
            self._pool.put(skill.topic, skill)
        return effect


def apply_answer(
    skills: Mapping[str, Skill], item: ItemRating, evidence: Evidence, now: datetime, everywhere: Estimate
) -> AnswerEffect:
    """The effect of one answer given at `now` by a learner with `skills`, whose `pooling.overall` is `everywhere`."""
    ability = ability_in(skills, evidence.topics, everywhere)
    difficulty = difficulty_of(item)
    before = tuple(skills.get(topic) or new_skill(topic, now) for topic in evidence.topics)
    share = evidence.learner_weight / len(before)
    steps = _topic_steps(before, difficulty, evidence)
    down = -difficulty.variance * evidence.item_weight * _pull(ability, difficulty, evidence)
    counted = int(evidence.item_weight > 0 and not evidence.counted_before)
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


def apply_submission(
    skills: Mapping[str, Skill],
    items: Mapping[str, ItemRating],
    scored_answers: Iterable[ScoredAnswer],
    now: datetime,
    tells: Tells = evidence_of,
) -> SubmissionEffect:
    """Fold the answers of one submission, in their order, into the learner's skills and the items.

    `now` is when the submission was handed in, or when a person decided: `tells` says which of the two it is. Questions
    absent from `items` start from their difficulty. The inputs are left as they are. The same inputs give the same
    floats to the last digit.
    """
    learner, items = Learner(skills), dict(items)
    told, changes, steps = list[Told](), list[Change](), list[float | None]()
    for scored in scored_answers:
        evidence = tells(scored)
        if evidence is None:
            steps.append(None)
            continue
        item = items.get(evidence.question_id) or first_item_rating(scored.answer.question)
        effect = learner.learn(item, evidence, now)
        items[evidence.question_id] = effect.item
        told.append((scored, evidence))
        changes.append(effect.change)
        steps.append(effect.change.item_step if effect.change.item_answers else None)
    return SubmissionEffect(learner.skills, items, tuple(changes), tuple(steps), tuple(told))


def moved_skills(effect: SubmissionEffect) -> tuple[Skill, ...]:
    """The skills that `effect` touched, sorted by topic: what a store has to write, in lock order."""
    topics = {topic for change in effect.changes for topic in change.topics}
    return tuple(effect.skills[topic] for topic in sorted(topics))


def new_skill(topic: str, now: datetime) -> Skill:
    """A topic that a learner meets for the first time at `now`."""
    return Skill(topic=topic, rating=START_RATING, answers=0, correct=0, updated_at=now)


def moved(skill: Skill, step: float, evidence: Evidence, share: float, now: datetime) -> Skill:
    """`skill` after an answer of `now` that moves its rating by `step`, of whose weight it has `share`."""
    return Skill(
        topic=skill.topic,
        rating=skill.rating + step,
        answers=skill.answers + (not evidence.counted_before),
        correct=skill.correct + evidence.correct,
        updated_at=max(skill.updated_at, now),
        recent=remembered(skill.recent, skill.updated_at, error=evidence.error, weight=share, at=now),
        mistakes=skill.mistakes,
        memory=skill.memory,
    )


def _topic_steps(before: Sequence[Skill], difficulty: Estimate, evidence: Evidence) -> tuple[float, ...]:
    """What each topic's own rating moves by: the answer, seen from these topics alone, and the practice."""
    count = len(before)
    variances = [_topic_variance(skill.answers) for skill in before]
    # Not `sum`, which adds more exactly from Python 3.12 on: a rebuild must come to the same digits on either.
    alone = Estimate(fsum(skill.rating for skill in before) / count, fsum(variances) / count**2)
    pull = _pull(alone, difficulty, evidence)
    practised = float(evidence.item_weight > 0)
    return tuple(
        evidence.learner_weight * (variance * pull / count + practised * practice_gain(skill.answers))
        for skill, variance in zip(before, variances, strict=True)
    )


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
    surprise = evidence.outcome - expected
    return steepness * surprise / (1.0 + steepness * slope * (ability.variance + difficulty.variance))


def _topic_variance(answers: int) -> float:
    return max(ALONE_VARIANCE / (1.0 + ALONE_VARIANCE * INFORMATION * answers), SMALLEST_VARIANCE)
