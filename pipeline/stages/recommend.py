"""What a submission teaches about its learner and its questions, and what to do next."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import msgspec

from pipeline.learning.candidate import primary_language
from pipeline.learning.evidence import fully_answered
from pipeline.learning.fold import fold
from pipeline.learning.mix import Plan
from pipeline.learning.rating import (
    ItemRating,
    ItemSteps,
    Skill,
    SubmissionEffect,
    apply_submission,
    first_item_rating,
    moved_skills,
)
from pipeline.learning.selection import Barred
from pipeline.model import Work
from pipeline.stages.advising import Bank, Occasion, advise
from pipeline.stages.guide import NO_GUIDE, Guide
from pipeline.stages.outcome import Done, Outcome

RECOMMENDED: Final = 5
USUAL_PLAN: Final = Plan(count=RECOMMENDED)
REMEMBERED_CORRECT: Final = 64
"""So many questions a learner answered right are remembered and not recommended again."""

LearnerKey = tuple[int, str]
ItemKey = tuple[int, str]


class LearnerState(msgspec.Struct, frozen=True):
    """What is known of a learner: skills by topic, and the ids last answered right, oldest first."""

    skills: Mapping[str, Skill]
    recent_correct: tuple[str, ...] = ()


class LearningState(msgspec.Struct, frozen=True):
    """What a batch needs to know, held under lock until it is written back.

    `banks` holds each tenant's questions to choose from, `guides` what it teaches.
    """

    learners: Mapping[LearnerKey, LearnerState]
    items: Mapping[ItemKey, ItemRating]
    banks: Mapping[int, Bank]
    guides: Mapping[int, Guide] = MappingProxyType({})


class Learned(msgspec.Struct, frozen=True):
    """What to write back: new states of the learners and items that moved, and which skills did.

    `item_steps` tells by submission id what each answer added to its question: the history that ratings follow from.
    """

    learners: Mapping[LearnerKey, LearnerState]
    moved_skills: Mapping[LearnerKey, frozenset[str]]
    items: Mapping[ItemKey, ItemRating]
    item_steps: Mapping[str, ItemSteps] = {}


def decide(works: Sequence[Work], state: LearningState, plan: Plan = USUAL_PLAN) -> tuple[list[Outcome], Learned]:
    """Fold the submissions in their order; outcomes come in the order of `works`."""
    learners, items = dict(state.learners), dict(state.items)
    moved: dict[LearnerKey, frozenset[str]] = {}
    outcomes: dict[str, Outcome] = {}
    steps: dict[str, ItemSteps] = {}
    for work in in_order(works):
        key = (work.tenant_id, work.learner_id)
        bank, guide = state.banks[work.tenant_id], state.guides.get(work.tenant_id, NO_GUIDE)
        effect, learner = learn(work, learners[key], items)
        outcomes[work.submission_id] = Done(advise(bank, guide, learner.skills, occasion_of(work, learner), plan))
        learners[key] = learner
        items.update({(work.tenant_id, question_id): rating for question_id, rating in effect.items.items()})
        moved[key] = moved.get(key, frozenset()).union(skill.topic for skill in moved_skills(effect))
        steps[work.submission_id] = effect.item_steps
    changed = {key: rating for key, rating in items.items() if state.items.get(key) != rating}
    return [outcomes[work.submission_id] for work in works], Learned(learners, moved, changed, steps)


def in_order(works: Iterable[Work]) -> list[Work]:
    """The order in which submissions of one batch are learnt from: by id, which is that of their acceptance."""
    return sorted(works, key=lambda work: work.submission_id)


def learn(
    work: Work, learner: LearnerState, items: Mapping[ItemKey, ItemRating]
) -> tuple[SubmissionEffect, LearnerState]:
    """One submission: its effect on ratings, of skills and of the questions it answers, and the learner afterwards.

    It is the same whenever it is worked out again from the same state: all that is learnt follows from history.
    """
    own = {
        answer.question.id: items.get((work.tenant_id, answer.question.id)) or first_item_rating(answer.question)
        for answer in work.answers
    }
    answers = work.ruled_answers
    effect = apply_submission(learner.skills, own, answers, work.handed_in_at)
    skills = fold(learner.skills, effect, work.handed_in_at)
    answered = [answer.question.id for answer in work.answers]
    recent = remember_correct(learner.recent_correct, answered, fully_answered(answers))
    return effect, LearnerState(skills, recent)


def occasion_of(work: Work, learner: LearnerState) -> Occasion:
    """What the advice after a submission goes by besides skills; `learner` is the one afterwards."""
    right = fully_answered(work.ruled_answers)
    return Occasion(
        now=work.handed_in_at,
        seed=work.submission_id,
        language=language_of(work),
        barred=Barred(
            excluded=right.union(learner.recent_correct),
            postponed=frozenset(answer.question.id for answer in work.answers) - right,
        ),
        context=work.context,
    )


def language_of(work: Work) -> str:
    """The primary language most of these questions are asked in: what a learner answers, a learner can read."""
    languages = [primary_language(answer.question.language) for answer in work.answers]
    return max(dict.fromkeys(languages), key=languages.count)


def remember_correct(recent: Sequence[str], answered: Sequence[str], right: frozenset[str]) -> tuple[str, ...]:
    """`recent` with this submission's right answers at the end; what was now answered wrong is forgotten."""
    here = frozenset(answered)
    kept = [question_id for question_id in recent if question_id not in here]
    return tuple((kept + [question_id for question_id in answered if question_id in right])[-REMEMBERED_CORRECT:])
