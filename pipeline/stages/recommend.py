"""What a submission teaches about its learner and its questions, and what to do next."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from pipeline.learning.candidate import CandidateIndex, index_candidates
from pipeline.learning.evidence import fully_answered
from pipeline.learning.rating import ItemRating, Skill, apply_submission, moved_skills
from pipeline.learning.selection import recommend
from pipeline.learning.weakness import weaknesses_of
from pipeline.model import Work
from pipeline.stages.outcome import Done, Outcome

RECOMMENDED: Final = 5
REMEMBERED_CORRECT: Final = 64
"""So many questions a learner answered right are remembered and not recommended again."""

Bank = Mapping[str, CandidateIndex]
"""A tenant's questions to choose from, by the primary language they are asked in."""

NO_QUESTIONS: Final = index_candidates(())

LearnerKey = tuple[int, str]
ItemKey = tuple[int, str]


class LearnerState(msgspec.Struct, frozen=True):
    """What is known of a learner: skills by topic, and the ids last answered right, oldest first."""

    skills: Mapping[str, Skill]
    recent_correct: tuple[str, ...] = ()


class LearningState(msgspec.Struct, frozen=True):
    """What a batch needs to know, held under lock until it is written back.

    `banks` holds each tenant's questions to choose from.
    """

    learners: Mapping[LearnerKey, LearnerState]
    items: Mapping[ItemKey, ItemRating]
    banks: Mapping[int, Bank]


class Learned(msgspec.Struct, frozen=True):
    """What to write back: new states of the learners and items that moved, and which skills did."""

    learners: Mapping[LearnerKey, LearnerState]
    moved_skills: Mapping[LearnerKey, frozenset[str]]
    items: Mapping[ItemKey, ItemRating]


def decide(works: Sequence[Work], state: LearningState) -> tuple[list[Outcome], Learned]:
    """Fold the submissions in order of hand-in; outcomes come in the order of `works`."""
    learners, items = dict(state.learners), dict(state.items)
    moved: dict[LearnerKey, frozenset[str]] = {}
    outcomes: dict[str, Outcome] = {}
    for work in sorted(works, key=lambda one: one.submission_id):
        key = (work.tenant_id, work.learner_id)
        outcome, learner, new_items, topics = decide_one(work, learners[key], items, state.banks[work.tenant_id])
        learners[key] = learner
        items.update({(work.tenant_id, question_id): rating for question_id, rating in new_items.items()})
        moved[key] = moved.get(key, frozenset()) | topics
        outcomes[work.submission_id] = outcome
    changed = {key: rating for key, rating in items.items() if state.items.get(key) != rating}
    return [outcomes[work.submission_id] for work in works], Learned(learners, moved, changed)


def decide_one(
    work: Work, learner: LearnerState, items: Mapping[ItemKey, ItemRating], bank: Bank
) -> tuple[Done, LearnerState, Mapping[str, ItemRating], frozenset[str]]:
    """One submission: the advice, the learner afterwards, the items it moved and the topics it moved."""
    own = {
        answer.question.id: items[work.tenant_id, answer.question.id]
        for answer in work.answers
        if (work.tenant_id, answer.question.id) in items
    }
    effect = apply_submission(learner.skills, own, work.scored_answers, work.handed_in_at)
    answered = [answer.question.id for answer in work.answers]
    right = fully_answered(work.scored_answers)
    recent = remember_correct(learner.recent_correct, answered, right)
    advice = recommend(
        bank.get(language_of(work), NO_QUESTIONS),
        effect.skills,
        weaknesses_of(effect.skills.values(), work.handed_in_at),
        excluded=right.union(recent),
        postponed=frozenset(answered) - right,
        seed=work.submission_id,
        count=RECOMMENDED,
        locale=work.context.locale or "en",
    )
    topics = frozenset(skill.topic for skill in moved_skills(effect))
    changed = {change.question_id: effect.items[change.question_id] for change in effect.changes}
    return Done(advice), LearnerState(effect.skills, recent), changed, topics


def language_of(work: Work) -> str:
    """The primary language most of these questions are asked in: what a learner answers, a learner can read."""
    counts = Counter(primary_language(answer.question.language) for answer in work.answers)
    return counts.most_common(1)[0][0]


def primary_language(tag: str) -> str:
    """`pt` of the BCP 47 tag `pt-BR`."""
    return tag.partition("-")[0].lower()


def remember_correct(recent: Sequence[str], answered: Sequence[str], right: frozenset[str]) -> tuple[str, ...]:
    """`recent` with this submission's right answers at the end; what was now answered wrong is forgotten."""
    here = frozenset(answered)
    kept = [question_id for question_id in recent if question_id not in here]
    return tuple((kept + [question_id for question_id in answered if question_id in right])[-REMEMBERED_CORRECT:])
