"""Elo ratings of learners per topic and of questions, moved by each answer.

All ratings are on the logit scale of item response theory: 0 is an average learner and a question of
difficulty 3; one unit more skill multiplies the odds of a right answer by e.

    ability    θ  = mean of the learner's ratings in the question's k topics
    expected   P  = c + (1 - c) / (1 + exp(-(θ - b)))        b question's rating, c guess floor
    skill      θₜ += U(nₜ) · w/k · (S - P)     for each topic t, nₜ answers in it so far
    question   b  += V(n)  · v   · (P - S)
    steps      U(n) = max(1 / (1 + 0.05·n), 0.05)            V(n) = 1 / (1 + 0.05·(n + 20))

S is the answer's outcome, w and v its weights (see `evidence`). All terms are taken before the answer.

Sources: R. Pelánek, "Applications of the Elo rating system in adaptive educational systems", Computers &
Education 98 (2016), for Elo with a guess floor and the uncertainty function a / (1 + b·n) with a = 1 and
b = 0.05; the floor c is that of A. Birnbaum's three-parameter model (1968). That a topic moves by 1/k of the
step is the gradient of θ with respect to θₜ.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from math import exp
from typing import Final

import msgspec

from pipeline.learning.evidence import Evidence, evidence_of
from pipeline.learning.memory import Memory
from pipeline.learning.recency import NOTHING_RECENT, Recent, remembered
from pipeline.model import Question, ScoredAnswer

FIRST_STEP: Final = 1.0
STEP_DECAY: Final = 0.05
SMALLEST_SKILL_STEP: Final = 0.05
"""Learners go on learning, so their ratings never freeze; a question's may."""

AUTHOR_ANSWERS: Final = 20
"""A difficulty level set by its author is trusted like this many answers."""

START_RATING: Final = 0.0
MIDDLE_DIFFICULTY: Final = 3
STEEPEST: Final = 36.0
"""Beyond this distance the logistic curve is flat in a double, and exp() comes near its limits."""


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

    `item_answers` is 1 where the answer counted for the question, else 0.
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


class SubmissionEffect(msgspec.Struct, frozen=True):
    """After one submission: all skills by topic, all item ratings by question id, changes in order."""

    skills: Mapping[str, Skill]
    items: Mapping[str, ItemRating]
    changes: tuple[Change, ...]


class ItemStep(msgspec.Struct, frozen=True):
    """The sum of what a run of changes does to one question.

    A question is shared by many learners: adding `step` and `answers` to its row loses no update, writing
    `ItemRating` over it could. `before` is where a question starts that has no row yet.
    """

    question_id: str
    before: float
    step: float
    answers: int


def expected_score(ability: float, difficulty: float, guess: float = 0.0) -> float:
    """The mean score, in [guess, 1], of a learner of `ability` on a question of `difficulty`."""
    distance = min(max(ability - difficulty, -STEEPEST), STEEPEST)
    return guess + (1.0 - guess) / (1.0 + exp(-distance))


def skill_step(answers: int) -> float:
    """U(n): how far the next answer may move a skill with `answers` behind it."""
    return max(FIRST_STEP / (1.0 + STEP_DECAY * answers), SMALLEST_SKILL_STEP)


def item_step(answers: int) -> float:
    """V(n): how far the next answer may move a question with `answers` behind it."""
    return FIRST_STEP / (1.0 + STEP_DECAY * (answers + AUTHOR_ANSWERS))


def first_item_rating(question: Question) -> ItemRating:
    """Where a question starts that nobody answered: its difficulty level 1 to 5 as -2 … +2."""
    return ItemRating(rating=float(question.difficulty - MIDDLE_DIFFICULTY))


def ability_in(skills: Mapping[str, Skill], topics: tuple[str, ...]) -> float:
    """θ: the mean rating in `topics` (at least one); a topic never met counts as `START_RATING`."""
    total = 0.0
    for topic in topics:
        skill = skills.get(topic)
        total += START_RATING if skill is None else skill.rating
    return total / len(topics)


def apply_answer(skills: Mapping[str, Skill], item: ItemRating, evidence: Evidence, now: datetime) -> AnswerEffect:
    """The effect of one answer given at `now` by a learner with `skills` on a question rated `item`."""
    expected = expected_score(ability_in(skills, evidence.topics), item.rating, evidence.guess)
    surprise = evidence.outcome - expected
    before = tuple(skills.get(topic) or new_skill(topic, now) for topic in evidence.topics)
    share = evidence.learner_weight / len(before)
    steps = tuple(skill_step(skill.answers) * share * surprise for skill in before)
    down = -item_step(item.answers) * evidence.item_weight * surprise
    counted = int(evidence.item_weight > 0)
    return AnswerEffect(
        skills=tuple(moved(skill, step, evidence, share, now) for skill, step in zip(before, steps, strict=True)),
        item=ItemRating(rating=item.rating + down, answers=item.answers + counted),
        change=Change(
            question_id=evidence.question_id,
            topics=evidence.topics,
            expected=expected,
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
) -> SubmissionEffect:
    """Fold the answers of one submission, in their order, into the learner's skills and the items.

    `now` is when the submission was handed in. Questions absent from `items` start from their difficulty.
    The inputs are left as they are. The same inputs give the same floats to the last digit.
    """
    skills, items, changes = dict(skills), dict(items), list[Change]()
    for scored in scored_answers:
        evidence = evidence_of(scored)
        if evidence is None:
            continue
        item = items.get(evidence.question_id) or first_item_rating(scored.answer.question)
        effect = apply_answer(skills, item, evidence, now)
        skills.update((skill.topic, skill) for skill in effect.skills)
        items[evidence.question_id] = effect.item
        changes.append(effect.change)
    return SubmissionEffect(skills=skills, items=items, changes=tuple(changes))


def moved_skills(effect: SubmissionEffect) -> tuple[Skill, ...]:
    """The skills that `effect` touched, sorted by topic: what a store has to write, in lock order."""
    topics = {topic for change in effect.changes for topic in change.topics}
    return tuple(effect.skills[topic] for topic in sorted(topics))


def item_steps(changes: Iterable[Change]) -> tuple[ItemStep, ...]:
    """`changes` (of one submission or of many, in order) summed per question, sorted by question id."""
    steps: dict[str, ItemStep] = {}
    for change in changes:
        known = steps.get(change.question_id) or ItemStep(change.question_id, change.item_before, 0.0, 0)
        steps[change.question_id] = ItemStep(
            question_id=change.question_id,
            before=known.before,
            step=known.step + change.item_step,
            answers=known.answers + change.item_answers,
        )
    return tuple(steps[question_id] for question_id in sorted(steps))


def new_skill(topic: str, now: datetime) -> Skill:
    """A topic that a learner meets for the first time at `now`."""
    return Skill(topic=topic, rating=START_RATING, answers=0, correct=0, updated_at=now)


def moved(skill: Skill, step: float, evidence: Evidence, share: float, now: datetime) -> Skill:
    """`skill` after an answer of `now` that moves its rating by `step`, of whose weight it has `share`."""
    return Skill(
        topic=skill.topic,
        rating=skill.rating + step,
        answers=skill.answers + 1,
        correct=skill.correct + evidence.correct,
        updated_at=max(skill.updated_at, now),
        recent=remembered(skill.recent, skill.updated_at, error=evidence.error, weight=share, at=now),
        mistakes=skill.mistakes,
        memory=skill.memory,
    )
