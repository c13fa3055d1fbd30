"""What is stored beside what follows from history: where they differ, and what is to be mended."""

from collections.abc import AsyncIterator
from typing import Any, Final

import msgspec

from pipeline.learning.metrics import AnswerSums, LearnerDay, QuestionCount
from pipeline.learning.rating import ItemRating
from pipeline.ports.rebuilding import LearningLook
from pipeline.service.replaying import NOBODY, Replay
from pipeline.stages.recommend import LearnerState

NOTHING: Final = AnswerSums()
SHOWN: Final = 20


class Difference(msgspec.Struct, frozen=True):
    """Something that is not what history says; None where it is not there at all."""

    what: str
    stored: Any
    rebuilt: Any

    def __str__(self) -> str:
        return f"{self.what} is {self.stored}, and should be {self.rebuilt}"


class Mending:
    """What a look found to differ, and what follows from it for the stored state."""

    def __init__(self) -> None:
        self.found = 0
        self.first: list[Difference] = []
        self.learners: set[str] = set()
        self.items: set[str] = set()
        self.days: list[LearnerDay] = []
        self.counts: list[QuestionCount] = []

    def note(self, what: str, stored: Any, rebuilt: Any) -> bool:
        """Whether the two differ; if so it is noted."""
        if stored == rebuilt:
            return False
        self.found += 1
        if len(self.first) < SHOWN:
            self.first.append(difference(what, msgspec.to_builtins(stored), msgspec.to_builtins(rebuilt)))
        return True

    def compare_learner(self, id_: str, stored: LearnerState, rebuilt: LearnerState) -> None:
        """The skills one by one, and what was answered right lately."""
        differ = [
            self.note(f"the skill of {id_!r} in {topic!r}", stored.skills.get(topic), rebuilt.skills.get(topic))
            for topic in sorted({*stored.skills, *rebuilt.skills})
        ]
        recent = self.note(f"what {id_!r} answered right lately", stored.recent_correct, rebuilt.recent_correct)
        if recent or any(differ):
            self.learners.add(id_)

    def compare_item(self, id_: str, stored: ItemRating | None, rebuilt: ItemRating | None) -> None:
        if self.note(f"the rating of question {id_!r}", stored, rebuilt):
            self.items.add(id_)

    def compare_day(self, stored: LearnerDay, rebuilt: LearnerDay) -> None:
        if self.note(f"the day {rebuilt.day} of {rebuilt.learner_id!r}", stored, rebuilt):
            submissions = rebuilt.submissions - stored.submissions
            missing = msgspec.structs.replace(rebuilt, submissions=submissions, sums=rebuilt.sums - stored.sums)
            self.days.append(missing)

    def compare_count(self, stored: QuestionCount, rebuilt: QuestionCount) -> None:
        if self.note(f"the statistics of question {rebuilt.question_id!r}", stored.sums, rebuilt.sums):
            self.counts.append(msgspec.structs.replace(rebuilt, sums=rebuilt.sums - stored.sums))


async def compared(look: LearningLook, replay: Replay) -> Mending:
    """The stored state beside the one that follows from history."""
    mending = Mending()
    await _compare_learners(look.learners(), replay, mending)
    left = dict.fromkeys(replay.items)
    async for id_, item in look.items():
        left.pop(id_, None)
        mending.compare_item(id_, item, replay.items.get(id_))
    for id_ in left:
        mending.compare_item(id_, None, replay.items[id_])
    await _compare_days(look.days(), replay, mending)
    await _compare_counts(look.counts(), replay, mending)
    return mending


async def _compare_learners(stored: AsyncIterator[tuple[str, LearnerState]], replay: Replay, mending: Mending) -> None:
    left = dict.fromkeys(replay.learners)
    async for id_, state in stored:
        left.pop(id_, None)
        mending.compare_learner(id_, state, replay.learners.get(id_, NOBODY))
    for id_ in left:
        mending.compare_learner(id_, NOBODY, replay.learners[id_])


async def _compare_days(stored: AsyncIterator[LearnerDay], replay: Replay, mending: Mending) -> None:
    left = dict.fromkeys(replay.days)
    async for day in stored:
        left.pop(day.key, None)
        rebuilt = replay.days.get(day.key) or msgspec.structs.replace(day, submissions=0, sums=NOTHING)
        mending.compare_day(day, rebuilt)
    for key in left:
        rebuilt = replay.days[key]
        mending.compare_day(msgspec.structs.replace(rebuilt, submissions=0, sums=NOTHING), rebuilt)


async def _compare_counts(stored: AsyncIterator[QuestionCount], replay: Replay, mending: Mending) -> None:
    left = dict.fromkeys(replay.counts)
    async for count in stored:
        left.pop(count.key, None)
        mending.compare_count(count, replay.counts.get(count.key) or msgspec.structs.replace(count, sums=NOTHING))
    for key in left:
        mending.compare_count(msgspec.structs.replace(replay.counts[key], sums=NOTHING), replay.counts[key])


def difference(what: str, stored: Any, rebuilt: Any) -> Difference:
    """As plain data; of two records only the fields that differ."""
    if isinstance(stored, dict) and isinstance(rebuilt, dict):
        fields = [name for name, value in rebuilt.items() if stored.get(name) != value]
        stored, rebuilt = ({name: record.get(name) for name in fields} for record in (stored, rebuilt))
    return Difference(what, stored, rebuilt)
