"""What was learnt equals, to the last digit, what history says; and where it does not, a rebuild makes it so."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.errors import Conflict
from pipeline.lifecycle import Stage
from pipeline.model import NewSubmission
from pipeline.service.rebuilding import Findings, Rebuilder
from pipeline.store.bank import BankStore
from pipeline.store.engine import transaction
from pipeline.store.erasure import ErasureStore
from pipeline.store.question import QuestionVersions
from pipeline.store.rebuilding import RebuildStore
from pipeline.store.switching import LearningSwitch
from pipeline.store.work import WorkStore
from tests.contracts.house import PostgresHouse, run
from tests.samples import a_hand_in
from tests.sums import query

STATE = {
    "skills": "SELECT to_jsonb(s)::text FROM skills s ORDER BY 1",
    "learners": "SELECT id, recent_correct FROM learners ORDER BY 1",
    "items": "SELECT to_jsonb(i)::text FROM item_ratings i ORDER BY 1",
    "days": "SELECT to_jsonb(d)::text FROM learner_days d ORDER BY 1",
    "counts": "SELECT to_jsonb(c)::text FROM item_statistics c ORDER BY 1",
    "steps": "SELECT submission_id, learning_sequence, item_steps FROM results WHERE stage = 'recommend' ORDER BY 1",
}

DAMAGES = [
    "UPDATE skills SET rating = rating + 1e-15",
    "UPDATE skills SET recent_errors = 0.5, answers = answers + 1 WHERE learner_id = 'ada'",
    "DELETE FROM skills WHERE learner_id = 'ada'",
    (
        "INSERT INTO skills (tenant_id, learner_id, topic, rating, answers, correct, updated_at)"
        " SELECT tenant_id, id, 'never met', 1, 1, 1, now() FROM learners"
    ),
    "UPDATE learners SET recent_correct = '{}'",
    "UPDATE item_ratings SET rating = 2, answers = 0",
    "DELETE FROM item_ratings",
    "UPDATE learner_days SET correct = correct + 1, answers = 0",
    "DELETE FROM learner_days",
    "INSERT INTO learner_days SELECT tenant_id, id, '2020-01-01', 1, 2, 3, 4, 5, 6, 7 FROM learners",
    "UPDATE item_statistics SET timed = 0",
    "DELETE FROM item_statistics",
    "UPDATE results SET item_steps = ARRAY[0.25, NULL]::float[] WHERE stage = 'recommend'",
    "UPDATE results SET item_steps = NULL WHERE stage = 'recommend'",
]


@pytest.fixture
async def house(engine: AsyncEngine) -> PostgresHouse:
    house = PostgresHouse(engine)
    await house.furnish()
    return house


@pytest.fixture
def rebuilder(engine: AsyncEngine) -> Rebuilder:
    return Rebuilder(RebuildStore(engine))


async def handed_in(house: PostgresHouse, count: int, *learners: str) -> list[str]:
    """Hand-ins by turns, to overlapping questions, right and wrong."""
    batch = [
        a_hand_in(
            house.tenant_id,
            house.questions[number % 4 :],
            ("ab"[number % 2], "ba"[number % 3 % 2]),
            learner_id=learners[number % len(learners)],
        )
        for number in range(count)
    ]
    await house.intake.accept(batch)
    return [one.id for one in batch]


async def learnt(house: PostgresHouse, count: int = 12, learners: tuple[str, ...] = ("ada", "bob")) -> list[str]:
    ids = await handed_in(house, count, *learners)
    for stage in Stage:
        await run(house, stage, ids)
    return ids


async def state_of(engine: AsyncEngine) -> dict[str, list[tuple[object, ...]]]:
    return {name: [tuple(row) for row in await query(engine, sql)] for name, sql in STATE.items()}


async def execute(engine: AsyncEngine, statement: str) -> None:
    async with transaction(engine) as connection:
        await connection.execute(text(statement))


async def erase(engine: AsyncEngine, tenant_id: int, learner_id: str, at_once: int = 2) -> None:
    """As the service does it, in small pieces; after each of them history and state agree."""
    rebuilder, ids = Rebuilder(RebuildStore(engine)), await submissions_of(engine, learner_id)
    for start in range(0, len(ids), at_once):
        await ErasureStore(engine).erase_submissions(tenant_id, ids[start : start + at_once])
        assert of_others(await rebuilder.check(tenant_id), learner_id) == []
    await erase_at_once(engine, tenant_id, learner_id)


async def erase_at_once(engine: AsyncEngine, tenant_id: int, learner_id: str) -> None:
    store = ErasureStore(engine)
    await store.erase_submissions(tenant_id, await submissions_of(engine, learner_id))
    assert await store.erase_learner(
        tenant_id, learner_id, actor="test", audit_id="01900000-0000-7000-8000-000000000001", learner_hash="x"
    )


async def submissions_of(engine: AsyncEngine, learner_id: str) -> list[str]:
    rows = await query(engine, "SELECT id::text FROM submissions WHERE learner_id = :id ORDER BY id", id=learner_id)
    return [row.id for row in rows]


def of_others(findings: Findings, learner_id: str) -> list[str]:
    """Days of whoever is being erased go at the end, all of them at once."""
    return [one.what for one in findings.first if not (one.what.startswith("the day") and learner_id in one.what)]


async def test_what_workers_learnt_is_what_history_says(house: PostgresHouse, rebuilder: Rebuilder) -> None:
    await learnt(house)
    findings = await rebuilder.check(house.tenant_id)
    assert (findings.differences, findings.first) == (0, ())
    assert (findings.submissions, findings.learners, findings.questions) == (12, 2, 5)


@pytest.mark.parametrize("damage", DAMAGES)
async def test_whatever_was_damaged_is_found_and_made_right(
    house: PostgresHouse, engine: AsyncEngine, rebuilder: Rebuilder, damage: str
) -> None:
    await learnt(house)
    before = await state_of(engine)
    await execute(engine, damage)
    damaged = await state_of(engine)
    assert damaged != before
    found = (await rebuilder.check(house.tenant_id)).differences
    assert found > 0
    assert await state_of(engine) == damaged
    assert (await rebuilder.rebuild(house.tenant_id)).differences == found
    assert await state_of(engine) == before
    assert (await rebuilder.check(house.tenant_id)).differences == 0


async def test_a_question_begins_again_where_it_began(
    house: PostgresHouse, engine: AsyncEngine, rebuilder: Rebuilder
) -> None:
    """Where that was depends on what was known of others at that moment, which nobody could work out again."""
    early, late = house.questions[:3], house.questions[3:]
    for learner in range(6):
        await learn_of(house, [a_hand_in(house.tenant_id, early, ("b", "b", "b"), learner_id=f"early-{learner}")])
    house.store = WorkStore(engine, QuestionVersions())  # as another process that starts now
    await learn_of(house, [a_hand_in(house.tenant_id, late, ("a", "b", "a"), learner_id="late")])
    starts = await query(engine, "SELECT start FROM item_ratings ORDER BY question_key")
    assert [row.start is None for row in starts] == [True] * 3 + [False] * 3
    assert (await rebuilder.check(house.tenant_id)).differences == 0
    before = await state_of(engine)
    await execute(engine, "UPDATE item_ratings SET rating = rating + 1")
    assert (await rebuilder.rebuild(house.tenant_id)).differences == 6
    assert await state_of(engine) == before
    await erase(engine, house.tenant_id, "late")
    assert (await rebuilder.check(house.tenant_id)).differences == 0


async def learn_of(house: PostgresHouse, batch: Sequence[NewSubmission]) -> None:
    await house.intake.accept(batch)
    for stage in Stage:
        await run(house, stage, [one.id for one in batch])


async def test_a_rebuild_that_finds_nothing_locks_and_writes_nothing(
    house: PostgresHouse, engine: AsyncEngine, rebuilder: Rebuilder
) -> None:
    """It goes through while somebody else holds all that it could want to lock."""
    await learnt(house)
    async with transaction(engine) as connection:
        await connection.execute(text("SELECT FROM learners FOR UPDATE"))
        await connection.execute(text("SELECT FROM item_ratings FOR UPDATE"))
        assert (await rebuilder.rebuild(house.tenant_id)).differences == 0


async def test_what_was_learnt_before_numbers_were_drawn_is_numbered_in_the_order_of_results(
    house: PostgresHouse, engine: AsyncEngine, rebuilder: Rebuilder
) -> None:
    """An upgrade: older results have neither number nor steps; erasing later on keeps the questions as they are."""
    for _ in range(4):
        await learnt(house, 3, ("ada", "bob", "eve"))
    before = await state_of(engine)
    await execute(
        engine,
        "UPDATE results SET learning_sequence = NULL, item_steps = NULL WHERE stage = 'recommend' AND"
        " learning_sequence <= (SELECT min(learning_sequence) + 5 FROM results)",
    )
    await rebuilder.rebuild(house.tenant_id)
    after = await state_of(engine)
    assert {name: rows for name, rows in after.items() if name != "steps"} == {
        name: rows for name, rows in before.items() if name != "steps"
    }
    order = "SELECT submission_id FROM results WHERE stage = 'recommend' ORDER BY learning_sequence"
    assert [row[0] for row in await query(engine, order)] == [row[0] for row in before["steps"]]
    await erase(engine, house.tenant_id, "bob")
    assert (await rebuilder.check(house.tenant_id)).differences == 0
    assert (await state_of(engine))["items"] == before["items"]


async def test_erasing_keeps_what_was_done_to_questions_and_forgets_by_whom(
    house: PostgresHouse, engine: AsyncEngine, rebuilder: Rebuilder
) -> None:
    await learnt(house, 12, ("ada", "bob", "eve"))
    before = await state_of(engine)
    await erase(engine, house.tenant_id, "bob")
    after = await state_of(engine)
    assert (after["items"], after["counts"]) == (before["items"], before["counts"])
    assert (await rebuilder.check(house.tenant_id)).differences == 0
    await learnt(house, 6, ("ada", "bob"))
    assert (await rebuilder.check(house.tenant_id)).differences == 0
    await erase(engine, house.tenant_id, "bob", at_once=200)
    await erase(engine, house.tenant_id, "ada")
    assert (await rebuilder.check(house.tenant_id)).differences == 0


async def test_after_damage_questions_are_rebuilt_with_the_steps_of_erased_learners(
    house: PostgresHouse, engine: AsyncEngine, rebuilder: Rebuilder
) -> None:
    """Erased is who answered first, too: where a question began is kept with the steps."""
    await learnt(house, 2, ("bob",))
    await learnt(house, 4, ("ada", "bob"))
    before = await state_of(engine)
    await erase(engine, house.tenant_id, "bob")
    await execute(engine, "UPDATE item_ratings SET rating = 0, answers = 1")
    await execute(engine, "DELETE FROM item_statistics")
    await rebuilder.rebuild(house.tenant_id)
    after = await state_of(engine)
    assert (after["items"], after["counts"]) == (before["items"], before["counts"])


async def test_what_is_learnt_between_look_and_switch_is_learnt_again_on_the_rebuilt_state(
    house: PostgresHouse, engine: AsyncEngine
) -> None:
    await learnt(house)
    await execute(engine, "UPDATE skills SET rating = rating + 1")
    await execute(engine, "UPDATE item_ratings SET rating = rating - 1")
    store = MeanwhileStore(engine, partial(learnt, house, 6, ("ada", "eve")))
    await Rebuilder(store).rebuild(house.tenant_id)
    assert store.switches == 1
    assert (await Rebuilder(RebuildStore(engine)).check(house.tenant_id)).differences == 0


async def test_whoever_is_erased_between_look_and_switch_makes_it_look_again(
    house: PostgresHouse, engine: AsyncEngine
) -> None:
    await learnt(house, 12, ("ada", "bob", "eve"))
    await execute(engine, "UPDATE item_ratings SET rating = rating - 1")
    store = MeanwhileStore(engine, partial(erase_at_once, engine, house.tenant_id, "bob"))
    await Rebuilder(store).rebuild(house.tenant_id)
    assert store.switches == 2
    assert (await Rebuilder(RebuildStore(engine)).check(house.tenant_id)).differences == 0


class MeanwhileStore(RebuildStore):
    """Something happens between the first look and its switch."""

    def __init__(self, engine: AsyncEngine, happen: Callable[[], Awaitable[object]]) -> None:
        super().__init__(engine)
        self._happen = happen
        self.switches = 0

    @asynccontextmanager
    async def switch(self, tenant_id: int) -> AsyncIterator[LearningSwitch]:
        self.switches += 1
        if self.switches == 1:
            await self._happen()
        async with super().switch(tenant_id) as switch:
            yield switch


async def test_two_rebuilds_of_one_tenant_never_run_at_once(house: PostgresHouse, engine: AsyncEngine) -> None:
    async with RebuildStore(engine).look(house.tenant_id):
        with pytest.raises(Conflict):
            await Rebuilder(RebuildStore(engine)).check(house.tenant_id)


async def test_a_question_starts_from_the_version_that_was_learnt_from_first(
    house: PostgresHouse, rebuilder: Rebuilder
) -> None:
    """Two versions of other difficulties, learnt from in one batch for the first time."""
    old = await handed_in(house, 1, "ada")
    harder = [msgspec.structs.replace(one.question, difficulty=5) for one in house.questions]
    bank = BankStore(house.engine)
    await bank.save(house.tenant_id, harder)
    known = await bank.current(house.tenant_id, [one.id for one in harder])
    house.questions = [known[one.id] for one in harder]
    ids = old + await handed_in(house, 1, "bob")
    for stage in Stage:
        await run(house, stage, ids[::-1])
    assert (await rebuilder.check(house.tenant_id)).differences == 0
