"""The four stages: read, decide by Gradeline's functions, write back."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg.types.json import Jsonb

from benchmarks.peers.coursework.bank import Bank, KeptBank
from benchmarks.peers.coursework.tables import STAGES
from benchmarks.peers.coursework.values import (
    TENANT,
    learning_state,
    minute_columns,
    now,
    plain,
    skill_columns,
    sums_columns,
    work_of,
)
from benchmarks.peers.coursework.writing import feedback_body
from benchmarks.peers.plain_sql import statements
from benchmarks.peers.plain_sql.talking import Ask, Work
from pipeline import model
from pipeline.learning.metrics import Increments
from pipeline.learning.rating import first_item_rating
from pipeline.stages import metrics as metrics_stage
from pipeline.stages import recommend as recommend_stage
from pipeline.stages import score as score_stage
from pipeline.stages.recommend import Learned


class Run(NamedTuple):
    """A stage of this submission, started; all its stages are locked."""

    submission_id: UUID
    stage: str
    started_at: datetime
    stages: list[Any]


def score(submission_id: UUID, kept: KeptBank) -> Work[None]:
    """Score it by rules."""
    if run := (yield from begun(submission_id, "score")):
        work, _ = yield from loaded(run, kept)
        yield from finish(run, plain(score_stage.decide(work).body))


def feedback(submission_id: UUID, kept: KeptBank) -> Work[None]:
    """Write feedback from templates."""
    if run := (yield from begun(submission_id, "feedback")):
        work, _ = yield from loaded(run, kept)
        yield from finish(run, plain(feedback_body(work)))


def recommend(submission_id: UUID, kept: KeptBank) -> Work[None]:
    """Move the learner's skills and the questions' ratings under lock, and recommend what to do next."""
    if run := (yield from begun(submission_id, "recommend")):
        work, bank = yield from loaded(run, kept)
        recent = yield from locked_learner(work.learner_id)
        skills = yield Ask(statements.READ_SKILLS, (work.learner_id,))
        items = yield from locked_items(work)
        state = learning_state(work, bank, skills, recent, items)
        outcomes, learned = recommend_stage.decide([work], state)
        yield from keep(work.learner_id, learned)
        yield from finish(run, plain(outcomes[0].body))  # type: ignore[union-attr] # it is always done


def metrics(submission_id: UUID, kept: KeptBank) -> Work[None]:
    """Count it per learner and day, per question, per stage and minute; then it is completed."""
    if run := (yield from begun(submission_id, "metrics")):
        work, _ = yield from loaded(run, kept)
        _, increments = metrics_stage.decide([work])
        yield from finish(run, None)
        yield from add(increments)  # last: all workers write to the same few rows of the running minute


def begun(submission_id: UUID, stage: str) -> Work[Run | None]:
    """The stage, locked with its siblings; None where a message came twice and it is done."""
    stages = yield Ask(statements.LOCK_STAGES, (submission_id,))
    if next(row for row in stages if row.stage == stage).state == "done":
        return None
    return Run(submission_id, stage, now(), stages)


def loaded(run: Run, kept: KeptBank) -> Work[tuple[model.Work, Bank]]:
    """What a stage needs to know, and the bank it is about."""
    (submission,) = yield Ask(statements.READ_SUBMISSION, (run.submission_id,))
    answers = yield Ask(statements.READ_ANSWERS, (run.submission_id,))
    score: Mapping[str, Any] | None = None
    if run.stage != STAGES[0]:
        ((score,),) = yield Ask(statements.READ_SCORE, (run.submission_id,))
    stages = [row._replace(started_at=run.started_at) if row.stage == run.stage else row for row in run.stages]
    bank = kept.holding(answer.question_id for answer in answers)
    return work_of(submission, answers, bank, score=score, stages=stages), bank


def finish(run: Run, body: dict[str, Any] | None) -> Work[None]:
    """Store the result, end the stage and make the next one ready, or complete the submission."""
    moment, id_ = now(), run.submission_id
    if body is not None:
        yield Ask(statements.STORE_RESULT, (id_, run.stage, Jsonb(body)))
    yield Ask(statements.END_STAGE, (run.started_at, moment, id_, run.stage))
    if run.stage == STAGES[-1]:
        yield Ask(statements.MOVE_SUBMISSION, ("completed", moment, moment, id_))
        return
    yield Ask(statements.READY_STAGE, (moment, id_, STAGES[STAGES.index(run.stage) + 1]))
    yield Ask(statements.MOVE_SUBMISSION, ("ai_processing", moment, None, id_))


def locked_learner(learner_id: str) -> Work[list[str]]:
    """The learner under lock, put there first if missing: the questions answered right lately."""
    found = yield Ask(statements.LOCK_LEARNER, (learner_id,))
    if not found:
        yield Ask(statements.START_LEARNER, (learner_id,))
        found = yield Ask(statements.LOCK_LEARNER, (learner_id,))
    recent: list[str] = found[0].recent_correct
    return recent


def locked_items(work: model.Work) -> Work[dict[str, tuple[float, int]]]:
    """Ratings of the questions answered under lock, in one order for everybody, put there if missing."""
    questions = {answer.question.id: answer.question for answer in work.answers}
    found = yield Ask(statements.LOCK_ITEMS, (list(questions),))
    if missing := sorted(questions.keys() - {row.question_id for row in found}):
        yield Ask(statements.START_ITEM, [(id_, first_item_rating(questions[id_]).rating) for id_ in missing])
        found = yield Ask(statements.LOCK_ITEMS, (list(questions),))
    return {row.question_id: (row.rating, row.answers) for row in found}


def keep(learner_id: str, learned: Learned) -> Work[None]:
    """Write back what moved."""
    key = (TENANT, learner_id)
    state = learned.learners[key]
    yield Ask(statements.SAVE_LEARNER, (list(state.recent_correct), learner_id))
    skills = [skill_columns(learner_id, state.skills[topic]) for topic in sorted(learned.moved_skills[key])]
    yield Ask(statements.SAVE_SKILL, skills)
    items = [(item.rating, item.answers, id_) for (_, id_), item in learned.items.items()]
    yield Ask(statements.SAVE_ITEM, items)


def add(increments: Increments) -> Work[None]:
    """Add to the figures."""
    for row in increments.days:
        columns = {"learner_id": row.learner_id, "day": row.day, "submissions": row.submissions}
        yield Ask(statements.ADD_DAY, {**columns, **sums_columns(row.sums)})
    items = [{"question_id": row.question_id, **sums_columns(row.sums)} for row in increments.questions]
    yield Ask(statements.ADD_ITEM, items)
    yield Ask(statements.ADD_MINUTE, [minute_columns(row) for row in increments.stages])


STEPS = {"score": score, "feedback": feedback, "recommend": recommend, "metrics": metrics}
