"""How sure it is that a learner has a topic, now, at some difficulty.

    mastery  M = R·P      P = σ((a - b)/f), of `pooling` with no guess floor      R the retrievability of `memory`

P is the chance to score on a question of difficulty b, over all that the ability in the topic may be: who is known
little is not called a master. R is the chance that what was learnt is still recalled since the topic's last answer;
1 where the topic has no memory yet, since then nothing was learnt that could be forgotten.

| level      | mastery at the difficulty asked about                         |
|------------|---------------------------------------------------------------|
| new        | no answer yet                                                 |
| novice     | below 0.4                                                     |
| developing | from 0.4                                                      |
| proficient | from 0.6                                                      |
| mastered   | from 0.8, and 5 answers or more                               |

Sources: mastery as a probability with a threshold goes back to A. T. Corbett, J. R. Anderson, "Knowledge tracing:
modeling the acquisition of procedural knowledge", User Modeling and User-Adapted Interaction 4 (1995), who take 0.95
for one small rule; a topic is wider, and 0.8 of its questions at a module's level is what mastery learning usually
asks for (B. S. Bloom, "Learning for mastery", 1968).
"""

from datetime import datetime
from enum import StrEnum
from math import sqrt
from typing import Final

from pipeline.learning.memory import retrievability
from pipeline.learning.pooling import TOPIC_VARIANCE, Estimate, ability_in, predicted_score
from pipeline.learning.rating import MIDDLE_DIFFICULTY, Skill

DEVELOPING_FROM: Final = 0.4
PROFICIENT_FROM: Final = 0.6
MASTERED_FROM: Final = 0.8
MASTERED_ANSWERS: Final = 5


class MasteryLevel(StrEnum):
    """How far a learner has come in a topic."""

    NEW = "new"
    NOVICE = "novice"
    DEVELOPING = "developing"
    PROFICIENT = "proficient"
    MASTERED = "mastered"


def module_logit(level: int) -> float:
    """A module's difficulty 1 to 5 in logits: -1 to +1, half as far from the middle as that of a question.

    A module's questions spread around its level. Held to the full scale, an easy module would be mastered by whoever
    has done nothing, and the hardest one by nobody within the answers that anybody gives.
    """
    return (level - MIDDLE_DIFFICULTY) / 2


def topic_ability(skill: Skill | None, everywhere: Estimate) -> Estimate:
    """The ability in one topic, None standing for one never met; `everywhere` is `pooling.overall` of all of them."""
    if skill is None:
        return Estimate(everywhere.mean, TOPIC_VARIANCE + everywhere.variance)
    return ability_in({skill.topic: skill}, (skill.topic,), everywhere)


def uncertainty(skill: Skill | None, everywhere: Estimate) -> float:
    """The standard deviation, in logits, of what is known of the ability in a topic."""
    return sqrt(topic_ability(skill, everywhere).variance)


def recall(skill: Skill | None, now: datetime) -> float:
    """R, in (0, 1]: the chance that what was learnt of a topic is still recalled."""
    if skill is None or skill.memory is None:
        return 1.0
    return retrievability(skill.memory, skill.updated_at, now)


def chance(skill: Skill | None, everywhere: Estimate, difficulty: float) -> float:
    """P, in [0, 1]: the chance to score on a question of `difficulty` (logits), were nothing forgotten."""
    return predicted_score(topic_ability(skill, everywhere), Estimate(difficulty, 0.0))


def mastery(skill: Skill | None, everywhere: Estimate, difficulty: float, now: datetime) -> float:
    """M, in [0, 1]: the chance to score on a question of `difficulty` (logits) in a topic without guessing.

    `skill` is None for a topic never met, `everywhere` the learner's `pooling.overall`.
    """
    return recall(skill, now) * chance(skill, everywhere, difficulty)


def has_mastered(skill: Skill | None, everywhere: Estimate, difficulty: float, now: datetime) -> bool:
    """Whether a topic's level is `MASTERED`; who has answered or learnt too little is not worked out to the end."""
    if skill is None or skill.answers < MASTERED_ANSWERS:
        return False
    learnt = chance(skill, everywhere, difficulty)
    return learnt >= MASTERED_FROM and recall(skill, now) * learnt >= MASTERED_FROM


def level_of(mastered: float, answers: int) -> MasteryLevel:
    """The level of a topic after `answers`, whose `mastery` is `mastered`."""
    if answers == 0:
        return MasteryLevel.NEW
    if mastered >= MASTERED_FROM and answers >= MASTERED_ANSWERS:
        return MasteryLevel.MASTERED
    if mastered >= PROFICIENT_FROM:
        return MasteryLevel.PROFICIENT
    return MasteryLevel.DEVELOPING if mastered >= DEVELOPING_FROM else MasteryLevel.NOVICE
