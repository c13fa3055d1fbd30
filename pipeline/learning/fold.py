"""What a submission leaves in a learner's topics besides ratings: their memory, and the kinds of mistakes."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from pipeline.learning.evidence import Told
from pipeline.learning.memory import memory_after, rating_of
from pipeline.learning.mistake import Mistake, mistake_in, mistaken
from pipeline.learning.rating import Skill, SubmissionEffect


class _Lesson(msgspec.Struct, frozen=True):
    """An answer with what it says of its topics, and which mistake it is."""

    told: Told
    mistake: Mistake | None

    @property
    def error_weight(self) -> float:
        _, evidence = self.told
        return evidence.error * evidence.learner_weight / len(evidence.topics)


def fold(before: Mapping[str, Skill], effect: SubmissionEffect, at: datetime) -> dict[str, Skill]:
    """The skills after a submission handed in at `at`: those of `effect`, with memory and mistakes brought up to them.

    `before` are the skills that `effect` came from. Everything follows from these values alone, so the same history
    gives the same skills to the last digit.
    """
    by_topic: dict[str, list[_Lesson]] = {}
    for told, change in zip(effect.told, effect.changes, strict=True):
        lesson = _Lesson(told, mistake_in(*told, change.expected))
        for topic in change.topics:
            by_topic.setdefault(topic, []).append(lesson)
    moved = {topic: _moved(before.get(topic), effect.skills[topic], ones, at) for topic, ones in by_topic.items()}
    return {**effect.skills, **moved}


def _moved(was: Skill | None, now: Skill, lessons: Sequence[_Lesson], at: datetime) -> Skill:
    last_seen = at if was is None else was.updated_at
    memory, mistakes = (None, ()) if was is None else (was.memory, was.mistakes)
    as_of = last_seen
    for one in lessons:
        mistakes = mistaken(mistakes, as_of, kind=one.mistake, weight=one.error_weight, at=at)
        as_of = max(as_of, at)
    remembered = memory_after(memory, last_seen, rating_of([one.told for one in lessons]), at)
    return msgspec.structs.replace(now, mistakes=mistakes, memory=remembered)
