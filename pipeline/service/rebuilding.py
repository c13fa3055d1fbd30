"""Working out again, from history alone, all that was ever learnt: to see that it is right, or to make it so.

A tenant is looked at as it is at one moment, while work goes on: its submissions are learnt from once more, in the
order in which they were, and what comes out is compared with what is stored. Only where something differs, and is to
be replaced, the tenant's learners and questions are locked: what was handed in since is learnt from on top, and the
rebuilt state takes the place of the stored one, all in one transaction.

Memory grows with learners, their topics and days, and with questions, not with answers; of each submission its number
is kept, in eight bytes.
"""

from array import array
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from pipeline.errors import Conflict
from pipeline.learning.metrics import AnswerSums, LearnerDay, QuestionCount, count_up
from pipeline.learning.rating import ItemRating, first_item_rating
from pipeline.ports.rebuilding import (
    Event,
    KeptStep,
    LearningLook,
    Lesson,
    RebuildStore,
    Rebuilt,
    StepCorrection,
)
from pipeline.stages.metrics import finished
from pipeline.stages.recommend import LearnerState, learn

NOBODY: Final = LearnerState({})
NOTHING: Final = AnswerSums()
TRIES: Final = 3
SHOWN: Final = 20


class Difference(msgspec.Struct, frozen=True):
    """Something that is not what history says; None where it is not there at all."""

    what: str
    stored: Any
    rebuilt: Any

    def __str__(self) -> str:
        return f"{self.what} is {self.stored}, and should be {self.rebuilt}"


class Findings(msgspec.Struct, frozen=True):
    """What a look found: from how much it follows, how many differences, and the first of them."""

    submissions: int
    learners: int
    questions: int
    differences: int
    first: tuple[Difference, ...]


class Replay:
    """The state of a tenant as it follows from the events seen so far."""

    def __init__(self, first_free: int) -> None:
        self.learners: dict[str, LearnerState] = {}
        self.items: dict[str, ItemRating] = {}
        self.days: dict[tuple[Any, ...], LearnerDay] = {}
        self.counts: dict[tuple[Any, ...], QuestionCount] = {}
        self.sequences = array("q")
        self.lessons = 0
        self._next_free = first_free

    def take(self, events: Sequence[Event]) -> list[StepCorrection]:
        """Learn from these; answers what should be kept with them and is not."""
        self._count([event for event in events if isinstance(event, Lesson) and event.counted])
        corrections = []
        for event in events:
            if isinstance(event, KeptStep):
                self._keep(event)
            elif (correction := self._learn(event)) is not None:
                corrections.append(correction)
        return corrections

    def _keep(self, event: KeptStep) -> None:
        item = self.items.get(event.question_id) or ItemRating(event.start)
        self.items[event.question_id] = ItemRating(item.rating + event.step, item.answers + event.answers)

    def _learn(self, event: Lesson) -> StepCorrection | None:
        if not event.learnt:
            return None
        work = event.work
        self.lessons += 1
        for answer in work.answers:
            self.items.setdefault(answer.question.id, first_item_rating(answer.question))
        own = {(work.tenant_id, one.question.id): self.items[one.question.id] for one in work.answers}
        effect, learner = learn(work, self.learners.get(work.learner_id, NOBODY), own)
        self.learners[work.learner_id] = learner
        self.items.update(effect.items)
        return self._correction(event, effect.item_steps)

    def _correction(self, event: Lesson, steps: tuple[float | None, ...]) -> StepCorrection | None:
        sequence = event.sequence
        if sequence is None:
            sequence, self._next_free = self._next_free, self._next_free + 1
        self.sequences.append(sequence)
        if (event.sequence, event.item_steps) == (sequence, steps):
            return None
        return StepCorrection(event.work.submission_id, sequence, steps)

    def _count(self, lessons: Sequence[Lesson]) -> None:
        increments = count_up(finished(lesson.work) for lesson in lessons)
        for day in increments.days:
            known = self.days.get(day.key)
            self.days[day.key] = day if known is None else known + day
        for count in increments.questions:
            counted = self.counts.get(count.key)
            self.counts[count.key] = count if counted is None else counted + count


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
            missing = msgspec.structs.replace(rebuilt, submissions=submissions, sums=less(rebuilt.sums, stored.sums))
            self.days.append(missing)

    def compare_count(self, stored: QuestionCount, rebuilt: QuestionCount) -> None:
        if self.note(f"the statistics of question {rebuilt.question_id!r}", stored.sums, rebuilt.sums):
            self.counts.append(msgspec.structs.replace(rebuilt, sums=less(rebuilt.sums, stored.sums)))


class Rebuilder:
    """Rebuilds what was learnt of a tenant's learners and questions; raises `Conflict` while another one does."""

    def __init__(self, store: RebuildStore) -> None:
        self._store = store

    async def tenants(self) -> Mapping[str, int]:
        """All tenants' ids by name."""
        return await self._store.tenants()

    async def check(self, tenant_id: int) -> Findings:
        """Compare the live state with history, and change nothing."""
        async with self._store.look(tenant_id) as look:
            replay = Replay(await look.first_free_sequence())
            wrong = 0
            async for events in look.events():
                wrong += len(replay.take(events))
            mending = await compared(look, replay)
        return findings_of(replay, mending, wrong)

    async def rebuild(self, tenant_id: int) -> Findings:
        """Make the live state what history says it is; answers what differed.

        Raises `Conflict` where learners were erased again and again meanwhile.
        """
        for _ in range(TRIES):
            if (findings := await self._rebuild(tenant_id)) is not None:
                return findings
        raise Conflict("Learners are being erased: rebuild when that is over.")

    async def _rebuild(self, tenant_id: int) -> Findings | None:
        """None where somebody was erased between look and switch: his steps may have been kept as they were before."""
        async with self._store.look(tenant_id) as look:
            kept = await look.kept_steps()
            replay = Replay(await look.first_free_sequence())
            wrong = 0
            async for events in look.events():
                corrections = replay.take(events)
                wrong += len(corrections)
                await self._store.correct(tenant_id, corrections)
            mending = await compared(look, replay)
            if mending.found and not await self._switch(tenant_id, replay, mending, kept):
                return None
        return findings_of(replay, mending, wrong)

    async def _switch(self, tenant_id: int, replay: Replay, mending: Mending, kept: int) -> bool:
        async with self._store.switch(tenant_id) as switch:
            if await switch.kept_steps() != kept:
                return False
            corrections = list[StepCorrection]()
            async for events in switch.events(array("q", replay.sequences)):
                corrections += replay.take(events)
                for event in events:
                    if isinstance(event, Lesson):
                        mending.learners.add(event.work.learner_id)
                        mending.items.update(answer.question.id for answer in event.work.answers)
            await switch.replace(
                Rebuilt(
                    learners={id_: replay.learners.get(id_, NOBODY) for id_ in sorted(mending.learners)},
                    items={id_: replay.items.get(id_) for id_ in sorted(mending.items)},
                    days=mending.days,
                    counts=mending.counts,
                    corrections=corrections,
                )
            )
        return True


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


def findings_of(replay: Replay, mending: Mending, wrong_steps: int) -> Findings:
    if wrong_steps:
        mending.note("the number of results without their right steps", wrong_steps, 0)
    return Findings(replay.lessons, len(replay.learners), len(replay.items), mending.found, tuple(mending.first))


def less(sums: AnswerSums, others: AnswerSums) -> AnswerSums:
    """One without the other."""
    pairs = zip(msgspec.structs.astuple(sums), msgspec.structs.astuple(others), strict=True)
    return AnswerSums(*(own - other for own, other in pairs))


def difference(what: str, stored: Any, rebuilt: Any) -> Difference:
    """As plain data; of two records only the fields that differ."""
    if isinstance(stored, dict) and isinstance(rebuilt, dict):
        fields = [name for name, value in rebuilt.items() if stored.get(name) != value]
        stored, rebuilt = ({name: record.get(name) for name in fields} for record in (stored, rebuilt))
    return Difference(what, stored, rebuilt)
