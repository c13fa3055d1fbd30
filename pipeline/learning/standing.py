"""A learner in a few words: how far on, how much right lately, what is hard. For prompts, not for charts."""

from collections.abc import Collection
from datetime import datetime
from typing import Final, NamedTuple

from pipeline.learning.pooling import ability_in, expected_score, overall
from pipeline.learning.rating import START_RATING, Skill
from pipeline.learning.recency import fading
from pipeline.learning.weakness import weaknesses_of

LEAST_ANSWERS: Final = 5
"""With fewer answers than this nothing is said of a learner's level."""
BEGINNER_BELOW: Final = 0.4
ADVANCED_FROM: Final = 0.7
LEAST_RECENT: Final = 3.0
"""With fewer answers than this, fading counted in, nothing is said of how much was right lately."""
NAMED_WEAKNESSES: Final = 5
DECIMALS: Final = 4


class Standing(NamedTuple):
    """How a learner stands; None where too little is known.

    `weaknesses` are topics, the worst first; `mistakes` are the kinds of mistakes that prevail in them, "" where none
    does.
    """

    level: str | None
    weaknesses: tuple[str, ...]
    recent_accuracy: float | None
    mistakes: tuple[str, ...] = ()


def standing_of(skills: Collection[Skill], now: datetime) -> Standing:
    """How a learner with these skills stands at `now`."""
    weak = weaknesses_of(skills, now)[:NAMED_WEAKNESSES]
    return Standing(
        level=level_of(skills),
        weaknesses=tuple(weakness.topic for weakness in weak),
        recent_accuracy=recent_accuracy(skills, now),
        mistakes=tuple(weakness.prevailing or "" for weakness in weak),
    )


def level_of(skills: Collection[Skill]) -> str | None:
    """`beginner`, `intermediate` or `advanced`, by the chance to answer a question of middle difficulty right.

    The ability is the mean of those in the topics, each weighted by its answers; None after fewer than 5 answers.
    """
    answers = sum(skill.answers for skill in skills)
    if answers < LEAST_ANSWERS:
        return None
    known = {skill.topic: skill for skill in skills}
    everywhere = overall(known)
    ability = sum(ability_in(known, (topic,), everywhere).mean * known[topic].answers for topic in known) / answers
    chance = expected_score(ability, START_RATING)
    if chance < BEGINNER_BELOW:
        return "beginner"
    return "advanced" if chance >= ADVANCED_FROM else "intermediate"


def recent_accuracy(skills: Collection[Skill], now: datetime) -> float | None:
    """The share of right answers lately, in [0, 1], fading with age; None where there is too little to say."""
    answers = errors = 0.0
    for skill in skills:
        left = fading(max(now, skill.updated_at) - skill.updated_at)
        answers += left * skill.recent.answers
        errors += left * skill.recent.errors
    return round(1 - errors / answers, DECIMALS) if answers >= LEAST_RECENT else None
