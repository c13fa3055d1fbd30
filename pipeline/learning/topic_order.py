"""In which topics the questions of each kind are looked for, and in which order."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from pipeline.learning.candidate import Kind
from pipeline.learning.memory import is_due
from pipeline.learning.rating import Skill


def topics_for(
    kind: Kind, bank: Sequence[str], skills: Mapping[str, Skill], weak: Collection[str], now: datetime, spin: int
) -> Iterator[str]:
    """The topics that questions of `kind` are looked for in, the first ones first, each once.

    `bank` are all that there are questions on, `weak` those of the weaknesses (weakest first); `spin` turns the new
    ones. The order is worked out as far as somebody asks: mostly the first three will do.
    """
    if kind is Kind.REVIEW:
        due = dict.fromkeys(due_topics(skills.values(), now))
        yield from sorted(due, key=weak.__contains__)
        yield from (topic for topic in _stalest(_steady(skills, weak)) if topic not in due)
        yield from (topic for topic in weak if topic not in due)
        return
    if kind is Kind.CHALLENGE:
        yield from _strongest(_steady(skills, weak))
        yield from turned([topic for topic in bank if topic not in skills], spin)
    yield from weak


def due_topics(skills: Iterable[Skill], now: datetime) -> list[str]:
    """The topics whose review is due at `now`, the most overdue first."""
    due = [(skill.memory.due_at, skill.topic) for skill in skills if skill.memory and is_due(skill.memory, now)]
    return [topic for _, topic in sorted(due)]


def turned(topics: Sequence[str], spin: int) -> Sequence[str]:
    """`topics` from a place that `spin` chooses, round to where it began."""
    start = spin % len(topics) if topics else 0
    return [*topics[start:], *topics[:start]]


def _steady(skills: Mapping[str, Skill], weak: Collection[str]) -> Iterator[Skill]:
    return (skill for skill in skills.values() if skill.topic not in weak)


def _stalest(skills: Iterable[Skill]) -> list[str]:
    return [topic for _, topic in sorted((skill.updated_at, skill.topic) for skill in skills)]


def _strongest(skills: Iterable[Skill]) -> list[str]:
    return [topic for _, topic in sorted((-skill.rating, skill.topic) for skill in skills)]
