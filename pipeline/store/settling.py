"""A person's decision on an answer: the score, what is learnt from it, figures and events, in one transaction.

Locks are taken as everybody takes them: the submission, the learner, the question, and then the rest. Who holds the
submission is alone with its score, so stages that end meanwhile come before or after, and never between.
"""

from typing import Final

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from pipeline.errors import Conflict, NotFound
from pipeline.learning.rating import moved_skills
from pipeline.lifecycle import SUCCEEDED_STATES, Stage, StageState, Status
from pipeline.model import AnswerScore, Change, Claim, Held, Recorded, ScoredAnswer, Work
from pipeline.stages.recommend import Learned, LearnerKey, LearnerState
from pipeline.stages.score import sum_up
from pipeline.stages.settlement import Decision, learn_decision, recounted, settle
from pipeline.store.candidates import Banks
from pipeline.store.control import record_act
from pipeline.store.engine import as_json, transaction
from pipeline.store.fence import lock
from pipeline.store.learning import add_metrics, save_learning
from pipeline.store.locking import lock_items, lock_learners, named, read_skills
from pipeline.store.outbox import tell_settled
from pipeline.store.packing import packed
from pipeline.store.question import QuestionVersions
from pipeline.store.start import shifts_for
from pipeline.store.work import WorkUnit
from pipeline.store.writing import FenceBroken

NAMES = text("SELECT id, key FROM questions WHERE tenant_id = :tenant_id AND (key = ANY(:keys) OR id = :question_id)")

# All that it moved is under lock by now, so whoever moves any of it later draws a later number.
REMEMBER = text(
    """
    INSERT INTO settlements (submission_id, position, tenant_id, fraction, settled_at, learning_sequence, item_step,
        answers)
    VALUES (CAST(:submission_id AS uuid), :position, :tenant_id, :fraction, :settled_at,
        nextval('learning_sequence'), :item_step, :answers)
    """
)

WRITE = text(
    """
    WITH scored AS (
        UPDATE results SET body = CAST(:body AS jsonb)
        WHERE submission_id = CAST(:submission_id AS uuid) AND stage = 'score' AND tenant_id = :tenant_id
        RETURNING 1
    ), updated AS (
        UPDATE submissions SET version = version + 1, settled_version = version + 1, updated_at = clock_timestamp()
        WHERE tenant_id = :tenant_id AND id = CAST(:submission_id AS uuid) AND version = :version AND status = :status
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM scored) + (SELECT count(*) FROM updated) AS written
    """
)
WRITTEN = 2
NO_SUCH_SUBMISSION: Final = "There is no such submission."


class SettlementStore:
    """Postgres as the port `pipeline.ports.settlement.SettlementStore`."""

    def __init__(self, engine: AsyncEngine, versions: QuestionVersions) -> None:
        self._engine = engine
        self._versions = versions

    async def settle(
        self, tenant_id: int, submission_id: str, question_id: str, decision: Decision, *, actor: str
    ) -> Recorded:
        """Decide on an answer, in one transaction with what is learnt from it; nothing where the same was decided.

        Raises `NotFound`, `Conflict` where there is nothing to decide, or not yet, and `InvalidInput`.
        """
        async with transaction(self._engine) as connection:
            held = await held_of(connection, tenant_id, submission_id)
            work = await self._load(connection, tenant_id, held.submission_id)
            place = place_of(work, question_id)
            before = score_at(held, work, place)
            after = settle(before, decision, by=actor, at=work.loaded_at)
            if after is before:
                return Recorded()
            if before.settled is None:
                await learn(connection, work, place, after)
            if held.states[Stage.METRICS] is StageState.DONE:
                await add_metrics(connection, recounted(work, place, after))
            await note(connection, work, place, after, actor)
            return await write(connection, held, work, place, after)

    async def examine(self, tenant_id: int, submission_id: str) -> Work:
        """The answers of a submission as they were handed in, with their scores as far as there are; `NotFound`."""
        async with transaction(self._engine) as connection:
            return await self._load(connection, tenant_id, submission_id)

    async def _load(self, connection: AsyncConnection, tenant_id: int, submission_id: str) -> Work:
        unit = WorkUnit(connection, Stage.SCORE, None, self._versions, Banks())
        works = await unit.load([Claim(submission_id, tenant_id, 0, 0)])
        if not works:
            raise NotFound(NO_SUCH_SUBMISSION)
        return works[0]


async def held_of(connection: AsyncConnection, tenant_id: int, submission_id: str) -> Held:
    """The submission under lock; raises `NotFound`."""
    locked = (await lock(connection, [(submission_id, tenant_id)])).rows
    if not locked:
        raise NotFound(NO_SUCH_SUBMISSION)
    return locked[0].held


def place_of(work: Work, question_id: str) -> int:
    """Which of the answers is the one to this question; raises `NotFound`."""
    asked = [answer.question.id for answer in work.answers]
    if question_id not in asked:
        raise NotFound("The submission has no answer to this question.")
    return asked.index(question_id)


def score_at(held: Held, work: Work, place: int) -> AnswerScore:
    """The score of an answer as it is; raises `Conflict` where there is none to decide on."""
    if held.status is Status.CANCELLED:
        raise Conflict("The submission is cancelled, so nothing in it can be settled.")
    if held.states[Stage.SCORE] not in SUCCEEDED_STATES:
        raise Conflict(f"The submission is not scored yet; it is {held.status}.")
    return work.scores[place]


async def learn(connection: AsyncConnection, work: Work, place: int, score: AnswerScore) -> None:
    """Fold the first decision on an answer in, and keep in which order that was."""
    scored = ScoredAnswer(work.answers[place], score)
    key, id_ = (work.tenant_id, work.learner_id), scored.answer.question.id
    shifts = await shifts_for(connection, work.tenant_id, scored.answer.question)
    before, question_keys = await lock_learner(connection, key, id_)
    [item] = (await lock_items(connection, [one_answer(work, place)], shifts)).values()
    effect, learner = learn_decision(scored, work.loaded_at, before, item)
    topics = frozenset(skill.topic for skill in moved_skills(effect))
    learned = Learned({key: learner}, {key: topics}, {(work.tenant_id, id_): effect.items[id_]})
    await save_learning(connection, {work.tenant_id: question_keys}, learned)
    [change] = effect.changes
    values = {
        "submission_id": work.submission_id,
        "position": place,
        "tenant_id": work.tenant_id,
        "fraction": score.fraction,
        "settled_at": work.loaded_at,
        "item_step": change.item_step,
        "answers": change.item_answers,
    }
    await connection.execute(REMEMBER, values)


async def lock_learner(
    connection: AsyncConnection, key: LearnerKey, question_id: str
) -> tuple[LearnerState, dict[str, int]]:
    """A learner under lock, and the keys of the questions answered right lately and of this one.

    The names are read after the lock: until then others may add some.
    """
    correct = (await lock_learners(connection, [key]))[key]
    values = {"tenant_id": key[0], "keys": list(correct), "question_id": question_id}
    key_by_id = {row.id: row.key for row in await connection.execute(NAMES, values)}
    skills = (await read_skills(connection, [key]))[key]
    return LearnerState(skills, named({number: id_ for id_, number in key_by_id.items()}, correct)), key_by_id


def one_answer(work: Work, place: int) -> Work:
    """The submission as if it had this answer alone."""
    return msgspec.structs.replace(work, answers=(work.answers[place],), scores=(work.scores[place],))


async def write(connection: AsyncConnection, held: Held, work: Work, place: int, score: AnswerScore) -> Recorded:
    """The new score, and who is to hear of it; `FenceBroken`, and nothing of it, where it is not as it was."""
    scores = (*work.scores[:place], score, *work.scores[place + 1 :])
    values = {
        "submission_id": held.submission_id,
        "tenant_id": held.tenant_id,
        "version": held.version,
        "status": held.status,
        "body": as_json(packed(Stage.SCORE, sum_up(scores))),
    }
    row = (await connection.execute(WRITE, values)).one()
    if row.written != WRITTEN:
        raise FenceBroken(f"settling wrote {row.written} rows of {WRITTEN}")
    change = Change(held.submission_id, held.tenant_id, held.version + 1, held.status, settled=True)
    return Recorded((change,), await tell_settled(connection, change))


async def note(connection: AsyncConnection, work: Work, place: int, score: AnswerScore, actor: str) -> None:
    """Who decided what, for the audit log: without the words, which may tell of the learner."""
    question_id = work.answers[place].question.id
    await record_act(
        connection,
        tenant_id=work.tenant_id,
        actor=actor,
        action="submission.settle",
        reason=None,
        target={"submission_id": work.submission_id, "question_id": question_id, "points": score.points},
    )
