"""What one scored answer says about the learner and about the question, before any formula runs.

| outcome               | the rating sees           | counts for the learner | counts for the question |
|-----------------------|---------------------------|------------------------|-------------------------|
| correct, partial, incorrect | its fraction        | fully                  | fully                   |
| needs_review, estimated     | the rule's estimate | half                   | half                    |
| needs_review, no estimate (essay) | nothing       | not at all             | not at all              |
| unanswered            | the guess floor           | fully                  | not at all              |
| settled by a person, once, later | what was decided | what the estimate left | what the estimate left  |

A choice made faster than its question can be read (`haste`) counts `RAPID_WEIGHT` of that. Why so is told in
docs/learning.md.
"""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from pipeline.learning.haste import is_rapid
from pipeline.model import Outcome, Question, ScoredAnswer

PROVISIONAL_WEIGHT: Final = 0.5
"""How much an estimate counts that a person may still overrule."""

RAPID_WEIGHT: Final = 0.25
"""How much a rapid guess counts: right by chance, as a rule, but the threshold takes some quick ones for guesses."""

UNSORTED_TOPIC: Final = "general"
"""The topic of a question that names neither a topic nor a module."""

FEWEST_CHOICES: Final = 2

LEARNER_WEIGHTS: Final[Mapping[Outcome, float]] = MappingProxyType(
    {
        Outcome.CORRECT: 1.0,
        Outcome.PARTIAL: 1.0,
        Outcome.INCORRECT: 1.0,
        Outcome.NEEDS_REVIEW: PROVISIONAL_WEIGHT,
        Outcome.UNANSWERED: 1.0,
    }
)

ITEM_WEIGHTS: Final[Mapping[Outcome, float]] = MappingProxyType({**LEARNER_WEIGHTS, Outcome.UNANSWERED: 0.0})


class Evidence(msgspec.Struct, frozen=True):
    """One answer as the rating sees it; every number is in [0, 1].

    `outcome` stands against the expected score, `error` feeds the weaknesses, `guess` is the score that
    blind guessing earns on average, `correct` says that the answer was settled as right, `rapid` that it was a guess
    in haste. `counted_before` is True where the same answer told something already, and so is not one more of them.
    """

    question_id: str
    topics: tuple[str, ...]
    guess: float
    outcome: float
    error: float
    correct: bool
    learner_weight: float
    item_weight: float
    rapid: bool = False
    counted_before: bool = False


Told = tuple[ScoredAnswer, Evidence]
"""An answer, and what it says."""


def topics_of(question: Question) -> tuple[str, ...]:
    """The topics that answers to `question` move: its own, else its module, else `UNSORTED_TOPIC`.

    A topic named twice counts once; the order is the question's.
    """
    if question.topics:
        return tuple(dict.fromkeys(question.topics))
    return (question.module or UNSORTED_TOPIC,)


def choices_of(question: Question) -> int:
    """How many options a blind guess picks one from; 0 where guessing earns nothing worth counting."""
    if question.type == "true_false":
        return 2
    return len(question.options) if question.type == "single_choice" else 0


def guess_floor(choices: int) -> float:
    """The mean score of a blind guess among `choices` options: the `c` of the 3PL model."""
    return 1.0 / choices if choices >= FEWEST_CHOICES else 0.0


def evidence_of(scored: ScoredAnswer) -> Evidence | None:
    """What `scored` says, or None where it says nothing: its fraction is not known yet."""
    question, score = scored.answer.question, scored.score
    unanswered = score.outcome is Outcome.UNANSWERED
    if score.fraction is None and not unanswered:
        return None
    fraction = 0.0 if unanswered or score.fraction is None else score.fraction
    guess = guess_floor(choices_of(question))
    correct = score.outcome is Outcome.CORRECT  # a text may say it in other words: less than alike, and no error
    rapid = not unanswered and is_rapid(scored.answer)
    engaged = RAPID_WEIGHT if rapid else 1.0
    return Evidence(
        question_id=question.id,
        topics=topics_of(question),
        guess=guess,
        outcome=guess if unanswered else fraction,
        error=0.0 if correct else 1.0 - fraction,
        correct=correct,
        learner_weight=engaged * LEARNER_WEIGHTS[score.outcome],
        item_weight=engaged * ITEM_WEIGHTS[score.outcome],
        rapid=rapid,
    )


def evidence_of_decision(scored: ScoredAnswer) -> Evidence | None:
    """What a person's decision on an answer adds: the decided fraction, by the weight that its estimate left.

    None where nobody decided.
    """
    evidence, settled = evidence_of(scored), scored.score.settled
    if evidence is None or settled is None:
        return None
    estimated = settled.estimate is not None
    left = 1.0 - PROVISIONAL_WEIGHT if estimated else 1.0
    return msgspec.structs.replace(
        evidence,
        learner_weight=left * evidence.learner_weight,
        item_weight=left * evidence.item_weight,
        counted_before=estimated,
    )


Tells = Callable[[ScoredAnswer], Evidence | None]
"""Which part of what answers say is folded in: `evidence_of` them, or `evidence_of_decision`."""


def fully_answered(scored_answers: Iterable[ScoredAnswer]) -> frozenset[str]:
    """The ids of the questions answered with the whole score, settled or provisional."""
    return frozenset(scored.answer.question.id for scored in scored_answers if (scored.score.fraction or 0.0) >= 1.0)
