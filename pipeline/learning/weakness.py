"""Where a learner went wrong in the last seven days, the recent errors first.

    score = errors / (answers + 1)

over the faded sums of `recency`. The 1 stands for one right answer that nobody saw: one slip of today scores
0.5, three in a row 0.75, one slip of six days ago 0.11; and a topic recovers by right answers and by time. Of which
kinds the errors were is told beside it, by the sums of `mistake`.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import msgspec

from pipeline.learning.mistake import Mistake, MistakeShare, shares
from pipeline.learning.rating import Skill
from pipeline.learning.recency import fading

BENEFIT_OF_DOUBT: Final = 1.0
LEAST_SCORE: Final = 0.05
"""Below this a topic is not called weak: about one slip in twenty answers of today."""

SCORE_DECIMALS: Final = 4
PREVAILING_SHARE: Final = 0.5


class Weakness(msgspec.Struct, frozen=True):
    """A topic to work on: `score` in [0, 1), higher is weaker; counts are since the beginning.

    `mistakes` are the kinds of the recent errors with their shares, the largest first; those of less than a tenth
    are left out.
    """

    topic: str
    score: float
    answers: int
    correct: int
    last_seen: datetime
    mistakes: tuple[MistakeShare, ...] = ()

    @property
    def prevailing(self) -> Mistake | None:
        """The kind that at least half of the recent errors are; None where none is."""
        first = self.mistakes[0] if self.mistakes else None
        return first.kind if first is not None and first.share >= PREVAILING_SHARE else None


def weaknesses_of(skills: Iterable[Skill], now: datetime) -> tuple[Weakness, ...]:
    """The weak topics among `skills` at `now`, weakest first, then by topic; none unseen for a `WINDOW`."""
    found = [
        Weakness(skill.topic, score, skill.answers, skill.correct, skill.updated_at, shares(skill.mistakes))
        for skill in skills
        if skill.recent.errors and (score := weakness_score(skill, now)) >= LEAST_SCORE
    ]
    return tuple(sorted(found, key=lambda weakness: (-weakness.score, weakness.topic)))


def weakness_score(skill: Skill, now: datetime) -> float:
    """The score of one topic at `now`, rounded to 4 decimals; never faded to before its last answer."""
    left = fading(max(now, skill.updated_at) - skill.updated_at)
    score = left * skill.recent.errors / (left * skill.recent.answers + BENEFIT_OF_DOUBT)
    return round(score, SCORE_DECIMALS)
