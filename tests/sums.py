"""What must add up after any run: one result each, skills as a replay gives them, figures as a recount does."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.learning.metrics import count_up
from pipeline.learning.rating import ItemRating, first_item_rating
from pipeline.lifecycle import Stage, StageState, Status, status_of
from pipeline.model import Claim, Work
from pipeline.stages.metrics import finished
from pipeline.stages.recommend import LearnerState, LearningState, decide
from pipeline.store.engine import transaction
from pipeline.store.question import QuestionVersions
from pipeline.store.work import WorkStore

OF_TENANT = "(CAST(:tenant AS int) IS NULL OR {}.tenant_id = :tenant)"

# Whoever moves a learner or an item holds its lock, so these moments put the batches that met in order.
IN_ORDER_OF_LEARNING = f"""
    WITH learnt AS (
        SELECT r.submission_id, r.tenant_id, r.xmin::text AS batch, t.finished_at
        FROM results r JOIN stages t USING (submission_id, stage) WHERE r.stage = 'recommend'
          AND {OF_TENANT.format("r")}
    )
    SELECT submission_id::text, tenant_id FROM learnt
    ORDER BY min(finished_at) OVER (PARTITION BY batch), batch, submission_id
"""


async def query(engine: AsyncEngine, sql: str, **values: Any) -> list[Any]:
    async with transaction(engine) as connection:
        return list((await connection.execute(text(sql), values)).all())


async def assert_all_completed_once(engine: AsyncEngine, count: int) -> None:
    """Every accepted submission is completed, each stage's result is there once, nothing counted twice."""
    assert await query(engine, "SELECT status, count(*) FROM submissions GROUP BY 1") == [("completed", count)]
    results = await query(engine, "SELECT stage, count(*) FROM results GROUP BY 1 ORDER BY 1")
    assert [tuple(row) for row in results] == [("feedback", count), ("recommend", count), ("score", count)]
    await assert_sums_hold(engine)


async def assert_sums_hold(engine: AsyncEngine) -> None:
    """Skills and item ratings equal a replay one by one; figures equal a recount; no status lies."""
    assert await differences(engine) == []


async def differences(engine: AsyncEngine, tenant_id: int | None = None) -> list[str]:
    """What does not add up, of one tenant or of all: a sentence each."""
    return [
        *await skill_differences(engine, tenant_id),
        *await figure_differences(engine, tenant_id),
        *await status_differences(engine, tenant_id),
    ]


async def learnt_works(engine: AsyncEngine, tenant_id: int | None = None) -> list[Work]:
    return await load(engine, await query(engine, IN_ORDER_OF_LEARNING, tenant=tenant_id))


async def load(engine: AsyncEngine, ids: Iterable[Any]) -> list[Work]:
    claims = [Claim(id_, tenant_id, 0, 0) for id_, tenant_id in ids]
    return await WorkStore(engine, QuestionVersions()).load(Stage.METRICS, claims)


def replayed(works: Iterable[Work]) -> tuple[dict[Any, Any], dict[Any, Any]]:
    """Ratings of skills and of items after these submissions, one at a time."""
    learners: dict[tuple[int, str], LearnerState] = {}
    items: dict[tuple[int, str], ItemRating] = {}
    for work in works:
        key = (work.tenant_id, work.learner_id)
        learners.setdefault(key, LearnerState({}))
        for answer in work.answers:
            items.setdefault((work.tenant_id, answer.question.id), first_item_rating(answer.question))
        _, learned = decide([work], LearningState(learners, items, {work.tenant_id: {}}))
        learners |= learned.learners
        items |= learned.items
    skills = {
        (*key, topic): (skill.rating, skill.answers, skill.correct)
        for key, learner in learners.items()
        for topic, skill in learner.skills.items()
    }
    return skills, {key: (item.rating, item.answers) for key, item in items.items()}


async def skill_differences(engine: AsyncEngine, tenant_id: int | None) -> list[str]:
    skills, items = replayed(await learnt_works(engine, tenant_id))
    stored = await query(
        engine,
        "SELECT tenant_id, learner_id, topic, rating, answers, correct FROM skills s WHERE " + OF_TENANT.format("s"),
        tenant=tenant_id,
    )
    rated = await query(
        engine,
        "SELECT q.tenant_id, q.id, r.rating, r.answers FROM item_ratings r JOIN questions q ON q.key = r.question_key"
        " WHERE " + OF_TENANT.format("q"),
        tenant=tenant_id,
    )
    return [
        *compare("the skill", {tuple(row[:3]): tuple(row[3:]) for row in stored}, skills),
        *compare("the rating of item", {tuple(row[:2]): tuple(row[2:]) for row in rated}, items),
    ]


async def figure_differences(engine: AsyncEngine, tenant_id: int | None) -> list[str]:
    counted = await query(
        engine,
        "SELECT submission_id::text, tenant_id FROM stages t WHERE stage = 'metrics' AND state = 'done' AND "
        + OF_TENANT.format("t"),
        tenant=tenant_id,
    )
    increments = count_up(finished(work) for work in await load(engine, counted))
    sums = "answers, scored, correct, fraction_millionths, timed, response_time_ms"
    days = await query(
        engine,
        f"SELECT tenant_id, learner_id, day, submissions, {sums} FROM learner_days d WHERE " + OF_TENANT.format("d"),
        tenant=tenant_id,
    )
    items = await query(
        engine,
        f"SELECT s.tenant_id, q.id, {sums} FROM item_statistics s JOIN questions q ON q.key = s.question_key WHERE "
        + OF_TENANT.format("q"),
        tenant=tenant_id,
    )
    return [
        *compare(
            "the day",
            {tuple(row[:3]): tuple(row[3:]) for row in days},
            {(d.tenant_id, d.learner_id, d.day): (d.submissions, *sums_of(d.sums)) for d in increments.days},
        ),
        *compare(
            "the statistics of item",
            {tuple(row[:2]): tuple(row[2:]) for row in items},
            {(q.tenant_id, q.question_id): sums_of(q.sums) for q in increments.questions},
        ),
        *await minute_differences(engine),
    ]


async def minute_differences(engine: AsyncEngine) -> list[str]:
    """Figures per minute belong to no tenant: they count every submission whose metrics are done."""
    (done,) = await query(engine, "SELECT count(*)::int FROM stages WHERE stage = 'metrics' AND state = 'done'")
    minutes = await query(engine, "SELECT stage, sum(count)::int FROM stage_minutes GROUP BY 1")
    counted = {stage.value: done[0] for stage in Stage} if done[0] else {}
    return compare("the minutes of", {row[0]: row[1] for row in minutes}, counted)


def compare(what: str, stored: dict[Any, Any], expected: dict[Any, Any]) -> list[str]:
    """A sentence for each key whose value is not what it should be."""
    keys = sorted(stored.keys() | expected.keys(), key=str)
    return [
        f"{what} {key} is {stored.get(key)}, and should be {expected.get(key)}"
        for key in keys
        if stored.get(key) != expected.get(key)
    ]


def sums_of(sums: Any) -> tuple[int, ...]:
    return tuple(getattr(sums, name) for name in sums.__struct_fields__)


async def status_differences(engine: AsyncEngine, tenant_id: int | None) -> list[str]:
    """A submission's stored status is what its stages say (a claim may be ahead of `pending`)."""
    found = await query(
        engine,
        "SELECT s.id, s.status, jsonb_object_agg(t.stage, t.state) AS states FROM submissions s"
        " JOIN stages t ON t.submission_id = s.id WHERE " + OF_TENANT.format("s") + " GROUP BY s.tenant_id, s.id",
        tenant=tenant_id,
    )
    return [
        f"submission {row.id} is {row.status} while its stages are {row.states}"
        for row in found
        if not follows(row.status, row.states)
    ]


def follows(status: str, states: dict[str, str]) -> bool:
    expected = status_of({Stage(stage): StageState(state) for stage, state in states.items()})
    return status == expected or {status, expected} == {Status.PENDING, Status.SCORING}
