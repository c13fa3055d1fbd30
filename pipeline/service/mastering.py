"""What answers tell of a learner, in the terms in which a curriculum asks."""

from collections.abc import Sequence
from datetime import datetime

from pipeline.curriculum.standing import Measure, TopicStanding
from pipeline.learning.mastery import MasteryLevel, level_of, mastery, module_logit
from pipeline.learning.pooling import overall
from pipeline.learning.rating import Skill


def measure_of(skills: Sequence[Skill], now: datetime) -> Measure:
    """The standing in any topic, at any difficulty level, of the learner with these skills."""
    by_topic = {skill.topic: skill for skill in skills}
    everywhere = overall(by_topic)

    def measure(topic: str, difficulty: int) -> TopicStanding:
        skill = by_topic.get(topic)
        answers = 0 if skill is None else skill.answers
        reached = mastery(skill, everywhere, module_logit(difficulty), now)
        return TopicStanding(reached, level_of(reached, answers) is MasteryLevel.MASTERED, answers)

    return measure
