"""What a submission leaves in a learner's topics besides ratings: their memory, and the kinds of mistakes."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from pipeline.learning.evidence import Evidence, Tells, evidence_of
from pipeline.learning.memory import Memory, memory_after, rating_of
from pipeline.learning.mistake import Mistake, mistake_in, mistaken
from pipeline.learning.rating import Change, Skill, SubmissionEffect
from pipeline.model import ScoredAnswer


class _Told(msgspec.Struct, frozen=True):
    """An answer, what it says of a topic, and which mistake it is."""

    scored: ScoredAnswer
    evidence: Evidence
    mistake: Mistake | None

    @property
    def error_weight(self) -> float:
        return self.evidence.error * self.evidence.learner_weight / len(self.evidence.topics)


def fold(
    before: Mapping[str, Skill],
    effect: SubmissionEffect,
    answers: Sequence[ScoredAnswer],
    at: datetime,
    tells: Tells = evidence_of,
) -> dict[str, Skill]:
    """The skills after a submission handed in at `at`: those of `effect`, with memory and mistakes brought up to them.

    `before` are the skills that `effect` came from, `answers` and `tells` those it was made of. Everything follows from
    these values alone, so the same history gives the same skills to the last digit.
    """
    told = _told(answers, effect.changes, tells)
    by_topic: dict[str, list[_Told]] = {}
    for one in told:
        for topic in one.evidence.topics:
            by_topic.setdefault(topic, []).append(one)
    moved = {topic: _moved(before.get(topic), effect.skills[topic], ones, at) for topic, ones in by_topic.items()}
    return {**effect.skills, **moved}


def _told(answers: Sequence[ScoredAnswer], changes: Sequence[Change], tells: Tells) -> list[_Told]:
    """The answers that told something: each made one of the changes, in the same order."""
    with_evidence = [(one, evidence) for one in answers if (evidence := tells(one)) is not None]
    return [
        _Told(one, evidence, mistake_in(one, evidence, change.expected))
        for (one, evidence), change in zip(with_evidence, changes, strict=True)
    ]


def _moved(was: Skill | None, now: Skill, told: Sequence[_Told], at: datetime) -> Skill:
    last_seen = at if was is None else was.updated_at
    mistakes = () if was is None else was.mistakes
    as_of = last_seen
    for one in told:
        mistakes = mistaken(mistakes, as_of, kind=one.mistake, weight=one.error_weight, at=at)
        as_of = max(as_of, at)
    return msgspec.structs.replace(now, mistakes=mistakes, memory=_remembered(was, told, last_seen, at))


def _remembered(was: Skill | None, told: Sequence[_Told], last_seen: datetime, at: datetime) -> Memory | None:
    memory = None if was is None else was.memory
    rating = rating_of([one.scored for one in told])
    return memory if rating is None else memory_after(memory, last_seen, rating, at)
