"""The four stages, each in the session it is given: read by the ORM, decide by Gradeline's functions, write back."""

from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, selectinload

from benchmarks.peers.celery_orm.database import bank
from benchmarks.peers.coursework import tables
from benchmarks.peers.coursework.tables import (
    STAGES,
    ItemRatingRow,
    LearnerRow,
    ResultRow,
    SkillRow,
    StageRow,
    SubmissionRow,
)
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
from pipeline.learning.metrics import Increments
from pipeline.learning.rating import first_item_rating
from pipeline.model import Work
from pipeline.stages import metrics as metrics_stage
from pipeline.stages import recommend as recommend_stage
from pipeline.stages import score as score_stage
from pipeline.stages.recommend import Learned


class Grading(NamedTuple):
    """One stage under way: the submission with its answers, and all its stages, locked."""

    submission: SubmissionRow
    stages: dict[str, StageRow]
    stage: str


def score(session: Session, submission_id: UUID) -> None:
    """Score it by rules."""
    if grading := begun(session, submission_id, "score"):
        finish(session, grading, plain(score_stage.decide(load(grading)).body))


def feedback(session: Session, submission_id: UUID) -> None:
    """Write feedback from templates."""
    if grading := begun(session, submission_id, "feedback"):
        work = load(grading, scored=session.get_one(ResultRow, (submission_id, "score")))
        finish(session, grading, plain(feedback_body(work)))


def recommend(session: Session, submission_id: UUID) -> None:
    """Move the learner's skills and the questions' ratings under lock, and recommend what to do next."""
    if grading := begun(session, submission_id, "recommend"):
        work = load(grading, scored=session.get_one(ResultRow, (submission_id, "score")))
        learner = locked_learner(session, work.learner_id)
        skills = {row.topic: row for row in session.scalars(select(SkillRow).filter_by(learner_id=learner.id))}
        items = locked_items(session, work)
        known = bank.holding(items)
        rated = {id_: (row.rating, row.answers) for id_, row in items.items()}
        state = learning_state(work, known, skills.values(), learner.recent_correct, rated)
        outcomes, learned = recommend_stage.decide([work], state)
        keep(session, learned, learner, skills, items)
        finish(session, grading, plain(outcomes[0].body))  # type: ignore[union-attr] # it is always done


def metrics(session: Session, submission_id: UUID) -> None:
    """Count it per learner and day, per question, per stage and minute; then it is completed."""
    if grading := begun(session, submission_id, "metrics"):
        scored = session.get_one(ResultRow, (submission_id, "score"))
        _, increments = metrics_stage.decide([load(grading, scored=scored)])
        finish(session, grading, None)
        session.flush()
        add(session, increments)  # last: all workers write to the same few rows of the running minute


def begun(session: Session, submission_id: UUID, stage: str) -> Grading | None:
    """The submission with its stages locked and this one started; None where a message came twice."""
    locked = session.scalars(select(StageRow).filter_by(submission_id=submission_id).with_for_update())
    stages = {row.stage: row for row in locked}
    if stages[stage].state == "done":
        return None
    stages[stage].attempts += 1
    stages[stage].started_at = now()
    submission = session.get_one(SubmissionRow, submission_id, options=[selectinload(SubmissionRow.answers)])
    return Grading(submission, stages, stage)


def load(grading: Grading, *, scored: ResultRow | None = None) -> Work:
    """What a stage needs to know."""
    submission = grading.submission
    known = bank.holding(answer.question_id for answer in submission.answers)
    return work_of(
        submission,
        submission.answers,
        known,
        score=scored.body if scored else None,
        stages=[grading.stages[stage] for stage in STAGES],
    )


def finish(session: Session, grading: Grading, body: dict[str, Any] | None) -> None:
    """Store the result, end the stage and make the next one ready, or complete the submission."""
    submission, run, moment = grading.submission, grading.stages[grading.stage], now()
    if body is not None:
        session.add(ResultRow(submission_id=run.submission_id, stage=run.stage, body=body))
    run.state, run.finished_at = "done", moment
    submission.updated_at = moment
    if run.stage == STAGES[-1]:
        submission.status, submission.completed_at = "completed", moment
        return
    submission.status = "ai_processing"
    following = grading.stages[STAGES[STAGES.index(run.stage) + 1]]
    following.state, following.queued_at = "ready", moment


def locked_learner(session: Session, learner_id: str) -> LearnerRow:
    """The learner's row under lock, put there first if it is missing."""
    learner = session.get(LearnerRow, learner_id, with_for_update=True)
    if learner is None:
        session.execute(insert(LearnerRow).values(id=learner_id, recent_correct=[]).on_conflict_do_nothing())
        learner = session.get_one(LearnerRow, learner_id, with_for_update=True)
    return learner


def locked_items(session: Session, work: Work) -> dict[str, ItemRatingRow]:
    """The ratings of the questions answered under lock, in one order for everybody, put there if missing."""
    questions = {answer.question.id: answer.question for answer in work.answers}
    query = select(ItemRatingRow).where(ItemRatingRow.question_id.in_(questions))
    query = query.order_by(ItemRatingRow.question_id).with_for_update()
    items = {row.question_id: row for row in session.scalars(query)}
    if missing := sorted(questions.keys() - items.keys()):
        first = [{"question_id": id_, "rating": first_item_rating(questions[id_]).rating} for id_ in missing]
        session.execute(insert(ItemRatingRow).on_conflict_do_nothing(), [{**row, "answers": 0} for row in first])
        items = {row.question_id: row for row in session.scalars(query)}
    return items


def keep(
    session: Session,
    learned: Learned,
    learner: LearnerRow,
    skills: dict[str, SkillRow],
    items: dict[str, ItemRatingRow],
) -> None:
    """Write back what moved."""
    key = (TENANT, learner.id)
    state = learned.learners[key]
    learner.recent_correct = list(state.recent_correct)
    for topic in learned.moved_skills[key]:
        columns = skill_columns(learner.id, state.skills[topic])
        if topic in skills:
            for name, value in columns.items():
                setattr(skills[topic], name, value)
        else:
            session.add(SkillRow(**columns))
    for (_, question_id), rating in learned.items.items():
        items[question_id].rating, items[question_id].answers = rating.rating, rating.answers


def add(session: Session, increments: Increments) -> None:
    """Add to the figures."""
    days = [
        {"learner_id": row.learner_id, "day": row.day, "submissions": row.submissions, **sums_columns(row.sums)}
        for row in increments.days
    ]
    items = [{"question_id": row.question_id, **sums_columns(row.sums)} for row in increments.questions]
    minutes = [minute_columns(row) for row in increments.stages]
    add_to(session, tables.LearnerDayRow, ("learner_id", "day"), days)
    add_to(session, tables.ItemStatisticsRow, ("question_id",), items)
    add_to(session, tables.StageMinuteRow, ("stage", "minute"), minutes)


def add_to(session: Session, table: type[tables.Base], key: tuple[str, ...], rows: list[dict[str, Any]]) -> None:
    """Insert rows of sums, or add them to those that are there."""
    statement = insert(table)
    columns = {column.name: column for column in table.__table__.columns if column.name not in key}
    sums = {
        name: func.greatest(column, statement.excluded[name])
        if name.startswith("longest")
        else column + statement.excluded[name]
        for name, column in columns.items()
    }
    session.execute(statement.on_conflict_do_update(index_elements=key, set_=sums), rows)
