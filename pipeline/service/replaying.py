"""A tenant's submissions learnt from once more, in the order in which they were."""

from array import array
from collections.abc import Mapping, Sequence
from typing import Any, Final, assert_never

from pipeline.learning.metrics import LearnerDay, QuestionCount, count_up
from pipeline.learning.rating import ItemRating, first_item_rating
from pipeline.model import Question
from pipeline.ports.rebuilding import (
    Correction,
    Decided,
    DecisionCorrection,
    Event,
    KeptStep,
    Lesson,
    StepCorrection,
)
from pipeline.stages.metrics import finished
from pipeline.stages.recommend import LearnerState, learn
from pipeline.stages.settlement import first_decision, learn_decision

NOBODY: Final = LearnerState({})


class Replay:
    """The state of a tenant as it follows from the events seen so far.

    `starts` are where ratings of questions began that did not begin at their level: that depends on when they did.
    """

    def __init__(self, first_free: int, starts: Mapping[str, float]) -> None:
        self.starts = dict(starts)
        self.learners: dict[str, LearnerState] = {}
        self.items: dict[str, ItemRating] = {}
        self.days: dict[tuple[Any, ...], LearnerDay] = {}
        self.counts: dict[tuple[Any, ...], QuestionCount] = {}
        self.sequences = array("q")
        self.lessons = 0
        self._next_free = first_free

    def take(self, events: Sequence[Event]) -> list[Correction]:
        """Learn from these; answers what should be kept with them and is not."""
        self._count([event for event in events if isinstance(event, Lesson) and event.counted])
        corrections = [self._take(event) for event in events]
        return [correction for correction in corrections if correction is not None]

    def _take(self, event: Event) -> Correction | None:
        match event:
            case KeptStep():
                self._keep(event)
                return None
            case Lesson():
                return self._learn(event)
            case Decided():
                return self._learn_decision(event)
            case _:
                assert_never(event)

    def _keep(self, event: KeptStep) -> None:
        item = self.items.get(event.question_id) or ItemRating(self.starts.get(event.question_id, event.start))
        self.items[event.question_id] = ItemRating(item.rating + event.step, item.answers + event.answers)

    def _learn(self, event: Lesson) -> StepCorrection | None:
        if not event.learnt:
            return None
        work = event.work
        self.lessons += 1
        for answer in work.answers:
            self.items.setdefault(answer.question.id, self._first(answer.question))
        own = {(work.tenant_id, one.question.id): self.items[one.question.id] for one in work.answers}
        effect, learner = learn(work, self.learners.get(work.learner_id, NOBODY), own)
        self.learners[work.learner_id] = learner
        self.items.update(effect.items)
        return self._correction(event, effect.item_steps)

    def _learn_decision(self, event: Decided) -> DecisionCorrection | None:
        work = event.work
        scored = first_decision(work.scored_answers[event.position], event.fraction, event.at)
        question = scored.answer.question
        item = self.items.get(question.id) or self._first(question)
        learner = self.learners.get(work.learner_id, NOBODY)
        effect, self.learners[work.learner_id] = learn_decision(scored, event.at, learner, item)
        self.items.update(effect.items)
        self.sequences.append(event.sequence)
        [change] = effect.changes
        if (event.step, event.answers) == (change.item_step, change.item_answers):
            return None
        return DecisionCorrection(work.submission_id, event.position, change.item_step, change.item_answers)

    def _first(self, question: Question) -> ItemRating:
        """Where a question's rating began."""
        start = self.starts.get(question.id)
        return first_item_rating(question) if start is None else ItemRating(start)

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
