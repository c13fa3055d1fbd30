"""In which topics the questions of each kind are looked for, and in which order."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from pipeline.learning.candidate import CandidateIndex, Kind
from pipeline.learning.memory import is_due
from pipeline.learning.rating import Skill
from pipeline.learning.weakness import Weakness


def topics_by_kind(
    index: CandidateIndex, skills: Mapping[str, Skill], weaknesses: Sequence[Weakness], now: datetime, spin: int
) -> dict[Kind, Sequence[str]]:
    """The topics that questions of each kind are looked for in, the first ones first; `spin` turns the new ones."""
    weak = [weakness.topic for weakness in weaknesses]
    weak_topics = frozenset(weak)
    steady = [skill for skill in skills.values() if skill.topic not in weak_topics]
    due = due_topics(skills.values(), now)
    stalest = sorted(steady, key=lambda skill: (skill.updated_at, skill.topic))
    strongest = sorted(steady, key=lambda skill: (-skill.rating, skill.topic))
    new = turned([topic for topic in index.topics if topic not in skills], spin)
    review = [
        *(topic for topic in due if topic not in weak_topics),
        *(topic for topic in due if topic in weak_topics),
        *(skill.topic for skill in stalest),
        *weak,
    ]
    return {
        Kind.WEAKNESS: weak,
        Kind.REVIEW: list(dict.fromkeys(review)),
        Kind.CHALLENGE: [*(skill.topic for skill in strongest), *new, *weak],
    }


def due_topics(skills: Iterable[Skill], now: datetime) -> list[str]:
    """The topics whose review is due at `now`, the most overdue first."""
    due = [(skill.memory.due_at, skill.topic) for skill in skills if skill.memory and is_due(skill.memory, now)]
    return [topic for _, topic in sorted(due)]


def turned(topics: Sequence[str], spin: int) -> Sequence[str]:
    """`topics` from a place that `spin` chooses, round to where it began."""
    start = spin % len(topics) if topics else 0
    return [*topics[start:], *topics[:start]]
