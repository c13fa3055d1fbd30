"""A tenant's submissions learnt from once more, in the order in which they were."""

from array import array
from collections.abc import Sequence
from typing import Any, Final

from pipeline.learning.metrics import LearnerDay, QuestionCount, count_up
from pipeline.learning.rating import ItemRating, first_item_rating
from pipeline.ports.rebuilding import Event, KeptStep, Lesson, StepCorrection
from pipeline.stages.metrics import finished
from pipeline.stages.recommend import LearnerState, learn

NOBODY: Final = LearnerState({})


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
