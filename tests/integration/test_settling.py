"""Decisions of people on real Postgres: score, learning, figures, events; exact in a replay, gone with the learner."""

import asyncio
from collections.abc import Sequence
from functools import partial

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.errors import Conflict, InvalidInput, NotFound
from pipeline.lifecycle import Stage
from pipeline.model import Recorded
from pipeline.service.rebuilding import Rebuilder
from pipeline.stages.settlement import Decision
from pipeline.store.control import ControlStore
from pipeline.store.erasure import ErasureStore
from pipeline.store.question import QuestionVersions
from pipeline.store.work import WorkStore
from tests.contracts.classroom import ESSAY, Classroom
from tests.contracts.house import WORKER, run
from tests.integration.test_rebuilding import MeanwhileStore, erase, erase_at_once, execute, of_others, state_of
from tests.samples import a_hand_in, new_tenant
from tests.sums import query


@pytest.fixture
async def room(engine: AsyncEngine) -> Classroom:
    room = Classroom(engine)
    await room.furnish()
    return room


async def test_score_totals_and_version_follow_and_the_last_decision_ends_what_is_provisional(room: Classroom) -> None:
    id_ = await room.hand_in()
    before = await room.score(id_)
    assert (before["provisional"], [row[0] for row in before["answers"]]) == (
        True,
        ["correct", "needs_review", "needs_review"],
    )
    _, version = await room.status(id_)
    recorded = await room.settle(id_, "essay", 3.5)
    assert [(change.submission_id, change.version) for change in recorded.changes] == [(id_, version + 1)]
    assert (await room.status(id_))[1] == version + 1
    middle = await room.score(id_)
    assert (middle["provisional"], middle["answers"][1]) == (True, ["partial", 0.7, 3.5])
    await room.settle(id_, "close", 2.0)
    after = await room.score(id_)
    assert (after["provisional"], after["points"], after["fraction"]) == (False, 6.5, 0.8125)


async def test_a_decision_is_learnt_once_and_corrections_change_the_score_alone(
    room: Classroom, engine: AsyncEngine
) -> None:
    id_ = await room.hand_in()
    await room.exact()
    start = await state_of(engine)
    await room.settle(id_, "essay", 5.0)
    await room.settle(id_, "close", 1.0)
    await room.exact()
    learnt = await state_of(engine)
    assert learnt["skills"] != start["skills"]
    assert learnt["items"] != start["items"]
    await room.settle(id_, "essay", 0.0)
    await room.exact()
    corrected = await state_of(engine)
    assert (corrected["skills"], corrected["items"], corrected["learners"]) == (
        learnt["skills"],
        learnt["items"],
        learnt["learners"],
    )
    assert corrected["counts"] != learnt["counts"]
    assert (await room.score(id_))["answers"][1] == ["incorrect", 0.0, 0.0]


async def test_the_same_again_changes_nothing(room: Classroom, engine: AsyncEngine) -> None:
    id_ = await room.hand_in(callback_url="https://school.example/hook")
    await room.settle(id_, "essay", 3.5, "Good.")
    before, standing = await state_of(engine), await room.status(id_)
    assert await room.settle(id_, "essay", 3.5, "Good.", actor="key:2") == Recorded()
    assert (await state_of(engine), await room.status(id_)) == (before, standing)
    assert len(await query(engine, "SELECT FROM deliveries WHERE event = 'submission.settled'")) == 1
    [row] = await query(engine, "SELECT actor, target FROM audit_log WHERE action = 'submission.settle'")
    assert tuple(row) == ("key:1", {"submission_id": id_, "question_id": "essay", "points": 3.5})


async def test_each_decision_is_told_to_those_who_listen(room: Classroom, engine: AsyncEngine) -> None:
    id_ = await room.hand_in(callback_url="https://school.example/hook")
    recorded = await room.settle(id_, "essay", 3.5)
    [row] = await query(
        engine, "SELECT id::text, payload::jsonb AS told FROM deliveries WHERE event = 'submission.settled'"
    )
    assert recorded.deliveries == (row.id,)
    assert (row.told["type"], row.told["data"]["score"]["points"]) == ("submission.settled", 4.5 + 0.8709)


async def test_figures_count_the_decision_once_whenever_it_comes(room: Classroom, engine: AsyncEngine) -> None:
    """Before the figures count the submission, after it, and corrected."""
    early = await room.hand_in(stages=[Stage.SCORE, Stage.RECOMMEND])
    await room.settle(early, "essay", 5.0)
    await run(room, Stage.FEEDBACK, [early])
    await run(room, Stage.METRICS, [early])
    late = await room.hand_in()
    await room.settle(late, "essay", 1.0)
    await room.settle(late, "essay", 5.0)
    await room.exact()
    [row] = await query(
        engine,
        "SELECT i.answers, i.scored, i.correct, i.fraction_millionths FROM item_statistics i"
        " JOIN questions q ON q.key = i.question_key WHERE q.id = 'essay'",
    )
    assert tuple(row) == (2, 2, 2, 2_000_000)
    [days] = await query(engine, "SELECT sum(submissions), sum(answers), sum(scored), sum(correct) FROM learner_days")
    assert tuple(days) == (2, 6, 6, 4)


async def test_figures_go_by_a_decision_that_was_made_while_feedback_was_written(room: Classroom) -> None:
    """Feedback was begun on the score of before; what follows it in the same transaction goes by the one of now."""
    id_ = await room.hand_in(stages=[Stage.SCORE, Stage.RECOMMEND])
    claims, _ = await room.store.claim(Stage.FEEDBACK, [id_], WORKER, 30.0)
    begun = await room.store.load(Stage.FEEDBACK, claims)
    await room.settle(id_, "essay", 5.0)
    async with room.store.unit(Stage.FEEDBACK, WORKER) as unit:
        await unit.hold(claims, rescored=True)
        [work] = unit.renewed(begun)
    assert (begun[0].scores[1].fraction, work.scores[1].fraction) == (None, 1.0)


async def test_it_makes_no_difference_to_history_whether_advice_came_before_or_after(
    room: Classroom, engine: AsyncEngine
) -> None:
    id_ = await room.hand_in(stages=[Stage.SCORE])
    await room.settle(id_, "close", 2.0)
    await room.settle(id_, "essay", 2.0)
    await room.exact()
    for stage in (Stage.RECOMMEND, Stage.FEEDBACK, Stage.METRICS):
        await run(room, stage, [id_])
    await room.exact()
    [row] = await query(engine, "SELECT answers FROM skills WHERE topic = 'topic-1'")
    assert row[0] == 1


async def begun_at(room: Classroom, name: str, stages: Sequence[Stage]) -> tuple[float, float]:
    """Where an essay's rating began that was settled after these stages, in a tenant whose questions proved hard."""
    await room.furnish(name)
    for learner in range(4):
        early = a_hand_in(room.tenant_id, [room.questions[0]], ("b",), learner_id=f"early-{learner}")
        await room.intake.accept([early])
        await run(room, Stage.SCORE, [early.id])
        await run(room, Stage.RECOMMEND, [early.id])
    room.store = WorkStore(room.engine, QuestionVersions())  # as another process that starts now
    id_ = await room.hand_in("late", stages)
    await room.settle(id_, "essay", 1.0)
    await room.exact()
    [row] = await query(
        room.engine,
        "SELECT r.start, r.rating FROM item_ratings r JOIN questions q ON q.key = r.question_key"
        f" WHERE q.id = 'essay' AND q.tenant_id = {room.tenant_id}",
    )
    return row.start, row.rating


async def test_a_question_first_settled_before_any_advice_begins_where_all_others_do(room: Classroom) -> None:
    """A rating begins with whoever comes first: the stage that learns from all answers, or a person's decision."""
    usual, _ = await begun_at(room, "usual", [Stage.SCORE, Stage.RECOMMEND])
    level = float(ESSAY.difficulty - 3)
    assert usual > level
    begun, moved = await begun_at(room, "settled first", [Stage.SCORE])
    assert begun == pytest.approx(usual, rel=1e-12)
    assert moved != begun


async def test_a_rebuild_begins_a_question_where_its_first_decision_did(room: Classroom, engine: AsyncEngine) -> None:
    await begun_at(room, "settled first", [Stage.SCORE])
    before = await state_of(engine)
    await execute(engine, "UPDATE item_ratings SET rating = rating + 1")
    assert (await room.rebuilder.rebuild(room.tenant_id)).differences > 0
    assert await state_of(engine) == before


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE skills SET rating = rating + 1e-15",
        "UPDATE item_ratings SET rating = 2, answers = 0",
        "UPDATE settlements SET item_step = 0.5, answers = 1 - answers",
        "DELETE FROM learner_days",
        "DELETE FROM item_statistics",
    ],
)
async def test_a_rebuild_makes_damage_right_with_decisions_in_history(
    room: Classroom, engine: AsyncEngine, damage: str
) -> None:
    for learner in ("ada", "bob", "ada"):
        id_ = await room.hand_in(learner)
        await room.settle(id_, "close", 1.5)
        await room.settle(id_, "essay", 4.0)
    await room.settle(id_, "essay", 1.0)
    before = await state_of(engine)
    steps = await query(engine, "SELECT item_step, answers FROM settlements ORDER BY learning_sequence")
    await execute(engine, damage)
    assert (await room.rebuilder.rebuild(room.tenant_id)).differences > 0
    assert await state_of(engine) == before
    assert await query(engine, "SELECT item_step, answers FROM settlements ORDER BY learning_sequence") == steps
    await room.exact()


async def test_a_decision_between_look_and_switch_is_learnt_again_on_the_rebuilt_state(
    room: Classroom, engine: AsyncEngine
) -> None:
    ids = [await room.hand_in(learner) for learner in ("ada", "bob")]
    await execute(engine, "UPDATE skills SET rating = rating + 1")
    store = MeanwhileStore(engine, partial(room.settle, ids[0], "essay", 5.0))
    await Rebuilder(store).rebuild(room.tenant_id)
    assert store.switches == 1
    await room.exact()


async def test_erasing_keeps_what_decisions_did_to_questions_and_forgets_by_whom(
    room: Classroom, engine: AsyncEngine
) -> None:
    ids = [await room.hand_in(learner) for learner in ("bob", "ada", "bob", "ada")]
    for id_ in ids:
        await room.settle(id_, "essay", 4.0)
        await room.settle(id_, "close", 2.0)
    before = await state_of(engine)
    await erase(engine, room.tenant_id, "bob", at_once=1)
    after = await state_of(engine)
    assert (after["items"], after["counts"]) == (before["items"], before["counts"])
    await room.exact()
    assert len(await query(engine, "SELECT FROM settlements")) == 4
    await execute(engine, "UPDATE item_ratings SET rating = 0, answers = 1")
    await room.rebuilder.rebuild(room.tenant_id)
    assert (await state_of(engine))["items"] == before["items"]


async def test_a_decision_in_the_middle_of_an_erasure_goes_with_the_rest(room: Classroom, engine: AsyncEngine) -> None:
    first, second = await room.hand_in("bob"), await room.hand_in("bob")
    await room.settle(first, "essay", 4.0)
    await ErasureStore(engine).erase_submissions(room.tenant_id, [first])
    await room.settle(second, "essay", 4.0)
    assert of_others(await room.rebuilder.check(room.tenant_id), "bob") == []
    await erase_at_once(engine, room.tenant_id, "bob")
    assert await query(engine, "SELECT FROM settlements") == []
    assert await query(engine, "SELECT FROM skills") == []
    await room.exact()


async def test_many_decide_at_once_and_each_counts_once(room: Classroom, engine: AsyncEngine) -> None:
    """On one answer, on answers of one submission, and on answers of one learner."""
    ids = [await room.hand_in() for _ in range(3)]
    await asyncio.gather(
        *[
            room.settle(id_, question, points)
            for id_ in ids
            for question in ("essay", "close")
            for points in (0.5, 1.0, 1.5)
        ]
    )
    assert len(await query(engine, "SELECT FROM settlements")) == 6
    for id_ in ids:
        assert (await room.status(id_))[1] == (await room.status(ids[0]))[1]
        assert (await room.score(id_))["provisional"] is False
    await room.exact()


async def test_what_cannot_be_settled_is_refused_and_nothing_moves(room: Classroom, engine: AsyncEngine) -> None:
    unscored = await room.hand_in(stages=[])
    scored = await room.hand_in()
    cancelled = await room.hand_in(stages=[Stage.SCORE])
    await ControlStore(engine).cancel(room.tenant_id, [cancelled], "test")
    stranger = await new_tenant(engine, "rival")
    before = await state_of(engine)
    for refused, id_, question, points in (
        (Conflict, unscored, "essay", 1.0),
        (Conflict, scored, "q0", 1.0),
        (Conflict, cancelled, "essay", 1.0),
        (NotFound, scored, "other", 1.0),
        (NotFound, "01900000-0000-7000-8000-000000000001", "essay", 1.0),
        (InvalidInput, scored, "essay", 5.5),
    ):
        with pytest.raises(refused):
            await room.settle(id_, question, points)
    with pytest.raises(NotFound):
        await room.teacher.settle(stranger, scored, "essay", Decision(points=1.0), actor="key:9")
    assert await state_of(engine) == before
    assert await query(engine, "SELECT FROM settlements") == []
